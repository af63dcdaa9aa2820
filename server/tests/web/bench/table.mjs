// The figures of the viewer's benchmark as Markdown, with the targets and whether they are reached.

import { median } from './program.mjs';

/** Most that Parterre's figure may be, as a multiple of the peer's. */
const TARGETS = { first: 1, complete: 1, bytes: 1, memory: 1, plain: 1.5, shaded: 2 };
const NAMES = { plain: 'Parterre', shaded: 'Parterre, edge shading', peer: '3d-tiles-renderer' };

const MIB = 1 << 20;
const number = (value, digits = 0) => (value === undefined || Number.isNaN(value) ? '' : value.toFixed(digits));
const row = (cells) => `| ${cells.join(' | ')} |`;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** One word where all targets of a row have the same result, else one for each. */
function verdicts(reached) {
  const words = reached.map((is) => (is ? 'reached' : 'missed'));
  return (new Set(words).size === 1 ? words.slice(0, 1) : words).join(', ');
}

/** The median over the rounds of each figure; `pick` takes it from one run. */
const over = (runs, pick) => median(runs.map(pick).filter((value) => value !== undefined));

/** Figures of a program over its rounds, as they are kept in viewer.json. */
export function summary(runs) {
  const named = (list, fields) => runs[0][list].map(({ name }, index) => ({
    name, ...Object.fromEntries(fields.map((field) => [field, over(runs, (run) => run[list][index][field])])),
  }));
  return {
    first_points_s: over(runs, (run) => run.first_points_s),
    complete_s: over(runs, (run) => run.complete_s),
    start_bytes: over(runs, (run) => run.start.bytes),
    bytes: over(runs, (run) => run.bytes),
    requests: over(runs, (run) => run.requests),
    memory_bytes: over(runs, (run) => run.memory.sum),
    memory_page_bytes: over(runs, (run) => run.memory.renderer),
    memory_gpu_process_bytes: over(runs, (run) => run.memory.GPU),
    js_heap_bytes: over(runs, (run) => run.memory.heap),
    wasm_bytes: over(runs, (run) => run.memory.wasm),
    frame_ms: over(runs, (run) => run.frame_ms),
    frame_p99_ms: over(runs, (run) => run.frame_p99_ms),
    cost_ms: over(runs, (run) => mean(run.costs.map(({ ms }) => ms))),
    cost_script_ms: over(runs, (run) => mean(run.costs.map(({ script_ms }) => script_ms))),
    cost_points: over(runs, (run) => mean(run.costs.map(({ points }) => points))),
    points: over(runs, (run) => median(run.segments.map(({ points }) => points))),
    long_tasks: over(runs, (run) => run.tasks),
    long_tasks_ms: over(runs, (run) => run.tasks_ms),
    still_percent: over(runs, (run) => run.still.percent),
    still_frames: over(runs, (run) => run.still.frames),
    segments: named('segments', ['points', 'frames', 'frame_ms', 'frame_p99_ms', 'bytes', 'tasks', 'tasks_ms']),
    views: named('costs', ['points', 'inside', 'ms', 'script_ms']),
  };
}

/** The tables. `programs` are the summaries by name: `plain` where edge shading can be turned off, `shaded`, `peer`. */
export function tables(programs) {
  const names = Object.keys(NAMES).filter((name) => programs[name]);
  const ours = names.filter((name) => name !== 'peer');
  const lines = [];
  const columns = [...names.map((name) => NAMES[name]), ...ours.map((name) => (name === 'plain' ? 'ratio' : 'ratio, edge shading')), 'target', 'result'];
  const head = (titles) => lines.push(row(titles), row(titles.map(() => '---')));
  head(['figure', ...columns]);
  const add = (title, field, digits, { scale = 1, target = {} } = {}) => {
    const ratio = (name) => programs[name][field] / programs.peer[field];
    const judged = ours.filter((name) => target[name] !== undefined);
    lines.push(row([
      title,
      ...names.map((name) => number(programs[name][field] / scale, digits)),
      ...ours.map((name) => (judged.includes(name) ? number(ratio(name), 2) : '')),
      [...new Set(judged.map((name) => `≤ ${target[name]}`))].join(', '),
      verdicts(judged.map((name) => ratio(name) <= target[name])),
    ]));
  };
  const both = (most) => Object.fromEntries(ours.map((name) => [name, most]));
  add('time to the first points, s', 'first_points_s', 2, { target: both(TARGETS.first) });
  add('time until the start view is complete, s', 'complete_s', 2, { target: both(TARGETS.complete) });
  add('tiles fetched, MB', 'bytes', 1, { scale: 1e6, target: both(TARGETS.bytes) });
  add('of these for the start view, MB', 'start_bytes', 1, { scale: 1e6 });
  add('memory at most, MiB', 'memory_bytes', 0, { scale: MIB, target: both(TARGETS.memory) });
  add('of this in the page\'s process, MiB', 'memory_page_bytes', 0, { scale: MIB });
  add('cost of a frame, mean of the views, ms', 'cost_ms', 1, { target: { plain: TARGETS.plain, shaded: TARGETS.shaded } });
  add('of this in the main thread, ms', 'cost_script_ms', 1);
  add('points in it', 'cost_points');
  add('time between frames on the path, median, ms', 'frame_ms', 1);
  add('99th percentile, ms', 'frame_p99_ms', 0);
  add('points drawn on the path, median of the parts', 'points');
  add('long tasks (over 50 ms)', 'long_tasks');
  add('long tasks together, s', 'long_tasks_ms', 1, { scale: 1000 });
  add('processor use at standstill, % of one core', 'still_percent', 1);
  add('frames drawn in 10 s of standstill', 'still_frames');
  const parts = (title, list, fields) => {
    lines.push('');
    head([title, ...fields.flatMap(([name]) => names.map((program) => `${name}: ${NAMES[program]}`))]);
    programs.peer[list].forEach((entry, index) => lines.push(row([
      entry.name,
      ...fields.flatMap(([, field, digits, scale = 1]) => names.map((program) => number(programs[program][list][index][field] / scale, digits))),
    ])));
  };
  parts('part of the path', 'segments', [['points', 'points', 0], ['frame, ms', 'frame_ms', 1], ['99th percentile, ms', 'frame_p99_ms', 0]]);
  parts('part of the path', 'segments', [['fetched, MB', 'bytes', 2, 1e6], ['frames', 'frames', 0], ['long tasks', 'tasks', 0]]);
  parts('view', 'views', [['points', 'points', 0], ['of these within the picture', 'inside', 0], ['cost of a frame, ms', 'ms', 1]]);
  return lines.join('\n');
}
