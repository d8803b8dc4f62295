//! The mind against a scripted world in virtual time.
mod accounts;
mod handoff;
mod hangs;
mod host;
mod limits;
mod nemesis;
mod nudges;
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
