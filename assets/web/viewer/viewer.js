// Starts the web viewer: checks the browser, loads the program and shows the progress, opens the scan, and shows errors.
//
// The page contains <canvas id="parterre-canvas">, <div id="parterre-loading"> with #parterre-progress and
// #parterre-status, the tileset's address in <meta name="parterre-tileset"> (?tileset= overrides it; given several times, all are shown together,
// and each ?add= is shown in addition to that of the page), and in
// <meta name="parterre-program"> the address of one build of the viewer: its script and its WebAssembly belong together.
// For tests and for other scripts: window.parterre.state(), look([ex, ey, ez, tx, ty, tz]), mode(name), reset(),
// settings({budget, adapt, edl, color, point_size, panel}), tool(name, on), view(text),
// open(address, {name, move, turn}), close(id), show(id, on), scans(). The viewer calls viewChanged and copyAddress.

import { copyAddress, viewOfAddress, writeNow, writeView } from './address.js';
import { watchGamepads } from './gamepad.js';
import { watchGraphics } from './graphics.js';

const BUILD = document.querySelector('meta[name="parterre-program"]')?.content ?? '/viewer/';
const SCRIPT = `${BUILD}parterre_viewer.js`;
const PROGRAM = `${BUILD}parterre_viewer_bg.wasm`;

const notice = document.getElementById('parterre-loading');
const progress = document.getElementById('parterre-progress');
const status = document.getElementById('parterre-status');

let viewer = null;
let failed = false;

const INITIAL_STATE = { drawn_points: 0, loading: 1, level: null, failed: [] };

window.parterre = {
  state() {
    const json = viewer?.state_json();
    const state = json ? JSON.parse(json) : { ...INITIAL_STATE };
    if (failed) state.error ??= { code: 'viewer_stopped', message: status?.textContent ?? '', hint: '' };
    return state;
  },
  look: (camera) => viewer?.look(Float64Array.from(camera)) ?? false,
  mode: (name) => viewer?.mode(name) ?? false,
  reset: () => viewer?.reset(),
  view: (text) => viewer?.show_view(text),
  tool: (name, on = true) => viewer?.tool(name, on),
  // A further scan; `move` in metres and `turn` in degrees from where its coordinates place it.
  open: (address, options = {}) => viewer?.open(address, JSON.stringify(options)) ?? false,
  close: (id) => viewer?.close_scan(id),
  show: (id, on = true) => viewer?.show_scan(id, on),
  scans: () => window.parterre.state().scans ?? [],
  viewChanged: writeView,
  copyAddress,
  settings: (changes) => viewer?.settings(JSON.stringify(changes)) ?? false,
};

// Shows a status text, and the progress as a share from 0 to 1; without a share the progress bar shows only activity.
function showStatus(text, share) {
  if (status) status.textContent = text;
  if (!progress) return;
  if (share === undefined) progress.removeAttribute('value');
  else progress.value = Math.round(share * 100);
}

// Shows an error in place of the picture; only the first one.
function showError(message, hint) {
  if (failed) return;
  failed = true;
  // Messages may or may not end with a full stop.
  if (status) status.textContent = hint ? `${message.replace(/\.$/, '')}. ${hint}` : message;
  if (progress) progress.hidden = true;
  if (notice) {
    notice.hidden = false;
    notice.classList.add('failed');
    notice.setAttribute('role', 'alert');
  }
}

// Shows an error in place of the picture, with a button.
function showErrorWithButton(message, hint, text, onClick) {
  if (failed) return;
  // What was shown last is shown again after the click.
  writeNow();
  showError(message, hint);
  const button = document.createElement('button');
  button.textContent = text;
  button.addEventListener('click', onClick);
  status?.after(button);
}

// Whether the browser supports WebGL 2. The context of this check is released at once.
function hasWebGl2() {
  const context = document.createElement('canvas').getContext('webgl2');
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

// Loads the program as a response and shows the progress while its bytes arrive.
async function loadProgram() {
  const response = await fetch(PROGRAM);
  if (!response.ok) throw new Error(`${PROGRAM}: the server answered ${response.status} ${response.statusText}.`);
  // The length of a compressed response is not the length of the decompressed bytes that are counted here.
  const total = response.headers.has('Content-Encoding') ? 0 : Number(response.headers.get('Content-Length'));
  let read = 0;
  const counted = response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        read += chunk.byteLength;
        const megabytes = (read / 1e6).toFixed(1);
        if (total > 0) showStatus(`Loading the viewer: ${Math.round((read / total) * 100)} %`, read / total);
        else showStatus(`Loading the viewer: ${megabytes} MB`);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted, { headers: { 'Content-Type': 'application/wasm' } });
}

// Shows the picture as soon as points are drawn, or the error.
function waitForPicture() {
  const state = window.parterre.state();
  if (state.error) {
    showError(state.error.message, state.error.hint);
    return;
  }
  // Where every tile has failed, the panel behind the notice lists them and offers to try again.
  if (state.drawn_points > 0 || (state.loading === 0 && state.failed.length > 0)) {
    if (notice) notice.hidden = true;
    return;
  }
  showStatus('Opening the scan…');
  setTimeout(waitForPicture, 100);
}

async function main() {
  const query = new URLSearchParams(location.search);
  const own = document.querySelector('meta[name="parterre-tileset"]')?.content;
  const given = query.getAll('tileset');
  const addresses = [...(given.length > 0 ? given : own ? [own] : []), ...query.getAll('add')];
  if (addresses.length === 0) {
    showError('This page does not specify a scan.', 'Open the viewer from the page of a venue.');
    return;
  }
  if (!hasWebGl2()) {
    showError(
      'This browser does not support WebGL 2, which the viewer needs.',
      'Use a current version of Firefox, Chrome, Edge or Safari, and turn on graphics acceleration in its settings.',
    );
    return;
  }
  const canvas = document.getElementById('parterre-canvas');
  watchGraphics(canvas, showErrorWithButton);
  // After a fatal error, WebAssembly throws in the next frame.
  window.addEventListener('error', (event) => {
    if (event.error instanceof WebAssembly.RuntimeError) {
      showError('The viewer has stopped because of an internal error.', 'Reload the page. The browser’s console contains details.');
    }
  });
  showStatus('Loading the viewer…');
  const module = await import(SCRIPT);
  await module.default({ module_or_path: await loadProgram() });
  viewer = module;
  showStatus('Opening the scan…');
  // The first scan's name from the page; the address contains only identifiers.
  module.start(addresses, notice?.querySelector('.name')?.textContent || undefined, viewOfAddress());
  window.addEventListener('hashchange', () => viewer.show_view(location.hash));
  watchGamepads((axes, buttons) => viewer.gamepad(axes, buttons));
  canvas.focus();
  waitForPicture();
}

main().catch((error) => showError('The viewer could not be loaded.', `${error.message ?? error} Reload the page to try again.`));
