// Pictures and depths of a tileset by 3d-tiles-renderer, for draw.mjs: window.pictures.

import { TilesRenderer } from '3d-tiles-renderer/three';
import { GLTFExtensionsPlugin } from '3d-tiles-renderer/three/plugins';
import { Color, FloatType, NearestFilter, PerspectiveCamera, REVISION, Scene, ShaderMaterial, SRGBColorSpace, Vector3, WebGLRenderer, WebGLRenderTarget } from 'three';
import { MeshoptDecoder } from 'three/addons/libs/meshopt_decoder.module.js';

const FOV_Y = 60;
const NEAR_M = 0.05;
const FAR_M = 1000;
/** Steps of the search for the error at which the points fit the budget: finer than the errors of any two tiles. */
const STEPS = 40;
/** Deeper than any tileset of the benchmark. */
const DEEPEST = 16;

const renderer = new WebGLRenderer({ antialias: false, preserveDrawingBuffer: true });
renderer.setPixelRatio(1);
document.body.append(renderer.domElement);
const scene = new Scene();
const camera = new PerspectiveCamera(FOV_Y, 1, NEAR_M, FAR_M);
// The same size as three's own points, so that the same points are seen; the picture holds their depth.
const depthMaterial = new ShaderMaterial({
  uniforms: { size: { value: 1 }, attenuated: { value: 0 }, scale: { value: 1 } },
  vertexShader: `
    uniform float size, attenuated, scale;
    varying float depth;
    void main() {
      vec4 mvPosition = modelViewMatrix * vec4(position, 1.0);
      gl_Position = projectionMatrix * mvPosition;
      gl_PointSize = attenuated > 0.5 ? size * (scale / -mvPosition.z) : size;
      depth = -mvPosition.z;
    }`,
  fragmentShader: 'varying float depth; void main() { gl_FragColor = vec4(depth, 0.0, 0.0, 1.0); }',
});

let tiles;
let target;
let background;
const failures = [];

/** Bytes as text, row by row from the top: WebGL gives rows from the bottom. */
function fromTop(values, width, height) {
  const row = (values.byteLength / height) | 0;
  const bytes = new Uint8Array(values.buffer);
  const turned = new Uint8Array(bytes.length);
  for (let y = 0; y < height; y++) turned.set(bytes.subarray((height - 1 - y) * row, (height - y) * row), y * row);
  let text = '';
  for (let at = 0; at < turned.length; at += 32768) text += String.fromCharCode(...turned.subarray(at, at + 32768));
  return btoa(text);
}

function points() {
  let count = 0;
  tiles.group.traverse((object) => {
    if (object.isPoints) count += object.geometry.attributes.position.count;
  });
  return count;
}

function select(error) {
  tiles.errorTarget = error;
  tiles.update();
  return points();
}

window.pictures = {
  name: `3d-tiles-renderer, three.js r${REVISION}`,
  failures,

  /** Opens a tileset for pictures of this size; `color` is the background, sRGB from 0 to 1. */
  open(url, [width, height], color) {
    renderer.setSize(width, height);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    background = new Color().setRGB(...color, SRGBColorSpace);
    target = new WebGLRenderTarget(width, height, { type: FloatType, minFilter: NearestFilter, magFilter: NearestFilter });
    tiles = new TilesRenderer(url);
    tiles.registerPlugin(new GLTFExtensionsPlugin({ meshoptDecoder: MeshoptDecoder }));
    tiles.addEventListener('load-error', ({ url: tile, error }) => failures.push(`${tile}: ${error}`));
    // Every tile that was loaded is kept: the search for the budget asks for coarse and fine ones in turn.
    Object.assign(tiles.lruCache, { minSize: 1e6, maxSize: 1e6, minBytesSize: 1e12, maxBytesSize: 1e12 });
    tiles.setCamera(camera);
    tiles.setResolution(camera, width, height);
    scene.add(tiles.group);
    tiles.update();
  },

  /** Looks from one position at another. */
  look([ex, ey, ez, tx, ty, tz]) {
    camera.up.set(0, 0, 1);
    camera.position.set(ex, ey, ez);
    camera.lookAt(new Vector3(tx, ty, tz));
    camera.updateMatrixWorld();
  },

  /** Asks for every tile in the view; whether all are there. */
  load() {
    tiles.maxDepth = Infinity;
    const count = select(1e-6);
    const { downloading, parsing, queued = 0 } = tiles.stats;
    return { done: tiles.loadProgress === 1 && downloading + parsing + queued === 0 && count > 0, points: count, failures };
  },

  /** Chooses tiles with at most `budget` points, as many as one error for all tiles allows; gives that number. */
  budget(budget) {
    let [low, high] = [-6, 6];
    // Tiles around the eye are refined at any error. Where they alone exceed the budget, the depth is limited too.
    tiles.maxDepth = Infinity;
    if (select(10 ** low) <= budget) return points();
    for (let depth = DEEPEST; select(10 ** high) > budget && depth > 0; depth--) tiles.maxDepth = depth;
    for (let step = 0; step < STEPS; step++) {
      const middle = (low + high) / 2;
      if (select(10 ** middle) <= budget) high = middle;
      else low = middle;
    }
    return select(10 ** high);
  },

  /** Draws what was chosen, with points of this size: in pixels, or attenuated, in three's unit. RGBA, and depths if wanted. */
  draw({ size, attenuated }, withDepth) {
    const { width, height } = renderer.domElement;
    tiles.group.traverse(({ isPoints, material }) => {
      if (!isPoints) return;
      if (material.sizeAttenuation !== attenuated) material.needsUpdate = true;
      Object.assign(material, { size, sizeAttenuation: attenuated });
    });
    renderer.setRenderTarget(null);
    renderer.setClearColor(background, 1);
    renderer.render(scene, camera);
    const drawn = renderer.info.render.points;
    const gl = renderer.getContext();
    const color = new Uint8Array(width * height * 4);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, color);
    const picture = { drawn, color: fromTop(color, width, height) };
    if (!withDepth) return picture;
    const { uniforms } = depthMaterial;
    uniforms.size.value = size;
    uniforms.attenuated.value = attenuated ? 1 : 0;
    uniforms.scale.value = height * 0.5;
    scene.overrideMaterial = depthMaterial;
    renderer.setRenderTarget(target);
    renderer.setClearColor(0x000000, 1);
    renderer.render(scene, camera);
    scene.overrideMaterial = null;
    const depths = new Float32Array(width * height * 4);
    renderer.readRenderTargetPixels(target, 0, 0, width, height, depths);
    renderer.setRenderTarget(null);
    const depth = Float32Array.from({ length: width * height }, (_, pixel) => depths[4 * pixel] || Infinity);
    return { ...picture, depth: fromTop(depth, width, height) };
  },
};
