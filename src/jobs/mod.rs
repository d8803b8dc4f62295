//! Jobs: commands that run beside the fleet, or without one.
pub mod file;
