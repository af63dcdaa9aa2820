// Every tile of the demo venue, in the form without meshopt, under Khronos' validator; and no point is lost on the way.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import validator from 'gltf-validator';
import { demoScan, parterre, scratch } from './support/service.mjs';

let work;
let report;
let tiles;

before(async () => {
  work = await scratch('gltf');
  report = await parterre('tile', demoScan(), '-o', path.join(work.dir, 'tiles'));
  const plain = path.join(work.dir, 'plain');
  await parterre('unpack', path.join(work.dir, 'tiles', 'tiles.3tz'), '-o', plain, '--plain');
  const files = await readdir(plain, { recursive: true });
  tiles = files.filter((file) => file.endsWith('.glb')).map((file) => path.join(plain, file));
}, { timeout: 600_000 });
after(() => work?.remove());

test('the validator finds no error in any tile', { timeout: 600_000 }, async (t) => {
  assert.equal(tiles.length, report.tiles, 'as many files as the tiler reports tiles');
  assert.ok(tiles.length > 20, `only ${tiles.length} tiles`);
  const warnings = new Map();
  for (const file of tiles) {
    const bytes = new Uint8Array(await readFile(file));
    const { issues } = await validator.validateBytes(bytes, { uri: file, maxIssues: 100 });
    const errors = issues.messages.filter(({ severity }) => severity === 0);
    assert.equal(issues.numErrors, 0, `${file}: ${JSON.stringify(errors.slice(0, 3))}`);
    for (const { severity, code } of issues.messages) if (severity === 1) warnings.set(code, (warnings.get(code) ?? 0) + 1);
  }
  const listed = [...warnings].map(([code, n]) => `${n} × ${code}`).join(', ');
  t.diagnostic(`${tiles.length} tiles, 0 errors, warnings: ${listed || 'none'}`);
});

test('the tiles hold every point that went in', async () => {
  let points = 0;
  for (const file of tiles) {
    const bytes = await readFile(file);
    const gltf = JSON.parse(bytes.subarray(20, 20 + bytes.readUInt32LE(12)).toString('utf8'));
    assert.ok(!(gltf.extensionsUsed ?? []).includes('EXT_meshopt_compression'), `${file} is still compressed`);
    for (const mesh of gltf.meshes) {
      for (const primitive of mesh.primitives) {
        assert.equal(primitive.mode, 0, `${file} holds something else than points`);
        points += gltf.accessors[primitive.attributes.POSITION].count;
      }
    }
  }
  assert.equal(points, report.points_out);
  assert.equal(report.points_in, report.points_out + report.points_dropped);
});
