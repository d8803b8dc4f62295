//! State -> what a person or a program sees. Pure: the same row in `agents status`, `agents explain` and a dashboard.
pub mod clean;
pub mod dialog;
pub mod errors;
pub mod event;
pub mod explain;
pub mod jobs;
pub mod outlook;
pub mod paint;
pub mod report;
mod standstill;
pub mod status;
pub mod table;
pub mod transcript;
pub mod when;

pub use event::log_line;
pub use status::{Inputs, StatusView, status};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
