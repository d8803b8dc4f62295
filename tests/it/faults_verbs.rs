//! What the verbs say and do, beside and inside of other tmux servers.
use crate::fleet::{BASE, Fleet, Said};
use serde_json::Value;
use std::process::Command;

const ONE: &str = "[[agent]]\nname = \"a\"\n";

/// `tmux ARGS` in the fleet's environment: on the user's default server unless the arguments say otherwise.
fn user(f: &Fleet, args: &[&str]) -> Said {
    let agents = f.command(&[]);
    let env = agents.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned())));
    let mut tmux = Command::new("tmux");
    tmux.args(["-f", "/dev/null"]).args(args).env_clear().envs(env);
    f.run(tmux)
}

#[test]
fn fault_28_a_model_from_the_environment_is_for_that_up_only() {
    let f = Fleet::new(
        "[backend.m]\nbin = \"env > {root}/env.$$; echo model={model} >>{root}/models; exec {fake}\"\nprompt_delivery = \"exec\"\n\
         [[agent]]\nname = \"a\"\nbackend = \"m\"\nmodel = \"own\"\n",
    );
    let mut up = f.command(&["up"]);
    up.env("AGENT_MODEL_a", "once").env("AGENT_BACKEND_a", "");
    f.run(up).ok();
    let models = || std::fs::read_to_string(f.root().join("models")).unwrap_or_default();
    f.wait("it runs", |f| f.starts("a") == 1);
    f.kill("a");
    f.wait("it is back", |f| f.starts("a") == 2);
    assert_eq!(models(), "model=once\nmodel=own\n");
    f.tmux(&["kill-server"]).ok();
    f.wait("it is back", |f| f.starts("a") == 3);
    assert_eq!(models(), "model=once\nmodel=own\nmodel=own\n");
    for entry in std::fs::read_dir(f.root()).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("env.") {
            let text = std::fs::read_to_string(entry.path()).expect("an environment");
            assert!(!text.contains("AGENT_MODEL_"), "{text}");
        }
    }
}

#[test]
fn fault_34_a_typo_among_the_names_changes_nothing_in_a_running_fleet() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\nwatch = \"none\"\n");
    f.agents(&["up", "a", "watchdog"]).ok();
    f.wait("a runs", |f| f.alive("a") && f.starts("a") == 1);
    for line in [&["up", "b", "watchdgo"][..], &["down", "a", "bb"], &["restart", "a", "bb"], &["pause", "aa"]] {
        let said = f.agents(line);
        assert_eq!(said.code, 1, "{line:?}: {said:?}");
        assert!(said.err.contains("hint: did you mean"), "{line:?}: {said:?}");
    }
    assert_eq!((f.starts("a"), f.starts("b"), f.alive("a")), (1, 0, true));
    assert_eq!(f.agents(&["pu"]).code, 2);
}

#[test]
fn fault_35_a_slash_or_a_double_costs_nobody_else() {
    let f = Fleet::new(
        "[[agent]]\nname = \"a\"\n[[agent]]\nname = \"x/y\"\n[[agent]]\nname = \"../z\"\n[[agent]]\nname = \"d\"\nenabled = false\n\
         [[agent]]\nname = \"d\"\n[[agent]]\nname = \"s\"\nsession = \"t-a\"\n[[agent]]\nname = \"last\"\n",
    );
    let said = f.agents(&["up"]);
    for name in ["x/y", "../z", "`d`", "`s`"] {
        assert!(said.err.contains(name), "{name}: {said:?}");
    }
    f.wait("the good ones run", |f| ["a", "d", "last"].iter().all(|n| f.starts(n) == 1));
    let mut sessions = f.sessions();
    sessions.sort();
    assert_eq!(sessions, ["t-a", "t-d", "t-last", "t-watchdog"]);
    let check = f.agents(&["check"]);
    assert_eq!(check.code, 3, "{check:?}");
}

#[test]
fn fault_36_status_says_everything_and_in_any_locale() {
    let mut f = Fleet::new(
        "[[agent]]\nname = \"a\"\nkind = \"loop\"\nrole = \"r\"\n[[service]]\nname = \"web\"\ncommand = \"exec sleep 1000\"\n\
         [loop]\nphases = [{ id = \"öne\", plan = \"plän.md\", status = \"S\" }]\n",
    );
    f.write("prompts/r.md", "Grüße — ✓");
    f.up();
    f.wait("it is idle", |f| f.alive("a") && f.state("a") == "idle");
    let status = f.status();
    let has = |object: &Value, keys: &str| {
        for key in keys.split_whitespace() {
            assert!(object.get(key).is_some(), "no `{key}` in {object:#}");
        }
    };
    has(&status, "v config project_dir session_prefix tmux_socket faults watchdog phase agents services");
    has(&status["watchdog"], "running pid since last_tick tick_ms");
    has(&status["phase"], "index count id plan status done");
    has(
        &status["agents"][0],
        "name kind role backend model account session enabled watch alive pid command state since reason evidence \
         error restarts last_exit hold_until next_action next_at",
    );
    has(&status["services"][0], "name session alive pid state restarts last_exit");
    f.kill("a");
    f.wait("the restart is counted", |f| f.row("a")["restarts"] == 1 && f.alive("a"));
    assert!(f.row("a")["last_exit"]["signal"] == 9 || f.row("a")["last_exit"]["code"].is_number(), "{}", f.row("a"));
    for locale in ["C", "POSIX", "de_DE.ISO-8859-1"] {
        f.set("LC_ALL", locale);
        for line in [&["status"][..], &["events"], &["logs", "watchdog", "-n", "20"], &["explain"], &["phase"]] {
            let said = f.agents(line);
            assert_eq!((said.code, said.err.as_str()), (0, ""), "{locale}: {line:?}");
            assert!(!said.out.contains('\u{fffd}'), "{locale}: {said:?}");
        }
        assert!(f.agents(&["logs", "watchdog"]).ok().out.contains("watchdog up — phase=öne"), "{locale}");
        f.agents(&["restart", "a"]).ok();
    }
}

#[test]
fn fault_37_each_gets_its_own_submit_key_and_typos_are_said() {
    let f = Fleet::new(
        "[backend.other]\nbin = \"exec {fake}\"\nprompt_delivery = \"exce\"\nsubmit_key = \"C-x\"\ncolour = 3\n\
         [[agent]]\nname = \"a\"\nwatch = \"nonee\"\n[[agent]]\nname = \"b\"\nbackend = \"other\"\n",
    );
    f.script("b", "idle");
    let said = f.agents(&["up"]);
    for word in ["exce", "nonee", "colour"] {
        assert!(said.err.contains(&format!("`{word}`")), "{word}: {said:?}");
    }
    let check = f.agents(&["check"]);
    assert_eq!(check.code, 3);
    assert!(check.out.contains("did you mean `exec`?") && check.out.contains("did you mean `none`?"), "{check:?}");
    f.wait("both are there", |f| f.starts("a") == 1 && f.starts("b") == 1);
    f.agents(&["send", "a", "one"]).ok();
    f.agents(&["send", "b", "two", "--timeout", "0s"]);
    f.wait("a has a line", |f| f.lines("a") == ["one"]);
    let bytes = |f: &Fleet, name: &str| std::fs::read(f.fake(name, "bytes")).unwrap_or_default();
    f.wait("b has its key", |f| bytes(f, "b").starts_with(b"two\x18"));
    assert_eq!(bytes(&f, "a"), b"one\n");
    assert!(!bytes(&f, "b").contains(&b'\n'));
}

#[test]
fn fault_39_up_from_inside_another_tmux_is_the_same_fleet() {
    let f = Fleet::new(ONE);
    user(&f, &["-L", "work", "new-session", "-d", "-s", "mine", "exec sleep 1000"]).ok();
    let socket = user(&f, &["-L", "work", "display-message", "-p", "#{socket_path},#{pid},0"]).ok().out;
    let mut up = f.command(&["up"]);
    up.env("TMUX", socket.trim()).env("TMUX_PANE", "%0");
    f.run(up).ok();
    f.wait("it runs, seen from outside", |f| f.alive("a") && f.starts("a") == 1);
    assert_eq!(user(&f, &["-L", "work", "list-sessions", "-F", "#{session_name}"]).out.trim(), "mine");
    f.up();
    assert_eq!(f.starts("a"), 1, "a second `up` from outside sees it");
    let mut status = f.command(&["status", "--json"]);
    status.env("TMUX", socket.trim());
    let inside: Value = serde_json::from_str(&f.run(status).ok().out).expect("JSON");
    assert_eq!(inside["tmux_socket"], f.status()["tmux_socket"]);
    assert_eq!(inside["agents"][0]["alive"], true);
    user(&f, &["-L", "work", "kill-server"]).ok();
}

#[test]
fn fault_39_a_fleet_on_the_default_server_is_refused_or_taken_over() {
    let f = Fleet::new("[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n");
    user(&f, &["new-session", "-d", "-s", "mine", "exec sleep 1000"]).ok();
    user(&f, &["new-session", "-d", "-s", "t-a", "exec sleep 1000"]).ok();
    user(&f, &["new-session", "-d", "-s", "t-watchdog", "exec sleep 1000"]).ok();
    let said = f.agents(&["up"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("`t-a`") && said.err.contains("hint: `agents up --adopt`"), "{said:?}");
    assert_eq!((f.starts("a"), f.starts("b")), (0, 0));
    assert_eq!(f.status()["watchdog"]["running"], false);
    let pid = user(&f, &["display-message", "-p", "-t", "=t-a:", "#{pane_pid}"]).out;
    f.agents(&["up", "--adopt"]).ok();
    f.wait("both run", |f| f.alive("a") && f.alive("b") && f.starts("b") == 1);
    assert_eq!(f.starts("a"), 0, "the one that ran goes on");
    assert_eq!(f.row("a")["pid"].to_string(), pid.trim());
    f.up();
    assert_eq!((f.starts("a"), f.starts("b")), (0, 1));
    f.agents(&["down"]).ok();
    assert_eq!(user(&f, &["list-sessions", "-F", "#{session_name}"]).out.trim(), "mine");
    user(&f, &["kill-server"]).ok();
    f.up();
    f.wait("the next start is on a server of its own", |f| f.starts("a") == 1 && f.alive("a"));
    assert!(f.status()["tmux_socket"].as_str().is_some_and(|s| s.contains("/state/")), "{}", f.status());
}

#[test]
fn tmux_in_the_environment_does_not_reach_agents() {
    let f = Fleet::with(&format!("{BASE}{ONE}").replace("bin = \"{fake}\"", "bin = \"env >{root}/seen; exec {fake}\""));
    let mut up = f.command(&["up"]);
    up.env("TMUX", "/nowhere,1,0").env("TMUX_PANE", "%7").env("AGENTS_CONFIG_X", "1").env("KEPT", "yes");
    f.run(up).ok();
    f.wait("it runs", |f| f.starts("a") == 1);
    let env = std::fs::read_to_string(f.root().join("seen")).expect("an environment");
    assert!(env.contains("\nKEPT=yes\n") || env.starts_with("KEPT=yes\n"), "{env}");
    assert!(!env.lines().any(|l| l.starts_with("TMUX")), "{env}");
    assert!(env.lines().any(|l| l == "AGENTS_NAME=a"), "{env}");
}

/// Whatever the umask of the caller is.
#[test]
fn logs_and_state_are_the_users_own() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let f = Fleet::new(&format!("{ONE}[[service]]\nname = \"web\"\ncommand = \"exec sleep 1000\"\n"));
    let mut up = Command::new("sh");
    let agents = f.command(&["up"]);
    up.args(["-c", "umask 0; exec \"$0\" up", env!("CARGO_BIN_EXE_agents")]).current_dir(&f.project).env_clear();
    up.envs(agents.get_envs().filter_map(|(k, v)| Some((k, v?))));
    f.run(up).ok();
    f.wait("all run", |f| f.alive("a") && f.alive("web") && f.state("a") == "idle");
    let mut send = Command::new("sh");
    send.args(["-c", "umask 0; exec \"$0\" send a --file \"$1\"", env!("CARGO_BIN_EXE_agents"), "agents.toml"]);
    send.current_dir(&f.project).env_clear().envs(agents.get_envs().filter_map(|(k, v)| Some((k, v?))));
    f.run(send).ok();
    let mut left = vec![f.project.join(".agents")];
    let mut seen = 0;
    while let Some(place) = left.pop() {
        let meta = std::fs::symlink_metadata(&place).expect("it is there");
        if meta.file_type().is_symlink() || std::os::unix::fs::FileTypeExt::is_socket(&meta.file_type()) {
            continue;
        }
        seen += 1;
        let most = if meta.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(meta.permissions().mode() & 0o777 & !most, 0, "{} is {:o}", place.display(), meta.mode());
        if meta.is_dir() {
            left.extend(std::fs::read_dir(&place).expect("a folder").flatten().map(|e| e.path()));
        }
    }
    assert!(seen > 10, "{seen}");
}
