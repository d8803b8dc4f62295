//! `agents` keeps a fleet of AI coding agents working, unattended, day and night.
//!
//! The rooms, from the inside out. Nothing imports upward; `tests/it/rooms.rs` checks it.
//!
//! | room | duty | may import |
//! |---|---|---|
//! | [`model`] | the words every room shares: plain data | nothing of ours |
//! | [`config`] | text -> policy, every fault at once | model, backends |
//! | [`backends`] | captured pane -> reading | model |
//! | [`decide`] | the mind: observation + state + policy + now -> actions | model, launch |
//! | [`launch`] | policy -> the command line, environment and prompt of one start | model |
//! | [`view`] | state -> what a person or a program sees | model |
//! | [`world`] | hands and eyes: tmux, git, processes, clock, files | model |
//! | [`store`] | memory on disk | model |
//! | [`shim`] | parent of every agent CLI, and the writer of its log | model, world |
//! | [`jobs`] | job files; runners of jobs, and what stays true when they are killed | model, config, world, store |
//! | [`transcripts`] | the session files of the agent CLIs: which is whose, and what it says | model, backends, world |
//! | [`replay`] | decisions on paper: written down, read, made again | model, decide |
//! | [`engine`] | the heartbeat: look, read, decide, save, act, publish | all of the above |
//! | [`cli`] | one thin file per verb | all of the above |
pub mod backends;
pub mod cli;
pub mod config;
pub mod decide;
pub mod engine;
pub mod jobs;
pub mod launch;
pub mod model;
pub mod replay;
pub mod shim;
pub mod store;
pub mod transcripts;
pub mod view;
pub mod world;
