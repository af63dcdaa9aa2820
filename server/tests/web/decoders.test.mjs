// The page's side of the workers that decode tiles (viewer/src/stream/decoders.js), with workers that the test plays.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, mock, test } from 'node:test';

const SOURCE = (await readFile(new URL('../../../viewer/src/stream/decoders.js', import.meta.url), 'utf8'))
  .replace('import.meta.url', "'http://host/viewer/builds/1/snippets/viewer/src/stream/decoders.js'");

/** All workers that were started; `say` is a message of the worker to the page. */
let made;
class PlayedWorker {
  constructor(url, options) {
    if (PlayedWorker.refuses) throw new Error('refused');
    Object.assign(this, { url: String(url), options, sent: [], isEnded: false });
    made.push(this);
  }

  postMessage(message) {
    this.sent.push(message);
  }

  terminate() {
    this.isEnded = true;
  }

  say(data) {
    this.onmessage({ data });
  }
}

let count = 0;
let got;
let decoders;

beforeEach(async () => {
  made = [];
  got = { tiles: [], faults: [], undecoded: [], changed: [] };
  PlayedWorker.refuses = false;
  globalThis.Worker = PlayedWorker;
  Object.defineProperty(globalThis, 'navigator', { value: { hardwareConcurrency: 8 }, configurable: true });
  mock.timers.enable({ apis: ['setTimeout'] });
  // A fresh copy of the module for each test.
  decoders = await import(`data:text/javascript,${encodeURIComponent(`${SOURCE}// ${++count}`)}`);
});
afterEach(() => mock.timers.reset());

const start = () => decoders.start(
  (id) => got.tiles.push(id),
  (id, isBadInput, code) => got.faults.push([id, isBadInput, code]),
  (id) => got.undecoded.push(id),
  (ready, why) => got.changed.push([ready, why]),
);
const decode = (...ids) => ids.forEach((id) => decoders.decode(id, new Uint8Array(4)));
const ids = (worker) => worker.sent.filter(({ bytes }) => bytes).map(({ id }) => id);
const wait = (ms) => {
  for (let passed = 0; passed < ms; passed += 1000) mock.timers.tick(1000);
};
const result = (id, memory = 1e6) => ({ id, numbers: [], texels: [], memory });

test('tiles wait for the workers, are shared among them, and come back', () => {
  start();
  assert.equal(made.length, 2);
  assert.equal(made[0].url, 'http://host/viewer/builds/1/decode_worker.js');
  decode(1, 2);
  assert.deepEqual(made.flatMap(ids), []);
  made.forEach((worker) => worker.say({ ready: true }));
  decode(3, 4);
  assert.deepEqual(made.map((worker) => ids(worker).length), [2, 2], 'those that waited go to the first one that is ready');
  made.forEach((worker) => ids(worker).forEach((id) => worker.say(result(id))));
  assert.deepEqual(got.tiles.sort(), [1, 2, 3, 4]);
  made[0].say({ id: 1, fault: [true, 'tile_corrupt', 'x', 'y'] });
  assert.deepEqual(got.faults, [], 'each tile comes back once');
});

test('a tile that is no longer wanted is not decoded, and its result is ignored', () => {
  start();
  decode(1, 2);
  decoders.cancel(1);
  made[0].say({ ready: true });
  assert.deepEqual(ids(made[0]), [2]);
  decoders.cancel(2);
  assert.deepEqual(made[0].sent.at(-1), { cancel: 2 });
  made[0].say(result(2));
  assert.deepEqual(got.tiles, []);
});

test('where a worker crashes, its tile is at fault and the others are decoded by another one', () => {
  start();
  made[0].say({ ready: true });
  decode(1, 2, 3);
  made[0].say({ id: 1, crash: 'unreachable', rest: [2, 3].map((id) => ({ id, bytes: new Uint8Array(4) })) });
  assert.deepEqual(got.faults, [[1, false, 'tile_decoder_crashed']]);
  assert.ok(made[0].isEnded);
  made[1].say({ ready: true });
  assert.deepEqual(ids(made[1]), [2, 3]);
  assert.equal(made.length, 3, 'the crashed one is replaced');
});

test('the tiles of a worker that ends by itself are asked for again', () => {
  start();
  made.forEach((worker) => worker.say({ ready: true }));
  decode(1, 2, 3);
  made[0].onerror({ message: 'gone' });
  assert.deepEqual(got.faults, [1, 3].map((id) => [id, undefined, 'tile_decoder_stopped']));
  assert.equal(made.filter(({ isEnded }) => !isEnded).length, 2);
});

test('the time for a tile counts from when the worker begins with it', () => {
  start();
  made[0].say({ ready: true });
  decode(1, 2, 3);
  for (const id of [1, 2, 3]) {
    made[0].say({ begun: id });
    wait(29_000);
    made[0].say(result(id));
  }
  assert.deepEqual([got.tiles, got.faults], [[1, 2, 3], []], 'the last one waited for 58 s');
  wait(60_000);
  decode(4);
  made[0].say({ begun: 4 });
  wait(29_000);
  assert.ok(!made[0].isEnded, 'the time without tiles does not count');
  wait(1000);
  assert.ok(made[0].isEnded);
  assert.deepEqual(got.faults, [[4, undefined, 'tile_decoder_slow']]);
});

test('a worker that hangs is replaced, and its tiles are asked for again', () => {
  start();
  made.forEach((worker) => worker.say({ ready: true }));
  decode(1, 2, 3, 4);
  made[1].say(result(2));
  made[0].say({ begun: 1 });
  made[1].say({ begun: 4 });
  made[1].say(result(4));
  wait(30_000);
  assert.deepEqual(got.faults, [[1, undefined, 'tile_decoder_slow'], [3, undefined, 'tile_decoder_stopped']]);
  assert.deepEqual(made.map(({ isEnded }) => isEnded), [true, false, false]);
  decode(5);
  assert.deepEqual(ids(made[1]).at(-1), 5, 'the other worker goes on');
});

test('a worker that hangs on a tile that is no longer wanted is replaced too', () => {
  start();
  made.forEach((worker) => worker.say({ ready: true }));
  decode(1, 2);
  made[1].say(result(2));
  made[0].say({ begun: 1 });
  decoders.cancel(1);
  wait(30_000);
  assert.ok(made[0].isEnded);
  assert.deepEqual(got.faults, []);
});

test('where every worker hangs with its first tile, the page decodes', () => {
  start();
  made.forEach((worker) => worker.say({ ready: true }));
  decode(1, 2);
  // One begins and never returns; the other does not even begin.
  made[0].say({ begun: 1 });
  wait(30_000);
  assert.deepEqual(got.faults, [[1, undefined, 'tile_decoder_slow'], [2, undefined, 'tile_decoder_stopped']], 'both are asked for again');
  assert.ok(made.length === 2 && made.every(({ isEnded }) => isEnded));
  decode(1, 2);
  assert.deepEqual(got.undecoded, [1, 2]);
  assert.deepEqual(got.changed.at(-1), [0, 'not decoded within 30 s']);
});

test('where no worker answers, tiles that waited are given back undecoded', () => {
  start();
  decode(1);
  wait(20_000);
  assert.deepEqual([got.undecoded, got.faults], [[1], []]);
  assert.equal(made.length, 3);
});

test('a worker whose memory has grown is replaced once it has nothing to do', () => {
  start();
  made[0].say({ ready: true });
  decode(1, 2);
  made[0].say(result(1, 2e8));
  assert.ok(!made[0].isEnded);
  made[0].say(result(2, 2e8));
  assert.ok(made[0].isEnded && made.length === 3);
  assert.deepEqual(got.tiles, [1, 2]);
});

test('where the browser refuses workers, tiles are given back undecoded', () => {
  PlayedWorker.refuses = true;
  start();
  decode(1, 2);
  assert.deepEqual(got.undecoded, [1, 2]);
  assert.deepEqual(got.changed.at(-1), [0, 'refused']);
});

test('where the workers cannot load their program, tiles that waited are given back undecoded', () => {
  start();
  decode(1);
  for (let at = 0; at < made.length; at++) made[at].say({ failed: 'no such file' });
  decode(2);
  assert.deepEqual(got.undecoded, [1, 2]);
  assert.deepEqual(got.changed.at(-1), [0, 'no such file']);
  assert.equal(made.length, 3, 'it is not tried for ever');
});
