//! The mind against a scripted world in virtual time.
mod handoff;
mod hangs;
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
mod typing;
mod world;
