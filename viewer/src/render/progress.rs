//! What the render world tells the main world.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bevy::prelude::*;

/// State of the renderer, shared by the main world and the render world.
#[derive(Resource, Clone, Default)]
pub struct Progress(Arc<State>);

#[derive(Default)]
struct State {
    pipelines_ready: AtomicBool,
    frames: AtomicU64,
    /// Whether all points that the last frame was given have been drawn.
    is_drawn: AtomicBool,
    /// The picture that is complete, plus one; 0 where none is.
    complete: AtomicU64,
}

impl Progress {
    /// Whether all pipelines are compiled, so that points can be drawn.
    pub fn pipelines_ready(&self) -> bool {
        self.0.pipelines_ready.load(Ordering::Relaxed)
    }

    /// Number of frames drawn since the start.
    pub fn frames(&self) -> u64 {
        self.0.frames.load(Ordering::Relaxed)
    }

    /// Whether all points that the renderer was given have been drawn.
    pub fn is_drawn(&self) -> bool {
        self.0.is_drawn.load(Ordering::Relaxed)
    }

    /// Whether all points of the picture `picture` have been drawn; see `DrawMode::Refine`.
    pub fn is_complete(&self, picture: u64) -> bool {
        self.0.complete.load(Ordering::Relaxed) == picture + 1
    }

    pub(super) fn set_pipelines_ready(&self) {
        self.0.pipelines_ready.store(true, Ordering::Relaxed);
    }

    pub(super) fn record_frame(&self, is_drawn: bool, complete: Option<u64>) {
        self.0.is_drawn.store(is_drawn, Ordering::Relaxed);
        self.0.frames.fetch_add(1, Ordering::Relaxed);
        self.0.complete.store(complete.map_or(0, |picture| picture + 1), Ordering::Relaxed);
    }
}
