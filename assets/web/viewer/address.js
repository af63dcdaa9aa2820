// The page's address says which view is shown, after the `#`: the same address shows the same view again.

// Browsers refuse to write the address too often.
const PAUSE_MS = 500;

let timer;
let pending;

/** The view that the address asks for, or nothing. */
export const viewOfAddress = () => location.hash.slice(1) || undefined;

/** Writes a view into the address, soon. */
export function writeView(view) {
  pending = view;
  timer ??= setTimeout(writeNow, PAUSE_MS);
}

/** Writes what has not been written yet. */
export function writeNow() {
  clearTimeout(timer);
  timer = undefined;
  if (pending === undefined) return;
  try {
    history.replaceState(history.state, '', `#${pending}`);
  } catch (error) {
    console.warn('the view could not be written into the address', error);
  }
  pending = undefined;
}

/** Copies the address of a view, or shows it where the browser does not let the page copy. */
export async function copyAddress(view) {
  pending = view;
  writeNow();
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    // Without encryption, browsers offer no clipboard to pages.
    window.prompt('The address of this view:', location.href);
  }
}
