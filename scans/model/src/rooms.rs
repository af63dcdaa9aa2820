//! Rooms, floors and roofs in a column: what points at the same place, one above the other, say of a building.
//!
//! Readers of the same scan must agree on this: the start of a walk, the plans of the levels, the cut below a roof. Heights may be metres or numbers of cells.

use std::ops::Sub;

/// Height from which an empty stretch between two surfaces is a room in which people stand and walk. Metres.
///
/// Building codes ask for a clear height of at least 2.0 m where people walk: under beams and on stairs 2.0 m (DIN 18065, UK Approved Document K) to 2.03 m (80 inches, International Building
/// Code), and doors are about as high. Less 0.1 m for what makes a gap between points smaller than the clear height: floor coverings, thresholds, lintels that sag, the thickness
/// of surfaces, and noise.
pub const ROOM_M: f64 = 1.9;
/// Of the rooms of a column, those with this share of the height of the highest may lie under its roof; lower ones are within the roof's structure, or between it and
/// installations below it.
const LARGE: f64 = 0.6;

/// Divides the heights of a column, lowest first, into stretches (lowest and highest height) that are more than the height of a room apart.
pub fn stretches<T: Copy + PartialOrd + Sub<Output = T>>(heights: impl IntoIterator<Item = T>, room: T) -> Vec<[T; 2]> {
    let mut stretches: Vec<[T; 2]> = Vec::new();
    for height in heights {
        match stretches.last_mut() {
            Some([_, high]) if height - *high <= room => *high = height,
            _ => stretches.push([height; 2]),
        }
    }
    stretches
}

/// Index of the stretch that is the floor of the highest large room; the roof is the next one. `None` where the column has no room.
pub fn under_roof<T: Copy + Sub<Output = T> + Into<f64>>(stretches: &[[T; 2]]) -> Option<usize> {
    let room = |pair: &[[T; 2]]| -> f64 { (pair[1][0] - pair[0][1]).into() };
    let largest = stretches.windows(2).map(room).fold(0.0, f64::max);
    stretches.windows(2).rposition(|pair| room(pair) >= largest * LARGE)
}

/// Heights of the floors on which one can stand: the tops of stretches under a room. What has nothing above it is a floor only where nothing is below it either:
/// else it is a ceiling or a roof.
pub fn floors<T: Copy>(stretches: &[[T; 2]]) -> impl Iterator<Item = T> {
    let count = stretches.len() - usize::from(stretches.len() > 1);
    stretches[..count].iter().map(|[_, high]| *high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_divided_where_a_person_can_stand() {
        struct Row {
            what: &'static str,
            heights: &'static [f64],
            /// Of each room, floor and ceiling.
            rooms: &'static [[f64; 2]],
            /// The floor of the room under the roof.
            under_roof: Option<f64>,
            floors: &'static [f64],
        }
        let rows = [
            Row { what: "nothing", heights: &[], rooms: &[], under_roof: None, floors: &[] },
            Row { what: "open ground", heights: &[0.0, 0.1], rooms: &[], under_roof: None, floors: &[0.1] },
            Row {
                what: "a room under a door's lintel",
                heights: &[0.0, 1.98],
                rooms: &[[0.0, 1.98]],
                under_roof: Some(0.0),
                floors: &[0.0],
            },
            Row { what: "a crawl space", heights: &[0.0, 1.8], rooms: &[], under_roof: None, floors: &[1.8] },
            Row { what: "a table in a room", heights: &[0.0, 0.7, 3.0], rooms: &[[0.7, 3.0]], under_roof: Some(0.7), floors: &[0.7] },
            Row {
                what: "two storeys",
                heights: &[0.0, 2.7, 3.0, 6.0],
                rooms: &[[0.0, 2.7], [3.0, 6.0]],
                under_roof: Some(3.0),
                floors: &[0.0, 3.0],
            },
            Row {
                what: "a hall with a walkway in its roof",
                heights: &[0.0, 9.0, 11.0],
                rooms: &[[0.0, 9.0], [9.0, 11.0]],
                under_roof: Some(0.0),
                floors: &[0.0, 9.0],
            },
        ];
        for row in rows {
            let stretches = stretches(row.heights.iter().copied(), ROOM_M);
            let rooms: Vec<[f64; 2]> = stretches.windows(2).map(|pair| [pair[0][1], pair[1][0]]).collect();
            assert_eq!(rooms, row.rooms, "{}", row.what);
            assert_eq!(under_roof(&stretches).map(|index| stretches[index][1]), row.under_roof, "{}", row.what);
            assert_eq!(floors(&stretches).collect::<Vec<_>>(), row.floors, "{}", row.what);
        }
    }

    #[test]
    fn cells_are_divided_as_metres_are() {
        let cells = stretches([3_u32, 4, 23, 24, 60], 19);
        assert_eq!(cells, [[3, 24], [60, 60]], "19 cells are no more than 19");
        assert_eq!((under_roof(&cells), floors(&cells).collect::<Vec<_>>()), (Some(0), vec![24]));
    }
}
