// What happens when the browser loses the connection to the graphics card: its driver was restarted or updated, or the computer slept.
// Everything on the card is gone then, and the viewer starts again with the same view.

const STORED = 'parterre-restarts';
// A card that is lost again and again would be lost by the next start too.
const RESTARTS_MAX = 3;
const WITHIN_MS = 120_000;

/** The times of the last starts that nobody asked for. */
function recentRestarts() {
  try {
    const times = JSON.parse(sessionStorage.getItem(STORED) ?? '[]');
    return times.filter((time) => Date.now() - time < WITHIN_MS);
  } catch {
    return undefined;
  }
}

/** Whether the viewer starts again by itself. */
function mayRestart() {
  const times = recentRestarts();
  return times !== undefined && times.length < RESTARTS_MAX;
}

function recordRestart(times) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify([...times, Date.now()]));
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts the page again when the connection is back, or when the user asks. `onLost` is called with a message, a hint and the text of a
 * button, and what the button does. The connection may be lost again before the page has started again.
 */
export function watchGraphics(canvas, onLost) {
  let isStarting = false;
  canvas.addEventListener('webglcontextlost', (event) => {
    // Lets the browser restore it.
    event.preventDefault();
    const hint = mayRestart()
      ? 'The viewer starts again with the same view as soon as it is back.'
      : 'Close other programs and tabs that draw in 3D, then start the viewer again.';
    onLost('The browser lost the connection to the graphics card.', hint, 'Start again', () => location.reload());
  });
  canvas.addEventListener('webglcontextrestored', () => {
    // Where the number of starts cannot be kept, there must be none without the user. One start is recorded once.
    if (isStarting || !mayRestart() || !recordRestart(recentRestarts())) return;
    isStarting = true;
    location.reload();
  });
}
