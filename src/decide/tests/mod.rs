//! The mind against a scripted world in virtual time.
mod dialogs;
mod handoff;
mod limits;
mod nemesis;
mod phases;
mod quarantine;
mod restarts;
mod samples;
mod stalls;
mod submitting;
mod tally;
mod typing;
mod world;
