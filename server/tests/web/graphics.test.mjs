// What the page does when the graphics card is lost (assets/web/viewer/graphics.js), with a canvas that the test plays.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { watchGraphics } from '../../../assets/web/viewer/graphics.js';

let canvas;
let messages;
let reloads;
let kept;

beforeEach((t) => {
  canvas = new EventTarget();
  messages = [];
  reloads = 0;
  kept = new Map();
  globalThis.location = { reload: () => { reloads += 1; } };
  globalThis.sessionStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  watchGraphics(canvas, (message, hint) => messages.push(hint));
  t.after(() => mock.timers.reset());
});

/** Whether the page lets the browser restore the card. */
const lose = () => !canvas.dispatchEvent(new Event('webglcontextlost', { cancelable: true }));
const restore = () => canvas.dispatchEvent(new Event('webglcontextrestored'));
const recorded = () => JSON.parse(kept.get('parterre-restarts') ?? '[]').length;
/** The page after it has started again. */
const restart = () => {
  canvas = new EventTarget();
  watchGraphics(canvas, (message, hint) => messages.push(hint));
};

test('the page starts again when the card is back', () => {
  assert.ok(lose());
  assert.equal(reloads, 0, 'not before');
  restore();
  assert.deepEqual([reloads, recorded()], [1, 1]);
  assert.match(messages[0], /as soon as it is back/);
});

test('a card that is lost again before the page has started again counts once', () => {
  assert.ok(lose());
  restore();
  assert.ok(lose(), 'the second time too');
  restore();
  assert.deepEqual([reloads, recorded()], [1, 1]);
});

test('a card that is lost after each start ends the starts without the user', () => {
  for (const expected of [1, 2, 3, 3, 3]) {
    assert.ok(lose());
    restore();
    assert.deepEqual([reloads, recorded()], [expected, expected]);
    restart();
  }
  assert.match(messages.at(-1), /Close other programs/);
});

test('a page that gave up starts again with a later loss', () => {
  mock.timers.enable({ apis: ['Date'], now: 1e12 });
  kept.set('parterre-restarts', JSON.stringify([1e12, 1e12, 1e12]));
  lose();
  restore();
  assert.equal(reloads, 0);
  mock.timers.tick(121_000);
  assert.ok(lose());
  restore();
  assert.equal(reloads, 1);
});

test('where nothing can be kept, only the user starts it again', () => {
  globalThis.sessionStorage = { getItem: () => null, setItem: () => { throw new Error('full'); } };
  assert.ok(lose());
  restore();
  assert.equal(reloads, 0);
});
