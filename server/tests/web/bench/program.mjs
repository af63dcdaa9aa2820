// One run of one program: a browser of its own, the page, the path, and the figures.

import { fileURLToPath } from 'node:url';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { launch, openPage } from '../support/browser.mjs';
import { memory, percent, processes, processorSeconds } from './processes.mjs';

const HARNESS = fileURLToPath(new URL('page.js', import.meta.url));
const MEMORY_EVERY_MS = 2000;
/** Frames measured for the cost of one view. */
const COST_FRAMES = 12;
const STILL_S = 10;
const [WIDTH, HEIGHT] = (process.env.SIZE || '960x600').split('x').map(Number);

const wait = (ms) => new Promise((wake) => setTimeout(wake, ms));
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  if (!sorted.length) return undefined;
  const at = (sorted.length - 1) * share;
  return sorted[Math.floor(at)] + (at % 1) * (sorted[Math.ceil(at)] - sorted[Math.floor(at)]);
}
export const median = (values) => quantile(values, 0.5);

/** A browser with the page of a program, and the means to measure it. `stop` ends it. */
async function start(address) {
  const browser = await launch();
  // The service's pages allow no inline scripts; the peer's page has one, the addresses of its modules.
  const opened = await openPage(browser, { bypassCSP: true, viewport: { width: WIDTH, height: HEIGHT } });
  const { page } = opened;
  await page.addInitScript({ path: HARNESS });
  const ofBrowser = await browser.newBrowserCDPSession();
  const ofPage = await page.context().newCDPSession(page);
  await ofPage.send('Network.enable');
  await ofPage.send('Performance.enable');
  const asked = new Map();
  const fetched = [];
  const ended = ({ requestId, encodedDataLength }) => {
    const request = asked.get(requestId);
    if (!request) return;
    asked.delete(requestId);
    fetched.push({ at: Date.now(), bytes: encodedDataLength ?? request.bytes, url: request.url });
  };
  ofPage.on('Network.requestWillBeSent', ({ requestId, request }) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/tiles/')) asked.set(requestId, { url: pathname, bytes: 0 });
  });
  ofPage.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
    const request = asked.get(requestId);
    if (request) request.bytes += encodedDataLength;
  });
  ofPage.on('Network.loadingFinished', ended);
  ofPage.on('Network.loadingFailed', ({ requestId }) => ended({ requestId }));
  page.setDefaultTimeout(300_000);
  await page.goto(address, { waitUntil: 'commit' });
  return {
    ...opened,
    browser,
    fetched,
    processes: () => processes(ofBrowser),
    metrics: async () => Object.fromEntries((await ofPage.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value])),
    /** Bytes of tiles that workers of the page have fetched; the page's own session does not see them. */
    async workerBytes() {
      let sum = 0;
      for (const worker of page.workers()) {
        sum += await worker.evaluate(() => performance.getEntriesByType('resource')
          .filter(({ name }) => new URL(name).pathname.startsWith('/tiles/')).reduce((bytes, { encodedBodySize }) => bytes + encodedBodySize, 0)).catch(() => 0);
      }
      return sum;
    },
    stop: () => browser.close(),
  };
}

/** Processor use and frames while nothing changes. */
async function standstill(run, seconds) {
  const { page } = run;
  const list = await run.processes();
  const counted = await page.evaluate(() => window.bench.release());
  const [before, begun] = [await processorSeconds(list), Date.now()];
  await wait(seconds * 1000);
  const [after, ended] = [await processorSeconds(list), Date.now()];
  const now = await page.evaluate(() => window.bench.frames());
  return {
    frames: now.frames,
    // What the program itself counts, where it does.
    counted: now.counted === undefined ? undefined : now.counted - counted,
    percent: percent(before, after, (ended - begun) / 1000),
  };
}

/** Opens the start view and waits until it is complete. */
async function opened(address, route, settings) {
  const run = await start(address);
  try {
    // The harness is there from the beginning; the program may still be loading.
    run.marks = await run.page.evaluate(([given, set]) => window.bench.open(given, set), [route, settings]);
  } catch (error) {
    await run.stop();
    throw error;
  }
  return run;
}

/** Only the standstill, at the start view. */
export async function measureStill(address, route, settings) {
  const run = await opened(address, route, settings);
  try {
    const points = await run.page.evaluate(() => window.bench.points());
    return { ...(await standstill(run, STILL_S)), points, settable: run.marks.settable, version: run.browser.version(), faults: run.faults };
  } finally {
    await run.stop();
  }
}

/**
 * One run over the whole path. `tune` gives the settings of a segment before it begins (the peer's errorTarget), and of a view whose frames
 * are timed. `costViews` are [segment's name, time].
 */
export async function measure(address, route, { settings, tune, costViews, costTune }) {
  const run = await opened(address, route, settings);
  const { page, fetched } = run;
  const largest = { renderer: 0, GPU: 0, sum: 0 };
  let sampling = true;
  const list = await run.processes();
  const sampler = (async () => {
    while (sampling) {
      const now = await memory(list);
      const sum = now.renderer + now.GPU;
      if (sum > largest.sum) Object.assign(largest, now, { sum });
      await wait(MEMORY_EVERY_MS);
    }
  })();
  try {
    const segments = [];
    const settle = { bytes: fetched.reduce((sum, { bytes }) => sum + bytes, 0), requests: fetched.length };
    const startTasks = await page.evaluate(() => window.bench.tasks());
    for (const { name, from, to } of route.segments) {
      if (name === 'standstill') break;
      await tune?.(page, name);
      const [bytesBefore, workerBefore] = [fetched.length, await run.workerBytes()];
      const walked = await page.evaluate(([a, b]) => window.bench.walk(a, b), [from, to]);
      const times = walked.noted.map(([, , at]) => at);
      const deltas = times.slice(1).map((at, index) => at - times[index]);
      segments.push({
        name,
        seconds: to - from,
        frames: walked.noted.length,
        points: median(walked.noted.map(([, points]) => points)),
        bytes: fetched.slice(bytesBefore).reduce((sum, { bytes }) => sum + bytes, 0) + (await run.workerBytes()) - workerBefore,
        deltas,
        frame_ms: median(deltas),
        frame_p99_ms: quantile(deltas, 0.99),
        tasks: walked.tasks.length,
        tasks_ms: walked.tasks.reduce((sum, [, ms]) => sum + ms, 0),
      });
    }
    const end = await page.evaluate(() => window.bench.settle(1000, 30_000));
    const bytes = fetched.reduce((sum, entry) => sum + entry.bytes, 0) + (await run.workerBytes());
    sampling = false;
    await sampler;
    const still = await standstill(run, route.segments.at(-1).to - route.segments.at(-1).from);
    const heap = (await run.metrics()).JSHeapUsedSize;
    const { wasm } = await page.evaluate(() => window.bench.memory());
    const costs = [];
    for (const [name, t] of costViews) {
      await costTune?.(page, name);
      const cost = await page.evaluate(([at, count]) => window.bench.cost(at, count), [t, COST_FRAMES]);
      if (cost.outside) run.faults.push(`${cost.outside} draw calls outside of animation frames`);
      costs.push({ name, points: median(cost.points), inside: cost.inside, ms: median(cost.costs.map(([all]) => all)), script_ms: median(cost.costs.map(([, script]) => script)) });
    }
    const all = segments.flatMap(({ deltas }) => deltas);
    return {
      settable: run.marks.settable,
      first_points_s: run.marks.firstPoints / 1000,
      complete_s: run.marks.settled === undefined ? undefined : run.marks.settled / 1000,
      start: { ...settle, tasks: startTasks.length, tasks_ms: startTasks.reduce((sum, [, ms]) => sum + ms, 0) },
      segments: segments.map(({ deltas, ...rest }) => rest),
      end_settled: !end.late,
      frame_ms: median(all),
      frame_p99_ms: quantile(all, 0.99),
      bytes,
      requests: fetched.length,
      memory: { ...largest, heap, wasm },
      tasks: startTasks.length + segments.reduce((sum, { tasks }) => sum + tasks, 0),
      tasks_ms: startTasks.reduce((sum, [, ms]) => sum + ms, 0) + segments.reduce((sum, { tasks_ms }) => sum + tasks_ms, 0),
      still,
      costs,
      version: run.browser.version(),
      faults: run.faults,
    };
  } finally {
    sampling = false;
    await run.stop();
  }
}

/** The peer's errorTarget for each group of views: `wanted` is {name: {times, points}}, times on the path. */
export async function calibrate(address, route, wanted) {
  const run = await opened(address, route, {});
  try {
    const found = {};
    for (const [name, { times, points }] of Object.entries(wanted)) {
      found[name] = await run.page.evaluate(([list, count]) => window.peer.calibrate(list.map(window.bench.cameraAt), count), [times, points]);
    }
    return { found, versions: await run.page.evaluate(() => window.peer.versions) };
  } finally {
    await run.stop();
  }
}

/** Pictures along the walk, taken while the camera moves, in a run of their own: taking one costs time. */
export async function pictures(address, route, { settings, tune, folder, name, count }) {
  const run = await opened(address, route, settings);
  try {
    const { from, to } = route.walk;
    const times = Array.from({ length: count }, (_, index) => from + ((index + 0.5) * (to - from)) / count);
    const saved = [];
    for (const segment of route.segments) {
      if (segment.name === 'standstill') break;
      await tune?.(run.page, segment.name);
      const shots = times.filter((time) => time >= segment.from && time < segment.to);
      const { pictures: taken } = await run.page.evaluate(([a, b, list]) => window.bench.walk(a, b, list), [segment.from, segment.to, shots]);
      for (const [time, url] of taken) {
        const file = path.join(folder, `${name}-${String(Math.round(time - from)).padStart(2, '0')}s.png`);
        await writeFile(file, Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
        saved.push(file);
      }
    }
    return saved;
  } finally {
    await run.stop();
  }
}
