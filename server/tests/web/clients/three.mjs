// A tileset in 3d-tiles-renderer, and what the tests ask of it: window.client, the same calls as in cesium.mjs.

import { TilesRenderer } from '3d-tiles-renderer/three';
import { GLTFExtensionsPlugin } from '3d-tiles-renderer/three/plugins';
import { Matrix4, PerspectiveCamera, REVISION, Scene, Sphere, Vector3, WebGLRenderer } from 'three';
import { MeshoptDecoder } from 'three/addons/libs/meshopt_decoder.module.js';

const renderer = new WebGLRenderer({ preserveDrawingBuffer: true });
renderer.setSize(innerWidth, innerHeight);
document.body.append(renderer.domElement);
const scene = new Scene();
const camera = new PerspectiveCamera(60, innerWidth / innerHeight, 1, 5000);

let tiles;
let drawn = 0;
let pointSize = 3;
const failures = [];

renderer.setAnimationLoop(() => {
  if (!tiles) return;
  camera.updateMatrixWorld();
  tiles.setResolutionFromRenderer(camera, renderer);
  tiles.update();
  renderer.render(scene, camera);
  drawn = renderer.info.render.points;
});

window.client = {
  name: `3d-tiles-renderer, three.js r${REVISION}`,
  failures,

  /** Opens a tileset; `place` is a column-major matrix for one that lies nowhere. */
  async open(url, { place, size = 3, error = 2 } = {}) {
    if (tiles) {
      scene.remove(tiles.group);
      tiles.dispose();
    }
    pointSize = size;
    tiles = new TilesRenderer(url);
    tiles.registerPlugin(new GLTFExtensionsPlugin({ meshoptDecoder: MeshoptDecoder }));
    tiles.errorTarget = error;
    tiles.addEventListener('load-error', ({ url: tile, error }) => failures.push(`${tile}: ${error}`));
    tiles.addEventListener('load-model', ({ scene: model }) => model.traverse(({ material }) => {
      if (material) Object.assign(material, { size: pointSize, sizeAttenuation: false });
    }));
    if (place) {
      tiles.group.matrixAutoUpdate = false;
      tiles.group.matrix.fromArray(place);
      tiles.group.updateMatrixWorld(true);
    }
    tiles.setCamera(camera);
    scene.add(tiles.group);
    const root = new Promise((resolve) => tiles.addEventListener('load-tileset', resolve, { once: true }));
    tiles.update();
    await root;
  },

  /** Where the tileset's sphere is. */
  sphere() {
    const sphere = new Sphere();
    tiles.getBoundingSphere(sphere);
    sphere.applyMatrix4(tiles.group.matrixWorld);
    return { center: sphere.center.toArray(), radius: sphere.radius };
  },

  /** Looks from one position at another. */
  look(eye, target, up) {
    camera.up.fromArray(up);
    camera.position.fromArray(eye);
    camera.lookAt(new Vector3().fromArray(target));
    camera.updateMatrixWorld();
    camera.matrixWorldInverse.copy(new Matrix4().copy(camera.matrixWorld).invert());
  },

  /** Whether everything wanted is loaded and drawn, and how much that is. */
  state() {
    const { downloading, parsing, queued = 0 } = tiles.stats;
    return { done: tiles.loadProgress === 1 && downloading + parsing + queued === 0 && drawn > 0, tiles: tiles.visibleTiles.size, points: drawn, failures };
  },

  /** Pixel of a position. */
  project(position) {
    const { x, y, z } = new Vector3().fromArray(position).project(camera);
    return z < 1 ? [((x + 1) / 2) * innerWidth, ((1 - y) / 2) * innerHeight] : undefined;
  },
};
