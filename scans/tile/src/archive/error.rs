//! What can be wrong with an archive.

use parterre_model::Error;

/// The system failed to read the archive.
pub(super) fn io(source: std::io::Error) -> Error {
    Error::io("read", "the archive", source)
}

/// `archive_corrupt`.
pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::input("archive_corrupt", format!("the archive is damaged: {}", message.into()), "Copy it again, or make the tiles again.")
}

/// `archive_unsupported`.
pub(super) fn unsupported(message: impl Into<String>) -> Error {
    Error::input(
        "archive_unsupported",
        format!("the archive is not a 3TZ that can be read: {}", message.into()),
        "Give a .3tz archive of 3D Tiles.",
    )
}
