// A tileset in CesiumJS, and what the tests ask of it: window.client, the same calls as in three.mjs.

/* global Cesium */

const { Cartesian2, Cartesian3, Cartographic, Cesium3DTileset, Cesium3DTileStyle, CesiumWidget, Color, HeadingPitchRange, Math: Angle, Matrix4 } = Cesium;

const widget = new CesiumWidget('view', {
  baseLayer: false,
  skyBox: false,
  skyAtmosphere: false,
  scene3DOnly: true,
  msaaSamples: 1,
  contextOptions: { webgl: { preserveDrawingBuffer: true } },
});
const { scene, camera } = widget;
scene.backgroundColor = Color.BLACK;
// A scan may lie below the ellipsoid, and would be under the ground.
scene.globe.show = false;
scene.fog.enabled = false;

let tileset;
const failures = [];
const xyz = ({ x, y, z }) => [x, y, z];
const cartesian = ([x, y, z]) => new Cartesian3(x, y, z);

window.client = {
  name: `CesiumJS ${Cesium.VERSION}`,
  failures,

  /** Opens a tileset; `place` is a column-major matrix for one that lies nowhere. */
  async open(url, { place, size = 3, error = 2 } = {}) {
    if (tileset) scene.primitives.remove(tileset);
    tileset = await Cesium3DTileset.fromUrl(url, { maximumScreenSpaceError: error });
    if (place) tileset.modelMatrix = Matrix4.fromArray(place);
    tileset.style = new Cesium3DTileStyle({ pointSize: String(size) });
    tileset.tileFailed.addEventListener(({ url: tile, message }) => failures.push(`${tile}: ${message}`));
    scene.primitives.add(tileset);
  },

  /** Where the tileset's sphere is, as one flies to it. */
  sphere() {
    const { center, radius } = tileset.boundingSphere;
    const { longitude, latitude, height } = Cartographic.fromCartesian(center);
    return { center: xyz(center), radius, longitude: Angle.toDegrees(longitude), latitude: Angle.toDegrees(latitude), height };
  },

  /** Flies to the tileset as its own users do, north up; gives where the camera is then. */
  fly({ heading = 0, pitch = -45, range = 0 } = {}) {
    camera.viewBoundingSphere(tileset.boundingSphere, new HeadingPitchRange(Angle.toRadians(heading), Angle.toRadians(pitch), range));
    camera.lookAtTransform(Matrix4.IDENTITY);
    const { longitude, latitude, height } = camera.positionCartographic;
    return { longitude: Angle.toDegrees(longitude), latitude: Angle.toDegrees(latitude), height };
  },

  /** Looks from one Earth-fixed position at another. */
  look(eye, target, up) {
    const direction = Cartesian3.normalize(Cartesian3.subtract(cartesian(target), cartesian(eye), new Cartesian3()), new Cartesian3());
    const right = Cartesian3.normalize(Cartesian3.cross(direction, cartesian(up), new Cartesian3()), new Cartesian3());
    camera.setView({ destination: cartesian(eye), orientation: { direction, up: Cartesian3.cross(right, direction, new Cartesian3()) } });
  },

  /** Whether everything wanted is loaded and drawn, and how much that is. */
  state() {
    const { numberOfPendingRequests, numberOfTilesProcessing, numberOfPointsSelected, numberOfTilesWithContentReady } = tileset.statistics;
    const done = tileset.tilesLoaded && numberOfPendingRequests + numberOfTilesProcessing === 0 && numberOfPointsSelected > 0;
    return { done, tiles: numberOfTilesWithContentReady, points: numberOfPointsSelected, failures };
  },

  /** Pixel of an Earth-fixed position. */
  project(position) {
    const pixel = scene.cartesianToCanvasCoordinates(cartesian(position), new Cartesian2());
    return pixel && [pixel.x, pixel.y];
  },
};
