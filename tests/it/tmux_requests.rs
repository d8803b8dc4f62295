//! Questions asked over a connection of our own: the same answers as a tmux process gives, and no harm to the server.
use crate::sandbox::{Sandbox, wait_until};
use agents::world::{
    process::ProcId,
    tmux::{Client, NewSession, Server, TmuxError, list_once, list_once_within},
};
use rustix::process::Signal;
use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, time::Duration};

/// The same server by way of a stand-in for tmux, which gives `version` where the server's is asked for.
fn as_version(sandbox: &Sandbox, version: &str) -> Server {
    let path = sandbox.join(&format!("tmux-{version}"));
    let line = format!(
        "#!/bin/sh\ncase \"$*\" in *'#{{version}}'*) tmux \"$@\" | sed '1s/.*/{version}/' ;; *) exec tmux \"$@\" ;; esac\n"
    );
    std::fs::write(&path, line).expect("stand-in");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
    Server { tmux: path, ..sandbox.server.clone() }
}

/// The server's process, if it is of a version that is spoken to directly.
fn speaker(sandbox: &Sandbox, client: &Client) -> Option<ProcId> {
    let spoken = ["3.3a", "3.5a"].contains(&sandbox.tmux(&["display-message", "-p", "#{version}"]).trim());
    ProcId::of(client.server_pid()).filter(|_| spoken)
}

#[test]
fn the_answers_are_those_of_a_tmux_process() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let other = as_version(&sandbox, "9.9");
    let mut plain = Client::connect(&other, &Sandbox::anchor(), |_| {}).expect("connect");
    let lines = [
        r"printf 'gr\303\274n \346\226\207\345\255\227 \360\237\246\200\n'; printf '\033]2;a;b #{x} %%H\033\\'; exec sleep 100",
        r"i=0; while [ $i -lt 39 ]; do printf '%0120d' $i; i=$((i+1)); done; exec sleep 100",
        r"printf '\033[31mred\033[0m\n\n\n  end;'; exec sleep 100",
        "exec sleep 100",
    ];
    let all: Vec<NewSession> =
        lines.iter().enumerate().map(|(n, line)| Sandbox::session(&format!("p-{n}"), line)).collect();
    let made: Vec<_> = client.new_sessions(&all).into_iter().map(|r| r.expect("session")).collect();
    let panes: Vec<&str> = made.iter().map(|m| m.pane_id.as_str()).collect();
    wait_until(10, "all have printed", || {
        let screens = plain.capture(&panes).expect("capture");
        [(0, "🦀"), (1, "038"), (2, "end;")].iter().all(|(n, text)| screens[panes[*n]].text.contains(text))
    });
    client.list().expect("list");
    plain.list().expect("list");
    let shown = |client: &mut Client, panes: &[&str]| -> BTreeMap<String, (String, String, u16, u16)> {
        let screens = client.capture(panes).expect("capture");
        screens.into_iter().map(|(id, c)| (id, (c.text, c.title, c.cursor_x, c.cursor_y))).collect()
    };
    let direct = shown(&mut client, &panes);
    assert_eq!(direct, shown(&mut plain, &panes));
    assert_eq!(direct[panes[0]].1, "a;b #{x} %H");
    assert_eq!(shown(&mut client, &panes[..1]), shown(&mut plain, &panes[..1]), "one alone");
    let (pid, rows) = list_once(&sandbox.server).expect("list").expect("a server");
    assert_eq!((pid, rows.len()), (client.server_pid(), 5));
    client.kill_session(&made[1].session_id).expect("kill");
    let left = shown(&mut client, &panes);
    assert_eq!(left.len(), 3, "one that has vanished ends nothing");
    assert_eq!(left, shown(&mut plain, &panes));
}

#[test]
fn a_list_starts_no_process() {
    let sandbox = Sandbox::new();
    let client = sandbox.client();
    let nothing = Server { tmux: "/nonexistent/tmux".into(), ..sandbox.server.clone() };
    match speaker(&sandbox, &client) {
        Some(process) => assert_eq!(list_once(&nothing).expect("list").expect("a server").0, process.pid),
        None => assert_eq!(list_once(&nothing), Err(TmuxError::NoTmux("/nonexistent/tmux".into()))),
    }
}

#[test]
fn nobody_but_the_process_that_was_noted_is_spoken_to() {
    let sandbox = Sandbox::new();
    let client = sandbox.client();
    let Some(process) = speaker(&sandbox, &client) else { return };
    let note = sandbox.join("state/tmux.version");
    let written = std::fs::read_to_string(&note).expect("a note");
    assert!(written.starts_with(&format!("{} {} ", process.pid, process.start)), "{written}");
    assert_eq!(std::fs::metadata(&note).expect("a note").permissions().mode() & 0o777, 0o600);
    let nothing = Server { tmux: "/nonexistent/tmux".into(), ..sandbox.server.clone() };
    let (pid, start) = (process.pid, process.start);
    for wrong in [
        String::new(),
        "\u{0}\u{fffd}".into(),
        format!("{pid}"),
        format!("{pid} {} 3.3a", start + 1),
        format!("{} {start} 3.3a", std::process::id()),
        format!("{pid} {start} 9.9"),
        format!("{pid} {start} 3.3a x"),
    ] {
        std::fs::write(&note, &wrong).expect("another note");
        assert!(matches!(list_once(&nothing), Err(TmuxError::NoTmux(_))), "{wrong:?} is believed");
        assert_eq!(list_once(&sandbox.server).expect("list").expect("a server").0, process.pid);
    }
    assert_eq!(process, ProcId::of(pid).expect("it lives"));
}

#[test]
fn a_stopped_server_outlives_many_who_gave_up() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let process = ProcId::of(client.server_pid()).expect("server");
    let made = client.new_session(&Sandbox::session("p-a", "echo hello; exec sleep 100")).expect("session");
    assert!(process.signal(Signal::STOP));
    for _ in 0..30 {
        let result = list_once_within(&sandbox.server, Duration::from_millis(20));
        assert!(matches!(result, Err(TmuxError::Deadline { .. })), "{result:?}");
    }
    client.set_deadline(Duration::from_millis(20));
    for _ in 0..30 {
        let result = client.capture(&[&made.pane_id]);
        assert!(matches!(result, Err(TmuxError::Deadline { .. })), "{result:?}");
    }
    assert!(process.signal(Signal::CONT));
    client.set_deadline(Duration::from_secs(5));
    wait_until(10, "it shows its screen", || {
        client.capture(&[&made.pane_id]).is_ok_and(|screens| screens[&made.pane_id].text.contains("hello"))
    });
    assert_eq!(ProcId::of(client.server_pid()), Some(process), "the same server");
    let clients = || sandbox.tmux(&["list-clients"]).lines().count();
    wait_until(5, "those who gave up are gone", || clients() == 1);
}

#[test]
fn the_server_keeps_nothing_of_what_was_asked() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let full = r"i=0; while [ $i -lt 39 ]; do printf '%0120d' $i; i=$((i+1)); done; exec sleep 100";
    let made = client.new_session(&Sandbox::session("p-a", full)).expect("session");
    let mut screen = || client.capture(&[&made.pane_id]).expect("capture")[&made.pane_id].text.clone();
    wait_until(10, "it has printed", || screen().contains("038"));
    (0..100).for_each(|_| drop(screen()));
    let pid = sandbox.tmux(&["display-message", "-p", "#{pid}"]);
    let resident = || {
        let text = std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).expect("server");
        let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("kB")
    };
    let before = resident();
    (0..1000).for_each(|_| drop(screen()));
    let grown = resident().saturating_sub(before);
    assert!(grown < 1000, "the server has grown by {grown} kB; the screens asked for are 4700 kB");
}
