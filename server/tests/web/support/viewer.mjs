// The web viewer in a page: what it says of itself, and waiting until it has drawn.

import { until } from './browser.mjs';

/** The part of a page's picture that the viewer's panel does not cover. */
export const VIEW = [0.35, 0.05, 1, 0.95];

/** The viewer's state; nothing before it runs. */
export const state = (page) => page.evaluate(() => {
  const now = window.parterre?.state?.();
  return typeof now === 'string' ? JSON.parse(now) : now;
});

/** Waits until points are drawn and nothing has been loading for a while. */
export async function settled(page) {
  let still = 0;
  return until('the viewer shows its tiles', async () => {
    const now = await state(page).catch((error) => ({ error: String(error) }));
    still = now?.drawn_points > 0 && now.loading === 0 ? still + 1 : 0;
    return { done: still >= 4, value: now, now };
  }, { timeout: 240_000, every: 500 });
}
