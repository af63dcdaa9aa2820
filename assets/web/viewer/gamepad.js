// Gamepads: a browser tells of their state only when asked, so the viewer, which draws no frames while nothing changes, is told from here.

const IDLE_MS = 100;
// About a frame. Not at an animation frame: a request for a frame made there takes the place of the one that was due.
const USED_MS = 15;

/** Tells `take(axes, buttons)` the state of the first gamepad of the standard layout, as long as there is one. `take` says whether it is being used. */
export function watchGamepads(take) {
  let isWatching = false;
  const ask = () => {
    const gamepad = [...navigator.getGamepads()].find((one) => one?.connected && one.mapping === 'standard');
    if (!gamepad) {
      isWatching = false;
      take(new Float64Array(), new Float64Array());
      return;
    }
    const isUsed = take(Float64Array.from(gamepad.axes), Float64Array.from(gamepad.buttons, (button) => button.value));
    setTimeout(ask, isUsed ? USED_MS : IDLE_MS);
  };
  const start = () => {
    if (isWatching) return;
    isWatching = true;
    ask();
  };
  window.addEventListener('gamepadconnected', start);
  start();
}
