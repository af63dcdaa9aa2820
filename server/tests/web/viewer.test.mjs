// From the catalogue's first page to walking in the demo venue, in a real browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, shoot, until } from './support/browser.mjs';
import { difference, look } from './support/picture.mjs';
import { demoScan, parterre, scratch, startService } from './support/service.mjs';
import { VIEW, settled, state } from './support/viewer.mjs';

const VENUE = 'Demo concert hall';

let work;
let service;
let browser;

before(async () => {
  work = await scratch('viewer');
  await parterre('import', demoScan(), '--venue', VENUE, '--data', work.dir);
  service = await startService(work.dir);
  browser = await launch();
}, { timeout: 600_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
  await work?.remove();
});

test('catalogue, venue page and viewer show the demo venue', { timeout: 600_000 }, async (t) => {
  const { context, page, faults } = await openPage(browser);
  await page.goto(service.origin);
  await page.waitForLoadState('networkidle');
  await shoot(page, 'catalogue');
  await page.getByRole('link', { name: VENUE }).first().click();
  await page.waitForLoadState('networkidle');
  await shoot(page, 'venue');

  await page.locator('a[href^="/view/"]').first().click();
  await page.waitForURL(/\/view\/[^/]+\/\d+/);
  await page.locator('#parterre-canvas').waitFor();
  const shown = await settled(page);
  t.diagnostic(`state: ${JSON.stringify(shown)}`);
  assert.ok(shown.drawn_points > 100_000, `only ${shown.drawn_points} points are drawn`);
  assert.equal(shown.mode, 'orbit');
  assert.deepEqual(shown.failed, []);

  const overview = await shoot(page, 'viewer');
  const seen = look(overview, VIEW);
  t.diagnostic(`share of pixels with points: ${seen.share.toFixed(3)}, colours: ${seen.colours}`);
  assert.ok(seen.share > 0.1, `only ${seen.share} of the pixels show points`);
  assert.ok(seen.colours >= 12, `only ${seen.colours} colours`);

  // A still picture gets all its points, and then nothing is drawn.
  const complete = await until('the picture is complete', async () => {
    const now = await state(page);
    return { done: now.complete, value: now, now };
  }, { timeout: 240_000, every: 500 });
  t.diagnostic(`complete: ${JSON.stringify(complete)}`);
  assert.ok(complete.drawn_points >= shown.drawn_points, 'no points were taken away');
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  // The last frame may still be drawn.
  await pause(1000);
  const idle = await state(page);
  await pause(3000);
  assert.equal((await state(page)).frames, idle.frames, 'frames were drawn while nothing changed');
  // A call of the page wakes the viewer, and the same view converges to the same number of points.
  assert.equal(await page.evaluate(() => window.parterre.settings({ budget: 'many' })), false);
  assert.equal(await page.evaluate(() => window.parterre.settings({ edl: false })), true);
  const again = await until('the picture is complete again', async () => {
    const now = await state(page);
    return { done: now.complete && now.frames > idle.frames, value: now, now };
  }, { timeout: 240_000, every: 500 });
  const change = Math.abs(again.drawn_points - complete.drawn_points) / complete.drawn_points;
  assert.ok(change < 0.1, `${complete.drawn_points} points, then ${again.drawn_points}`);

  await page.evaluate(() => window.parterre.mode('walk'));
  // The floor is searched when its tiles are drawn, some frames after they are loaded.
  await until('the walker stands on a floor', async () => {
    const now = await state(page);
    return { done: now.mode === 'walk' && typeof now.level === 'number', now };
  }, { timeout: 120_000, every: 500 });
  const standing = await settled(page);
  assert.deepEqual(standing.failed, []);
  assert.equal(typeof standing.level, 'number', 'the height of the floor is known');
  const inside = await shoot(page, 'viewer-walk');
  assert.ok(look(inside, VIEW).share > 0.1, 'points are visible while walking');
  assert.ok(difference(overview, inside) > 0.05, 'the picture differs from the overview');

  assert.deepEqual(faults, []);
  await context.close();
});

test('the service logged no error', () => {
  assert.doesNotMatch(service.log(), /\bERROR\b|panicked/);
});
