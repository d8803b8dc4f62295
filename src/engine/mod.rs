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
mod call_back;
mod carry_out;
pub mod config_file;
mod crash_point;
mod detached;
pub mod disk;
pub mod environment;
pub mod error;
mod evidence;
pub mod exposure;
mod eyes;
pub mod fleet;
mod ground;
mod grown_logs;
mod guarded;
pub mod guardian;
mod heart;
mod hook_settings;
mod host;
mod import;
pub mod journal;
mod known_panes;
mod last_good;
mod listing;
pub mod lock;
mod log_writers;
mod memory;
mod messages;
mod moved;
mod own_files;
mod owner;
pub mod paths;
mod perform;
mod prepare;
pub mod recorder;
mod recover;
mod rehearse;
pub mod revivals;
mod saver;
mod screens;
mod server;
pub mod sessions;
mod set_aside;
mod settling;
mod shims;
pub mod supervision;
pub mod supervisor;
mod tenancy;

mod wakeup;
pub mod words;
pub mod worktrees;
