// A service that somebody else has started (PARTERRE_ORIGIN), such as `make run`: its first venue's page offers the web
// viewer, which draws the scan; and the viewer's files are sent small.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage, shoot } from './support/browser.mjs';
import { look } from './support/picture.mjs';
import { setting } from './support/service.mjs';
import { VIEW, settled } from './support/viewer.mjs';

let browser;
before(async () => {
  browser = await launch();
}, { timeout: 120_000 });
after(() => browser?.close());

test('the venue page offers the viewer, and it draws', { timeout: 600_000 }, async (t) => {
  const { context, page, faults } = await openPage(browser);
  const programs = [];
  page.on('response', (answer) => {
    if (answer.url().endsWith('.wasm')) programs.push(answer);
  });
  await page.goto(setting('PARTERRE_ORIGIN'));
  await page.locator('a[href^="/venues/"]').first().click();
  await page.waitForLoadState('networkidle');
  await shoot(page, 'running-venue');

  await page.locator('a[href^="/view/"]').first().click();
  await page.locator('#parterre-canvas').waitFor();
  const shown = await settled(page);
  t.diagnostic(`state: ${JSON.stringify(shown)}`);
  assert.ok(shown.drawn_points > 0 && shown.failed.length === 0, JSON.stringify(shown));
  const seen = look(await shoot(page, 'running-viewer'), VIEW);
  t.diagnostic(`share off the background: ${seen.share.toFixed(3)}, colours: ${seen.colours}`);
  assert.ok(seen.share > 0.1, `only ${seen.share} of the pixels show points`);
  assert.ok(seen.colours >= 12, `only ${seen.colours} colours`);

  assert.equal(programs.length, 1, 'one WebAssembly is loaded');
  const headers = await programs[0].allHeaders();
  assert.match(programs[0].url(), /\/viewer\/builds\/[0-9a-f]+\//, 'a page keeps the build that it began with');
  assert.equal(headers['content-encoding'], 'br', 'the optimized build is there, in its smallest form');
  t.diagnostic(`WebAssembly sent: ${headers['content-length']} bytes`);
  assert.deepEqual(faults, []);
  await context.close();
});
