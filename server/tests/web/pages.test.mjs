// The catalogue's pages in a real browser: an upload with the page's form, the progress of its job, its pictures; and
// requests that must be refused.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { launch, openPage, shoot, until } from './support/browser.mjs';
import { demoScan, scratch, startService } from './support/service.mjs';

let work;
let service;
let browser;

before(async () => {
  work = await scratch('pages');
  service = await startService(work.dir);
  browser = await launch();
}, { timeout: 120_000 });
after(async () => {
  await browser?.close();
  await service?.stop();
  await work?.remove();
});

/** A request with exactly these headers; a browser does not allow setting Host and Origin. */
function send(method, path, headers = {}, body = '') {
  return new Promise((resolve, reject) => {
    const asked = request(service.origin + path, { method, headers: { 'content-length': Buffer.byteLength(body), ...headers } }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const json = { 'content-type': 'application/json' };
/** A PLY with the points of a floor and two walls, 4 m long. */
function cube() {
  const points = [];
  for (let i = 0; i < 20; i++) for (let j = 0; j < 20; j++) points.push([i / 5, j / 5, 0], [i / 5, 0, j / 5], [0, i / 5, j / 5]);
  const head = `ply\nformat ascii 1.0\nelement vertex ${points.length}\nproperty float x\nproperty float y\nproperty float z\nend_header\n`;
  return head + points.map((point) => `${point.join(' ')}\n`).join('');
}

const venue = (name) => JSON.stringify({ name });

test('a file uploaded with the form becomes a scan with pictures', { timeout: 300_000 }, async () => {
  const made = await send('POST', '/api/venues', json, venue('Uploaded hall'));
  assert.equal(made.status, 201, made.text);

  const { context, page, faults } = await openPage(browser);
  await page.goto(service.origin);
  await page.getByRole('link', { name: 'Uploaded hall' }).first().click();
  await page.locator('input[type=file]').setInputFiles(demoScan());
  await page.locator('form:has(input[type=file]) button').click();

  await page.locator('[data-job] progress').waitFor({ state: 'visible' });
  await shoot(page, 'venue-working');

  const link = page.locator('a[href^="/view/"]').first();
  await link.waitFor({ state: 'visible', timeout: 240_000 });
  // Pictures outside the window load when they are scrolled into view.
  for (const image of await page.locator('img').all()) await image.scrollIntoViewIfNeeded();
  await until('the scan\'s pictures', async () => {
    const sizes = await page.locator('img').evaluateAll((images) => images.map((image) => [image.currentSrc, image.complete, image.naturalWidth]));
    return { done: sizes.length > 0 && sizes.every(([, complete, width]) => complete && width > 0), sizes };
  });
  await shoot(page, 'venue-done');

  await page.goto(service.origin);
  await until('the venue\'s thumbnail in the catalogue', async () => {
    const widths = await page.locator('img').evaluateAll((images) => images.map((image) => image.naturalWidth));
    return { done: widths.length > 0 && widths.every((width) => width > 0), widths };
  });
  await shoot(page, 'catalogue-uploaded');
  assert.deepEqual(faults, []);
  await context.close();
});

test('the button of a failed version starts its job again', { timeout: 120_000 }, async () => {
  const made = JSON.parse((await send('POST', '/api/venues', json, venue('Failed hall'))).text);
  const rows = 'nan nan nan\n'.repeat(50);
  const head = 'ply\nformat ascii 1.0\nelement vertex 50\nproperty float x\nproperty float y\nproperty float z\nend_header\n';
  const sent = await send('PUT', `/api/venues/${made.id}/uploads/nowhere.ply`, {}, head + rows);
  assert.equal(sent.status, 202, sent.text);
  const { job } = JSON.parse(sent.text);
  const state = async () => JSON.parse((await send('GET', `/api/jobs/${job}`)).text).state;
  await until('the job\'s failure', async () => ({ done: (await state()) === 'failed' }));

  const { context, page, faults } = await openPage(browser);
  await page.goto(`${service.origin}/venues/${made.slug}`);
  const answered = page.waitForResponse((answer) => answer.url().endsWith(`/api/jobs/${job}/retry`));
  await page.getByRole('button', { name: 'Try again' }).click();
  assert.equal((await answered).status(), 202);
  // The file is still at fault: the page follows the job to the same end.
  await until('the second failure', async () => ({ done: (await state()) === 'failed' }));
  await page.getByRole('button', { name: 'Try again' }).waitFor({ state: 'visible' });
  assert.ok(page.url().endsWith(`/venues/${made.slug}`), page.url());
  await shoot(page, 'venue-failed');
  assert.deepEqual(faults, []);
  await context.close();
});

test('an edit that comes too late keeps what was entered and shows what changed', { timeout: 60_000 }, async () => {
  const made = JSON.parse((await send('POST', '/api/venues', json, JSON.stringify({ name: 'Edited hall', city: 'Paris', capacity: 100 }))).text);
  const { context, page, faults } = await openPage(browser);
  await page.goto(`${service.origin}/venues/${made.slug}`);
  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Capacity, persons').fill('300');
  await page.getByLabel('Notes').fill('Mine\nin two lines');
  const theirs = await send('PATCH', `/api/venues/${made.id}`, { ...json, 'if-match': '*' }, JSON.stringify({ capacity: 200, city: 'Lyon' }));
  assert.equal(theirs.status, 200, theirs.text);
  await page.getByRole('button', { name: 'Save' }).click();
  const told = page.locator('#changed-meanwhile');
  await told.waitFor({ state: 'visible' });
  assert.match(await told.innerText(), /Capacity\s+100\s+200\s+your value: 300/);
  assert.equal(await page.getByLabel('City', { exact: true }).inputValue(), 'Lyon');
  await shoot(page, 'venue-edited-by-two');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('300 persons').waitFor({ state: 'visible' });
  await page.getByText('in two lines').waitFor({ state: 'visible' });
  // The conflict is the only answer of 400 and above.
  assert.deepEqual(faults.filter((fault) => !fault.includes('409')), []);
  await context.close();
});

test('a version is reviewed and published, and a picture added, with the pages alone', { timeout: 120_000 }, async () => {
  const made = JSON.parse((await send('POST', '/api/venues', json, venue('Reviewed hall'))).text);
  const sent = JSON.parse((await send('PUT', `/api/venues/${made.id}/uploads/cube.ply`, {}, cube())).text);
  await until('the tiles', async () => ({ done: JSON.parse((await send('GET', `/api/jobs/${sent.job}`)).text).state === 'done' }));
  const { context, page, faults } = await openPage(browser);
  await page.goto(`${service.origin}/venues/${made.slug}`);
  await page.getByText('Add a picture').click();
  const png = await page.screenshot();
  await page.locator('#caption').fill('Main entrance');
  const chooser = page.waitForEvent('filechooser');
  await page.locator('#add-picture button').click();
  await (await chooser).setFiles({ name: 'entrance.png', mimeType: 'image/png', buffer: png });
  await page.getByAltText('Main entrance').waitFor({ state: 'visible' });
  await page.getByRole('link', { name: 'Check and submit' }).click();
  await page.getByRole('button', { name: 'Submit for review' }).click();
  const boxes = page.locator('.checks input');
  await boxes.first().waitFor({ state: 'visible' });
  for (const box of await boxes.all()) await box.check();
  await shoot(page, 'version-review');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByText('This is the version of the scan to use.').waitFor({ state: 'visible' });
  await shoot(page, 'version-published');
  assert.deepEqual(faults, []);
  await context.close();
});

test('changes from another origin are refused', async () => {
  const foreign = await send('POST', '/api/venues', { ...json, origin: 'http://elsewhere.example' }, venue('Theirs'));
  assert.equal(foreign.status, 403, foreign.text);
  assert.ok(JSON.parse(foreign.text).error.code);
  const opaque = await send('POST', '/api/venues', { ...json, origin: 'null' }, venue('Theirs'));
  assert.equal(opaque.status, 403, opaque.text);
  const own = await send('POST', '/api/venues', { ...json, origin: service.origin }, venue('Ours'));
  assert.equal(own.status, 201, own.text);
});

test('requests with an unknown Host header are refused', async () => {
  const rebound = await send('GET', '/', { host: 'elsewhere.example' });
  assert.ok(rebound.status >= 400 && rebound.status < 500, `answered ${rebound.status}`);
  assert.doesNotMatch(rebound.text, /Uploaded hall/);
});

test('the content security policy allows only scripts of the service', async () => {
  const { headers } = await send('GET', '/');
  const policy = headers['content-security-policy'] ?? '';
  assert.match(policy, /default-src/);
  assert.doesNotMatch(policy, /script-src[^;]*'unsafe-inline'/);
});

test('the service logged no error', () => {
  assert.doesNotMatch(service.log(), /\bERROR\b|panicked/);
});
