//! Gemini CLI.
use super::{
    BASE, HOSTILE, Scene,
    Step::{Fail, Mode as Do, Press, Rest, Save, Say, Type, Wait},
};
use crate::{home::Welcome, service::Mode};

pub const SCENES: &[Scene] = &[
    Scene {
        name: "day",
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[
            Wait("All done"),
            Rest,
            Save("idle-after-turn", "idle"),
            Type("a draft that nobody sent"),
            Wait("nobody sent"),
            Rest,
            Save("idle-draft", "idle"),
            Press("C-c"),
            Rest,
            Do(Mode::Slow),
            Type("go on slowly"),
            Rest,
            Press("Enter"),
            Wait("word3"),
            Save("working-streaming", "working"),
            Type("another thought"),
            Wait("another thought"),
            Save("working-draft", "working"),
            Press("Enter"),
            Wait("Queued"),
            Save("working-queued", "working"),
            Do(Mode::Say),
            Wait("(?s)another thought.*All done"),
            Rest,
            Do(Mode::Hang),
            Type("now think for ever"),
            Rest,
            Press("Enter"),
            Wait("esc to cancel"),
            Save("working-hang", "working"),
            Press("Escape"),
            Wait("cancelled"),
            Rest,
            Save("idle-interrupted", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "permission",
        mode: Mode::Tool,
        args: &["-m", "gemini-2.5-flash", "-i", "Run it"],
        steps: &[
            Wait("Allow execution"),
            Rest,
            Save("waiting-permission", "waiting"),
            Press("Enter"),
            Wait("All done"),
            Rest,
            Save("idle-after-tool", "idle"),
        ],
        ..BASE
    },
    Scene { name: "new", steps: &[Wait("Type your message"), Rest, Save("idle-new", "idle")], ..BASE },
    Scene {
        name: "first-run",
        welcome: Welcome::FirstRun,
        steps: &[Wait("trust"), Rest, Save("waiting-trust", "waiting")],
        ..BASE
    },
    Scene {
        name: "limit",
        mode: Mode::Limit,
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[
            Wait("✕|Usage limit|exhausted"),
            Rest,
            Save("limited-menu", "limited"),
            Press("Down"),
            Rest,
            Save("limited-menu-moved", "limited"),
        ],
        ..BASE
    },
    Scene {
        name: "overload",
        mode: Mode::Overload,
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[Wait("esc to cancel, [4-9]s"), Save("working-retrying", "working")],
        ..BASE
    },
    Scene {
        name: "auth",
        mode: Mode::Auth,
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[
            Wait("API Error"),
            Rest,
            Fail("fatal-auth", "fatal", "auth"),
            Do(Mode::Say),
            Type("go on now"),
            Rest,
            Press("Enter"),
            Wait("All done"),
            Rest,
            Save("idle-after-auth", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "bad",
        mode: Mode::Bad,
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[Wait("API Error"), Rest, Fail("fatal-bad", "fatal", "transcript")],
        ..BASE
    },
    Scene {
        name: "long",
        mode: Mode::Long,
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[Wait("API Error"), Rest, Fail("fatal-long", "fatal", "context")],
        ..BASE
    },
    Scene {
        name: "hostile",
        args: &["-m", "gemini-2.5-flash", "-i", "Write the notes"],
        steps: &[
            Wait("All done"),
            Rest,
            Say(HOSTILE),
            Type("once more"),
            Rest,
            Press("Enter"),
            Wait("happening now"),
            Rest,
            Save("idle-hostile", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "exited",
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[
            Wait("All done"),
            Rest,
            Type("/quit"),
            Rest,
            Press("Enter"),
            Wait("is dead"),
            Save("exited", "exited"),
        ],
        ..BASE
    },
];
