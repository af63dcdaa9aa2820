//! The layout of the records that several sources make together.

use parterre_model::record::{AttributeLayout, ExtraField, MAX_EXTRA_BYTES};
use parterre_model::{Error, Result};

/// The layout of a scan whose sources have these layouts: every attribute that one of them has. It does not depend on their order, unless they
/// are all the same.
///
/// # Errors
/// `extra_bytes_too_many`: the points file could not be read back, and nothing could be added to it.
pub(crate) fn merge(layouts: &[AttributeLayout]) -> Result<AttributeLayout> {
    let merged = join(layouts);
    let extra: usize = merged.extra.iter().map(ExtraField::len).sum();
    if extra > usize::from(MAX_EXTRA_BYTES) {
        return Err(Error::input(
            "extra_bytes_too_many",
            format!(
                "the files have {} extra fields between them, {extra} bytes a point; {MAX_EXTRA_BYTES} is the most",
                merged.extra.len()
            ),
            "Export them with fewer extra attributes, or tile them as scans of their own.",
        ));
    }
    Ok(merged)
}

fn join(layouts: &[AttributeLayout]) -> AttributeLayout {
    let Some((first, rest)) = layouts.split_first() else { return AttributeLayout::default() };
    if rest.iter().all(|layout| layout == first) {
        return first.clone();
    }
    let color = layouts.iter().any(|layout| layout.color);
    let nir = layouts.iter().any(|layout| layout.color && layout.nir);
    let mut extra: Vec<ExtraField> = Vec::new();
    for field in layouts.iter().flat_map(|layout| &layout.extra) {
        match extra.iter_mut().find(|known| identity(known) == identity(field)) {
            Some(known) if known != field => without_range(known),
            Some(_) => {}
            None => extra.push(*field),
        }
    }
    extra.sort_by_key(identity);
    AttributeLayout { color, nir, extra }
}

/// The part of a field's description in which two equal fields agree: name, type, scale and offset.
pub(crate) fn identity(field: &ExtraField) -> ([u8; 34], [u8; 48]) {
    let d = &field.descriptor;
    let mut head: [u8; 34] = std::array::from_fn(|at| d[2 + at]);
    if head[0] != 0 {
        // Without the bits that say whether the smallest and largest value are known.
        head[1] &= !RANGE_BITS;
    }
    // The name first, for the order.
    head.rotate_left(2);
    (head, std::array::from_fn(|at| d[112 + at]))
}

/// Option bits: the description has the smallest and the largest value.
const RANGE_BITS: u8 = 0b110;

/// Removes the smallest and largest value from a description: those of one file are not those of all.
fn without_range(field: &mut ExtraField) {
    if field.descriptor[2] != 0 {
        field.descriptor[3] &= !RANGE_BITS;
        field.descriptor[64..112].fill(0);
    }
    field.descriptor[160..].fill(0);
}
