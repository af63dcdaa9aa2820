// Checks every tile of the demo venue, without meshopt compression, with Khronos' glTF validator, and that no point is lost. Also
// checks some tiles of third-party scans if the test data is there.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import validator from 'gltf-validator';
import { demoScan, parterre, scratch } from './support/service.mjs';

/** Third-party scans: in feet with classes, without colour, with near infrared, with few points, and far from the origin. */
const OTHERS = [
  'aerial/autzen_trim_7.las', 'aerial/hexbin-crop.las', 'aerial/ign-lidarhd-rgb-classified.laz', 'venue/royal-exhibition-building-200k-utmlike.laz',
  'las/1_4_w_evlr.laz',
];
const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
/** Number of tiles checked of each. */
const SAMPLE = 12;

let work;
let report;
let tiles;

/** The tiler's report of a scan and its tiles as files without meshopt compression. */
async function plainTiles(scan, dir) {
  const made = await parterre('tile', scan, '-o', path.join(dir, 'tiles'));
  const plain = path.join(dir, 'plain');
  await parterre('unpack', path.join(dir, 'tiles', 'tiles.3tz'), '-o', plain, '--plain');
  const files = await readdir(plain, { recursive: true });
  return [made, files.filter((file) => file.endsWith('.glb')).sort().map((file) => path.join(plain, file))];
}

/** Fails with the first errors that the validator reports; returns a summary of its warnings. */
async function validate(files) {
  const warnings = new Map();
  for (const file of files) {
    const bytes = new Uint8Array(await readFile(file));
    const { issues } = await validator.validateBytes(bytes, { uri: file, maxIssues: 100 });
    const errors = issues.messages.filter(({ severity }) => severity === 0);
    assert.equal(issues.numErrors, 0, `${file}: ${JSON.stringify(errors.slice(0, 3))}`);
    for (const { severity, code } of issues.messages) if (severity === 1) warnings.set(code, (warnings.get(code) ?? 0) + 1);
  }
  const listed = [...warnings].map(([code, n]) => `${n} × ${code}`).join(', ');
  return `${files.length} tiles, 0 errors, warnings: ${listed || 'none'}`;
}

before(async () => {
  work = await scratch('gltf');
  [report, tiles] = await plainTiles(demoScan(), work.dir);
}, { timeout: 600_000 });
after(() => work?.remove());

test('the glTF validator reports no error in any tile of the demo venue', { timeout: 600_000 }, async (t) => {
  assert.equal(tiles.length, report.tiles, 'the number of files is the number of tiles in the report');
  assert.ok(tiles.length > 20, `only ${tiles.length} tiles`);
  t.diagnostic(await validate(tiles));
});

for (const scan of OTHERS) {
  const file = path.join(DATA, scan);
  test(`the glTF validator reports no error in tiles of ${scan}`, { timeout: 300_000, skip: existsSync(file) ? false : `the test data has no ${scan}` }, async (t) => {
    const [made, files] = await plainTiles(file, path.join(work.dir, scan));
    assert.equal(files.length, made.tiles);
    // Evenly over the tree: names are sorted by level.
    const every = Math.ceil(files.length / SAMPLE);
    t.diagnostic(await validate(files.filter((_, index) => index % every === 0)));
  });
}

test('the tiles contain every input point', async () => {
  let points = 0;
  for (const file of tiles) {
    const bytes = await readFile(file);
    const gltf = JSON.parse(bytes.subarray(20, 20 + bytes.readUInt32LE(12)).toString('utf8'));
    assert.ok(!(gltf.extensionsUsed ?? []).includes('EXT_meshopt_compression'), `${file} is still compressed`);
    for (const mesh of gltf.meshes) {
      for (const primitive of mesh.primitives) {
        assert.equal(primitive.mode, 0, `${file} has a primitive that is not POINTS`);
        points += gltf.accessors[primitive.attributes.POSITION].count;
      }
    }
  }
  assert.equal(points, report.points_out);
  assert.equal(report.points_in, report.points_out + report.points_dropped);
});
