//! The mind against a scripted world in virtual time.
mod accounts;
mod dialogs;
mod handoff;
mod host;
mod limits;
mod menu;
mod nemesis;
mod phases;
mod quarantine;
mod restarts;
mod samples;
mod stalls;
mod submitting;
mod tally;
mod troubles;
mod typing;
mod world;
