//! What is played with each CLI to get its screens.
use crate::{home::Welcome, service::Mode};

pub struct Scene {
    pub name: &'static str,
    pub mode: Mode,
    pub welcome: Welcome,
    pub args: &'static [&'static str],
    pub env: &'static [(&'static str, &'static str)],
    pub steps: &'static [Step],
}

#[derive(Clone, Copy)]
pub enum Step {
    Mode(Mode),
    /// What the model answers from now on.
    Say(&'static str),
    /// Until this pattern is found in the screen, the title or the command.
    Wait(&'static str),
    /// Until nothing has moved for a second.
    Rest,
    Type(&'static str),
    Press(&'static str),
    /// File name and expected state.
    Save(&'static str, &'static str),
}
use Step::{Mode as Do, Press, Rest, Save, Say, Type, Wait};

/// Every trap in one answer: words of spinners, dialogs, limits and logins, in the middle of what the model says.
const HOSTILE: &str = "Notes for the README: while it works the footer says \"esc to interrupt\" or \"esc to cancel\", \
a permission dialog asks \"Do you want to proceed?\" or \"Allow execution of [Shell]?\", a full plan prints \"You've hit \
your usage limit. Try again at 3pm\" or \"usage limit reached, resets 3pm\", and a lost login prints \"Please run /login\" \
or \"unexpected status 401 Unauthorized\" or \"API Error: 400\". None of this is happening now.";

const BASE: Scene = Scene { name: "", mode: Mode::Say, welcome: Welcome::Done, args: &[], env: &[], steps: &[] };

pub fn of(cli: &str) -> &'static [Scene] {
    match cli {
        "claude" => CLAUDE,
        "codex" => CODEX,
        "opencode" => OPENCODE,
        "gemini" => GEMINI,
        _ => &[],
    }
}

const CLAUDE: &[Scene] = &[
    Scene {
        name: "day",
        args: &["Please look after the shop"],
        steps: &[
            Wait("[✻✽✶] \\w+ for"),
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
        args: &["Run it"],
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
    Scene { name: "new", steps: &[Wait("for shortcuts"), Rest, Save("idle-new", "idle")], ..BASE },
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
            Save("limited-menu", "limited"),
            Press("Escape"),
            Wait("for shortcuts"),
            Rest,
            Save("limited-plan", "limited"),
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
        steps: &[Wait("API Error: 529|Overloaded\\.|verloaded"), Wait("^✳"), Rest, Save("idle-overload", "idle")],
        ..BASE
    },
    Scene {
        name: "auth",
        mode: Mode::Auth,
        args: &["Please look after the shop"],
        env: &[("CLAUDE_CODE_MAX_RETRIES", "1")],
        steps: &[Wait("401|/login"), Wait("^✳"), Rest, Save("fatal-auth", "fatal")],
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
            Save("fatal-bad", "fatal"),
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
        steps: &[Wait("too long"), Wait("^✳"), Rest, Save("fatal-long", "fatal")],
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

const CODEX: &[Scene] = &[
    Scene {
        name: "day",
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[
            Wait("Worked for"),
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
            Wait("esc to interrupt"),
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
            Wait("Worked for"),
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
            Save("limited", "limited"),
            Do(Mode::Say),
            Type("go on now"),
            Rest,
            Save("limited-draft", "limited"),
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
            Save("idle-overload", "idle"),
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
            Save("fatal-auth", "fatal"),
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
        steps: &[Wait("tool_use"), Rest, Save("fatal-bad", "fatal")],
        ..BASE
    },
    Scene {
        name: "long",
        mode: Mode::Long,
        args: &["--no-daemon", "Please look after the shop"],
        steps: &[Wait("too long"), Rest, Save("fatal-long", "fatal")],
        ..BASE
    },
    Scene {
        name: "hostile",
        args: &["--no-daemon", "Write the notes"],
        steps: &[
            Wait("Worked for"),
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
            Wait("Worked for"),
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

const OPENCODE: &[Scene] = &[
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
            Press("Right"),
            Press("Enter"),
            Wait("Always allow"),
            Rest,
            Save("waiting-always-allow", "waiting"),
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
            Save("fatal-auth", "fatal"),
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
        steps: &[Wait("tool_use"), Rest, Save("fatal-bad", "fatal")],
        ..BASE
    },
    Scene {
        name: "long",
        mode: Mode::Long,
        args: &["--prompt", "Please look after the shop"],
        steps: &[Wait("too long|Compaction"), Rest, Save("fatal-long", "fatal")],
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

const GEMINI: &[Scene] = &[
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
            Save("fatal-auth", "fatal"),
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
        steps: &[Wait("API Error"), Rest, Save("fatal-bad", "fatal")],
        ..BASE
    },
    Scene {
        name: "long",
        mode: Mode::Long,
        args: &["-m", "gemini-2.5-flash", "-i", "Please look after the shop"],
        steps: &[Wait("API Error"), Rest, Save("fatal-long", "fatal")],
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
