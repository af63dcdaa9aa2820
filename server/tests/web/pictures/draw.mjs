// draw.mjs REFERENCES TILES OUTPUT BUDGET…: the views of a folder of references, drawn by 3d-tiles-renderer in headless Chromium.
//
// TILES is a folder with a tileset.json. For each budget, the points' size is chosen that gives the best mean SSIM over every seventh view,
// out of sizes in pixels and sizes that shrink with the distance; then all views are drawn with it, as OUTPUT/BUDGET/NAME.png and
// NAME.depth. Prints one JSON document a budget: { budget, setting, drawn }, the last being the mean of the drawn points.
// PARTERRE_PICTURE_COMPARE is the program that measures; SAMPLE=n takes every n-th view for the choice.

import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { launch, openPage, until } from '../support/browser.mjs';
import { setting } from '../support/service.mjs';
import { startServer } from '../support/static.mjs';

/** The viewer's, BACKGROUND in viewer/src/render/data.rs. */
const BACKGROUND = [0.106, 0.133, 0.165];
const SIZES = [
  ...[4, 6, 9, 13, 19, 27].map((size) => ({ size, attenuated: false, name: `points of ${size} px` })),
  ...[0.13, 0.18, 0.25, 0.36, 0.5, 0.7, 1].map((size) => ({ size, attenuated: true, name: `attenuated points of size ${size}` })),
];

const [references, tiles, output, ...budgets] = process.argv.slice(2);
const sample = Number(process.env.SAMPLE ?? 7);
const views = JSON.parse(await readFile(path.join(references, 'views.json'), 'utf8'));
const { width, height } = PNG.sync.read(await readFile(path.join(references, `${views[0].name}.png`)));
const here = fileURLToPath(new URL('.', import.meta.url));
const folders = { '/packages/': setting('PARTERRE_CLIENTS_DIR'), '/clients/': path.join(here, '../clients'), '/pictures/': here, '/tiles/': path.resolve(tiles) };
const server = await startServer(folders, 'http://127.0.0.1:1');
const browser = await launch();
const say = (text) => process.stderr.write(`== ${text}\n`);

try {
  const { page, faults } = await openPage(browser);
  await page.goto(`${server.origin}/clients/three.html?script=/pictures/page.mjs`);
  await until('the page has started', async () => ({ done: await page.evaluate(() => Boolean(window.pictures)), faults }));
  const ask = (name, ...args) => page.evaluate(([call, given]) => window.pictures[call](...given), [name, args]);
  await ask('open', `${server.origin}/tiles/tileset.json`, [width, height], BACKGROUND);

  /** Looks, and waits until every tile of the view is there. */
  const show = async ({ name, camera }) => {
    await ask('look', camera);
    let still = 0;
    await until(`the tiles of ${name}`, async () => {
      const now = await ask('load');
      still = now.done ? still + 1 : 0;
      return { done: still >= 3, value: now, now, faults };
    }, { timeout: 300_000, every: 100 });
  };
  const save = async (dir, { name }, { color, depth }) => {
    const png = new PNG({ width, height, colorType: 2 });
    Buffer.from(color, 'base64').copy(png.data);
    await writeFile(path.join(dir, `${name}.png`), PNG.sync.write(png, { colorType: 2 }));
    if (depth) await writeFile(path.join(dir, `${name}.depth`), Buffer.from(depth, 'base64'));
  };
  const likeness = async (dir) => JSON.parse((await promisify(execFile)(setting('PARTERRE_PICTURE_COMPARE'), [references, dir])).stdout).ssim;

  const trials = path.join(output, 'trials');
  for (const budget of budgets) for (const index of SIZES.keys()) await mkdir(path.join(trials, budget, String(index)), { recursive: true });
  for (const view of views.filter((_, index) => index % sample === 0)) {
    await show(view);
    const pictures = new Map();
    for (const budget of budgets) {
      const points = await ask('budget', Number(budget));
      for (const [index, size] of SIZES.entries()) {
        // Where one budget allows no more points than another, the pictures are the same.
        const key = `${points} ${index}`;
        if (!pictures.has(key)) pictures.set(key, await ask('draw', size, false));
        await save(path.join(trials, budget, String(index)), view, pictures.get(key));
      }
      say(`${view.name}: ${points} of ${budget} points in ${SIZES.length} sizes`);
    }
  }
  const best = {};
  for (const budget of budgets) {
    for (const [index, size] of SIZES.entries()) {
      const ssim = await likeness(path.join(trials, budget, String(index)));
      say(`${budget} points: ${size.name}: SSIM ${ssim.toFixed(4)}`);
      if (!(best[budget]?.ssim >= ssim)) best[budget] = { size, ssim };
    }
  }
  await rm(trials, { recursive: true });

  const drawn = Object.fromEntries(budgets.map((budget) => [budget, []]));
  for (const budget of budgets) await mkdir(path.join(output, budget), { recursive: true });
  for (const view of views) {
    await show(view);
    const pictures = new Map();
    for (const budget of budgets) {
      const key = `${await ask('budget', Number(budget))} ${best[budget].size.name}`;
      if (!pictures.has(key)) pictures.set(key, await ask('draw', best[budget].size, true));
      const picture = pictures.get(key);
      drawn[budget].push(picture.drawn);
      await save(path.join(output, budget), view, picture);
    }
    say(`${view.name}: drawn`);
  }
  const failures = await page.evaluate(() => window.pictures.failures);
  if (faults.length + failures.length) throw new Error(`the page reports faults: ${[...faults, ...failures].join('; ')}`);
  for (const budget of budgets) {
    const mean = drawn[budget].reduce((sum, points) => sum + points, 0) / views.length;
    process.stdout.write(`${JSON.stringify({ budget: Number(budget), setting: best[budget].size.name, drawn: Math.round(mean), name: await page.evaluate(() => window.pictures.name) })}\n`);
  }
} finally {
  await browser.close();
  await server.stop();
}
