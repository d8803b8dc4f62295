//! Codex.
use super::super::{
    BASE, Scene,
    Step::{Gone, Kill, Mode as Do, Press, Rest, Say, Tool, Trap, Type, Wait},
};
use super::*;
use crate::service::Mode;

pub const SCENES: &[Scene] = traps! {
    args: &["--no-daemon", "Please look after the shop"],
    first: "Worked for|finished\\.",
    done: "^shop$",
    dialog: "Would you like to run",
    yes: "y",
    runs: "esc to interrupt",
    fault: Mode::Limit,
    said: "usage limit"
};
