// Frames on the Earth, WGS 84.

const A = 6_378_137;
const E2 = 0.006_694_379_990_141_317;

/** Column-major matrix from east, north, up at a place, degrees and metres, to the Earth. */
export function earthFromLocal(longitude, latitude, height) {
  const [lon, lat] = [longitude, latitude].map((angle) => (angle * Math.PI) / 180);
  const [sx, cx, sy, cy] = [Math.sin(lon), Math.cos(lon), Math.sin(lat), Math.cos(lat)];
  const n = A / Math.sqrt(1 - E2 * sy * sy);
  const origin = [(n + height) * cy * cx, (n + height) * cy * sx, (n * (1 - E2) + height) * sy];
  return [-sx, cx, 0, 0, -sy * cx, -sy * sx, cy, 0, cy * cx, cy * sx, sy, 0, ...origin, 1];
}

export const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** A position through a matrix. */
export const place = (matrix, [x, y, z]) => [0, 1, 2].map((row) => matrix[row] * x + matrix[4 + row] * y + matrix[8 + row] * z + matrix[12 + row]);

/** A direction through a matrix. */
export const turn = (matrix, [x, y, z]) => [0, 1, 2].map((row) => matrix[row] * x + matrix[4 + row] * y + matrix[8 + row] * z);
