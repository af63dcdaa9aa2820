//! The three ways to move the camera.

/// How the camera moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Round a point.
    #[default]
    Orbit,
    /// Freely.
    Fly,
    /// On the floor.
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

    /// The mode of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Orbit, Self::Fly, Self::Walk].into_iter().find(|mode| mode.name() == name)
    }
}
