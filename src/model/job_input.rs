//! What a job reads, where that is somebody's.
use serde::{Deserialize, Serialize};

/// The end of a pipe from which the first step of a job reads: open in the process that submitted the job, as long as that
/// lives and nobody has taken it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobInput {
    pub pid: u32,
    /// Clock ticks after boot at which that process started.
    pub start: u64,
    /// Its number there.
    pub fd: i32,
    /// Of the pipe: another one may have the number later.
    pub inode: u64,
}
