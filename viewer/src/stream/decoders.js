// The workers that decode tiles, as decoders.rs uses them.
//
// Messages to a worker (viewer/worker/decode_worker.js): { id, bytes } decodes a tile, { cancel: id } drops one that still waits. From it:
// { ready }, { failed }: whether its program could be loaded; { begun: id }: it decodes this tile now; { id, numbers, texels, memory }: a tile, and
// the size of the worker's memory; { id, fault }: the file is at fault; { id, crash, rest }: its program crashed, and what it had not begun. Bytes
// and points are transferred, not copied.
//
// A worker that has crashed, hangs or has grown is replaced by a new one. Where none can be started, or all hang, tiles are given back undecoded. So
// every tile comes back, and nobody else needs a time limit.

/** Most workers. More would take from the page and the graphics driver what they need. */
const WORKERS_MAX = 2;
/** Memory above which a worker is replaced once it has nothing to do, because memory of WebAssembly never shrinks. Bytes. */
const MEMORY_MAX = 96 << 20;
/** Workers in a row that could not be started, or ended by themselves, after which no more are tried. */
const FAILURES_MAX = 2;
/** Time within which a worker must have loaded its program. Milliseconds. */
const START_MS = 10_000;
/** Time for one tile, from when the worker begins with it, after which the worker counts as hanging. The largest tiles take some seconds. Milliseconds. */
const TILE_MS = 30_000;
/** Time between two checks. They are counted, not the clock: a computer that slept has not worked meanwhile. Milliseconds. */
const CHECK_MS = 1000;

// This file is in snippets/PACKAGE/src/stream/ of a build, the worker in the build's own folder.
const WORKER = new URL('../../../../decode_worker.js', import.meta.url);

let handlers;
let workers = [];
/** Tiles for which no worker is ready yet: id to bytes. */
const waiting = new Map();
let failures = 0;
/** Whether any worker has ever decoded anything. */
let hasDecoded = false;
/** Timer of the next check, while any worker has something to do. */
let checks;

const countMax = () => Math.min(WORKERS_MAX, Math.max(1, (navigator.hardwareConcurrency || 2) - 1));
const hasGivenUp = () => failures >= FAILURES_MAX && workers.length === 0;
/** A tile that was cancelled while it was being decoded keeps the worker busy too. */
const isBusy = ({ isReady, jobs, current }) => isReady && (jobs.size > 0 || current !== undefined);

/**
 * Starts the workers. `tile(id, numbers, texels)`, `fault(id, is_bad_input, code, message, hint)` and `undecoded(id, bytes)` get the results,
 * `changed(ready, why)` how many workers are ready and, once no more are tried, why.
 */
export function start(tile, fault, undecoded, changed) {
  handlers = { tile, fault, undecoded, changed };
  fill();
}

/** Decodes a tile. The bytes' buffer is transferred. */
export function decode(id, bytes) {
  if (hasGivenUp()) {
    handlers.undecoded(id, bytes);
    return;
  }
  waiting.set(id, bytes);
  flush();
}

/** Drops a tile that is no longer wanted; if it is being decoded, its result is ignored. */
export function cancel(id) {
  if (waiting.delete(id)) return;
  const entry = workers.find(({ jobs }) => jobs.delete(id));
  entry?.worker.postMessage({ cancel: id });
}

function fill() {
  while (workers.length < countMax() && failures < FAILURES_MAX) {
    // `current`: the tile with which it has begun; `silentMs`: how long it has had something to do since its last message.
    const entry = { jobs: new Set(), isReady: false, current: undefined, silentMs: 0 };
    workers.push(entry);
    try {
      entry.worker = new Worker(WORKER, { type: 'module', name: 'parterre decoder' });
    } catch (error) {
      // Tries again, or gives up.
      fail(entry, String(error?.message ?? error));
      return;
    }
    entry.worker.onmessage = ({ data }) => receive(entry, data);
    entry.worker.onerror = (event) => fail(entry, event.message || `${WORKER.pathname} could not be loaded`);
    entry.timer = setTimeout(() => fail(entry, `no answer within ${START_MS / 1000} s`), START_MS);
  }
}

function flush() {
  const ready = workers.filter(({ isReady }) => isReady);
  if (ready.length === 0) return;
  for (const [id, bytes] of waiting) {
    const entry = ready.reduce((least, other) => (other.jobs.size < least.jobs.size ? other : least));
    if (!isBusy(entry)) entry.silentMs = 0;
    entry.jobs.add(id);
    entry.worker.postMessage({ id, bytes }, [bytes.buffer]);
  }
  waiting.clear();
  checks ??= setTimeout(check, CHECK_MS);
}

/** Ends workers that hang. */
function check() {
  for (const entry of workers.filter(isBusy)) {
    entry.silentMs += CHECK_MS;
    if (entry.silentMs >= TILE_MS) hang(entry);
  }
  checks = workers.some(isBusy) ? setTimeout(check, CHECK_MS) : undefined;
}

/** A worker that says nothing any more. Its tiles are asked for again; where no worker has ever decoded one, the page decodes them. */
function hang(entry) {
  if (!workers.includes(entry)) return;
  const why = `not decoded within ${TILE_MS / 1000} s`;
  if (entry.jobs.delete(entry.current)) handlers.fault(entry.current, undefined, 'tile_decoder_slow', why, 'Try again.');
  failures = hasDecoded ? failures + 1 : FAILURES_MAX;
  for (const other of hasDecoded ? [entry] : [...workers]) replace(other, why);
}

function receive(entry, { ready, failed, begun, id, numbers, texels, memory, fault, crash, rest }) {
  if (!workers.includes(entry)) return;
  if (ready) {
    clearTimeout(entry.timer);
    entry.isReady = true;
    report();
    flush();
    return;
  }
  if (failed !== undefined) {
    fail(entry, failed);
    return;
  }
  entry.silentMs = 0;
  entry.current = begun;
  if (begun !== undefined) return;
  const isWanted = entry.jobs.delete(id);
  if (crash !== undefined) {
    for (const other of rest) if (entry.jobs.delete(other.id)) waiting.set(other.id, other.bytes);
    const hint = 'Tile the scan again; if it happens again, report it with this file.';
    if (isWanted) handlers.fault(id, false, 'tile_decoder_crashed', `the decoder crashed: ${crash}`, hint);
    replace(entry, 'the worker crashed');
    return;
  }
  failures = 0;
  hasDecoded = true;
  if (isWanted && fault) handlers.fault(id, ...fault);
  else if (isWanted) handlers.tile(id, numbers, texels);
  if (memory > MEMORY_MAX && !isBusy(entry)) replace(entry, '');
}

/** A worker that could not be started, or has ended by itself. */
function fail(entry, why) {
  if (!workers.includes(entry)) return;
  failures++;
  replace(entry, why);
}

function replace(entry, why) {
  workers = workers.filter((other) => other !== entry);
  clearTimeout(entry.timer);
  entry.worker?.terminate();
  // Their bytes are gone with the worker.
  for (const id of entry.jobs) handlers.fault(id, undefined, 'tile_decoder_stopped', `the decoder stopped: ${why}`, 'Try again.');
  fill();
  // Another worker may be free.
  flush();
  report(why);
  if (!hasGivenUp()) return;
  for (const [id, bytes] of waiting) handlers.undecoded(id, bytes);
  waiting.clear();
}

function report(why) {
  handlers.changed(workers.filter(({ isReady }) => isReady).length, hasGivenUp() ? why : undefined);
}
