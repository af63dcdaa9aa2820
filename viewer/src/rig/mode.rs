//! The camera's modes.

/// How the camera moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Rotates around a point.
    #[default]
    Orbit,
    /// Moves freely.
    Fly,
    /// Walks on the floor.
    Walk,
}

impl Mode {
    /// Name on the command line and in the state given to web pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Orbit => "orbit",
            Self::Fly => "fly",
            Self::Walk => "walk",
        }
    }

    /// All, in the order of the panel.
    pub const ALL: [Self; 3] = [Self::Orbit, Self::Fly, Self::Walk];

    /// The mode with the given name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}
