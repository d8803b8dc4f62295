//! Parent of every agent CLI, and the writer of its log.
pub mod record;
