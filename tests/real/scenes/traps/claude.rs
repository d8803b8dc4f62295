//! Claude Code.
use super::super::{
    BASE, Scene,
    Step::{Gone, Kill, Mode as Do, Press, Rest, Say, Tool, Trap, Type, Wait},
};
use super::*;
use crate::service::Mode;

pub const SCENES: &[Scene] = traps! {
    args: &["Please look after the shop"],
    first: "All done",
    done: "^✳",
    dialog: "Do you want to proceed",
    yes: "Enter",
    runs: "Running…|claude --resume",
    fault: Mode::Limit,
    said: "429"
};
