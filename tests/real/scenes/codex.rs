//! Codex.
use super::{
    BASE, HOSTILE, Scene,
    Step::{Fail, Limited, Mode as Do, Press, Rest, Save, Say, Type, Wait},
};
use crate::{home::Welcome, service::Mode};

pub const SCENES: &[Scene] = &[
    Scene {
        name: "day",
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[
            Wait("Worked for|finished\\."),
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
            Do(Mode::Hang),
            Press("Enter"),
            Wait("(?s)another thought.*Ask Codex to do"),
            Save("working-queued", "working"),
            Press("Escape"),
            Wait("(?i)conversation interrupted"),
            Rest,
            Save("idle-interrupted", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "permission",
        mode: Mode::Tool,
        args: &["--no-daemon", "Run it"],
        steps: &[
            Wait("Would you like to run"),
            Rest,
            Save("waiting-permission", "waiting"),
            Press("y"),
            Wait("All done"),
            Wait("Worked for|finished\\."),
            Rest,
            Save("idle-after-tool", "idle"),
        ],
        ..BASE
    },
    Scene { name: "new", args: &["--no-daemon"], steps: &[Wait("shortcuts"), Rest, Save("idle-new", "idle")], ..BASE },
    Scene {
        name: "hang",
        mode: Mode::Hang,
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[Wait("esc to interrupt"), Save("working-hang", "working")],
        ..BASE
    },
    Scene {
        name: "update",
        welcome: Welcome::Update,
        args: &["--no-daemon"],
        steps: &[Wait("Update available"), Rest, Save("waiting-update", "waiting")],
        ..BASE
    },
    Scene {
        name: "login",
        args: &["--no-daemon", "-c", "model_provider=\"openai\""],
        steps: &[Wait("Sign in"), Rest, Save("waiting-login", "waiting")],
        ..BASE
    },
    Scene {
        name: "limit",
        mode: Mode::Limit,
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[
            Wait("usage limit"),
            Rest,
            Limited("limited"),
            Do(Mode::Say),
            Type("go on now"),
            Rest,
            Limited("limited-draft"),
            Press("Enter"),
            Wait("All done"),
            Rest,
            Save("idle-after-limit", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "overload",
        mode: Mode::Overload,
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[
            Wait("Reconnecting|etry"),
            Save("working-retrying", "working"),
            Wait("■|exceeded"),
            Rest,
            Fail("idle-overload", "idle", "overload"),
        ],
        ..BASE
    },
    Scene {
        name: "auth",
        mode: Mode::Auth,
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[
            Wait("401"),
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
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[Wait("tool_use"), Rest, Fail("fatal-bad", "fatal", "transcript")],
        ..BASE
    },
    Scene {
        name: "long",
        mode: Mode::Long,
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[Wait("too long"), Rest, Fail("fatal-long", "fatal", "context")],
        ..BASE
    },
    Scene {
        name: "hostile",
        args: &["--no-daemon", "Write the notes"],
        steps: &[
            Wait("Worked for|finished\\."),
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
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[
            Wait("Worked for|finished\\."),
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
