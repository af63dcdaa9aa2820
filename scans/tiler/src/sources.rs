//! The sources of a scan: what they have in common, their records in one layout, reading them in parallel.

pub(crate) mod combine;
pub(crate) mod convert;
pub(crate) mod fingerprint;
pub(crate) mod layout;
pub(crate) mod parallel;
pub(crate) mod previous_scan;
