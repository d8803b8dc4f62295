//! OpenCode.
use super::super::{
    BASE, Scene,
    Step::{Gone, Kill, Mode as Do, Press, Rest, Say, Tool, Trap, Type, Wait},
};
use super::*;
use crate::service::Mode;

pub const SCENES: &[Scene] = traps! {
    args: &["--prompt", "Please look after the shop"],
    first: "▣  Build · Stub · \\d",
    done: "▣  Build · Stub",
    dialog: "Permission required",
    yes: "Enter",
    runs: "esc interrupt",
    fault: Mode::Auth,
    said: "x-api-key"
};
