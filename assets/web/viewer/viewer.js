// Starts the web viewer: checks the browser, loads the program with progress, opens the scan and shows what goes wrong.
//
// The page gives <canvas id="parterre-canvas">, <div id="parterre-loading"> with #parterre-progress and
// #parterre-status, the tileset's address in <meta name="parterre-tileset"> (?tileset= overrides it), and in
// <meta name="parterre-program"> the address of one build of the viewer: its script and its WebAssembly belong together.
// For tests and for other scripts: window.parterre.state(), look([ex, ey, ez, tx, ty, tz]), mode(name), reset(),
// budget(points).

const BUILD = document.querySelector('meta[name="parterre-program"]')?.content ?? '/viewer/';
const SCRIPT = `${BUILD}parterre_viewer.js`;
const PROGRAM = `${BUILD}parterre_viewer_bg.wasm`;

const overlay = document.getElementById('parterre-loading');
const progress = document.getElementById('parterre-progress');
const status = document.getElementById('parterre-status');

let viewer = null;
let failed = false;

const EMPTY = { drawn_points: 0, loading: 1, level: null, failed: [] };

window.parterre = {
  state() {
    const json = viewer?.state_json();
    const state = json ? JSON.parse(json) : { ...EMPTY };
    if (failed) state.error ??= { code: 'viewer_stopped', message: status?.textContent ?? '', hint: '' };
    return state;
  },
  look: (camera) => viewer?.look(Float64Array.from(camera)) ?? false,
  mode: (name) => viewer?.mode(name) ?? false,
  reset: () => viewer?.reset(),
  budget: (points) => viewer?.budget(points),
};

function say(text, share) {
  if (status) status.textContent = text;
  if (!progress) return;
  if (share === undefined) progress.removeAttribute('value');
  else progress.value = Math.round(share * 100);
}

function fail(what, hint) {
  if (failed) return;
  failed = true;
  // Messages end with or without a full stop.
  if (status) status.textContent = hint ? `${what.replace(/\.$/, '')}. ${hint}` : what;
  if (progress) progress.hidden = true;
  if (overlay) {
    overlay.hidden = false;
    overlay.classList.add('failed');
    overlay.setAttribute('role', 'alert');
  }
}

// Whether the browser draws with WebGL 2; the test's context is given back at once.
function hasWebGl2() {
  const context = document.createElement('canvas').getContext('webgl2');
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

// The program as a response that reports how much of it has come.
async function program() {
  const response = await fetch(PROGRAM);
  if (!response.ok) throw new Error(`${PROGRAM} answers ${response.status} ${response.statusText}.`);
  // The length of a compressed answer says nothing about the bytes that come out of it.
  const total = response.headers.has('Content-Encoding') ? 0 : Number(response.headers.get('Content-Length'));
  let read = 0;
  const counted = response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        read += chunk.byteLength;
        const megabytes = (read / 1e6).toFixed(1);
        if (total > 0) say(`Loading the viewer: ${Math.round((read / total) * 100)} %`, read / total);
        else say(`Loading the viewer: ${megabytes} MB`);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted, { headers: { 'Content-Type': 'application/wasm' } });
}

function watch() {
  const state = window.parterre.state();
  if (state.error) {
    fail(state.error.message, state.error.hint);
    return;
  }
  // Where every tile has failed, the panel under the overlay names them and offers to try again.
  if (state.drawn_points > 0 || (state.loading === 0 && state.failed.length > 0)) {
    if (overlay) overlay.hidden = true;
    return;
  }
  say('Opening the scan…');
  setTimeout(watch, 100);
}

async function main() {
  const address =
    new URLSearchParams(location.search).get('tileset') ?? document.querySelector('meta[name="parterre-tileset"]')?.content;
  if (!address) {
    fail('This page names no scan.', 'Open the viewer from a venue’s page.');
    return;
  }
  if (!hasWebGl2()) {
    fail(
      'This browser cannot draw with WebGL 2.',
      'Use a current Firefox, Chrome, Edge or Safari, and switch on graphics acceleration in its settings.',
    );
    return;
  }
  const canvas = document.getElementById('parterre-canvas');
  canvas.addEventListener('webglcontextlost', () => fail('The graphics driver has dropped the picture.', 'Reload the page.'));
  // A program that stops throws on its next frame.
  window.addEventListener('error', (event) => {
    if (event.error instanceof WebAssembly.RuntimeError) fail('The viewer has stopped.', 'Reload the page; the browser’s console says more.');
  });
  say('Loading the viewer…');
  const module = await import(SCRIPT);
  await module.default({ module_or_path: await program() });
  viewer = module;
  say('Opening the scan…');
  // The page's title for people: the address holds identifiers only.
  module.start(address, overlay?.querySelector('.name')?.textContent || undefined);
  canvas.focus();
  watch();
}

main().catch((error) => fail('The viewer could not be loaded.', `${error.message ?? error} Reload the page to try again.`));
