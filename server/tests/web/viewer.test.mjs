// From the catalogue's first page to walking in the demo venue, in a real browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, shoot, until } from './support/browser.mjs';
import { difference, look } from './support/picture.mjs';
import { demoScan, parterre, scratch, startService } from './support/service.mjs';
import { VIEW, settled, state } from './support/viewer.mjs';

const VENUE = 'Demo concert hall';

let work;
let imported;
let service;
let browser;

before(async () => {
  work = await scratch('viewer');
  imported = await parterre('import', demoScan(), '--venue', VENUE, '--data', work.dir);
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
  assert.equal(shown.see_inside, true, 'from outside one sees into the closed hall');
  assert.ok(shown.decoded.workers > 0 && shown.decoded.aside >= shown.drawn_tiles, `tiles are decoded by workers: ${JSON.stringify(shown.decoded)}`);
  assert.equal(shown.decoded.in_page, 0, 'no tile was decoded by the page');
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

  const seesInside = async (wanted) => {
    assert.equal(await page.evaluate((see_inside) => window.parterre.settings({ see_inside }), wanted), true);
    await until(`the state says ${wanted}`, async () => {
      const now = await state(page);
      return { done: now.see_inside === wanted, now };
    });
  };
  await seesInside(false);
  await shoot(page, 'viewer-closed');
  await seesInside(true);

  await page.evaluate(() => window.parterre.mode('walk'));
  // The floor is searched when its tiles are drawn, some frames after they are loaded.
  await until('the walker stands on a floor', async () => {
    const now = await state(page);
    return { done: now.mode === 'walk' && typeof now.level === 'number', now };
  }, { timeout: 120_000, every: 500 });
  const standing = await settled(page);
  assert.deepEqual(standing.failed, []);
  assert.equal(typeof standing.level, 'number', 'the height of the floor is known');
  assert.equal(standing.see_inside, false, 'a walker sees all surfaces');
  assert.ok(Math.abs(standing.camera[2] - standing.level - 1.7) < 0.05, `the eye is 1.7 m above the floor: ${JSON.stringify(standing)}`);
  const inside = await shoot(page, 'viewer-walk');
  assert.ok(look(inside, VIEW).share > 0.1, 'points are visible while walking');
  assert.ok(difference(overview, inside) > 0.05, 'the picture differs from the overview');

  assert.deepEqual(faults, []);
  await context.close();
});

/** A page of the viewer, after `prepare` has had it. */
async function viewerPage(prepare) {
  const opened = await openPage(browser);
  await prepare(opened.page);
  await opened.page.goto(`${service.origin}/view/${imported.scan}/${imported.version}`);
  return opened;
}

test('a broken tile is named with its fault, and the others are drawn', { timeout: 300_000 }, async () => {
  let broken;
  const { context, page, faults } = await viewerPage((page) => page.route('**/*.glb', async (route) => {
    const { pathname } = new URL(route.request().url());
    // Not the root, which has been asked for first and alone.
    if (broken === undefined) broken = null;
    else broken ??= pathname;
    if (pathname !== broken) return route.continue();
    const body = await (await route.fetch()).body();
    return route.fulfill({ body: body.subarray(0, body.length / 2), contentType: 'model/gltf-binary' });
  }));
  const now = await until('the broken tile is named', async () => {
    const value = await state(page);
    return { done: value?.failures?.length > 0 && value.drawn_tiles > 3 && value.loading === 0, value, now: value };
  }, { timeout: 240_000 });
  assert.equal(now.failed.length, 1);
  const [{ name, code, message }] = now.failures;
  assert.ok(broken.endsWith(name), `${broken} and ${name}`);
  assert.match(code, /^tile_[a-z]+$/);
  assert.ok(message.length > 10, message);
  assert.equal(now.decoded.in_page, 0);
  assert.ok(now.decoded.workers > 0, 'the worker goes on');
  assert.ok(look(await shoot(page, 'viewer-broken-tile'), VIEW).share > 0.1);
  assert.deepEqual(faults, []);
  await context.close();
});

/** The address of the viewer's page of the demo venue. */
async function viewerAddress(page) {
  await page.goto(service.origin);
  await page.getByRole('link', { name: VENUE }).first().click();
  return new URL(await page.locator('a[href^="/view/"]').first().getAttribute('href'), service.origin).href;
}

const near = (a, b, tolerance) => a.every((value, index) => Math.abs(value - b[index]) <= tolerance);
const hash = (page) => page.evaluate(() => location.hash.slice(1));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test('an address opens the same view, and follows it', { timeout: 600_000 }, async () => {
  const { context, page, faults } = await openPage(browser);
  const address = await viewerAddress(page);
  const camera = [20, 10, 9, 30, 15, 2];
  await page.goto(`${address}#eye=20,10,9&target=30,15,2&mode=fly&color=height&cut=8&color=red&%zz`);
  const first = await settled(page);
  assert.equal(first.view, 'eye=20,10,9&target=30,15,2&mode=fly&color=height&cut=8');
  assert.ok(near(first.camera, camera, 1e-3), `${first.camera}`);
  assert.deepEqual([first.mode, first.color, first.tools], ['fly', 'height', ['cut']]);
  await shoot(page, 'viewer-address');
  // What could not be used is gone from the address once the view stands still.
  await until('the address says the view', async () => ({ done: (await hash(page)) === first.view, now: await hash(page) }));

  await page.evaluate(() => { window.parterre.mode('orbit'); window.parterre.look([25, 12, 8, 31, 15, 2]); });
  await until('the address follows the view', async () => ({ done: (await hash(page)).startsWith('eye=25,12,8&target=31,15,2&mode=orbit'), now: await hash(page) }));
  const length = await page.evaluate(() => history.length);
  const shared = await page.evaluate(() => location.href);

  const other = await context.newPage();
  await other.goto(shared);
  const opened = await settled(other);
  assert.ok(near(opened.camera, [25, 12, 8, 31, 15, 2], 1e-3) && opened.mode === 'orbit', JSON.stringify(opened));
  await other.close();

  // Another address in the same page.
  await page.evaluate(() => { location.hash = '#eye=22,10,9&target=30,15,2'; });
  await until('the view follows the address', async () => {
    const now = await state(page);
    return { done: near(now.camera, [22, 10, 9, 30, 15, 2], 1e-3), now: now.camera };
  });
  assert.equal(await page.evaluate(() => history.length), length + 1, 'moving adds nothing to the history');
  assert.deepEqual(faults, []);
  await context.close();
});

test('a second scan is shown with the first, hidden without requests, and closed; one that is not there is named', { timeout: 600_000 }, async (t) => {
  const { context, page } = await openPage(browser);
  // The same tiles under another address.
  const requested = [];
  await page.route('**/second/**', (route) => {
    const url = new URL(route.request().url());
    if (url.pathname.endsWith('.glb')) requested.push(url.pathname);
    url.pathname = url.pathname.replace('/second/', `/tiles/${imported.scan}/${imported.version}/`);
    return route.continue({ url: url.href });
  });
  const own = `${service.origin}/view/${imported.scan}/${imported.version}`;
  await page.goto(`${own}?add=/second/tileset.json&add=/second/missing.json`);
  const both = await settled(page);
  t.diagnostic(`both: ${JSON.stringify(both)}`);
  assert.equal(both.scans.length, 2);
  assert.equal(both.total_points, both.scans[0].points * 2);
  assert.deepEqual(both.unopened.map(({ source }) => source), ['/second/missing.json']);
  assert.ok(requested.length > 0, 'tiles of the second scan are loaded');
  assert.match(await page.evaluate(() => location.search), /add=/, 'the address keeps the scans');
  await shoot(page, 'viewer-two-scans');

  const second = both.scans[1].id;
  await page.evaluate((id) => window.parterre.show(id, false), second);
  await until('the second scan is hidden', async () => {
    const now = await state(page);
    return { done: now.scans[1].visible === false && now.total_points === now.scans[0].points && now.loading === 0, now };
  });
  const before = requested.length;
  await page.evaluate(() => window.parterre.look([16, 15, 2.2, 36, 15, 1.2]));
  await pause(1000);
  const alone = await settled(page);
  assert.equal(requested.length, before, 'a hidden scan requests nothing');
  assert.ok(alone.drawn_points > 50_000, JSON.stringify(alone));

  await page.evaluate((id) => window.parterre.close(id), second);
  assert.equal(await page.evaluate(() => window.parterre.open('/second/tileset.json', { move: 'far' })), false);
  assert.equal(await page.evaluate(() => window.parterre.open('/second/tileset.json', { name: 'Moved', move: [100, 0, 5], turn: 90 })), true);
  const moved = await until('another scan is open', async () => {
    const scans = await page.evaluate(() => window.parterre.scans());
    return { done: scans.length === 2 && scans[1].name === 'Moved', value: scans, now: scans };
  });
  assert.ok(moved[1].id !== second && Math.abs(moved[1].turn - 90) < 1e-6, JSON.stringify(moved));
  assert.ok(near(moved[1].origin, moved[0].origin.map((at, axis) => at + [100, 0, 5][axis]), 1e-6), JSON.stringify(moved));
  assert.ok(near((await state(page)).camera.slice(0, 3), [16, 15, 2.2], 1e-3), 'the camera stays where it was');
  await context.close();
});

test('most points are drawn as points of the graphics card, with one vertex each', { timeout: 300_000 }, async () => {
  const { context, page, faults } = await viewerPage((page) => page.addInitScript(() => {
    window.vertices = { points: 0, triangles: 0 };
    for (const name of ['drawArrays', 'drawArraysInstanced']) {
      const native = WebGL2RenderingContext.prototype[name];
      WebGL2RenderingContext.prototype[name] = function (mode, first, count, ...rest) {
        // Three vertices are a pass over the whole picture.
        if (count > 3) window.vertices[mode === this.POINTS ? 'points' : 'triangles'] += count;
        return native.call(this, mode, first, count, ...rest);
      };
    }
  }));
  await settled(page);
  const { points, triangles } = await page.evaluate(() => window.vertices);
  assert.ok(points > 0 && triangles / 3 < 0.2 * points, `${points} points, ${triangles / 3} triangles`);
  assert.ok(look(await shoot(page, 'viewer-points'), VIEW).share > 0.1);
  assert.deepEqual(faults, []);
  await context.close();
});

test('without a worker the page decodes the tiles itself', { timeout: 300_000 }, async () => {
  const { context, page } = await viewerPage((page) => page.context().route('**/decode_worker.js', (route) => route.abort()));
  const now = await settled(page);
  assert.equal(now.decoded.workers, 0);
  assert.ok(now.decoded.in_page >= now.drawn_tiles && now.decoded.aside === 0, JSON.stringify(now.decoded));
  assert.deepEqual(now.failed, []);
  await context.close();
});

test('where the workers hang, the page decodes the tiles itself', { timeout: 300_000 }, async () => {
  const hanging = `postMessage({ ready: true });
    onmessage = ({ data }) => { if (data.bytes) { postMessage({ begun: data.id }); for (;;) {} } };`;
  const { context, page } = await viewerPage((page) => page.context().route('**/decode_worker.js', (route) => route.fulfill({
    contentType: 'text/javascript', body: hanging,
  })));
  const now = await settled(page);
  assert.equal(now.decoded.workers, 0);
  assert.ok(now.decoded.in_page >= now.drawn_tiles && now.decoded.aside === 0, JSON.stringify(now.decoded));
  assert.deepEqual(now.failed, [], 'nothing is lost');
  await context.close();
});

test('tiles that are no longer wanted are not decoded', { timeout: 300_000 }, async () => {
  // All tiles but the first are held back until the view has turned away from the scan.
  const held = [];
  let isFirst = true;
  let isHolding = true;
  const { context, page } = await viewerPage((page) => page.route('**/*.glb', (route) => {
    if (isFirst || !isHolding) route.continue();
    else held.push(route);
    isFirst = false;
  }));
  const before = await until('tiles are asked for', async () => {
    const value = await state(page);
    return { done: held.length >= 4 && value.decoded?.aside === 1, value, held: held.length };
  }, { timeout: 120_000 });
  const { bounds: [x, y, z] } = before;
  await page.evaluate((camera) => window.parterre.look(camera), [x - 500, y, z, x - 1000, y, z]);
  await until('nothing is wanted', async () => {
    const now = await state(page);
    return { done: now.loading === 0 && now.complete, now };
  });
  isHolding = false;
  await Promise.all(held.map((route) => route.continue().catch(() => {})));
  await new Promise((wake) => setTimeout(wake, 2000));
  const after = await state(page);
  assert.deepEqual([after.decoded.aside, after.decoded.in_page, after.failed], [1, 0, []]);
  await context.close();
});

test('a page that moves the camera in every animation frame sees frames drawn', { timeout: 300_000 }, async () => {
  const { context, page } = await viewerPage(() => {});
  const { frames, camera } = await settled(page);
  await page.evaluate((given) => {
    const step = () => {
      given[0] += 0.01;
      window.parterre.look(given);
      requestAnimationFrame(step);
    };
    step();
  }, camera);
  await until('frames are drawn', async () => {
    const now = await state(page);
    return { done: now.frames > frames + 5, frames: now.frames };
  });
  await context.close();
});

test('two clicks measure a distance, and a gamepad moves', { timeout: 600_000 }, async (t) => {
  const { context, page, faults } = await openPage(browser);
  // A browser has no gamepad of which a test could press a button.
  await page.addInitScript(() => {
    window.fakePad = { connected: true, mapping: 'standard', axes: [0, 0, 0, 0], buttons: Array.from({ length: 17 }, () => ({ value: 0 })) };
    navigator.getGamepads = () => [null, window.fakePad];
  });
  await page.goto(`${await viewerAddress(page)}#eye=16,15,2.2&target=36,15,1.2&mode=fly`);
  await settled(page);
  await page.keyboard.press('m');
  await until('the tool is active', async () => ({ done: (await state(page)).tools.includes('measure'), now: await state(page) }));
  const clicks = [[480, 450], [620, 330]];
  for (const [x, y] of clicks) {
    await page.mouse.click(x, y);
    await pause(1500);
  }
  const measured = await until('a distance is measured', async () => {
    const { measured: now } = await state(page);
    return { done: now, value: now, now };
  });
  t.diagnostic(JSON.stringify(measured));
  const { distance_m: distance, horizontal_m: horizontal, vertical_m: vertical } = measured;
  assert.ok(distance > 0.5 && distance < 60, `${distance}`);
  assert.ok(Math.abs(Math.hypot(horizontal, vertical) - distance) < 1e-6);
  await shoot(page, 'viewer-measure');
  const before = (await state(page)).camera;
  await page.mouse.move(500, 300);
  await page.mouse.down();
  await page.mouse.move(560, 320, { steps: 4 });
  await page.mouse.up();
  await until('a drag still turns the view', async () => {
    const now = await state(page);
    return { done: !near(now.camera, before, 1e-3), now };
  });
  assert.deepEqual((await state(page)).measured, measured, 'a drag is no click');
  await page.keyboard.press('Escape');
  await until('the tool has ended', async () => {
    const now = await state(page);
    return { done: now.tools.length === 0 && now.measured === null, now };
  });

  const standing = (await state(page)).camera;
  await page.evaluate(() => { window.fakePad.axes = [0, -1, 0, 0]; });
  await until('the left stick moves forward', async () => {
    const now = await state(page);
    return { done: now.camera[0] > standing[0] + 0.3, now: now.camera };
  });
  await page.evaluate(() => { window.fakePad.axes = [0, 0, 0, 0]; window.fakePad.buttons[2] = { value: 1 }; });
  await until('a button changes the mode', async () => ({ done: (await state(page)).mode === 'orbit', now: (await state(page)).mode }));
  assert.deepEqual(faults, []);
  await context.close();
});

test('a page in the background requests no tiles', { timeout: 600_000 }, async () => {
  const { context, page, faults } = await openPage(browser);
  await page.goto(`${await viewerAddress(page)}#eye=16,15,2.2&target=36,15,1.2&mode=fly`);
  await settled(page);
  let requests = 0;
  page.on('request', (request) => { if (request.url().includes('/tiles/')) requests += 1; });
  // Chromium without a screen shows every tab, so the page is told.
  const setHidden = (hidden) => page.evaluate((is) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => is });
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (is ? 'hidden' : 'visible') });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await setHidden(true);
  await pause(1500);
  requests = 0;
  // A view for which other tiles are needed.
  await page.evaluate(() => window.parterre.look([4, 12, 1.6, 8, 22, 1.4]));
  await pause(4000);
  assert.equal(requests, 0, 'tiles were requested in the background');
  const hidden = await state(page);
  await pause(2000);
  assert.equal((await state(page)).frames, hidden.frames, 'frames were drawn in the background');
  await setHidden(false);
  await until('tiles are requested in the foreground', async () => ({ done: requests > 0, now: requests }));
  assert.deepEqual((await settled(page)).failed, []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a lost graphics card starts the viewer again with the same view, but not for ever', { timeout: 600_000 }, async () => {
  const { context, page } = await openPage(browser);
  await page.goto(`${await viewerAddress(page)}#eye=16,15,2.2&target=36,15,1.2&mode=fly&color=height`);
  const before = await settled(page);
  const lose = () => page.evaluate(() => {
    const lost = document.getElementById('parterre-canvas').getContext('webgl2').getExtension('WEBGL_lose_context');
    window.restore = () => lost.restoreContext();
    lost.loseContext();
  });
  const message = page.getByRole('alert');
  await lose();
  await message.getByText('lost the connection to the graphics card').waitFor();
  await shoot(page, 'viewer-lost');
  await page.evaluate(() => { window.isOld = true; window.restore(); });
  await page.waitForFunction(() => window.isOld === undefined);
  const after = await settled(page);
  assert.equal(after.view, before.view);
  assert.ok(await message.count() === 0 && after.error === undefined);

  // Twice more in the last minute, so that the next time would be the fourth.
  await page.evaluate(() => sessionStorage.setItem('parterre-restarts', JSON.stringify([1, 2, 3].map((second) => Date.now() - second * 1000))));
  await lose();
  await message.getByText('Close other programs').waitFor();
  await page.evaluate(() => { window.isOld = true; window.restore(); });
  await pause(3000);
  assert.equal(await page.evaluate(() => window.isOld), true, 'it started again by itself');
  // Lost a second time by the same page, after more than two minutes.
  await page.evaluate(() => sessionStorage.removeItem('parterre-restarts'));
  await lose();
  await page.evaluate(() => window.restore());
  await page.waitForFunction(() => window.isOld === undefined);
  assert.equal((await settled(page)).view, before.view);

  // Where it does not start again by itself, there is a button.
  await page.evaluate(() => sessionStorage.setItem('parterre-restarts', JSON.stringify([1, 2, 3].map((second) => Date.now() - second * 1000))));
  await lose();
  await message.getByText('Close other programs').waitFor();
  await page.evaluate(() => { window.isOld = true; });
  await page.getByRole('button', { name: 'Start again' }).click();
  await page.waitForFunction(() => window.isOld === undefined);
  assert.equal((await settled(page)).view, before.view);
  await context.close();
});

test('the service logged no error', () => {
  assert.doesNotMatch(service.log(), /\bERROR\b|panicked/);
});
