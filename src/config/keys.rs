//! The key table: the one source for unknown keys, defaults, the JSON schema and the README's table.
pub(super) use super::{
    backend_keys::{BACKEND, DIALOG},
    job_keys::{JOBS, STORE},
    key::{Default, Key, Section, Type},
    phase_keys::{HANDOFF, LOOP, ON_COMPLETE, PHASE},
    template_keys::JOB,
};

use self::Default::{Is, List as Those, None as Absent, Required, Words};
use self::Type::*;
use super::key::key;

/// Every section, the file itself first, each once.
pub(super) fn sections() -> Vec<&'static Section> {
    fn walk(section: &'static Section, out: &mut Vec<&'static Section>) {
        out.push(section);
        for key in section.keys {
            if let Type::Table(s) | Type::List(s) | Type::Named(s) = key.of
                && !out.iter().any(|seen| std::ptr::eq(*seen, s))
            {
                walk(s, out);
            }
        }
    }
    let mut out = Vec::new();
    walk(&ROOT, &mut out);
    out
}

pub(super) const WATCHES: &[&str] = &["none", "heal", "heal+stall"];
pub(super) const KINDS: &[&str] = &["persistent", "orchestrator", "loop", "task"];
pub(super) const RELOADS: &[&str] = &["auto", "manual"];

pub(super) static ROOT: Section = Section {
    header: "agents.toml",
    doc: "One fleet.",
    keys: &[
        key("defaults", Table(&DEFAULTS), Required, "Names and folders of the fleet, and what its agents inherit."),
        key("watchdog", Table(&WATCHDOG), Absent, "Intervals, pauses and limits of the supervisor."),
        key("host", Table(&HOST), Absent, "What the machine must have before something is started on it."),
        key("errors", Table(&ERRORS), Absent, "What is done about an error that ended a turn."),
        key("tmux", Table(&TMUX), Absent, "Which tmux server the fleet lives on."),
        key("env", Table(&ENV), Absent, "Which environment variables reach the agents."),
        key("log", Table(&LOG), Absent, "How large the logs may grow."),
        key("jobs", Table(&JOBS), Absent, "How jobs run, and what is kept of them."),
        key("store", Table(&STORE), Absent, "How jobs are saved."),
        key("alert", Table(&ALERT), Absent, "Whom to tell when a person is needed."),
        key("backend", Named(&BACKEND), Absent, "How one kind of agent program is started and read."),
        key("agent", List(&AGENT), Absent, "One agent."),
        key("service", List(&SERVICE), Absent, "One long-running command beside the agents."),
        key("job", List(&JOB), Absent, "A template of a job, for `agents run --template`."),
        key("loop", Table(&LOOP), Absent, "A sequence of phases that loop agents work through."),
    ],
};

pub(super) static DEFAULTS: Section = Section {
    header: "[defaults]",
    doc: "Merged under every agent and service: a key here counts where the agent has none of its own.",
    keys: &[
        key("session_prefix", Text, Required, "The tmux session of an agent is this and its name."),
        key("log_dir", Path, Required, "Logs, state and markers."),
        key("project_dir", Path, Is("."), "Root of all relative paths; itself relative to the folder of this file."),
        key("dir", Path, Is("."), "Working folder of agents (not of services); made if missing."),
        key("backend", Text, Absent, "For agents without one."),
        key("model", Text, Absent, "For agents without one."),
        key("watch", Word(WATCHES), Is("none"), "For agents without one."),
        key("worktree", Bool, Is("false"), "For agents without one."),
        key("enabled", Bool, Is("true"), "For agents without one."),
        key("resume", Bool, Is("false"), "For agents without one."),
        key("prompt", Text, Absent, "For agents without one."),
        key("prompt_file", Path, Absent, "For agents without one; beats any `prompt`."),
        key("role", Text, Absent, "For agents without one."),
        key("account", Text, Absent, "For agents without one."),
        key("wake", Table(&WAKE), Absent, "For agents without one."),
        key("command", Text, Absent, "For services without one."),
    ],
};

pub(super) static WATCHDOG: Section = Section {
    header: "[watchdog]",
    doc: "All of these are read again whenever the file changes.",
    keys: &[
        key("signal_interval", Interval, Is("30"), "Pause between two looks at the screens, wakes and hand-offs."),
        key(
            "heavy_interval",
            Interval,
            Is("300"),
            "Pause between two passes for phases and healing by evidence on the screen.",
        ),
        key(
            "limit_probe_fallback",
            Interval,
            Is("300"),
            "First pause before a probe when a usage limit names no reset time.",
        ),
        key("limit_probe_max", Interval, Is("900"), "Such pauses double up to this."),
        key("limit_reset_slack", Duration, Is("45"), "Added to the reset time a limit names."),
        key(
            "limit_stagger",
            Duration,
            Is("5"),
            "Between the agents of one `account` that are held until the same moment.",
        ),
        key("stall_grace", Duration, Is("180"), "How late a WAITING-UNTIL may be."),
        key(
            "restart_burst",
            Count,
            Is("5"),
            "At most this many restarts of one agent within `restart_window`, then `gave-up`.",
        ),
        key("restart_window", Interval, Is("600"), "See `restart_burst`."),
        key("restart_delay", Duration, Is("1"), "First delay between restarts; it doubles."),
        key("restart_delay_max", Duration, Is("300"), "Longest delay between restarts."),
        key("gave_up_retry", Duration, Is("1800"), "Pause before an agent that gave up is tried again; 0 = never."),
        key("storm_limit", Count, Is("10"), "At most this many restarts of the whole fleet in a minute."),
        key("stop_grace", Duration, Is("10"), "Time between TERM and KILL."),
        key("start_grace", Duration, Is("10"), "An agent that runs this long counts as started."),
        key("fetch_timeout", Interval, Is("10"), "Longest `git fetch`."),
        key("dialog_burst", Count, Is("5"), "One rule answers at most so many dialogs of an agent in `dialog_window`."),
        key("dialog_window", Interval, Is("600"), "See `dialog_burst`."),
        key(
            "reload",
            Word(RELOADS),
            Is("auto"),
            "`manual`: a changed `bin`, `flags` or `command` waits for `agents restart` or `agents up`.",
        ),
    ],
};

pub(super) static HOST: Section = Section {
    header: "[host]",
    doc: "Looked at before every start and restart; below, the start waits and goes on by itself. The same for prompts as jobs. What runs is left alone.",
    keys: &[
        key(
            "min_memory",
            Room,
            Is("200MB"),
            "Available memory, of the machine or of the control group, whichever is less.",
        ),
        key(
            "min_disk",
            Room,
            Is("100MB"),
            "Free disk for `log_dir` and for the working folder; what ran before comes back on a full disk, too.",
        ),
        key("max_load", Number, Is("0"), "Load average of the last minute for each core, for example `4`."),
        key("retry", Interval, Is("15"), "Pause before the next look."),
    ],
};

/// In the order of `Remedy`.
pub(super) const REMEDIES: &[&str] = &["hold", "nudge", "fresh", "restart", "alert"];

pub(super) static ERRORS: Section = Section {
    header: "[errors]",
    doc: "By the class of the error, which a backend with a `preset` knows; what a `fatal_re` finds is always a restart. \
          `hold`: told at once, and tried again with pauses from `probe_pause` on. `nudge`: asked to go on, with pauses from \
          `nudge_pause` on. `fresh`: asked to go on once, and if the same error comes again, a fresh session with a note; \
          the old id is kept in `state/NAME.id.old`. `restart`: at once. `alert`: told, and left as it is.",
    keys: &[
        key("auth", Word(REMEDIES), Is("hold"), "The service refuses the login or the key."),
        key("overload", Word(REMEDIES), Is("nudge"), "The service is too busy."),
        key("network", Word(REMEDIES), Is("nudge"), "The connection broke or could not be made."),
        key("transcript", Word(REMEDIES), Is("fresh"), "The service refuses the conversation as it is."),
        key("context", Word(REMEDIES), Is("fresh"), "The conversation is too long."),
        key("model", Word(REMEDIES), Is("nudge"), "The model is not there, or refuses the text."),
        key("other", Word(REMEDIES), Is("nudge"), "Any other error."),
        key(
            "nudge_pause",
            Interval,
            Is("5"),
            "First pause before an agent is asked to go on; it grows by a half each time.",
        ),
        key("nudge_pause_max", Interval, Is("300"), "Longest such pause."),
        key("probe_pause", Interval, Is("15"), "First pause before a held agent is tried again; it doubles."),
        key("probe_pause_max", Interval, Is("900"), "Longest such pause."),
    ],
};

pub(super) static TMUX: Section = Section {
    header: "[tmux]",
    doc: "",
    keys: &[
        key(
            "server",
            OpenWord(&["own", "default"]),
            Is("own"),
            "`own`: a server for this fleet alone; `default`: your own; another name as for `tmux -L`; an absolute path as for `tmux -S`.",
        ),
        key("size", Dimensions, Is("200x50"), "Columns and rows of a new session."),
    ],
};

pub(super) static ENV: Section = Section {
    header: "[env]",
    doc: "The environment of whoever called `agents up` is given to every start, minus what is denied. A name may end in `*`.",
    keys: &[
        key("allow", Texts, Those(&[]), "Only these variables; empty = all."),
        key("deny", Texts, Those(&[]), "Never these."),
    ],
};

pub(super) static LOG: Section = Section {
    header: "[log]",
    doc: "",
    keys: &[
        key("max_size", Size, Is("100MB"), "Most that the log of one session may take, older parts included."),
        key("decisions", Room, Is("16MB"), "Most that the record of decisions may take (`agents replay`); 0: none."),
    ],
};

pub(super) static ALERT: Section = Section {
    header: "[alert]",
    doc: "",
    keys: &[key("command", Texts, Absent, "Program and arguments; it gets the event as JSON on its standard input.")],
};

pub(super) static WAKE: Section = Section {
    header: "wake",
    doc: "`wake = { interval = \"1h\", prompt_file = \"prompts/wake.md\" }` in an agent or in `[defaults]`.",
    keys: &[
        key("interval", Interval, Is("3600"), "Pause between two wakes."),
        key("prompt_file", Path, Required, "What is typed, folded to one line."),
    ],
};

pub(super) static AGENT: Section = Section {
    header: "[[agent]]",
    doc: "Of two with one name the later counts.",
    keys: &[
        key("name", Text, Required, "Letters, digits, `_` and `-`."),
        key("session", Text, Words("`session_prefix` and `name`"), "tmux session; not inherited."),
        key(
            "kind",
            OpenWord(KINDS),
            Is("persistent"),
            "`loop` works through the phases, `task` is done when it ends with 0; not inherited.",
        ),
        key("backend", Text, Required, "NAME of a `[backend.NAME]`."),
        key("model", Text, Words("the backend's own"), "A phase's model for the role comes first."),
        key("dir", Path, Is("."), "Working folder; made if missing."),
        key(
            "worktree",
            Bool,
            Is("false"),
            "Work in a git worktree of its own, on branch `agents/<name>`; `dir` then says of which repository, and where in it.",
        ),
        key("enabled", Bool, Is("true"), "`agents up` without names starts it."),
        key(
            "watch",
            Word(WATCHES),
            Is("none"),
            "`heal`: restart when gone or broken; `heal+stall`: also when idle too long.",
        ),
        key("role", Text, Absent, "Selects the role's prompt (loop) and the phase's model."),
        key("prompt", Text, Absent, "First message."),
        key("prompt_file", Path, Absent, "First message; beats `prompt`."),
        key("resume", Bool, Is("false"), "Take up the conversation that it was in, or the one in `state/<name>.id`."),
        key("account", Text, Absent, "Which login it uses, for people to see."),
        key("wake", Table(&WAKE), Absent, "A message at regular times."),
    ],
};

pub(super) static SERVICE: Section = Section {
    header: "[[service]]",
    doc: "Of two with one name the later counts.",
    keys: &[
        key("name", Text, Required, "Letters, digits, `_` and `-`; the session is `session_prefix` and this."),
        key("command", Text, Required, "Shell text."),
        key("dir", Path, Is("."), "Working folder; made if missing."),
    ],
};
