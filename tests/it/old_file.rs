//! An `agents.toml` as the old driver's users have it: every key does on a real fleet what it always did.
use crate::fleet::{BASE, Fleet};
use serde_json::Value;
use std::{fs, process::Command};

/// Notes its words and what came by the environment, then plays the agent.
const RECORD: &str = r#"#!/bin/sh
for word; do printf '%s\n' "$word"; done >"{root}/argv.$AGENTS_NAME.new"
printf '%s\n' "${OPENCODE_CONFIG_CONTENT-unset}" "${FROM_PREAMBLE-unset}" "$PWD" >"{root}/env.$AGENTS_NAME"
mv "{root}/argv.$AGENTS_NAME.new" "{root}/argv.$AGENTS_NAME"
exec {fake}
"#;

const OLD: &str = r###"
[defaults]
session_prefix = "t-"
log_dir = ".agents"
project_dir = "."
dir = "work"
backend = "arg"
model = "standard"
watch = "heal"
enabled = true
resume = true
role = "builder"
prompt = "from the defaults"

[watchdog]
signal_interval = 1
heavy_interval = 2
limit_probe_fallback = 300
limit_reset_slack = 45
stall_grace = 180

[backend.arg]
bin = "sh '{project}/record.sh'"
prompt_delivery = "arg"
flags = "--yes --x='a b'"
model_flag = "-m '{model}'"
supports_resume = true
resume_flag = "--continue '{id}'"
remote_control = true
remote_control_flag = "--remote '{session}'"
process_name = "sh"
submit_key = "Enter"
active_re = "esc to interrupt"
limit_re = "usage limit reached"
fatal_re = "cannot go on"
footer_ui = false
log_grace = 180
stall_idle = 300

[backend.typed]
bin = "sh '{project}/record.sh'"
prompt_delivery = "ping"
attach = "{bin} attach {server} {dir}"
server = "http://127.0.0.1:1"
preamble = "export FROM_PREAMBLE=yes"
model_env = true
connect_delay = 0
submit_key = "C-m"

[backend.whole]
bin = "sh '{project}/record.sh' {kickoff} {session} {model}"
prompt_delivery = "exec"

[[agent]]
name = "builder"
kind = "loop"

[[agent]]
name = "adversary"
kind = "loop"
role = "adversary"
backend = "typed"
model = "beaten by the phase's"

[[agent]]
name = "lead"
kind = "orchestrator"
session = "t-leader"
backend = "whole"
prompt_file = "lead.md"
dir = "elsewhere"
wake = { interval = 1, prompt_file = "wake.md" }

[[agent]]
name = "plain"

[[agent]]
name = "off"
enabled = false

[[service]]
name = "srv"
command = "pwd >'{root}/srv'; exec sleep 1000"

[loop]
phases = [
  { id = "p1", plan = "plans/1.md", status = "S1.md", models = { adversary = "opus" } },
  { id = "p2", plan = "plans/2.md", status = "S2.md" },
]
state_file = "where"
auto_advance = true
done_marker = "## DONE"
kickoff_template = "kick.md"
roles_dir = "roles"
resume_phase = false

[loop.on_complete]
run = "off"
trigger_file = ".go"
"###;

fn old_fleet() -> Fleet {
    let f = Fleet::with(OLD);
    f.write("record.sh", f.filled(RECORD));
    f.write("kick.md", "kick {phase_id} {plan} {status} {role}\n");
    f.write("roles/builder.md", "you build\n");
    f.write("roles/adversary.md", "you doubt\n");
    f.write("lead.md", "you lead");
    f.write("wake.md", "look\n  around\n");
    f.write(".agents/state/plain.id", "abc-1\n");
    f
}

/// The words that `name` was started with.
#[track_caller]
fn argv(f: &Fleet, name: &str) -> Vec<String> {
    let file = f.root().join(format!("argv.{name}"));
    f.wait("it was started", |_| file.exists());
    fs::read_to_string(file).expect("words").lines().map(str::to_owned).collect()
}

fn environment(f: &Fleet, name: &str) -> Vec<String> {
    let text = fs::read_to_string(f.root().join(format!("env.{name}"))).expect("an environment");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn every_delivery_and_template_starts_what_it_always_started() {
    let f = old_fleet();
    assert_eq!(f.agents(&["check"]).ok().err, "");
    let said = f.up().out;
    for line in [
        "starting t-builder (arg, kind=loop, phase=p1, model=standard)",
        "starting t-adversary (typed, kind=loop, phase=p1, model=opus)",
        "starting t-leader (whole, kind=orchestrator, phase=-)",
        "starting t-plain (arg, kind=persistent, phase=-, model=standard, resume)",
        "starting service t-srv",
        "starting watchdog",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("t-off"), "{said}");
    let options = ["-m", "standard", "--yes", "--x=a b"];
    let words = |first: &[&str], last: &[&str]| [first, &options, last].concat().join("\n");
    let builder = words(&["--remote", "t-builder"], &["kick p1 plans/1.md S1.md builder", "you build"]);
    assert_eq!(argv(&f, "builder").join("\n"), builder, "without an id nothing is resumed");
    let plain = words(&["--continue", "abc-1", "--remote", "t-plain"], &["from the defaults"]);
    assert_eq!(argv(&f, "plain").join("\n"), plain);
    let project = f.project.display().to_string();
    let kickoff = |session: &str| format!("{project}/.agents/state/kickoff-{session}.txt");
    assert_eq!(argv(&f, "lead"), [kickoff("t-leader").as_str(), "t-leader", "standard"]);
    assert_eq!(fs::read_to_string(kickoff("t-leader")).expect("a kickoff"), "you lead");
    assert_eq!(argv(&f, "adversary"), ["attach", "http://127.0.0.1:1", &format!("{project}/work")]);
    let seen = environment(&f, "adversary");
    let model: Value = serde_json::from_str(&seen[0]).expect("JSON");
    assert_eq!((&model["model"], seen[1].as_str()), (&"opus".into(), "yes"));
    assert_eq!(environment(&f, "builder"), ["unset", "unset", &format!("{project}/work")]);
    assert_eq!(environment(&f, "lead")[2], format!("{project}/elsewhere"));
    let file = kickoff("t-adversary");
    let first =
        format!("Your full kickoff prompt is in {file} — read it now with: `cat '{file}'` — then follow it exactly.");
    f.wait("it is told where its first message is", |f| f.lines("adversary") == [first.clone()]);
    f.wait("the lead is woken, on one line", |f| f.lines("lead").contains(&"look around".to_owned()));
    assert_eq!(fs::read_to_string(f.root().join("srv")).expect("a folder").trim(), project, "not that of agents");
    assert!(f.sessions().contains(&"t-leader".into()) && !f.sessions().contains(&"t-off".into()));
    f.agents(&["up", "off"]).ok();
    f.wait("a disabled one is started by its name", |f| f.alive("off"));
    f.agents(&["phase", "next"]).ok();
    assert_eq!(fs::read_to_string(f.project.join(".agents/state/where")).expect("an index"), "1");
    f.agents(&["restart", "adversary"]).ok();
    f.wait("without a phase's model its own counts", |f| environment(f, "adversary")[0].contains("beaten by"));
}

#[test]
fn hand_off_and_phases_go_by_the_words_of_the_config() {
    let loops = r###"
[[agent]]
name = "maker"
kind = "loop"
role = "maker"
[[agent]]
name = "judge"
kind = "loop"
role = "judge"
[loop]
auto_advance = false
done_marker = "# FINISHED"
roles_dir = "roles"
phases = [{ id = "one", status = "S1.md" }, { id = "two", status = "S2.md" }]
[loop.handoff]
repo = "repo"
state_subdir = "notes"
claim_pattern = "^gate"
review_pattern = "verdict$"
claim_pings = "judge"
review_pings = "maker"
inboxes = ["TO-JUDGE.md", "TO-MAKER.md"]
"###;
    let f = Fleet::new(loops);
    f.write("roles/maker.md", "make");
    f.write("roles/judge.md", "judge");
    f.write("repo/notes/S1.md", "# to do\n");
    let repo = f.project.join("repo");
    f.git(&repo, &["init", "-q"]);
    let commit = |text: &str| {
        f.git(&repo, &["add", "-A"]);
        f.git(&repo, &["commit", "-q", "--allow-empty", "-m", text]);
    };
    commit("first");
    f.up();
    f.wait("both run", |f| f.starts("maker") == 1 && f.starts("judge") == 1);
    f.wait("the repository was seen", |f| f.agents(&["status"]).code == 0 && f.said("watchdog up") == 1);
    f.ticks(3);
    commit("GATE: one");
    f.wait("the judge hears of it", |f| f.lines("judge").iter().any(|l| l.contains("gate CLAIM commit")));
    commit("this is my verdict");
    f.wait("the maker hears of it", |f| f.lines("maker").iter().any(|l| l.contains("verdict/finding commit")));
    f.write("repo/notes/TO-MAKER.md", "a letter");
    commit("claim: these words mean nothing here");
    f.wait("the letter is told", |f| f.lines("maker").iter().any(|l| l.contains("pushed notes/TO-MAKER.md")));
    assert_eq!((f.lines("judge").len(), f.lines("maker").len()), (1, 2));
    f.write("repo/notes/S1.md", "# FINISHED\n");
    commit("done");
    f.ticks(4);
    assert_eq!(f.status()["phase"]["done"], true, "{}", f.status());
    assert_eq!(f.said("PHASE one DONE"), 0, "auto_advance is off");
    f.config(&format!("{BASE}{loops}").replace("auto_advance = false", "auto_advance = true"));
    f.wait("and on again", |f| f.said("PHASE one DONE — auto-transitioning to two") == 1);
    f.wait("both begin anew", |f| f.starts("maker") == 2 && f.starts("judge") == 2);
}

/// `[tmux] server = "default"` keeps the old place; the server itself is the user's.
#[test]
fn a_fleet_on_the_users_server_lives_beside_his_sessions() {
    let f = Fleet::new("[tmux]\nserver = \"default\"\n[[agent]]\nname = \"a\"\n");
    let user = |args: &[&str]| {
        let agents = f.command(&[]);
        let env = agents.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned())));
        let mut tmux = Command::new("tmux");
        tmux.args(["-f", "/dev/null"]).args(args).env_clear().envs(env);
        f.run(tmux)
    };
    user(&["new-session", "-d", "-s", "mine", "exec sleep 1000"]).ok();
    f.up();
    f.wait("it runs", |f| f.starts("a") == 1 && f.alive("a"));
    f.wait("its sessions are there", |_| {
        let names = user(&["list-sessions", "-F", "#{session_name}"]).out;
        ["mine", "t-a", "t-watchdog"].iter().all(|n| names.lines().any(|l| l == *n))
    });
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2 && f.alive("a"));
    f.agents(&["down"]).ok();
    assert_eq!(user(&["list-sessions", "-F", "#{session_name}"]).out.trim(), "mine");
    user(&["kill-server"]).ok();
}
