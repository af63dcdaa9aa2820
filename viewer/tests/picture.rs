//! t
#[test] fn exe() { assert!(!env!("CARGO_BIN_EXE_parterre-viewer").is_empty()); }
