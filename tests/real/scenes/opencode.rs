//! OpenCode.
use super::{
    BASE, HOSTILE, Scene,
    Step::{Coloured, Fail, Mode as Do, Press, Rest, Save, Say, Type, Wait},
};
use crate::service::Mode;

pub const SCENES: &[Scene] = &[
    Scene {
        name: "day",
        args: &["--prompt", "Please look after the shop"],
        steps: &[
            Wait("▣  Build · Stub · \\d"),
            Rest,
            Save("idle-after-turn", "idle"),
            Type("a draft that nobody sent"),
            Wait("nobody sent"),
            Rest,
            Save("idle-draft", "idle"),
            Press("C-u"),
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
            Wait("QUEUED"),
            Save("working-queued", "working"),
            Do(Mode::Say),
            Wait("(?s)another thought.*All done"),
            Rest,
            Do(Mode::Hang),
            Type("now think for ever"),
            Rest,
            Press("Enter"),
            Wait("esc interrupt"),
            Save("working-hang", "working"),
            Press("Escape"),
            Wait("again to interrupt"),
            Save("working-interrupting", "working"),
            Press("Escape"),
            Wait("interrupted"),
            Rest,
            Save("idle-interrupted", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "permission",
        mode: Mode::Tool,
        args: &["--prompt", "Run it"],
        steps: &[
            Wait("Permission required"),
            Rest,
            Save("waiting-permission", "waiting"),
            Coloured("waiting-permission-colours", "waiting"),
            Press("Right"),
            Rest,
            Coloured("waiting-permission-colours-second", "waiting"),
            Press("Enter"),
            Wait("Always allow"),
            Rest,
            Save("waiting-always-allow", "waiting"),
            Coloured("waiting-always-allow-colours", "waiting"),
            Press("Enter"),
            Wait("All done"),
            Rest,
            Save("idle-after-tool", "idle"),
        ],
        ..BASE
    },
    Scene { name: "new", steps: &[Wait("Ask anything"), Rest, Save("idle-new", "idle")], ..BASE },
    Scene {
        name: "limit",
        mode: Mode::Limit,
        args: &["--prompt", "Please look after the shop"],
        steps: &[Wait("usage limit"), Save("limited", "limited")],
        ..BASE
    },
    Scene {
        name: "overload",
        mode: Mode::Overload,
        args: &["--prompt", "Please look after the shop"],
        steps: &[Wait("retrying"), Save("working-retrying", "working")],
        ..BASE
    },
    Scene {
        name: "auth",
        mode: Mode::Auth,
        args: &["--prompt", "Please look after the shop"],
        steps: &[
            Wait("x-api-key"),
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
        args: &["--prompt", "Please look after the shop"],
        steps: &[Wait("tool_use"), Rest, Fail("fatal-bad", "fatal", "transcript")],
        ..BASE
    },
    Scene {
        name: "long",
        mode: Mode::Long,
        args: &["--prompt", "Please look after the shop"],
        steps: &[Wait("too long|Compaction"), Rest, Fail("fatal-long", "fatal", "context")],
        ..BASE
    },
    Scene {
        name: "hostile",
        args: &["--prompt", "Write the notes"],
        steps: &[
            Wait("Stub · \\d"),
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
        args: &["--prompt", "Please look after the shop"],
        steps: &[Wait("Stub · \\d"), Rest, Press("C-c"), Wait("opencode -s"), Save("exited", "exited")],
        ..BASE
    },
];
