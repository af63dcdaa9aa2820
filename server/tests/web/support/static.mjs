// One origin for a page of another viewer, that viewer's packages, and the service's tiles, which are handed through.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import path from 'node:path';

const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.wasm': 'application/wasm', '.png': 'image/png', '.jpg': 'image/jpeg', '.svg': 'image/svg+xml', '.glb': 'model/gltf-binary',
};

/** Serves `folders`, address prefixes with the folders behind them; everything else comes from `behind`, an origin. */
export async function startServer(folders, behind) {
  const server = createServer((asked, answer) => {
    const address = decodeURIComponent(new URL(asked.url, 'http://x').pathname);
    const prefix = Object.keys(folders).find((start) => address.startsWith(start));
    if (!prefix) return handThrough(behind, asked, answer);
    const file = path.join(folders[prefix], path.normalize(`/${address.slice(prefix.length)}`));
    return send(file, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function send(file, answer) {
  const there = await stat(file).catch(() => undefined);
  if (!there?.isFile()) {
    answer.writeHead(404).end();
    return;
  }
  answer.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream', 'content-length': there.size });
  createReadStream(file).pipe(answer);
}

function handThrough(behind, asked, answer) {
  const { hostname, port } = new URL(behind);
  const headers = { ...asked.headers, host: `${hostname}:${port}` };
  // A connection for each request: one that is kept may be closed by the service just when it is used again.
  const onward = request({ hostname, port, path: asked.url, method: asked.method, headers, agent: false });
  onward.on('response', (got) => {
    answer.writeHead(got.statusCode, got.headers);
    got.pipe(answer);
  });
  onward.on('error', (error) => answer.writeHead(502).end(String(error)));
  asked.pipe(onward);
}
