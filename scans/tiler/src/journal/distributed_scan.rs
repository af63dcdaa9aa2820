//! What is known of a scan once its records are distributed: all that a later run needs to resume there.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::distribute::Distributed;
use crate::octree::cube::Cube;
use parterre_model::Warning;
use parterre_model::points::Attributes;
use parterre_model::record::{AttributeLayout, ExtraField};
use parterre_model::setup::Setup;

/// What is known of a scan once its records are distributed. Written as JSON into the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DistributedScan {
    pub(crate) cube: Cube,
    /// Points wanted in a tile.
    pub(crate) tile_points: usize,
    /// Layout of the records.
    #[serde(serialize_with = "write_layout", deserialize_with = "read_layout")]
    pub(crate) layout: AttributeLayout,
    pub(crate) attributes: Attributes,
    pub(crate) points_in: u64,
    /// Points left out because their position is not a number.
    pub(crate) not_finite: u64,
    /// Points left out because they lie too far away from the others.
    pub(crate) far_away: u64,
    pub(crate) distributed: Distributed,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) setups: Vec<Setup>,
    /// The CRS as WKT, where all sources have the same.
    pub(crate) wkt: Option<String>,
    /// Whether all GPS times are standard GPS time.
    pub(crate) gps_standard_time: bool,
}

/// An [`AttributeLayout`] in JSON.
#[derive(Serialize, Deserialize)]
struct LayoutEntry {
    color: bool,
    nir: bool,
    /// Descriptors of 192 bytes.
    extra: Vec<Vec<u8>>,
}

fn write_layout<S: Serializer>(layout: &AttributeLayout, serializer: S) -> Result<S::Ok, S::Error> {
    let extra = layout.extra.iter().map(|field| field.descriptor.to_vec()).collect();
    LayoutEntry { color: layout.color, nir: layout.nir, extra }.serialize(serializer)
}

fn read_layout<'a, D: Deserializer<'a>>(deserializer: D) -> Result<AttributeLayout, D::Error> {
    let LayoutEntry { color, nir, extra } = LayoutEntry::deserialize(deserializer)?;
    let field = |bytes: Vec<u8>| {
        let descriptor = bytes.try_into().map_err(|bytes: Vec<u8>| D::Error::invalid_length(bytes.len(), &"192 bytes"))?;
        Ok(ExtraField { descriptor })
    };
    Ok(AttributeLayout { color, nir, extra: extra.into_iter().map(field).collect::<Result<_, D::Error>>()? })
}
