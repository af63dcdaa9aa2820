// A scene that looks different from every side: a red arm along x, a shorter green one along y, a blue post up from where
// they meet.

/** Its marks relative to the corner, metres, and their colours. */
export const MARKS = {
  red: { at: [55, 0, 1], color: [220, 40, 30] },
  green: { at: [0, 28, 1], color: [40, 190, 60] },
  blue: { at: [0, 0, 14], color: [60, 90, 230] },
};
/** Where the arms meet. */
export const CORNER = [0, 0, 0.5];

const STEP = 0.06;

/** Points [x, y, z, red, green, blue] of the scene with its corner at `corner`. */
export function scenePoints(corner) {
  const points = [
    ...block([1, -1, 0], [60, 1, 1], MARKS.red.color),
    ...block([-1, 1, 0], [1, 32, 1], MARKS.green.color),
    ...block([-1, -1, 0], [1, 1, 16], MARKS.blue.color),
  ];
  return points.map(([x, y, z, ...color]) => [x + corner[0], y + corner[1], z + corner[2], ...color]);
}

/** The skin of a box, on a grid. */
function* block(min, max, color) {
  const steps = [0, 1, 2].map((axis) => Math.round((max[axis] - min[axis]) / STEP));
  for (let i = 0; i <= steps[0]; i++) {
    for (let j = 0; j <= steps[1]; j++) {
      const isSide = i === 0 || j === 0 || i === steps[0] || j === steps[1];
      for (let k = 0; k <= steps[2]; k += isSide ? 1 : steps[2]) {
        yield [...[i, j, k].map((step, axis) => min[axis] + (step / steps[axis]) * (max[axis] - min[axis])), ...color];
      }
    }
  }
}
