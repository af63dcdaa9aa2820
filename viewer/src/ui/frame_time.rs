//! The time that a frame takes.

use bevy::prelude::*;

/// Time of a frame, smoothed so that it can be read.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct FrameTime {
    /// Milliseconds.
    pub smooth_ms: f64,
}

/// Measures the frame time; needed also where no interface is shown.
pub struct FrameTimePlugin;

impl Plugin for FrameTimePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<FrameTime>().add_systems(First, measure);
    }
}

fn measure(mut frame: ResMut<FrameTime>, time: Res<Time<Real>>) {
    let frame_ms = time.delta_secs_f64() * 1e3;
    frame.smooth_ms = if frame.smooth_ms == 0.0 { frame_ms } else { frame.smooth_ms * 0.9 + frame_ms * 0.1 };
}
