//! The journal: the work folder outlives a run that was killed, so that the next run resumes there, also while the results are moved to their
//! places.

pub(crate) mod distributed_scan;
pub(crate) mod publishing;
pub(crate) mod work_folder;
