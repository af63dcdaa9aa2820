// bench-viewer: runs Parterre's web viewer and the peer in turn and prints the figures; see .ci/bench-viewer for the settings.

import { appendFile, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { demoScan, parterre, scratch, setting, startService } from '../support/service.mjs';
import { cameraPath, check } from './path.mjs';
import { calibrate, measure, measureStill, median, pictures } from './program.mjs';
import { summary, tables } from './table.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const rounds = Number(process.env.RUNS || 2);
const budget = Number(process.env.POINTS || 500_000);
const size = Number(process.env.POINT_SIZE || 2);
const pace = Number(process.env.PACE || 1);
const only = process.env.ONLY;
/** Shares of a part of the path at which the peer's points are counted to choose its errorTarget. */
const SHARES = [0.1, 0.3, 0.5, 0.7, 0.9];
const PICTURES = 12;
/** errorTarget of the peer in pictures that are taken without measuring: its own default. */
const PEER_ERROR = 16;

const say = (...words) => console.error('==', ...words);
const started = Date.now();
const clock = () => `${((Date.now() - started) / 60_000).toFixed(1)} min`;

/** A folder that the service offers below /viewer/: the viewer, and beside it the peer's page and packages. */
async function webFolder(dir) {
  const viewer = setting('PARTERRE_WEB_DIR');
  await mkdir(path.join(dir, 'peer'), { recursive: true });
  await symlink(path.join(viewer, 'builds'), path.join(dir, 'builds'));
  await copyFile(path.join(viewer, 'current-build.txt'), path.join(dir, 'current-build.txt'));
  for (const file of ['../clients/three.html', 'peer.js']) await copyFile(path.join(HERE, file), path.join(dir, 'peer', path.basename(file)));
  await symlink(setting('PARTERRE_CLIENTS_DIR'), path.join(dir, 'packages'));
  return dir;
}

/** What is told of a run while the benchmark goes on. */
function tell(name, run) {
  const parts = run.segments.map(({ name: part, points, frame_ms }) => `${part} ${Math.round(points / 1000)}k ${Math.round(frame_ms)} ms`).join(', ');
  say(`${name}: first points ${run.first_points_s.toFixed(1)} s, complete ${run.complete_s?.toFixed(1)} s; ${parts}; ${(run.bytes / 1e6).toFixed(1)} MB, ` +
    `${Math.round(run.memory.sum / 2 ** 20)} MiB; standstill ${run.still.percent.toFixed(0)} %, ${run.still.frames} frames` +
    `${run.still.counted === undefined ? '' : ` (${run.still.counted} by its own count)`}; ${clock()}`);
  if (!run.end_settled) say(`${name}: the last view was not complete within 30 s`);
  for (const fault of run.faults) say(`${name}: ${fault}`);
}

/** Runs all rounds; gives the runs by program. */
async function compare(addresses, route) {
  const runs = { plain: [], shaded: [], peer: [] };
  const views = route.segments.map(({ name, from, to }) => [name, (from + to) / 2]);
  const keep = async (name, run) => {
    runs[name].push(run);
    tell(name, run);
    if (process.env.RAW_FILE) await appendFile(process.env.RAW_FILE, `${JSON.stringify({ name, ...run })}\n`);
  };
  const ours = (edl) => measure(addresses.viewer, route, { settings: { budget, adapt: false, edl, ...panel() }, costViews: views });
  let tuned;
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    const first = await ours(false);
    // A viewer whose page has no settings always shades edges.
    await keep(first.settable ? 'plain' : 'shaded', first);
    if (first.settable) await keep('shaded', await ours(true));
    if (!tuned) {
      const wanted = {};
      for (const { name, points } of first.segments) {
        const { from, to } = route.segments.find((segment) => segment.name === name);
        wanted[name] = { points, times: SHARES.map((share) => from + share * (to - from)) };
      }
      first.costs.forEach(({ points }, index) => (wanted[`view ${views[index][0]}`] = { points, times: [views[index][1]] }));
      tuned = await calibrate(addresses.peer, route, wanted);
      const thousands = (points) => `${Math.round(points / 1000)}k`;
      const chosen = Object.entries(tuned.found).map(([name, { error, points }]) => `${name} ${error.toFixed(2)} (${thousands(points)} of ${thousands(wanted[name].points)})`);
      say(`errorTarget of the peer: ${chosen.join(', ')}; ${clock()}`);
    }
    await keep('peer', await measure(addresses.peer, route, peerOptions(tuned, views)));
  }
  return { runs, tuned };
}

const panel = () => (process.env.PANEL ? { panel: process.env.PANEL !== '0' } : {});

function peerOptions({ found }, costViews) {
  const set = (page, name) => page.evaluate((error) => window.peer.settings({ error }), found[name].error);
  return {
    settings: { error: found.overview.error, size },
    costViews,
    tune: (page, name) => set(page, name),
    costTune: (page, name) => set(page, `view ${name}`),
  };
}

async function versions(run, tuned) {
  const packages = async (name) => JSON.parse(await readFile(path.join(setting('PARTERRE_CLIENTS_DIR'), name, 'package.json'), 'utf8')).version;
  return {
    parterre: process.env.PARTERRE_VERSION,
    chromium: run.version,
    '3d-tiles-renderer': await packages('3d-tiles-renderer'),
    three: tuned?.versions.three,
    node: process.versions.node,
  };
}

async function report({ runs, tuned }) {
  const programs = Object.fromEntries(Object.entries(runs).filter(([, list]) => list.length).map(([name, list]) => [name, summary(list)]));
  const made = await versions(runs.peer[0], tuned);
  const date = new Date().toISOString().slice(0, 10);
  const { SIZE: pixels = '960x600', MACHINE: machine = '' } = process.env;
  const command = ['RUNS', 'POINTS', 'POINT_SIZE', 'SIZE', 'PACE', 'PANEL'].filter((name) => process.env[name]).map((name) => `${name}=${process.env[name]} `).join('');
  console.log(`${machine}. ${date}, ${made.parterre}; 3d-tiles-renderer ${made['3d-tiles-renderer']} with three.js r${made.three}; ` +
    `Chromium ${made.chromium}, software GPU, ${pixels} pixels. At most ${budget} points (the peer by its errorTarget), its points ${size} pixels; ` +
    `medians of ${rounds} ${rounds === 1 ? 'round' : 'rounds'}: \`${command}make bench-viewer\`.\n`);
  console.log(tables(programs));
  if (!programs.plain) console.log('\nThis viewer cannot be told not to shade edges and not to adapt its points.');
  if (process.env.JSON_FILE) {
    const before = JSON.parse(await readFile(process.env.JSON_FILE, 'utf8').catch(() => '[]'));
    const errors = Object.fromEntries(Object.entries(tuned.found).map(([name, { error }]) => [name, error]));
    before.push({ date, machine, versions: made, rounds, budget, pixels, point_size: size, peer_error_target: errors, programs });
    await mkdir(path.dirname(process.env.JSON_FILE), { recursive: true });
    await writeFile(process.env.JSON_FILE, `${JSON.stringify(before, (_, value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value), 1)}\n`);
  }
}

/** Only the page that stands still. */
async function still(addresses, route) {
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const now = await measureStill(addresses.viewer, route, { budget, adapt: false, ...panel() });
    say(`${now.frames} frames${now.counted === undefined ? '' : ` (${now.counted} by the viewer's count)`}, ${now.percent.toFixed(1)} % of one core; ${clock()}`);
    for (const fault of now.faults) say(fault);
    results.push(now);
  }
  console.log('| standstill of 10 s | Parterre |\n| --- | --- |');
  console.log(`| frames drawn | ${median(results.map(({ frames }) => frames))} |`);
  console.log(`| processor use, % of one core | ${median(results.map(({ percent }) => percent)).toFixed(1)} |`);
}

/** Pictures along the walk of both programs, ours with as many points as its pace allows, as a person sees it; the peer with the errorTarget that fits the points of Parterre's run. */
async function takePictures(addresses, route, tuned, folder) {
  await mkdir(folder, { recursive: true });
  const ours = await pictures(addresses.viewer, route, { settings: { budget, adapt: true, ...panel() }, folder, name: 'parterre', count: PICTURES });
  const { settings, tune } = peerOptions(tuned, []);
  const theirs = await pictures(addresses.peer, route, { settings, tune, folder, name: 'peer', count: PICTURES });
  say(`${ours.length + theirs.length} pictures in ${folder}; ${clock()}`);
}

const truth = JSON.parse(await readFile(path.join(path.dirname(demoScan()), 'truth.json'), 'utf8'));
const route = cameraPath(truth, { overview: 5 / pace, flight: 12 / pace, walk: 60 / pace });
check(route, truth);
const work = await scratch('bench-viewer');
let service;
try {
  const data = path.join(work.dir, 'data');
  const { tileset, scan, version } = await parterre('import', demoScan(), '--venue', 'Demo concert hall', '--data', data);
  service = await startService(data, { webDir: await webFolder(path.join(work.dir, 'web')) });
  const addresses = {
    viewer: `${service.origin}/view/${scan}/${version}`,
    peer: `${service.origin}/viewer/peer/three.html?script=peer.js&tileset=${encodeURIComponent(tileset)}`,
  };
  if (only === 'still') {
    await still(addresses, route);
  } else if (only === 'pictures') {
    const everywhere = { found: Object.fromEntries(route.segments.map(({ name }) => [name, { error: PEER_ERROR }])) };
    await takePictures(addresses, route, everywhere, setting('PICTURES'));
  } else {
    const result = await compare(addresses, route);
    await report(result);
    if (process.env.PICTURES) await takePictures(addresses, route, result.tuned, process.env.PICTURES);
  }
} finally {
  await service?.stop();
  await work.remove();
}
