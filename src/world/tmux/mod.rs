//! Our own tmux client: one control-mode connection to list, start and type, one short connection or process a sweep
//! to capture.
//!
//! Sessions are named by id or `=name:`, never by a bare name (which means any name that begins so). Names come
//! through [`crate::model::name::unusable`]; no byte of a pane, path or text is read by a tmux format or a shell.
mod alone;
mod capture;
mod child;
mod client;
mod control;
mod counted;
mod direct;
mod error;
mod glance;
mod input;
mod nonce;
mod once;
mod orphan;
mod quote;
mod request;
mod rows;
mod run;
mod screen;
mod script;
mod server;
mod session;
mod socket;
mod speaker;
mod stop;
mod wire;

pub use alone::OF_JOBS;
pub use client::Client;
pub use control::{Notice, OnNotice};
pub use error::TmuxError;
pub use glance::Extent;
pub use once::{list_once, list_once_within, list_to_show, rescue_socket};
pub use quote::{is_key, sanitize};
pub use rows::PaneRow;
pub use screen::Captured;
pub use server::{Address, Server};
pub use session::{Created, NewSession};
