//! The heartbeat: look, read, decide, save, act, publish. Faces talk to it through [`fleet::Fleet`].
//!
//! ```text
//! heart  --(eyes: list, capture, files, git)--> Observation --decide--> Decision
//!   ^                                                                     |
//!   |                       save (store) first, then act (hands), then publish (journal, alerts)
//!   +--- mailbox: a process ended, a request came, git answered, tmux changed, the deadline
//! ```
mod act;
pub mod alerts;
pub mod config_file;
pub mod disk;
mod environment;
mod eyes;
pub mod fleet;
mod grown_logs;
mod heart;
mod import;
pub mod journal;
mod known_panes;
mod last_good;
mod listing;
pub mod lock;
mod memory;
mod messages;
pub mod paths;
mod perform;
mod prepare;
mod rehearse;
mod saver;
mod screens;
mod server;
mod shims;
pub mod supervisor;
mod tenancy;
mod wakeup;
pub mod words;
