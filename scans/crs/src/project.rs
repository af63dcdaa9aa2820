//! Projection of geographic and geocentric coordinates to the UTM zone (metres) of the scan's middle.

use glam::{DMat3, DQuat, DVec3};
use proj4rs::Proj;
use proj4rs::transform::transform;

use crate::epsg::{code, definition_of};
use parterre_model::panics;
use parterre_model::points::Bounds;

/// Longer than any real system.
const MAX_BYTES: usize = 1 << 16;

/// What kind of coordinates a system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// Longitude and latitude, in degrees.
    Geographic,
    /// Metres from the Earth's centre.
    Geocentric,
    /// On a map, local, or unknown.
    Flat,
}

/// The system's PROJ parameters, without those that need files.
fn parameters(crs: &str) -> Option<String> {
    let text = match code(crs) {
        Some(code) => definition_of(code)?.proj4.to_owned(),
        None if crs.len() <= MAX_BYTES => panics::catch(|| proj4wkt::wkt_to_projstring(crs).ok()).ok()??,
        None => return None,
    };
    let is_kept = |token: &&str| !["+nadgrids", "+geoidgrids", "+vunits", "+vto_meter"].iter().any(|name| token.starts_with(name));
    Some(text.split_ascii_whitespace().filter(is_kept).collect::<Vec<_>>().join(" "))
}

/// What kind of coordinates a system has, `EPSG:n` or WKT.
pub fn coordinates(crs: &str) -> Coordinates {
    let kind = parameters(crs).and_then(|text| Some(text.split_once("+proj=")?.1.split_ascii_whitespace().next()?.to_owned()));
    match kind.as_deref() {
        Some("longlat" | "latlong" | "lonlat" | "latlon") => Coordinates::Geographic,
        Some("geocent" | "cart") => Coordinates::Geocentric,
        _ => Coordinates::Flat,
    }
}

/// The projection from a geographic or geocentric system to a UTM zone.
pub struct Projector {
    from: Proj,
    to: Proj,
    geographic: bool,
    /// Length of the unit of heights, in metres.
    vertical_m: f64,
    /// EPSG code of the UTM zone, on WGS 84.
    pub code: u16,
}

impl Projector {
    /// To the zone of the middle of `bounds`, or to that of the code `zone`; `Err` says why the scan cannot be projected, with positions as
    /// `show` writes them.
    pub fn new(crs: &str, bounds: Bounds, vertical_m: f64, zone: Option<u16>, show: impl Fn(DVec3) -> String) -> Result<Self, String> {
        let text = parameters(crs).ok_or("the coordinate reference system is not known")?;
        let from = proj(&text)?;
        let geographic = from.is_latlong();
        let fits = if geographic {
            bounds.min.x >= -360.0 && bounds.max.x <= 360.0 && bounds.min.y >= -90.0 && bounds.max.y <= 90.0
        } else {
            // From the deepest sea to the highest flight.
            (6.33e6..6.42e6).contains(&bounds.center().length())
        };
        if !fits || bounds.is_empty() {
            return Err(format!(
                "the coordinates, {} to {}, are outside of the range of such a system",
                show(bounds.min),
                show(bounds.max)
            ));
        }
        let code = if let Some(code) = zone {
            code
        } else {
            let globe = Self { from: from.clone(), to: proj("+proj=longlat +datum=WGS84 +no_defs")?, geographic, vertical_m, code: 0 };
            let middle = globe.project(bounds.center()).ok_or("its middle is not a place on the Earth")?;
            let (longitude, latitude) = (middle.x.to_degrees(), middle.y.to_degrees());
            if !(-80.0..=84.0).contains(&latitude) {
                return Err(format!("UTM does not cover its latitude of {latitude:.2} degrees"));
            }
            let zone = ((longitude + 180.0).rem_euclid(360.0) / 6.0).floor() as u16 + 1;
            if latitude < 0.0 { 32_700 + zone } else { 32_600 + zone }
        };
        let south = if code > 32_700 { " +south" } else { "" };
        let to = proj(&format!("+proj=utm +zone={}{south} +datum=WGS84 +units=m +no_defs", code % 100))?;
        Ok(Self { from, to, geographic, vertical_m, code })
    }

    /// A position on the map; `None` where it cannot be projected.
    pub fn project(&self, position: DVec3) -> Option<DVec3> {
        if !position.is_finite() {
            return None;
        }
        let mut point = if self.geographic {
            (position.x.to_radians(), position.y.to_radians(), position.z * self.vertical_m)
        } else {
            (position.x, position.y, position.z)
        };
        transform(&self.from, &self.to, &mut point).ok()?;
        Some(DVec3::from(point)).filter(|point| point.is_finite())
    }

    /// Rotation from the system's axes to those of the map at a position; `None` for geographic systems, whose coordinates are angles.
    pub fn rotation(&self, position: DVec3) -> Option<DQuat> {
        if self.geographic {
            return None;
        }
        let origin = self.project(position)?;
        let along = |axis: DVec3| Some((self.project(position + axis)? - origin).normalize());
        let (x, y) = (along(DVec3::X)?, along(DVec3::Y)?);
        let y = y.reject_from_normalized(x).normalize();
        Some(DQuat::from_mat3(&DMat3::from_cols(x, y, x.cross(y))))
    }

    /// Approximate bounds on the map: those of the corners, and of the middles of edges and faces.
    pub fn bounds(&self, bounds: Bounds) -> Bounds {
        let mut projected = Bounds::EMPTY;
        let middle = bounds.center();
        for index in 0..27 {
            let pick = |step: i32, axis: usize| [bounds.min[axis], middle[axis], bounds.max[axis]][(index / step % 3) as usize];
            if let Some(corner) = self.project(DVec3::new(pick(1, 0), pick(3, 1), pick(9, 2))) {
                projected.include(corner);
            }
        }
        projected
    }
}

fn proj(text: &str) -> Result<Proj, String> {
    panics::catch(|| Proj::from_proj_string(text)).and_then(|proj| proj.map_err(|error| error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(middle: DVec3, half: f64) -> Bounds {
        Bounds { min: middle - half, max: middle + half }
    }

    #[test]
    fn kinds_of_systems() {
        for (crs, kind) in [
            ("EPSG:4326", Coordinates::Geographic),
            ("EPSG:4979", Coordinates::Geographic),
            ("EPSG:4978", Coordinates::Geocentric),
            ("EPSG:32632", Coordinates::Flat),
            ("EPSG:60000", Coordinates::Flat),
            // 69,862 is 4326 + 65,536.
            ("EPSG:69862", Coordinates::Flat),
            (
                r#"GEOGCS["mine",DATUM["d",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["g",0],UNIT["degree",0.0174532925199433]]"#,
                Coordinates::Geographic,
            ),
            ("unknown", Coordinates::Flat),
        ] {
            assert_eq!(coordinates(crs), kind, "{crs}");
        }
    }

    #[test]
    fn the_zone_is_that_of_the_middle() {
        // Reference values of the PROJ library.
        for (place, code, expected) in [
            (DVec3::new(11.5, 48.15, 520.0), 32632, DVec3::new(685_941.102_050, 5_335_994.972_473, 520.0)),
            (DVec3::new(144.9717, -37.8047, 30.0), 32755, DVec3::new(321_440.088_335, 5_813_915.769_519, 30.0)),
            (DVec3::new(-180.0, 0.5, 0.0), 32601, DVec3::new(166_034.098_267, 55_341.388_216, 0.0)),
        ] {
            let projector =
                Projector::new("EPSG:4326", around(place, 1e-4), 1.0, None, |place| place.to_string()).expect("a place on the Earth");
            assert_eq!(projector.code, code);
            let found = projector.project(place).expect("a place on the map");
            assert!((found - expected).abs().max_element() < 1e-5, "{found}");
        }
        for (place, why) in [(DVec3::new(600_000.0, 5e6, 0.0), "outside of the range"), (DVec3::new(0.0, 89.0, 0.0), "does not cover")] {
            assert!(
                Projector::new("EPSG:4326", around(place, 0.1), 1.0, None, |place| place.to_string()).is_err_and(|text| text.contains(why)),
                "{why}"
            );
        }
    }

    #[test]
    fn geocentric_coordinates_are_projected() {
        let place = DVec3::new(4_177_500.0, 854_000.0, 4_728_000.0);
        let projector =
            Projector::new("EPSG:4978", around(place, 50.0), 1.0, None, |place| place.to_string()).expect("a place on the Earth");
        assert_eq!(projector.code, 32632);
        let here = projector.project(place).expect("a place on the map");
        let above = projector.project(place + place.normalize() * 10.0).expect("a place on the map");
        assert!((above.z - here.z - 10.0).abs() < 0.01 && (above - here).truncate().length() < 0.05, "{here} {above}");
        let rotation = projector.rotation(place).expect("axes");
        assert!((rotation * place.normalize() - DVec3::Z).length() < 0.01);
    }
}
