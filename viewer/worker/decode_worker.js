// A worker that decodes tiles; viewer/src/stream/decoders.js starts it and says what the messages are.

import init, { decode } from './parterre_worker.js';

/** Tiles to decode, the oldest first: { id, bytes }. */
const waiting = [];
let isReady = false;
let isScheduled = false;
// A message to itself: what the page has sent meanwhile, such as that a tile is no longer wanted, comes first.
const { port1: again, port2: turn } = new MessageChannel();

function schedule() {
  if (!isReady || isScheduled || waiting.length === 0) return;
  isScheduled = true;
  again.postMessage(0);
}

turn.onmessage = () => {
  isScheduled = false;
  const tile = waiting.shift();
  if (!tile) return;
  const { id, bytes } = tile;
  postMessage({ begun: id });
  try {
    const [numbers, texels] = decode(bytes);
    postMessage({ id, numbers, texels, memory: program.memory.buffer.byteLength }, [numbers.buffer, texels.buffer]);
  } catch (fault) {
    if (Array.isArray(fault)) {
      postMessage({ id, fault });
    } else {
      // The program has crashed and cannot go on. The page starts another worker and gives it what was waiting.
      isReady = false;
      const rest = waiting.splice(0);
      postMessage({ id, crash: String(fault?.message ?? fault), rest }, rest.map((other) => other.bytes.buffer));
      return;
    }
  }
  schedule();
};

onmessage = ({ data }) => {
  if (data.cancel === undefined) {
    waiting.push(data);
  } else {
    const at = waiting.findIndex(({ id }) => id === data.cancel);
    if (at >= 0) waiting.splice(at, 1);
  }
  schedule();
};

let program;
init().then(
  (exports) => {
    program = exports;
    isReady = true;
    postMessage({ ready: true });
    schedule();
  },
  (error) => postMessage({ failed: String(error?.message ?? error) }),
);
