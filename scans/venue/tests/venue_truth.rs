//! The demo venue's truth against its geometry.

use glam::{DVec3, dvec3};
use parterre_venue::hall::Venue;
use parterre_venue::scene::class;
use parterre_venue::truth::{DoorState, TRUTH_VERSION, Truth};
use parterre_venue::{Options, demo};

fn across(direction: DVec3) -> DVec3 {
    dvec3(-direction.y, direction.x, 0.0)
}

/// Rays through an opening, from 0.5 m before it to 0.5 m behind it, at places over all of its width and height.
fn rays_through(position: DVec3, direction: DVec3, width: f64, height: f64) -> Vec<(DVec3, DVec3)> {
    let mut rays = Vec::new();
    for side in [-0.46, -0.2, 0.013, 0.31, 0.46] {
        for up in [0.06, 0.31, 0.62, 0.97] {
            let middle = position + across(direction) * width * side + DVec3::Z * height * up;
            rays.push((middle - direction * 0.5, middle + direction * 0.5));
        }
    }
    rays
}

#[test]
fn exits_stand_on_three_levels() {
    let venue = Venue::concert_hall(1);
    assert!(venue.exits.len() >= 8, "{} exits", venue.exits.len());
    for level in [-1, 0, 1] {
        let exits = venue.exits.iter().filter(|exit| exit.level == level).count();
        let open = venue.exits.iter().filter(|exit| exit.level == level && exit.state == DoorState::Open).count();
        assert!(exits >= 2 && open >= 1, "level {level}: {exits} exits, {open} open");
    }
}

#[test]
fn open_doors_are_free_and_closed_ones_are_not() {
    let venue = Venue::concert_hall(1);
    let exits = venue.exits.iter().map(|e| (&e.id, e.position, e.direction, e.width_m, e.height_m, e.state));
    let doors = venue.doors.iter().map(|d| (&d.id, d.position, d.direction, d.width_m, d.height_m, d.state));
    for (id, position, direction, width, height, state) in exits.chain(doors) {
        for (from, to) in rays_through(position, direction, width, height) {
            let free = venue.scene.is_free(from, to);
            assert_eq!(free, state == DoorState::Open, "{id} at {position}, ray from {from} to {to}");
        }
        // The wall beside the opening and above it.
        let beside = position + across(direction) * (width * 0.5 + 0.04) + DVec3::Z * 1.0;
        let above = position + DVec3::Z * (height + 0.05);
        for middle in [beside, above] {
            assert!(!venue.scene.is_free(middle - direction * 0.5, middle + direction * 0.5), "{id}: no wall at {middle}");
        }
    }
}

#[test]
fn every_exit_has_a_lit_sign_above_it_inside() {
    let venue = Venue::concert_hall(1);
    for exit in &venue.exits {
        let at = exit.position - exit.direction * 1.0 + DVec3::Z * (exit.height_m + 0.26);
        let hit = venue.scene.first_hit(at, exit.direction, 1.5).unwrap();
        assert_eq!(venue.scene.class(hit.solid), class::SIGN, "{} {}", exit.id, exit.name);
    }
}

#[test]
fn floors_lie_where_rooms_say() {
    let venue = Venue::concert_hall(1);
    for room in &venue.rooms {
        let [x0, y0, x1, y1] = room.rectangle;
        assert!((room.area_m2 - (x1 - x0) * (y1 - y0)).abs() < 1e-9);
        let mut met = 0;
        for i in 0..12 {
            for j in 0..12 {
                let at = dvec3(
                    x0 + (x1 - x0) * (f64::from(i) + 0.53) / 12.0,
                    y0 + (y1 - y0) * (f64::from(j) + 0.53) / 12.0,
                    room.floor_z[0] - 0.05,
                );
                // From just above the floor: furniture that holds the start is not met.
                let start = at.with_z(room.floor_z[1] + 0.03);
                let Some(hit) = venue.scene.first_hit(start, DVec3::NEG_Z, 4.0) else { continue };
                let z = start.z - f64::from(hit.distance);
                if venue.scene.class(hit.solid) == class::GROUND && z > room.floor_z[0] - 0.01 && z < room.floor_z[1] + 0.01 {
                    met += 1;
                }
            }
        }
        assert!(met >= 144 * 6 / 10, "{}: floor met by {met} of 144 rays", room.id);
    }
}

#[test]
fn stairs_climb_from_level_to_level_on_real_treads() {
    let venue = Venue::concert_hall(1);
    let height = |level: i32| venue.levels.iter().find(|l| l.id == level).unwrap().floor_z;
    for stair in &venue.stairs {
        let (first, last) = (stair.flights.first().unwrap(), stair.flights.last().unwrap());
        if stair.from_level != stair.to_level {
            assert!((first.start.z - height(stair.from_level)).abs() < 1e-9, "{}", stair.id);
            assert!((last.end.z - height(stair.to_level)).abs() < 1e-9, "{}", stair.id);
        }
        for flight in &stair.flights {
            let climb = flight.end.z - flight.start.z;
            assert!((climb - stair.rise_m * f64::from(flight.risers)).abs() < 1e-9, "{}", stair.id);
            let run = (flight.end - flight.start).with_z(0.0);
            assert!((run.length() - stair.going_m * f64::from(flight.risers - 1)).abs() < 1e-9, "{}", stair.id);
            for tread in 0..flight.risers - 1 {
                let middle = flight.start + run.normalize() * stair.going_m * (f64::from(tread) + 0.6);
                let top = flight.start.z + stair.rise_m * f64::from(tread + 1);
                let hit = venue.scene.first_hit(middle.with_z(top + 1.9), DVec3::NEG_Z, 3.0).unwrap();
                let met = top + 1.9 - f64::from(hit.distance);
                assert!((met - top).abs() < 1e-3, "{} tread {tread}: {met} for {top}", stair.id);
            }
        }
    }
}

#[test]
fn cores_join_three_levels() {
    let venue = Venue::concert_hall(1);
    for letter in ["A", "B"] {
        let mut climbed: Vec<(i32, i32)> =
            venue.stairs.iter().filter(|s| s.id.starts_with(letter)).map(|s| (s.from_level, s.to_level)).collect();
        climbed.sort_unstable();
        assert_eq!(climbed, [(-1, 0), (0, 1)]);
    }
}

#[test]
fn distances_are_what_the_measures_give() {
    let venue = Venue::concert_hall(1);
    let m = &venue.measures;
    let length = |id: &str| venue.distances.iter().find(|d| d.id == id).unwrap().length_m;
    // The aisle falls evenly from the cross aisle to the floor before the stage.
    let rows = f64::from(m.rows);
    assert!((length("aisle") - (m.row_pitch * rows).hypot(m.pit_z)).abs() < 1e-9);
    assert!((length("rear-cross-aisle") - (m.width - 2.0 * (2.0 * m.wall + m.corridor) - 0.6)).abs() < 1e-9);
    assert!((length("backstage-length") - (m.width - m.wall * 2.0 - 1.0)).abs() < 1e-9);
    assert!((length("foyer-crossing") - m.foyer_end).abs() < 1e-9);
    for stair in &venue.stairs {
        let mut expected = 0.0;
        for (i, flight) in stair.flights.iter().enumerate() {
            expected += (stair.going_m * f64::from(flight.risers - 1)).hypot(stair.rise_m * f64::from(flight.risers));
            if let Some(next) = stair.flights.get(i + 1) {
                expected += (next.start.x - flight.end.x).hypot(next.start.y - flight.end.y);
            }
        }
        assert!((length(&format!("stair-{}", stair.id)) - expected).abs() < 1e-9, "{}", stair.id);
    }
    for distance in &venue.distances {
        let sum: f64 = distance.polyline.windows(2).map(|pair| (pair[1] - pair[0]).length()).sum();
        assert!((distance.length_m - sum).abs() < 1e-9, "{}", distance.id);
        assert!(distance.polyline.len() >= 2 && sum > 1.0, "{}", distance.id);
        if distance.shortest {
            assert_eq!(distance.polyline.len(), 2, "{}: only a straight way is known to be shortest", distance.id);
        }
    }
}

#[test]
fn straight_ways_can_be_walked() {
    let venue = Venue::concert_hall(1);
    for distance in &venue.distances {
        for pair in distance.polyline.windows(2) {
            // At the height of the chest, short of the ends, which may lie in a doorway beside a frame.
            let up = DVec3::Z * 1.3;
            assert!(venue.scene.is_free(pair[0] + up, pair[1] + up), "{} between {} and {}", distance.id, pair[0], pair[1]);
        }
    }
}

#[test]
fn setups_and_viewpoints_stand_in_free_space() {
    let venue = Venue::concert_hall(1);
    let inside = |at: DVec3| venue.scene.solids().iter().position(|solid| solid.contains(at));
    for setup in &venue.setups {
        assert_eq!(inside(setup.position), None, "{} {} at {}", setup.id, setup.name, setup.position);
    }
    for view in venue.viewpoints.iter().filter(|view| view.name != "overview" && view.name != "outside") {
        assert_eq!(inside(view.eye), None, "{}", view.name);
        let below = venue.scene.first_hit(view.eye, DVec3::NEG_Z, 2.1).unwrap();
        assert!(below.distance > 1.3, "{}: {} m above the floor", view.name, below.distance);
    }
    let ids: Vec<u16> = venue.setups.iter().map(|setup| setup.id).collect();
    assert_eq!(ids, (1..=venue.setups.len() as u16).collect::<Vec<_>>());
}

#[test]
fn truth_is_written_as_the_venue_is() {
    let dir = tempfile::tempdir().unwrap();
    let made = demo(dir.path(), &Options { seed: 7, points: 20_000 }, &|_| ()).unwrap();
    let text = std::fs::read_to_string(dir.path().join("truth.json")).unwrap();
    let read: Truth = serde_json::from_str(&text).unwrap();
    let venue = Venue::concert_hall(7);
    assert_eq!((read.truth_version, read.seed, read.points), (TRUTH_VERSION, 7, made.points));
    assert_eq!(read.exits.len(), venue.exits.len());
    for (a, b) in read.exits.iter().zip(&venue.exits) {
        assert_eq!((&a.id, &a.name, a.level, a.state), (&b.id, &b.name, b.level, b.state));
        assert!(a.position.distance(b.position) < 1e-5 && a.direction.distance(b.direction) < 1e-5 && (a.width_m - b.width_m).abs() < 1e-5);
    }
    for distance in &read.distances {
        let sum: f64 = distance.polyline.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
        assert!((distance.length_m - sum).abs() < 1e-5, "{}", distance.id);
    }
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(value["exits"][0]["position"].as_array().is_some_and(|p| p.len() == 3));
    assert_eq!(value["exits"][0]["state"], "open");
    assert!(!text.contains("-0.0,") && !text.contains("-0.0\n") && !text.contains("99999999"), "numbers are not rounded");
}
