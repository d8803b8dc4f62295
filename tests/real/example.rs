//! An `agents.toml` for one CLI, with its backend block as it ships in `agents.example.toml`.
use crate::clis::Cli;
use std::fs;
use toml::{Table, Value};

/// What differs from story to story and from chapter to chapter.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Flags under which the CLI asks before it runs a command, instead of those that ship.
    pub asking: bool,
    /// Wakes the agent this often (seconds) with `prompts/wake.md`.
    pub wake: Option<f64>,
    /// An idle agent stalls after so many seconds.
    pub stall: Option<f64>,
    /// A screen that shows nothing new for so many seconds hangs.
    pub hang: Option<f64>,
    /// A small restart budget that is soon full again.
    pub short_budget: bool,
    /// More keys of its backend, as TOML.
    pub backend: &'static str,
}

/// The agent's name.
pub const AGENT: &str = "worker";
pub const PREFIX: &str = "real-";

/// Short intervals, so that a story takes seconds; one loop agent, because only a fleet with loops has hand-offs.
const FRAME: &str = r#"
[defaults]
session_prefix = "real-"
log_dir = ".agents"
watch = "heal"

[watchdog]
signal_interval = 1
heavy_interval = 1
limit_probe_fallback = 4
limit_probe_max = 4
limit_reset_slack = 1
restart_delay = 0.2
stop_grace = 5

[errors]
nudge_pause = 1
nudge_pause_max = 4
probe_pause = 2
probe_pause_max = 4

[loop]
auto_advance = false
phases = [{ id = "one", status = "STATUS.md" }]

[loop.handoff]
claim_pings = "worker"
"#;

pub fn agents_toml(cli: &Cli, wishes: &Wishes) -> Result<String, String> {
    let mut config: Table = toml::from_str(FRAME).map_err(|e| e.to_string())?;
    if wishes.short_budget
        && let Some(watchdog) = config.get_mut("watchdog").and_then(Value::as_table_mut)
    {
        for (key, value) in [("restart_burst", 2), ("restart_window", 20), ("gave_up_retry", 10)] {
            watchdog.insert(key.into(), Value::from(value));
        }
    }
    let mut backend = example_backend(cli.name)?;
    for (key, seconds) in [("stall_idle", wishes.stall), ("hang_timeout", wishes.hang)] {
        seconds.map(|seconds| backend.insert(key.into(), Value::from(seconds)));
    }
    if wishes.stall.is_some()
        && let Some(defaults) = config.get_mut("defaults").and_then(Value::as_table_mut)
    {
        defaults.insert("watch".into(), Value::from("heal+stall"));
    }
    if wishes.asking {
        backend.insert("flags".into(), Value::String(asking_flags(cli.name).into()));
    }
    backend.extend(toml::from_str::<Table>(wishes.backend).map_err(|e| e.to_string())?);
    config.insert("backend".into(), Value::Table(Table::from_iter([(cli.name.to_owned(), Value::Table(backend))])));
    let mut agent = Table::from_iter([
        ("name".to_owned(), Value::from(AGENT)),
        ("kind".to_owned(), Value::from("loop")),
        ("role".to_owned(), Value::from(AGENT)),
        ("backend".to_owned(), Value::from(cli.name)),
        ("model".to_owned(), Value::from(cli.model)),
        ("resume".to_owned(), Value::from(true)),
    ]);
    if let Some(interval) = wishes.wake {
        let wake = [
            ("interval".to_owned(), Value::from(interval)),
            ("prompt_file".to_owned(), Value::from("prompts/wake.md")),
        ];
        agent.insert("wake".into(), Value::Table(Table::from_iter(wake)));
    }
    config.insert("agent".into(), Value::Array(vec![Value::Table(agent)]));
    toml::to_string(&config).map_err(|e| e.to_string())
}

/// A fleet of several CLIs, one agent each, by name; intervals as a night of minutes needs them.
pub fn night_toml(clis: &[Cli]) -> Result<String, String> {
    fleet_toml("night-", clis.iter().map(|cli| (cli, cli.name, String::new())))
}

/// The same for one CLI that asks before it runs a command; what shows nothing new for `hang` seconds hangs. `rule`: TOML
/// that answers dialogs for a person.
pub fn long_toml(cli: &Cli, hang: u64, rule: &str) -> Result<String, String> {
    let more = format!("flags = {}\nhang_timeout = {hang}\n{rule}", Value::from(asking_flags(cli.name)));
    fleet_toml(PREFIX, [(cli, AGENT, more)].into_iter())
}

/// Of each: the CLI, its agent's name, more keys of its backend.
fn fleet_toml<'a>(prefix: &str, of: impl Iterator<Item = (&'a Cli, &'a str, String)>) -> Result<String, String> {
    let mut config: Table = toml::from_str(&NIGHT.replace("{prefix}", prefix)).map_err(|e| e.to_string())?;
    let (mut backends, mut agents) = (Table::new(), Vec::new());
    for (cli, name, more_keys) in of {
        let mut backend = example_backend(cli.name)?;
        let more: Table = toml::from_str(NIGHT_BACKEND).map_err(|e| e.to_string())?;
        backend.extend(more);
        // The two that open a menu at their limit.
        let waits = match cli.name {
            "claude" => Some("wait"),
            "gemini" => Some("stop"),
            _ => None,
        };
        if let Some(choice) = waits {
            let rules = Table::from_iter([("limit-menu".to_owned(), Value::from(choice))]);
            backend.insert("dialogs".into(), Value::Table(rules));
        }
        backend.extend(toml::from_str::<Table>(&more_keys).map_err(|e| e.to_string())?);
        backends.insert(cli.name.into(), Value::Table(backend));
        let agent = [
            ("name", Value::from(name)),
            ("backend", Value::from(cli.name)),
            ("model", Value::from(cli.model)),
            ("account", Value::from(cli.name)),
            ("prompt", Value::from("You look after the shop. Wait for what you are asked to do.")),
            ("resume", Value::from(true)),
        ];
        agents.push(Value::Table(agent.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
    }
    config.insert("backend".into(), Value::Table(backends));
    config.insert("agent".into(), Value::Array(agents));
    toml::to_string(&config).map_err(|e| e.to_string())
}

const NIGHT: &str = r#"
[defaults]
session_prefix = "{prefix}"
log_dir = ".agents"
watch = "heal+stall"

[watchdog]
signal_interval = 2
heavy_interval = 10
limit_probe_fallback = 10
limit_probe_max = 20
limit_reset_slack = 3
restart_burst = 20
stop_grace = 5

[errors]
nudge_pause = 2
nudge_pause_max = 15
probe_pause = 3
probe_pause_max = 15
"#;

const NIGHT_BACKEND: &str = r#"
stall_idle = 120
hang_timeout = 20
"#;

fn example_backend(name: &str) -> Result<Table, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/agents.example.toml");
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read `{path}`: {e}"))?;
    let example: Table = toml::from_str(&text).map_err(|e| e.to_string())?;
    let backend = example.get("backend").and_then(|b| b.get(name)).and_then(Value::as_table);
    backend.cloned().ok_or(format!("no [backend.{name}] in agents.example.toml"))
}

fn asking_flags(cli: &str) -> &'static str {
    match cli {
        "codex" => "--no-daemon --ask-for-approval on-request --sandbox read-only",
        "opencode" => "--prompt",
        "gemini" => "-i",
        _ => "",
    }
}
