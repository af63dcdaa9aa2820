// Headless Chromium that draws WebGL2 without a GPU, and pages that remember everything that went wrong in them.

import path from 'node:path';
import { chromium } from 'playwright-core';
import { setting } from './service.mjs';

const FLAGS = [
  '--no-first-run', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
];

// The software GPU takes its time for every pixel.
const VIEWPORT = { width: 960, height: 600 };

export const launch = () => chromium.launch({ executablePath: setting('PARTERRE_CHROMIUM'), args: FLAGS, timeout: 60_000 });

/**
 * A fresh page. `faults` fills with console errors, exceptions, failed requests and answers of 400 and above. `options` are
 * those of playwright's newContext.
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: VIEWPORT, ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack ?? error}`));
  page.on('response', (answer) => {
    if (answer.status() >= 400) faults.push(`${answer.status()}: ${answer.url()}`);
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    // A tile that is no longer wanted is cancelled, and so is what a page still loads when it is left.
    if (why !== 'net::ERR_ABORTED') faults.push(`${why}: ${request.url()}`);
  });
  return { context, page, faults };
}

/** Takes a picture of the page, keeps it under the name, and gives its PNG bytes. */
export const shoot = (page, name) => page.screenshot({ path: path.join(setting('PARTERRE_SHOTS_DIR'), `${name}.png`), timeout: 120_000 });

/** Asks again until `ask` gives something true; else fails with the last answer. */
export async function until(what, ask, { timeout = 60_000, every = 300 } = {}) {
  const deadline = Date.now() + timeout;
  let last;
  while (Date.now() < deadline) {
    last = await ask();
    if (last?.done) return last.value ?? last;
    await new Promise((wake) => setTimeout(wake, every));
  }
  throw new Error(`${what}: not within ${timeout / 1000} s; last seen: ${JSON.stringify(last)}`);
}
