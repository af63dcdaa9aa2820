// Parterre's tiles in third-party viewers, CesiumJS and 3d-tiles-renderer, each in a real browser: all tiles
// load, points are drawn, and every part of an asymmetric scene is at its position, in local coordinates and on the Earth.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launch, openPage, shoot, until } from './support/browser.mjs';
import { earthFromLocal, IDENTITY, place, turn } from './support/earth.mjs';
import { writeLas } from './support/las.mjs';
import { look, toneAt } from './support/picture.mjs';
import { CORNER, MARKS, scenePoints } from './support/scene.mjs';
import { demoScan, parterre, scratch, setting, startService } from './support/service.mjs';
import { startServer } from './support/static.mjs';

const CLIENTS = fileURLToPath(new URL('clients/', import.meta.url));
const PAGES = ['cesium', 'three'];

/** A position on the Earth for a scan without a coordinate system; CesiumJS needs one. */
const STAGE = { cesium: earthFromLocal(11.5, 48.1, 520), three: undefined };
/** The scene's corner in local coordinates. */
const HOME = [12, -7, 3];
/** The corner in UTM zone 31, at its western edge, where grid north differs from true north by more than two degrees. */
const GRID = { epsg: 32631, corner: [280_000, 5_420_000, 50] };
/** Positions in the scene computed by PROJ 9.5: longitude and latitude of the corner, Earth-fixed metres of the marks. */
const ON_EARTH = {
  longitude: -0.001_638_093,
  latitude: 48.893_852_368,
  corner: [4201369.960, -120.118, 4782844.075],
  red: [4201368.654, -65.171, 4782845.879],
  green: [4201349.211, -121.222, 4782862.843],
  blue: [4201378.835, -120.118, 4782854.247],
};

let work;
let service;
let server;
let browser;
let viewpoints;
const tilesets = {};

before(async () => {
  work = await scratch('clients');
  const scans = { home: {}, earth: { epsg: GRID.epsg } };
  for (const [name, options] of Object.entries(scans)) {
    const file = path.join(work.dir, `${name}.las`);
    await writeLas(file, scenePoints(name === 'home' ? HOME : GRID.corner), options);
    tilesets[name] = await parterre('import', file, '--venue', name, '--data', work.dir);
  }
  tilesets.hall = await parterre('import', demoScan(), '--venue', 'Demo concert hall', '--data', work.dir);
  ({ viewpoints } = JSON.parse(await readFile(path.join(path.dirname(demoScan()), 'truth.json'), 'utf8')));
  service = await startService(work.dir, { webDir: work.dir });
  server = await startServer({ '/packages/': setting('PARTERRE_CLIENTS_DIR'), '/clients/': CLIENTS }, service.origin);
  browser = await launch();
}, { timeout: 600_000 });
after(async () => {
  await browser?.close();
  await server?.stop();
  await service?.stop();
  await work?.remove();
});

/** Opens a tileset in a client; returns what the tests need of both. */
async function open(client, scan, options = {}) {
  const opened = await openPage(browser);
  const { page } = opened;
  const tiles = new Set();
  page.on('response', (answer) => {
    if (answer.url().endsWith('.glb') && answer.ok()) tiles.add(answer.url());
  });
  page.on('request', (asked) => {
    const url = new URL(asked.url());
    if (url.protocol.startsWith('http') && url.origin !== server.origin) opened.faults.push(`request to another origin: ${url}`);
  });
  await page.goto(`${server.origin}/clients/${client}.html`);
  await until('the client has started', async () => ({ done: await page.evaluate(() => Boolean(window.client)), faults: opened.faults }));
  await page.evaluate(([url, given]) => window.client.open(url, given), [tilesets[scan].tileset, options]);
  const ask = (name, ...args) => page.evaluate(([call, given]) => window.client[call](...given), [name, args]);
  return { ...opened, tiles, ask };
}

/** Waits until all tiles needed for the view are drawn. */
async function settled({ ask }) {
  let still = 0;
  return until('all tiles needed are drawn', async () => {
    const now = await ask('state');
    still = now.done ? still + 1 : 0;
    return { done: still >= 4, value: now, now };
  }, { timeout: 120_000, every: 250 });
}

/** Checks the scene's marks in a view from the south, `frame` being east, north and up at its corner. */
async function checkScene(opened, name, frame, marks, t) {
  const { ask, page } = opened;
  await ask('look', place(frame, [12, -62, 42]), place(frame, [24, 10, 2]), turn(frame, [0, 0, 1]));
  const shown = await settled(opened);
  t.diagnostic(`${name}: ${JSON.stringify(shown)}`);
  const picture = await shoot(page, name);
  const { share } = look(picture);
  assert.ok(share > 0.01 && share < 0.5, `${share} of the pixels show points`);
  const pixels = {};
  for (const [mark, position] of Object.entries(marks)) pixels[mark] = await ask('project', position);
  for (const [mark, { color }] of Object.entries(MARKS)) {
    const tone = toneAt(picture, pixels[mark]);
    assert.ok(tone, `${name}: nothing is drawn at the position of ${mark}, ${pixels[mark]}`);
    assert.equal(strongest(tone), strongest(color), `${name}: ${tone} is not ${mark}`);
  }
  // East is to the right; north is away from the eye, so it is higher in the picture; up is up.
  const { red, green, blue, corner } = pixels;
  assert.ok(red[0] > corner[0] + 100, `east is not to the right: ${red} of ${corner}`);
  assert.ok(green[1] < corner[1] - 30 && Math.abs(green[0] - corner[0]) < 120, `north is not away: ${green} of ${corner}`);
  assert.ok(blue[1] < corner[1] - 60, `up is not up: ${blue} of ${corner}`);
}

const strongest = (color) => color.indexOf(Math.max(...color));

for (const client of PAGES) {
  test(`${client} shows a scan in local coordinates, in the right orientation`, { timeout: 300_000 }, async (t) => {
    const opened = await open(client, 'home', { place: STAGE[client] });
    const stage = STAGE[client] ?? IDENTITY;
    const at = (offset) => place(stage, offset.map((value, axis) => value + HOME[axis]));
    const frame = [...stage.slice(0, 12), ...at([0, 0, 0]), 1];
    const marks = { corner: at(CORNER), red: at(MARKS.red.at), green: at(MARKS.green.at), blue: at(MARKS.blue.at) };
    await checkScene(opened, `client-${client}-home`, frame, marks, t);
    assert.ok(opened.tiles.size > 1, `only ${opened.tiles.size} tiles were loaded`);
    assert.deepEqual([opened.faults, (await opened.ask('state')).failures], [[], []]);
    await opened.context.close();
  });

  test(`${client} shows a georeferenced scan at its position on the Earth`, { timeout: 300_000 }, async (t) => {
    const opened = await open(client, 'earth');
    const { longitude, latitude, ...marks } = ON_EARTH;
    await checkScene(opened, `client-${client}-earth`, earthFromLocal(longitude, latitude, 50), marks, t);
    const sphere = await opened.ask('sphere');
    const away = Math.hypot(...sphere.center.map((value, axis) => value - marks.corner[axis]));
    assert.ok(away < 45, `the tileset's bounding sphere is ${away} m from the scene's corner`);
    assert.deepEqual([opened.faults, (await opened.ask('state')).failures], [[], []]);
    await opened.context.close();
  });

  test(`${client} shows the demo venue`, { timeout: 300_000 }, async (t) => {
    const opened = await open(client, 'hall', { place: STAGE[client], size: 3, error: 6 });
    const { eye, target } = viewpoints.find(({ name }) => name === 'overview');
    const stage = STAGE[client] ?? IDENTITY;
    await opened.ask('look', place(stage, eye), place(stage, target), turn(stage, [0, 0, 1]));
    const shown = await settled(opened);
    t.diagnostic(`${await opened.page.evaluate(() => window.client.name)}: ${JSON.stringify(shown)}`);
    const seen = look(await shoot(opened.page, `client-${client}-hall`));
    t.diagnostic(`share of pixels with points: ${seen.share.toFixed(3)}, colours: ${seen.colours}`);
    assert.ok(seen.share > 0.5, `only ${seen.share} of the pixels show points`);
    assert.ok(seen.colours >= 12, `only ${seen.colours} colours`);
    assert.ok(shown.points > 100_000, `only ${shown.points} points`);
    assert.deepEqual([opened.faults, shown.failures], [[], []]);
    await opened.context.close();
  });
}

test('cesium flies to a georeferenced scan', { timeout: 300_000 }, async () => {
  const opened = await open('cesium', 'earth');
  const { longitude, latitude, height } = await opened.ask('sphere');
  // The middle of the scene is some 30 m east and 15 m north of its corner, and 8 m up.
  assert.ok(Math.abs(longitude - (ON_EARTH.longitude + 0.0004)) < 0.000_3, `longitude ${longitude}`);
  assert.ok(Math.abs(latitude - (ON_EARTH.latitude + 0.000_15)) < 0.000_2, `latitude ${latitude}`);
  assert.ok(Math.abs(height - 58) < 5, `height ${height}`);
  const camera = await opened.ask('fly', { heading: 0, pitch: -45 });
  assert.ok(camera.latitude < latitude && Math.abs(camera.longitude - longitude) < 1e-5, `the camera is not south of it: ${JSON.stringify(camera)}`);
  await settled(opened);
  assert.ok(look(await shoot(opened.page, 'client-cesium-fly')).share > 0.01, 'no points are visible from there');
  assert.deepEqual(opened.faults, []);
  await opened.context.close();
});

// 3d-tiles-tools require() a package that is an ES module, which older versions of node, such as Debian bookworm's, cannot.
const tooOld = !process.features.require_module && `node ${process.version} cannot load 3d-tiles-tools; node 20.19 or newer can`;

test('3d-tiles-tools extract the same files from the archive as parterre unpack', { timeout: 300_000, skip: tooOld }, async () => {
  const { scan, version } = tilesets.earth;
  const archive = path.join(work.dir, 'tiles.3tz');
  const answer = await fetch(`${service.origin}/tiles/${scan}/${version}/tiles.3tz`);
  assert.equal(answer.status, 200);
  await writeFile(archive, Buffer.from(await answer.arrayBuffer()));
  const [theirs, ours] = ['theirs', 'ours'].map((name) => path.join(work.dir, name));
  const tools = path.join(setting('PARTERRE_CLIENTS_DIR'), '3d-tiles-tools/build/src/cli.mjs');
  await promisify(execFile)(process.execPath, [tools, 'convert', '-i', archive, '-o', path.join(theirs, 'tileset.json'), '-f'], {
    // Only the production build of CesiumJS is fetched.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const { files } = await parterre('unpack', archive, '-o', ours);
  const list = async (dir) => (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
  assert.equal(await list(theirs), files);
  for (const name of await readdir(ours, { recursive: true })) {
    if (!/\.(glb|json)$/.test(name)) continue;
    const [a, b] = await Promise.all([theirs, ours].map((dir) => readFile(path.join(dir, name))));
    assert.ok(a.equals(b), `${name} differs`);
  }
});

test('the service logged no error', () => {
  assert.doesNotMatch(service.log(), /\bERROR\b|panicked/);
});
