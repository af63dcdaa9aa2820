//! The exact transformation from projected coordinates in metres to the Earth and to the tile frame on it.
//!
//! A position is transformed by the inverse projection to longitude and latitude, with its height in metres above the ellipsoid;
//! by the shift of the datum to Earth-centred, Earth-fixed coordinates of WGS 84 (EPSG:4978); and from there, by a
//! rotation in f64, to east, north and up at the frame's origin.

use glam::{DMat3, DVec3};
use proj4rs::Proj;
use proj4rs::transform::transform;

use crate::definition::Definition;
use parterre_model::panics;

/// WGS 84, Earth-centred and earth-fixed; and as longitude and latitude.
const GEOCENTRIC: &str = "+proj=geocent +datum=WGS84 +units=m";
const GEOGRAPHIC: &str = "+proj=longlat +datum=WGS84";

/// Distance of a place from the Earth's centre: 50 km below the poles to 100 km above the equator.
const RADII_M: std::ops::Range<f64> = 6_300_000.0..6_480_000.0;
/// Metres on the Earth for a metre on the map: less than 1 where the map enlarges, as Web Mercator does far from the equator.
const SCALES: std::ops::Range<f64> = 0.05..2.0;
/// Largest error of a transformation to the Earth and back.
const ROUND_TRIP_M: f64 = 0.01;
/// Where the false origin is at least this far from 0, coordinates near 0 are not of the system.
const FALSE_ORIGIN_M: f64 = 100_000.0;
/// Coordinates below this are near 0.
const NEAR_ZERO_M: f64 = 10_000.0;

/// A tile frame on the Earth.
#[derive(Clone, Debug)]
pub(super) struct Earth {
    projection: Proj,
    geocentric: Proj,
    /// Of the tile frame, in the system's metres.
    origin_m: DVec3,
    /// The same, Earth-centred and earth-fixed.
    origin_ecef: DVec3,
    /// Columns: east, north and up at the origin.
    ecef_from_tile: DMat3,
}

impl Earth {
    /// The frame at `origin_m`, in metres of the projected system; the reason where it cannot be computed.
    pub(super) fn new(definition: &Definition, origin_m: DVec3) -> Result<Self, String> {
        // The parameters of a system come from files: the library may panic on them.
        panics::catch(|| Self::try_new(definition, origin_m)).unwrap_or_else(Err)
    }

    fn try_new(definition: &Definition, origin_m: DVec3) -> Result<Self, String> {
        let mut projection = Err("it names no projection".to_owned());
        for parameters in &definition.parameters {
            if projection.is_err() {
                projection = Proj::from_proj_string(parameters).map_err(|error| format!("its projection cannot be computed: {error}"));
            }
        }
        let projection = projection?;
        let fixed = |parameters: &str| Proj::from_proj_string(parameters).map_err(|error| error.to_string());
        let (geocentric, geographic) = (fixed(GEOCENTRIC)?, fixed(GEOGRAPHIC)?);

        if DVec3::new(projection.false_easting(), projection.false_northing(), 0.0).length() >= FALSE_ORIGIN_M
            && origin_m.truncate().length() < NEAR_ZERO_M
        {
            let DVec3 { x, y, .. } = origin_m;
            return Err(format!(
                "coordinates around {x} m, {y} m are not of this system, whose coordinates are far from 0: they look like local coordinates of the site"
            ));
        }
        let outside = |what: &str| {
            let DVec3 { x, y, z } = origin_m;
            format!("coordinates around {x} m, {y} m, {z} m are outside of the area in which the system can be used: {what}")
        };
        let mut place = (origin_m.x, origin_m.y, origin_m.z);
        transform(&projection, &geographic, &mut place).map_err(|error| outside(&error.to_string()))?;
        let (longitude, latitude, _) = place;
        let ((sin_lon, cos_lon), (sin_lat, cos_lat)) = (longitude.sin_cos(), latitude.sin_cos());
        let mut earth = Self {
            projection,
            geocentric,
            origin_m,
            origin_ecef: DVec3::ZERO,
            ecef_from_tile: DMat3::from_cols(
                DVec3::new(-sin_lon, cos_lon, 0.0),
                DVec3::new(-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat),
                DVec3::new(cos_lat * cos_lon, cos_lat * sin_lon, sin_lat),
            ),
        };
        earth.origin_ecef = earth.ecef(origin_m).ok_or_else(|| outside("they are not a place on the Earth"))?;
        if !RADII_M.contains(&earth.origin_ecef.length()) {
            return Err(outside("they are too far below or above the ground"));
        }
        earth.check_round_trip().ok_or_else(|| outside("the inverse transformation gives other coordinates"))?;
        let [x, y, z] = earth.axes(origin_m).ok_or_else(|| outside("places around them are not on the Earth"))?;
        if ![x, y, z].iter().all(|axis| SCALES.contains(&axis.length())) {
            return Err(outside("the scale of the projection is too far from 1 there"));
        }
        if x.cross(y).dot(z) <= 0.0 {
            return Err("its axes are not right-handed as the scan's are".into());
        }
        Ok(earth)
    }

    fn check_round_trip(&self) -> Option<()> {
        let mut back: (f64, f64, f64) = self.origin_ecef.into();
        transform(&self.geocentric, &self.projection, &mut back).ok()?;
        let lost: DVec3 = DVec3::from(back) - self.origin_m;
        (lost.length() <= ROUND_TRIP_M).then_some(())
    }

    /// Earth-centred and earth-fixed position; `None` where it cannot be transformed.
    fn ecef(&self, position_m: DVec3) -> Option<DVec3> {
        let mut position: (f64, f64, f64) = position_m.into();
        transform(&self.projection, &self.geocentric, &mut position).ok()?;
        Some(DVec3::from(position)).filter(|position| position.is_finite())
    }

    /// Position in the tile frame; `None` where it cannot be transformed.
    pub(super) fn tile(&self, position_m: DVec3) -> Option<DVec3> {
        Some(self.ecef_from_tile.transpose() * (self.ecef(position_m)? - self.origin_ecef))
    }

    /// The system's axes in the tile frame, as long as a metre of the system is there.
    pub(super) fn axes(&self, position_m: DVec3) -> Option<[DVec3; 3]> {
        const STEP_M: f64 = 8.0;
        let slope = |axis: DVec3| Some((self.tile(position_m + axis * STEP_M)? - self.tile(position_m - axis * STEP_M)?) / (2.0 * STEP_M));
        Some([slope(DVec3::X)?, slope(DVec3::Y)?, slope(DVec3::Z)?])
    }

    /// Column-major matrix from the tile frame.
    pub(super) fn matrix(&self) -> [f64; 16] {
        let [e, n, u] = [self.ecef_from_tile.x_axis, self.ecef_from_tile.y_axis, self.ecef_from_tile.z_axis];
        let o = self.origin_ecef;
        [e.x, e.y, e.z, 0.0, n.x, n.y, n.z, 0.0, u.x, u.y, u.z, 0.0, o.x, o.y, o.z, 1.0]
    }

    /// Half axes of the system's own ellipsoid.
    pub(super) fn ellipsoid(&self) -> (f64, f64) {
        self.projection.ellipse_parameters()
    }
}
