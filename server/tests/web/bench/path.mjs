// The camera's path for the benchmark of the viewer, computed from the demo venue's truth.json: an overview from outside, a
// flight in through the main entrance, a walk through the stalls, the side corridor and the foyer, up a stair and along the
// balcony, and a standstill there.
//
// The path follows floors, doors, stairs and measured distances of the truth, so it is the same for every seed; `check` finds
// where it would leave them. Positions are in the scan frame: metres, Z up.

/** Height of the eye above the floor. */
const EYE_M = 1.7;
/** How far ahead on the path the walker looks. */
const AHEAD_M = 3;
/** Seconds of each part. The walk is a minute from the end of the flight to the standstill. */
const SECONDS = { overview: 5, flight: 12, walk: 60, standstill: 10 };
/** Camera positions per second in the list that the page gets; between them it interpolates. */
const RATE = 20;

const by = (list, key, value) => {
  const found = list.find((entry) => entry[key] === value);
  if (!found) throw new Error(`truth.json has no entry with ${key} = ${value}`);
  return found;
};
const add = (a, b, factor = 1) => a.map((value, axis) => value + factor * b[axis]);
const mix = (a, b, share) => a.map((value, axis) => value + share * (b[axis] - value));
const length = (v) => Math.hypot(...v);
const distance = (a, b) => length(add(a, b, -1));
const unit = (v) => v.map((value) => value / length(v));
const smooth = (share) => share * share * (3 - 2 * share);
const up = (position, height) => [position[0], position[1], position[2] + height];

/** The doors, rooms and lines that the path uses; every position is on a floor. */
function route(truth) {
  const entrance = by(truth.exits, 'name', 'Main entrance');
  const crossing = by(truth.distances, 'id', 'foyer-crossing').polyline;
  const rear = by(truth.distances, 'id', 'rear-cross-aisle').polyline;
  const aisle = by(truth.distances, 'id', 'aisle').polyline;
  const steps = by(truth.distances, 'id', 'stair-SS-S').polyline;
  const corridor = by(truth.distances, 'id', 'corridor-to-exit').polyline;
  const stair = by(truth.distances, 'id', 'stair-A0').polyline;
  const doorNear = (level, position) => truth.doors.filter((door) => door.level === level)
    .reduce((best, door) => (distance(door.position, position) < distance(best.position, position) ? door : best));
  const hallDoor = doorNear(0, crossing[0]);
  const sideDoor = doorNear(0, steps.at(-1));
  const coreDoor = [0, 1].map((level) => doorNear(level, stair[level ? stair.length - 1 : 0]));
  const upperFoyer = by(truth.rooms, 'id', 'upper-foyer');
  const foyer = by(truth.rooms, 'id', 'foyer');
  const balcony = by(truth.rooms, 'id', 'balcony');
  const [balconyDoor, lastDoor] = truth.doors.filter((door) => door.level === 1 && Math.abs(door.position[0] - balcony.rectangle[0]) < 0.5)
    .sort((a, b) => a.position[1] - b.position[1]);
  const view = by(truth.viewpoints, 'name', 'balcony-to-stage');
  const behind = (door, metres) => add(door.position, door.direction, metres);
  const [corridorDoor] = corridor;
  const corridorY = corridorDoor[1];
  // Between the core's wall and the hall's wall a strip of the foyer leads to the corridor.
  const strip = [(by(truth.rooms, 'id', 'core-a-0').rectangle[2] + 0.3 + foyer.rectangle[2]) / 2, corridorY, 0];
  const foyerY = foyer.rectangle[1] + 1;
  const along = [view.eye[0], balconyDoor.position[1], balconyDoor.position[2]];
  const [lowDoor, highDoor] = coreDoor.map(({ position }) => position);
  const aisleX = rear[0][0];
  const hallEntry = [aisleX, hallDoor.position[1], 0];
  const foot = stair[0];
  const head = stair.at(-1);
  return {
    outside: by(truth.viewpoints, 'name', 'outside'),
    flight: [behind(entrance, 3), entrance.position, crossing[0], hallEntry].map((at) => up(at, EYE_M)),
    stage: view.target,
    walk: [
      ['stalls', [
        hallEntry, [aisleX, aisle[0][1], 0], ...aisle, [steps[0][0], aisle[1][1], steps[0][2]], ...steps, sideDoor.position,
      ]],
      ['corridor', [
        sideDoor.position, [sideDoor.position[0], corridorY, 0], corridorDoor, strip, [strip[0], foyerY, 0], [lowDoor[0], foyerY, 0], lowDoor,
      ]],
      ['stair', [lowDoor, [lowDoor[0], foot[1], 0], ...landings(stair), [highDoor[0], head[1], head[2]], highDoor]],
      ['balcony', [
        highDoor, [highDoor[0], upperFoyer.rectangle[1] + 1, upperFoyer.floor_z[0]], behind(balconyDoor, 1), balconyDoor.position,
        along, [along[0], lastDoor.position[1], along[2]],
      ]],
    ],
  };
}

/** On a landing between two flights the walker keeps half a flight's width from the last riser. */
function landings(stair) {
  const [start, top, turn, end] = stair;
  const onward = unit(add(top, start, -1).map((value, axis) => (axis === 2 ? 0 : value)));
  return [start, top, add(top, onward, 0.7), add(turn, onward, 0.7), turn, end];
}

/** A polyline by the distance along it. */
function line(points) {
  const marks = [0];
  for (let i = 1; i < points.length; i++) marks.push(marks[i - 1] + distance(points[i - 1], points[i]));
  return {
    length: marks.at(-1),
    at(metres) {
      const along = Math.min(Math.max(metres, 0), marks.at(-1));
      const i = Math.max(1, marks.findIndex((mark) => mark >= along));
      const span = marks[i] - marks[i - 1];
      return span ? mix(points[i - 1], points[i], (along - marks[i - 1]) / span) : points[i];
    },
  };
}

/**
 * The path: `segments`, each with a name and its time from and to, seconds; `samples`, [t, ex, ey, ez, tx, ty, tz] in steps of
 * 1 / `rate` seconds. `seconds` gives other lengths of the parts.
 */
export function cameraPath(truth, seconds = {}) {
  const times = { ...SECONDS, ...seconds };
  const { outside, flight, walk, stage } = route(truth);
  const segments = [{ name: 'overview', from: 0, to: times.overview }, { name: 'flight', from: times.overview, to: times.overview + times.flight }];
  const walkStart = times.overview + times.flight;
  const walkLine = line(walk.flatMap(([, points], index) => (index ? points.slice(1) : points)).map((at) => up(at, EYE_M)));
  const speed = walkLine.length / times.walk;
  let time = walkStart;
  for (const [name, points] of walk) {
    const to = time + line(points).length / speed;
    segments.push({ name, from: time, to });
    time = to;
  }
  segments.push({ name: 'standstill', from: time, to: time + times.standstill });
  const flightLine = line([outside.eye, ...flight]);
  const [, balcony] = walk.at(-1);
  const turnFrom = walkStart + times.walk - distance(...balcony.slice(-2)) / speed;

  /** Eye and target at a time, seconds. */
  function at(t) {
    if (t < times.overview) {
      // A slow swing around the target and back, so that there are frames to draw.
      const angle = 0.06 * Math.sin((t / times.overview) * 2 * Math.PI);
      const [dx, dy, dz] = add(outside.eye, outside.target, -1);
      const turned = [dx * Math.cos(angle) - dy * Math.sin(angle), dx * Math.sin(angle) + dy * Math.cos(angle), dz];
      return [add(outside.target, turned), outside.target];
    }
    if (t < walkStart) {
      const share = smooth((t - times.overview) / times.flight);
      const done = share * flightLine.length;
      const eye = flightLine.at(done);
      // From the overview's target to the way ahead, over the first half.
      const ahead = add(eye, [AHEAD_M, 0, 0]);
      return [eye, mix(add(eye, unit(add(outside.target, eye, -1)), AHEAD_M), ahead, smooth(Math.min(1, share * 1.6)))];
    }
    const walked = (Math.min(t, walkStart + times.walk) - walkStart) * speed;
    const eye = walkLine.at(walked);
    const rest = walkLine.length - walked;
    const forward = rest > 0.05 ? unit(add(walkLine.at(walked + AHEAD_M), eye, -1)) : [0, 1, 0];
    // The walk starts with the direction in which the flight ends, and on the balcony the walker turns to the stage.
    const begun = smooth(Math.min(1, (t - walkStart) / 1.5));
    const turned = smooth(Math.min(1, Math.max(0, (t - turnFrom) / 2.5)));
    const direction = unit(mix(mix([1, 0, 0], forward, begun), unit(add(stage, eye, -1)), turned));
    return [eye, add(eye, direction, AHEAD_M)];
  }

  const end = segments.at(-1).to;
  const samples = [];
  for (let i = 0; i <= Math.round(end * RATE); i++) samples.push(at(i / RATE).flat().map((value) => Math.round(value * 1e4) / 1e4));
  return { rate: RATE, samples, segments, walk: { from: walkStart, to: walkStart + times.walk, length_m: walkLine.length, speed } };
}

/** The segment at a time. */
export const segmentAt = (path, t) => path.segments.find(({ to }) => t < to) ?? path.segments.at(-1);

/** Fails where the walk is neither inside a room, in an opening of a wall, nor on a stair, or where the eye is not above its floor. */
export function check(path, truth) {
  const inside = ([x, y], [x0, y0, x1, y1], margin) => x > x0 + margin && x < x1 - margin && y > y0 + margin && y < y1 - margin;
  const openings = [...truth.doors, ...truth.exits].filter(({ state }) => state === 'open');
  const foyer = by(truth.rooms, 'id', 'foyer').rectangle;
  const core = by(truth.rooms, 'id', 'core-a-0').rectangle;
  const spaces = [
    ...truth.rooms.map(({ rectangle, floor_z }) => ({ rectangle, floor_z })),
    // The strip of the foyer beside the core, which the truth does not list as a room.
    { rectangle: [core[2] + 0.3, core[1], foyer[2], foyer[1] + 1], floor_z: [0, 0] },
  ];
  for (const stair of truth.stairs) {
    const ends = stair.flights.flatMap(({ start, end }) => [start, end]);
    const [low, high] = [Math.min, Math.max].map((pick) => [0, 1, 2].map((axis) => pick(...ends.map((at) => at[axis]))));
    const half = stair.width_m / 2;
    spaces.push({ rectangle: [low[0] - 2 * half, low[1] - half, high[0] + half, high[1] + half], floor_z: [low[2], high[2]] });
  }
  const rate = path.rate;
  path.samples.forEach((sample, index) => {
    const t = index / rate;
    if (t < path.walk.from || t > path.walk.to) return;
    const [x, y, z] = sample;
    const floor = z - EYE_M;
    const fits = ({ floor_z: [low, high] }) => floor > low - 0.25 && floor < high + 0.25;
    const inSpace = spaces.some((space) => fits(space) && inside([x, y], space.rectangle, 0.25));
    const inOpening = openings.some(({ position, direction, width_m }) => {
      const across = Math.abs((x - position[0]) * direction[0] + (y - position[1]) * direction[1]);
      const aside = Math.abs((x - position[0]) * direction[1] - (y - position[1]) * direction[0]);
      return across < 0.45 && aside < width_m / 2 - 0.2 && Math.abs(floor - position[2]) < 0.1;
    });
    if (!inSpace && !inOpening) throw new Error(`the camera's path leaves rooms, doors and stairs at ${t} s: ${[x, y, z]}`);
  });
}
