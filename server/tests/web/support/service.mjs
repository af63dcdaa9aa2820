// Runs the real program: commands that end, and the service in a folder of its own on a free port.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

/** A setting that the recipe gives; tests without it fail, they are not skipped. */
export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run these tests by: make test-web`);
  return value;
}

export const demoScan = () => path.join(setting('PARTERRE_DEMO_DIR'), 'scan.laz');

/** Runs `parterre ARGS… --json` and gives the document that it prints. */
export async function parterre(...args) {
  const options = { maxBuffer: 64 << 20, timeout: 600_000 };
  const { stdout } = await promisify(execFile)(setting('PARTERRE_BIN'), [...args, '--json'], options);
  return JSON.parse(stdout);
}

/** A folder that is gone after the tests. */
export async function scratch(name) {
  const dir = await mkdtemp(path.join(tmpdir(), `parterre-${name}-`));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts `parterre serve` on a data folder; resolves once it answers. */
export async function startService(dataDir, { webDir = setting('PARTERRE_WEB_DIR') } = {}) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const args = ['serve', '--data', dataDir, '--web', webDir, '--listen', `127.0.0.1:${port}`];
  const child = spawn(setting('PARTERRE_BIN'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += chunk));
  const ended = once(child, 'exit');

  const deadline = Date.now() + 30_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}:\n${log}`);
    if (await fetch(origin).then((answer) => answer.ok, () => false)) break;
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the service did not answer within 30 s:\n${log}`);
    }
    await new Promise((wake) => setTimeout(wake, 100));
  }

  return {
    origin,
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
      const [code, signal] = await ended;
      clearTimeout(hard);
      return { code, signal };
    },
  };
}
