// Writes LAS files of coloured points, with or without a coordinate system.

import { writeFile } from 'node:fs/promises';

const HEADER = 227;
const RECORD = 26;
const SCALE = 0.001;

/**
 * Writes LAS 1.2, point format 2. `points` are [x, y, z, red, green, blue], metres and 8-bit colours; `epsg` is a
 * projected system in metres, told by GeoTIFF keys.
 */
export async function writeLas(file, points, { epsg } = {}) {
  const keys = epsg ? [[1024, 0, 1, 1], [3072, 0, 1, epsg], [3076, 0, 1, 9001]] : [];
  const records = epsg ? geoKeys(keys) : Buffer.alloc(0);
  const offset = [0, 1, 2].map((axis) => Math.floor(points[0][axis]));
  const header = Buffer.alloc(HEADER);
  header.write('LASF', 0, 'latin1');
  header.writeUInt8(1, 24);
  header.writeUInt8(2, 25);
  header.write('Parterre tests', 58, 'latin1');
  header.writeUInt16LE(1, 90);
  header.writeUInt16LE(2026, 92);
  header.writeUInt16LE(HEADER, 94);
  header.writeUInt32LE(HEADER + records.length, 96);
  header.writeUInt32LE(epsg ? 1 : 0, 100);
  header.writeUInt8(2, 104);
  header.writeUInt16LE(RECORD, 105);
  header.writeUInt32LE(points.length, 107);
  header.writeUInt32LE(points.length, 111);
  for (const axis of [0, 1, 2]) {
    const values = points.map((point) => point[axis]);
    header.writeDoubleLE(SCALE, 131 + 8 * axis);
    header.writeDoubleLE(offset[axis], 155 + 8 * axis);
    header.writeDoubleLE(values.reduce((a, b) => Math.max(a, b)), 179 + 16 * axis);
    header.writeDoubleLE(values.reduce((a, b) => Math.min(a, b)), 187 + 16 * axis);
  }
  const body = Buffer.alloc(points.length * RECORD);
  points.forEach((point, index) => {
    const at = index * RECORD;
    for (const axis of [0, 1, 2]) body.writeInt32LE(Math.round((point[axis] - offset[axis]) / SCALE), at + 4 * axis);
    body.writeUInt8(0x09, at + 14);
    for (const channel of [0, 1, 2]) body.writeUInt16LE(point[3 + channel] * 257, at + 20 + 2 * channel);
  });
  await writeFile(file, Buffer.concat([header, records, body]));
}

function geoKeys(keys) {
  const words = [1, 1, 0, keys.length, ...keys.flat()];
  const record = Buffer.alloc(54 + 2 * words.length);
  record.write('LASF_Projection', 2, 'latin1');
  record.writeUInt16LE(34735, 18);
  record.writeUInt16LE(2 * words.length, 20);
  words.forEach((word, index) => record.writeUInt16LE(word, 54 + 2 * index));
  return record;
}
