//! Finds the flat cells beside a cell of a block.

use super::cells::Cell;
use crate::octree::morton::{coordinates_of, morton};

/// Most cells that are looked at on one side.
const MOST_BESIDE: usize = 6;

/// The cells of a block, found by Morton code.
#[derive(Default)]
pub(crate) struct Neighbours {
    /// First codes of the cells.
    codes: Vec<u64>,
    /// Octal digits of the codes in the block.
    digits: u32,
    found: Vec<u32>,
}

impl Neighbours {
    /// Takes the cells of a block, in their order.
    pub(crate) fn index(&mut self, cells: &[Cell], digits: u32) {
        self.digits = digits;
        self.codes.clear();
        self.codes.extend(cells.iter().map(|cell| cell.code));
    }

    /// The flat cells that touch the cell with this code and so many octal digits in it, and those within it.
    pub(crate) fn around(&mut self, cells: &[Cell], code: u64, digits: u32) -> &[u32] {
        self.found.clear();
        let shift = 3 * digits;
        let [x, y, z] = coordinates_of(code >> shift);
        let end = 1_u32 << (self.digits - digits);
        let beside = |value: u32| value.saturating_sub(1)..(value + 2).min(end);
        for z in beside(z) {
            for y in beside(y) {
                for x in beside(x) {
                    let from = morton([x, y, z]) << shift;
                    let to = from + (1 << shift);
                    let mut index = self.codes.partition_point(|&code| code <= from);
                    // A cell that begins before may reach here.
                    if index > 0 && self.codes[index - 1] + (1 << (3 * cells[index - 1].digits)) > from {
                        index -= 1;
                    }
                    for (index, cell) in cells.iter().enumerate().skip(index).take_while(|(_, cell)| cell.code < to).take(MOST_BESIDE) {
                        if cell.is_flat && !self.found.contains(&(index as u32)) {
                            self.found.push(index as u32);
                        }
                    }
                }
            }
        }
        &self.found
    }
}
