// The peer of the benchmark: a tileset (?tileset=) in 3d-tiles-renderer and three.js, set up as their own examples do, with the
// projection of Parterre's viewer. window.peer is what the benchmark asks of it.

import { TilesRenderer } from '3d-tiles-renderer/three';
import { GLTFExtensionsPlugin } from '3d-tiles-renderer/three/plugins';
import { Matrix4, PerspectiveCamera, REVISION, Scene, Vector4, WebGLRenderer } from 'three';
import { MeshoptDecoder } from 'three/addons/libs/meshopt_decoder.module.js';

const NEAR_M = 0.05;
const FAR_M = 5000;

const renderer = new WebGLRenderer();
renderer.setSize(innerWidth, innerHeight);
document.body.append(renderer.domElement);
const scene = new Scene();
const camera = new PerspectiveCamera(60, innerWidth / innerHeight, NEAR_M, FAR_M);
camera.up.set(0, 0, 1);

let drawn = 0;
let error;
let pointSize = 2;
let paused = false;

const tiles = new TilesRenderer(new URLSearchParams(location.search).get('tileset'));
tiles.registerPlugin(new GLTFExtensionsPlugin({ meshoptDecoder: MeshoptDecoder }));
tiles.addEventListener('load-error', ({ url, error: why }) => (error ??= `${url}: ${why}`));
tiles.addEventListener('load-model', ({ scene: model }) => model.traverse(({ material }) => {
  if (material) Object.assign(material, { size: pointSize, sizeAttenuation: false });
}));
tiles.setCamera(camera);
scene.add(tiles.group);

function update() {
  camera.updateMatrixWorld();
  tiles.setResolutionFromRenderer(camera, renderer);
  tiles.update();
}

renderer.setAnimationLoop(() => {
  if (paused) return;
  update();
  renderer.render(scene, camera);
  drawn = renderer.info.render.points;
});

function state() {
  const { downloading, parsing, queued = 0 } = tiles.stats;
  const isIdle = tiles.loadProgress === 1 && downloading + parsing + queued === 0;
  return { points: drawn, loading: isIdle ? 0 : 1, error };
}

function look([ex, ey, ez, tx, ty, tz]) {
  camera.position.set(ex, ey, ez);
  camera.lookAt(tx, ty, tz);
  return true;
}

/** Points that would be drawn now: all of the visible tiles, because the renderer of tiles turns off three.js' own culling. */
function visiblePoints() {
  let points = 0;
  tiles.group.traverseVisible((object) => {
    if (object.isPoints) points += object.geometry.attributes.position.count;
  });
  return points;
}

/** Of the points that would be drawn now, those that lie within the picture. */
function pointsInPicture() {
  const [clip, point] = [new Matrix4(), new Vector4()];
  let inside = 0;
  tiles.group.traverseVisible((object) => {
    if (!object.isPoints) return;
    clip.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse).multiply(object.matrixWorld);
    const { position } = object.geometry.attributes;
    for (let index = 0; index < position.count; index++) {
      const { x, y, w } = point.set(position.getX(index), position.getY(index), position.getZ(index), 1).applyMatrix4(clip);
      if (w > NEAR_M && Math.abs(x) <= w && Math.abs(y) <= w) inside++;
    }
  });
  return inside;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Points in the camera's view once everything wanted for it is loaded, without drawing. */
async function pointsAt(view, errorTarget) {
  tiles.errorTarget = errorTarget;
  look(view);
  for (let idle = 0, turn = 0; idle < 3 && turn < 4000; turn++) {
    update();
    idle = state().loading === 0 ? idle + 1 : 0;
    await new Promise((wake) => setTimeout(wake, state().loading ? 4 : 0));
  }
  return visiblePoints();
}

window.peer = {
  versions: { three: REVISION },
  look,
  state,
  pointsInPicture,
  settings({ error: errorTarget, size }) {
    if (errorTarget !== undefined) tiles.errorTarget = errorTarget;
    if (size !== undefined) pointSize = size;
  },
  /**
   * The errorTarget at which the median of the views' points is nearest to `wanted`, found by bisection. Its loaded tiles stay in memory
   * meanwhile, and nothing is drawn.
   */
  async calibrate(views, wanted) {
    paused = true;
    tiles.lruCache.maxBytesSize = tiles.lruCache.minBytesSize = 8e9;
    let [low, high] = [0.05, 400];
    let best;
    for (let step = 0; step < 11; step++) {
      const middle = Math.sqrt(low * high);
      const counts = [];
      for (const view of views) counts.push(await pointsAt(view, middle));
      const points = median(counts);
      if (!best || Math.abs(points - wanted) < Math.abs(best.points - wanted)) best = { error: middle, points };
      if (Math.abs(points / wanted - 1) < 0.02) break;
      if (points > wanted) low = middle;
      else high = middle;
    }
    return best;
  },
};
