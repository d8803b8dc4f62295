//! The keys of `[backend.NAME]`.
use super::key::{
    Default::{Is, None as Absent, Required, Words},
    Section,
    Type::*,
    key,
};

const DELIVERIES: &[&str] = &["arg", "exec", "ping"];

pub(super) static BACKEND: Section = Section {
    header: "[backend.NAME]",
    doc: "Patterns are regular expressions, searched for anywhere, in any case of letters.",
    keys: &[
        key(
            "bin",
            Text,
            Words("required, unless it has `job_command` and is only for jobs"),
            "The command, as shell text.",
        ),
        key(
            "prompt_delivery",
            Word(DELIVERIES),
            Is("arg"),
            "`arg`: the prompt is the last argument; `exec`: `bin` is the whole command; `ping`: the prompt is typed.",
        ),
        key("flags", Text, Absent, "More shell text after the command (arg)."),
        key("model_flag", Text, Is("--model '{model}'"), "Used when a model is set (arg)."),
        key("supports_resume", Bool, Is("false"), "The program can take up an old conversation (arg)."),
        key(
            "resume_flag",
            Text,
            Is("--resume '{id}'"),
            "Used when the agent has `resume` and its conversation is known (arg).",
        ),
        key("remote_control", Bool, Is("false"), "Add `remote_control_flag` (arg)."),
        key("remote_control_flag", Text, Is("--remote-control '{session}'"), "See `remote_control`."),
        key("hooks", Bool, Is("false"), "Claude Code tells by hooks what it does, from a settings file of ours (arg)."),
        key("attach", Text, Is("{bin}"), "Command template with `{bin}`, `{server}` and `{dir}` (ping)."),
        key("server", Text, Absent, "Value of `{server}` (ping)."),
        key("preamble", Text, Absent, "Shell text that runs before the command (ping)."),
        key("model_env", Bool, Is("false"), "Give the model in OPENCODE_CONFIG_CONTENT (ping)."),
        key("connect_delay", Duration, Is("12"), "Earliest moment after the start at which something is typed (ping)."),
        key(
            "submit_key",
            Text,
            Words("`C-m` for the first message, `Enter` for the rest"),
            "tmux key that sends what was typed.",
        ),
        key(
            "preset",
            Word(&crate::model::policy::PRESETS),
            Absent,
            "A CLI whose screens are known: its rules stand beside the patterns below.",
        ),
        key(
            "preset_without",
            Texts,
            Absent,
            "Rules of the preset that are not used, by name; `agents detect` tells them.",
        ),
        key("idle_re", Regex, Absent, "The agent is ready for input (`agents detect`)."),
        key("active_re", Regex, Absent, "The agent is working."),
        key("limit_re", Regex, Absent, "A usage limit was hit."),
        key("fatal_re", Regex, Absent, "The session cannot go on without a restart."),
        key("waiting_re", Regex, Absent, "A question to a person is on the screen: nothing is typed."),
        key("title_active_re", Regex, Absent, "The pane's title begins with this while the agent works."),
        key("title_idle_re", Regex, Absent, "The same, while it is ready for input (`agents detect`)."),
        key("title_waiting_re", Regex, Absent, "The same, while it asks a person: nothing is typed."),
        key(
            "draft_re",
            Regex,
            Absent,
            "Something stands in the input line, in group 1; searched in the screen up to the cursor. Nothing is typed after a person's draft.",
        ),
        key(
            "dialogs",
            TextMap,
            Absent,
            "Dialogs of the preset that are answered without a person, and the choice of each.",
        ),
        key("dialog", List(&DIALOG), Absent, "Dialogs that no preset names, and their answers."),
        key("footer_ui", Bool, Is("false"), "Activity shows only in the last 10 rows, or by a log that grows."),
        key("log_grace", Duration, Is("180"), "A log written to less long ago than this means active (footer_ui)."),
        key(
            "stall_idle",
            Interval,
            Is("300"),
            "Idle this long without WAITING-UNTIL: see `stall_action` (heal+stall).",
        ),
        key(
            "stall_action",
            Word(&["nudge", "restart"]),
            Words("`nudge` with a `preset`, else `restart`"),
            "`nudge`: told to go on; restarted if nothing comes of it for as long again and its processes do nothing. `restart`: at once.",
        ),
        key(
            "hang_timeout",
            Duration,
            Words("`300` with a `preset`, else `0`"),
            "Restarted if it looks busy for so long, shows nothing new, and its processes do nothing else; 0: never.",
        ),
        key(
            "no_progress",
            Duration,
            Is("0"),
            "So much work without a commit in its folder's repository is told; 0: never.",
        ),
        key(
            "process_name",
            Text,
            Absent,
            "What must run in the pane; if another backend's program does, the agent is restarted.",
        ),
        key(
            "job_flags",
            Text,
            Words("`flags`, without those for a terminal"),
            "The same as `flags`, for prompts that are jobs: words only, no shell sees them.",
        ),
        key(
            "job_command",
            Texts,
            Absent,
            "Program and arguments for a prompt that is a job, with `{prompt}` (else it is on the standard input) and `{session}`.",
        ),
        key("job_resume", Texts, Absent, "The same for a prompt into the conversation `{session}`."),
        key(
            "job_output",
            Word(&crate::model::job_agent::Stream::WORDS),
            Is("text"),
            "What `job_command` prints: the JSON stream of one of these programs, or text.",
        ),
    ],
};

pub(super) static DIALOG: Section = Section {
    header: "[[backend.NAME.dialog]]",
    doc: "A dialog that is answered without a person, although no preset names it.",
    keys: &[
        key("name", Text, Required, "What it is called in events and in `agents explain`."),
        key(
            "re",
            Regex,
            Required,
            "Fits the whole question, as one line; with `key` the whole last row of the screen.",
        ),
        key(
            "choice",
            Text,
            Absent,
            "The text of the row that is chosen; the cursor is moved there, and Enter pressed.",
        ),
        key("key", Text, Absent, "The key that answers where there is no list: `y` for `[y/n]`."),
    ],
};
