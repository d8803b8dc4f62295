//! Claude Code.
use super::{
    BASE, HOSTILE, Scene,
    Step::{Fail, Limited, Mode as Do, Press, Rest, Save, Say, Type, Wait},
};
use crate::{home::Welcome, service::Mode};

pub const SCENES: &[Scene] = &[
    Scene {
        name: "day",
        args: &["Please look after the shop"],
        steps: &[
            Wait("[✻✽✶] \\w+ for|is finished\\."),
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
            Wait("queued messages"),
            Save("working-queued", "working"),
            Do(Mode::Say),
            Wait("(?s)another thought.*All done"),
            Rest,
            Do(Mode::Hang),
            Type("now think for ever"),
            Rest,
            Press("Enter"),
            Wait("esc to interrupt"),
            Save("working-hang", "working"),
            Press("Escape"),
            Wait("^✳"),
            Rest,
            Save("idle-taken-back", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "interrupted",
        mode: Mode::Slow,
        args: &["Please look after the shop"],
        steps: &[Wait("word2"), Press("Escape"), Wait("Interrupted"), Rest, Save("idle-interrupted", "idle")],
        ..BASE
    },
    Scene {
        name: "permission",
        mode: Mode::Tool,
        args: &["--permission-mode", "default", "Run it"],
        steps: &[
            Wait("Do you want to proceed"),
            Rest,
            Save("waiting-permission", "waiting"),
            Press("Enter"),
            Wait("All done"),
            Rest,
            Save("idle-after-tool", "idle"),
        ],
        ..BASE
    },
    Scene { name: "new", steps: &[Wait("for shortcuts|to cycle"), Rest, Save("idle-new", "idle")], ..BASE },
    Scene {
        name: "first-run",
        welcome: Welcome::FirstRun,
        steps: &[
            Wait("text style|theme"),
            Rest,
            Save("waiting-theme", "waiting"),
            Press("Enter"),
            Wait("Security notes|trust"),
            Rest,
            Save("waiting-security-notes", "waiting"),
            Press("Enter"),
            Wait("trust this folder|safety check"),
            Rest,
            Save("waiting-trust", "waiting"),
        ],
        ..BASE
    },
    Scene {
        name: "api-key",
        env: &[("ANTHROPIC_API_KEY", "sk-ant-stand-in-000000000000"), ("ANTHROPIC_AUTH_TOKEN", "")],
        steps: &[Wait("custom API key"), Rest, Save("waiting-api-key", "waiting")],
        ..BASE
    },
    Scene {
        name: "bypass",
        args: &["--dangerously-skip-permissions", "Please look after the shop"],
        steps: &[Wait("All done"), Rest, Save("idle-bypass", "idle")],
        ..BASE
    },
    Scene {
        name: "limit",
        mode: Mode::Limit,
        args: &["Please look after the shop"],
        steps: &[
            Wait("429"),
            Rest,
            Save("limited-api", "limited"),
            Do(Mode::Say),
            Type("go on now"),
            Rest,
            Press("Enter"),
            Wait("All done"),
            Rest,
            Save("idle-after-limit-api", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "limit-plan",
        mode: Mode::Limit,
        welcome: Welcome::Plan,
        args: &["Please look after the shop"],
        steps: &[
            Wait("Stop and wait"),
            Rest,
            Limited("limited-menu"),
            Press("Escape"),
            Wait("for shortcuts|to cycle"),
            Rest,
            Limited("limited-plan"),
            Do(Mode::Say),
            Type("go on now"),
            Rest,
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
        args: &["Please look after the shop"],
        steps: &[Wait("Retrying in|attempt [2-9]"), Save("working-retrying", "working")],
        ..BASE
    },
    Scene {
        name: "overload-ended",
        mode: Mode::Overload,
        args: &["Please look after the shop"],
        env: &[("CLAUDE_CODE_MAX_RETRIES", "1")],
        steps: &[
            Wait("API Error: 529|Overloaded\\.|verloaded"),
            Wait("^✳"),
            Rest,
            Fail("idle-overload", "idle", "overload"),
        ],
        ..BASE
    },
    Scene {
        name: "auth",
        mode: Mode::Auth,
        args: &["Please look after the shop"],
        env: &[("CLAUDE_CODE_MAX_RETRIES", "1")],
        steps: &[Wait("401|/login"), Wait("^✳"), Rest, Fail("fatal-auth", "fatal", "auth")],
        ..BASE
    },
    Scene {
        name: "bad",
        mode: Mode::Bad,
        args: &["Please look after the shop"],
        steps: &[
            Wait("API Error: 400"),
            Wait("^✳"),
            Rest,
            Fail("fatal-bad", "fatal", "transcript"),
            Do(Mode::Say),
            Type("go on now"),
            Rest,
            Press("Enter"),
            Wait("All done"),
            Rest,
            Save("idle-after-bad", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "long",
        mode: Mode::Long,
        args: &["Please look after the shop"],
        steps: &[Wait("too long"), Wait("^✳"), Rest, Fail("fatal-long", "fatal", "context")],
        ..BASE
    },
    Scene {
        name: "hostile",
        args: &["Write the notes"],
        steps: &[
            Wait("shortcuts"),
            Say(HOSTILE),
            Type("once more"),
            Rest,
            Press("Enter"),
            Wait("happening now"),
            Wait("^✳"),
            Rest,
            Save("idle-hostile", "idle"),
        ],
        ..BASE
    },
    Scene {
        name: "exited",
        args: &["Please look after the shop"],
        steps: &[
            Wait("All done"),
            Rest,
            Type("/exit"),
            Rest,
            Press("Enter"),
            Wait("is dead"),
            Save("exited", "exited"),
        ],
        ..BASE
    },
];
