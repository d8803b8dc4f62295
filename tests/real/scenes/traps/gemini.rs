//! Gemini CLI.
use super::super::{
    BASE, Scene,
    Step::{Gone, Kill, Mode as Do, Press, Rest, Say, Tool, Trap, Type, Wait},
};
use super::*;
use crate::service::Mode;

pub const SCENES: &[Scene] = traps! {
    args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
    first: "All done",
    done: "◇  Ready",
    dialog: "Allow execution",
    yes: "Enter",
    runs: "esc to cancel, [1-9]",
    fault: Mode::Auth,
    said: "API Error"
};
