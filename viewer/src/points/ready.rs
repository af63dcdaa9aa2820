//! Whether the pipelines are ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::prelude::*;

/// Whether the pipelines are compiled; shared by the main world and the render world.
#[derive(Resource, Clone, Default)]
pub struct PipelinesReady(Arc<AtomicBool>);

impl PipelinesReady {
    /// Whether all pipelines are compiled, so that points can be drawn.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Records that all pipelines are compiled.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
