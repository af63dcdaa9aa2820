// Runs in the measured page before its own scripts: drives the camera, and notes frames, long tasks and memory. The same code for
// both programs; what differs between them is in `program()`.
//
// A frame is an animation frame of the browser in which the program made at least one draw call of WebGL. The callbacks that a program
// gives to requestAnimationFrame are run here, between the camera's movement and the bookkeeping.

(() => {
  /** No view is timed for longer than this, however slow the machine is. */
  const COST_LIMIT_MS = 20_000;

  const nativeFrame = window.requestAnimationFrame.bind(window);
  let waiting = new Map();
  let lastId = 0;
  let scheduled = false;
  let draws = 0;
  /** Draw calls outside of animation frames, whose time `cost` would not see. */
  let outside = 0;
  let running = false;
  let gl;

  /** What is done before and after the program's callbacks of each frame. */
  const hooks = { before: undefined, after: undefined };
  const marks = { firstPoints: undefined, settled: undefined };
  const frames = [];
  const tasks = [];
  const memories = [];
  let path;
  let keepDriving = false;

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    nativeFrame(run);
  }
  function run(now) {
    scheduled = false;
    const start = performance.now();
    hooks.before?.(start);
    const callbacks = waiting;
    waiting = new Map();
    running = true;
    for (const callback of callbacks.values()) {
      try {
        callback(now);
      } catch (error) {
        reportError(error);
      }
    }
    running = false;
    hooks.after?.(start);
    if (draws) frames.push({ at: start, draws });
    draws = 0;
    if (keepDriving || waiting.size) schedule();
  }
  window.requestAnimationFrame = (callback) => {
    waiting.set(++lastId, callback);
    schedule();
    return lastId;
  };
  window.cancelAnimationFrame = (id) => waiting.delete(id);

  for (const name of ['drawArrays', 'drawElements', 'drawArraysInstanced', 'drawElementsInstanced']) {
    const native = WebGL2RenderingContext.prototype[name];
    WebGL2RenderingContext.prototype[name] = function (...args) {
      draws++;
      if (!running) outside++;
      gl = this;
      return native.apply(this, args);
    };
  }
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const native = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const made = await native.apply(WebAssembly, args);
      const { exports } = made.instance ?? made;
      for (const value of Object.values(exports ?? {})) if (value instanceof WebAssembly.Memory) memories.push(value);
      return made;
    };
  }
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) tasks.push({ at: startTime, ms: duration });
  }).observe({ type: 'longtask', buffered: true });

  const parterre = {
    look: (camera) => window.parterre.look(camera),
    state() {
      const { drawn_points, loading, complete = true, frames: counted, error, failed } = window.parterre.state();
      return { points: drawn_points, loading: loading || !complete, counted, error: error?.message ?? failed?.[0] };
    },
  };
  const program = () => (window.parterre ? parterre : window.peer);

  /** Camera at a time of the path. */
  function cameraAt(t) {
    const at = Math.min(Math.max(t * path.rate, 0), path.samples.length - 1);
    const [a, b, share] = [path.samples[Math.floor(at)], path.samples[Math.ceil(at)], at % 1];
    return a.map((value, index) => value + share * (b[index] - value));
  }

  /** Waits until nothing was wanted for `ms`; gives the time from which on nothing was. */
  function settle(ms, limit, each) {
    return new Promise((resolve) => {
      const begun = performance.now();
      let since;
      hooks.before = each;
      hooks.after = (now) => {
        const { points, loading, error } = program().state();
        if (!(points > 0 && !loading)) since = undefined;
        else since ??= performance.now();
        const late = now - begun > limit;
        if ((since && performance.now() - since > ms) || late || error) {
          hooks.before = hooks.after = undefined;
          resolve({ at: late ? undefined : since, late, error });
        }
      };
    });
  }

  window.bench = {
    /** Gives the path, and waits until the program takes a camera. Called once, as soon as the page is there. */
    async open(given, settings) {
      path = given;
      keepDriving = true;
      schedule();
      // The first view is the path's, not the program's own.
      await new Promise((resolve, reject) => {
        hooks.before = (now) => {
          if (program()?.look(cameraAt(0))) resolve();
          else if (now > 120_000) reject(new Error('the program did not start within 120 s'));
        };
      });
      if (window.parterre) {
        const { budget, ...others } = settings;
        if (!window.parterre.settings) window.parterre.budget(budget);
        else if (!window.parterre.settings({ budget, ...others })) throw new Error('the viewer does not take the settings');
      } else {
        window.peer.settings(settings);
      }
      // The frame after the first one with points has begun when that one was handed over to be shown.
      let seen = false;
      hooks.after = (now) => {
        if (seen) marks.firstPoints ??= now;
        seen ||= (program().state().points ?? 0) > 0;
      };
      while (marks.firstPoints === undefined) {
        const { error } = program().state();
        if (error) throw new Error(error);
        if (performance.now() > 180_000) throw new Error('no points within 180 s');
        await new Promise((wake) => setTimeout(wake, 20));
      }
      hooks.before = undefined;
      const { at, late } = await settle(1500, 180_000);
      marks.settled = at;
      return { ...marks, late, settable: Boolean(window.parterre?.settings) };
    },

    /** Follows the path by the clock, from `from` to `to` seconds of it; `shots` are times at which the picture is kept. */
    walk(from, to, shots = []) {
      return new Promise((resolve) => {
        const pictures = [];
        const noted = [];
        const begunTasks = tasks.length;
        let first;
        let t = from;
        hooks.before = (now) => {
          first ??= now - from * 1000;
          t = Math.min((now - first) / 1000, to);
          program().look(cameraAt(t));
        };
        hooks.after = (now) => {
          const { points } = program().state();
          if (draws) noted.push([Math.round(now - first) / 1000, points, now]);
          if (shots.length && t >= shots[0] && draws > 0) pictures.push([shots.shift(), gl.canvas.toDataURL('image/png')]);
          if ((now - first) / 1000 >= to) {
            hooks.before = hooks.after = undefined;
            resolve({ noted, pictures, tasks: tasks.slice(begunTasks).map((task) => [(task.at - first) / 1000, task.ms]) });
          }
        };
      });
    },

    /** Waits until the view is complete. */
    settle: (ms = 1000, limit = 30_000) => settle(ms, limit),

    /** Stops driving: from now on there are animation frames only if the program asks for them. */
    release() {
      keepDriving = false;
      frames.length = 0;
      return program().state().counted;
    },
    /** Frames since `release`. */
    frames() {
      keepDriving = true;
      schedule();
      return { frames: frames.length, counted: program().state().counted };
    },

    /**
     * The cost of a frame: milliseconds from the start of the program's work until a pixel can be read, so until everything that it
     * asked of WebGL is done. The camera moves by a millimetre so that a program that draws only changes draws.
     */
    async cost(t, count) {
      const camera = cameraAt(t);
      program().look(camera);
      await settle(700, 30_000);
      outside = 0;
      const points = [];
      const pixel = new Uint8Array(4);
      const costs = [];
      const begun = performance.now();
      let busy;
      await new Promise((resolve) => {
        let index = 0;
        hooks.before = () => {
          const moved = [...camera];
          moved[2] += index % 2 ? 0.001 : 0;
          // Everything of the frame before is done; this one's work starts here.
          if (gl) fence(pixel);
          busy = performance.now();
          program().look(moved);
        };
        hooks.after = () => {
          if (!draws) return;
          const script = performance.now() - busy;
          fence(pixel);
          // The first ones still hold what `settle` began.
          if (index++ >= 3) {
            costs.push([performance.now() - busy, script]);
            points.push(program().state().points);
          }
          if (costs.length >= count || (costs.length >= 3 && performance.now() - begun > COST_LIMIT_MS)) {
            hooks.before = hooks.after = undefined;
            resolve();
          }
        };
      });
      return { points, costs, outside, inside: program().pointsInPicture?.() };
    },

    points: () => program().state().points,
    memory: () => ({ wasm: memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) }),
    tasks: () => tasks.map(({ at, ms }) => [at, ms]),
    cameraAt,
  };

  /** Waits until WebGL has done everything: a pixel of the canvas is read. What is bound stays bound. */
  function fence(pixel) {
    const bound = gl.getParameter(gl.READ_FRAMEBUFFER_BINDING);
    const buffer = gl.getParameter(gl.PIXEL_PACK_BUFFER_BINDING);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, null);
    if (buffer) gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
    if (buffer) gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, bound);
  }
})();
