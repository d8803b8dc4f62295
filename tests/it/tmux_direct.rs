//! The connection without a process of tmux's: what its coming and going does to a real server.
use crate::sandbox::{Sandbox, wait_until};
use agents::world::{
    process::ProcId,
    tmux::{Client, Server, TmuxError},
};
use rustix::process::Signal;
use std::{
    path::PathBuf,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Where a test that runs again as a child process finds the server's folder.
const STATE: &str = "AGENTS_TMUX_TEST_STATE";

/// `pid control-mode`, a line for each client.
fn clients(sandbox: &Sandbox) -> Vec<String> {
    let text = sandbox.tmux(&["list-clients", "-F", "#{client_pid} #{client_control_mode}"]);
    text.lines().map(str::to_owned).collect()
}

/// The same server, by way of a stand-in for `tmux` that gives another version and may do more after that.
fn by_way_of(sandbox: &Sandbox, version: &str, after: &str) -> Server {
    use std::os::unix::fs::PermissionsExt;
    let path = sandbox.join("tmux-wrapper");
    let line = format!(
        "#!/bin/sh\ncase \"$*\" in *'#{{version}}'*) tmux \"$@\" | sed '1s/.*/{version}/'; {after} ;; *) exec tmux \"$@\" ;; esac\n"
    );
    std::fs::write(&path, line).expect("wrapper");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
    Server { tmux: path, ..sandbox.server.clone() }
}

#[test]
fn the_server_survives_an_attach_while_sessions_come_and_go() {
    let sandbox = Sandbox::new();
    let mut other = sandbox.client();
    let pid = other.server_pid();
    let (over, came) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (told, count) = (over.clone(), came.clone());
    let noise = std::thread::spawn(move || {
        while !told.load(Ordering::Acquire) {
            let name = format!("p-{}", count.fetch_add(1, Ordering::AcqRel));
            let made = other.new_session(&Sandbox::session(&name, "exec sleep 100")).expect("session");
            other.kill_session(&made.session_id).expect("kill");
        }
    });
    let mut connected = 0;
    while connected < 100 || came.load(Ordering::Acquire) < 100 {
        let mut client = sandbox.client();
        assert_eq!(client.server_pid(), pid, "the server is another one");
        client.list().expect("list");
        connected += 1;
    }
    over.store(true, Ordering::Release);
    noise.join().expect("sessions came and went");
    assert_eq!(sandbox.tmux(&["display-message", "-p", "#{pid}"]).trim(), pid.to_string());
}

#[test]
fn the_connection_is_ours_and_leaves_no_trace() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let own = format!("{} 1", std::process::id());
    assert_eq!(clients(&sandbox), [own.as_str()], "no process in between");
    let mut second = sandbox.client();
    client.restore().expect("another connection");
    assert_eq!(clients(&sandbox), [own.as_str(), &own], "a living one's is not ended");
    second.list().expect("nor this one");
    drop(second);
    wait_until(5, "one is left", || clients(&sandbox).len() == 1);
    sandbox.tmux(&["detach-client", "-a"]);
    sandbox.tmux(&["detach-client", "-s", "p-watchdog"]);
    wait_until(5, "none is left", || clients(&sandbox).is_empty());
    assert_eq!(client.list().expect("it is made again").len(), 1);
    sandbox.server.kill().expect("told to end");
    wait_until(5, "the server is gone", || ProcId::of(client.server_pid()).is_none());
    assert!(matches!(client.list(), Err(TmuxError::ServerDown(_))));
}

/// Runs in a process of its own: holds a connection until it is killed.
fn hold(state: PathBuf) {
    let server = Server::own(&state).expect("the same server");
    let _client = Client::connect(&server, &Sandbox::anchor(), |_| {}).expect("connect");
    loop {
        std::thread::park();
    }
}

struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_killed_holder_with_unread_output_is_let_go_at_once() {
    if let Some(state) = std::env::var_os(STATE) {
        return hold(state.into());
    }
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let test = "tmux_direct::a_killed_holder_with_unread_output_is_let_go_at_once";
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", test, "--nocapture"]).env(STATE, sandbox.join("state"));
    let mut holder = Holder(command.spawn().expect("a holder"));
    let listed = format!("{} 1", holder.0.id());
    wait_until(10, "it is connected", || clients(&sandbox).contains(&listed));
    let process = ProcId::of(holder.0.id()).expect("the holder");
    assert!(process.signal(Signal::STOP));
    // Each is told to all control clients; a pipe holds 64 KiB.
    for n in 0..60 {
        sandbox.tmux(&["rename-window", "-t", "=p-watchdog:", &format!("{n}{}", "x".repeat(4000))]);
    }
    // It could still go on: the server keeps it.
    sandbox.tmux(&["detach-client", "-t", &format!("client-{}", process.pid)]);
    assert!(clients(&sandbox).contains(&listed), "what it has not read keeps it");
    holder.0.kill().expect("kill -9");
    holder.0.wait().expect("wait");
    wait_until(5, "it is let go", || clients(&sandbox).len() == 1);
    client.list().expect("the server answers");
    sandbox.server.kill().expect("told to end");
    wait_until(5, "the server is gone", || ProcId::of(client.server_pid()).is_none());
}

#[test]
fn a_server_of_an_unknown_version_is_asked_through_tmux_itself() {
    let sandbox = Sandbox::new();
    let server = by_way_of(&sandbox, "next-99", ":");
    let mut client = Client::connect(&server, &Sandbox::anchor(), |_| {}).expect("connect");
    let made = client.new_session(&Sandbox::session("p-a", "echo hello; exec cat")).expect("session");
    assert_eq!(client.list().expect("list").len(), 2);
    let listed = clients(&sandbox);
    assert_eq!(listed.len(), 1);
    assert_ne!(listed, [format!("{} 1", std::process::id())], "a process of tmux");
    client.send_text(&made.pane_id, "words").expect("type");
    sandbox.tmux(&["kill-session", "-t", "=p-watchdog:"]);
    wait_until(5, "the anchor is made again", || client.list().is_ok_and(|rows| rows.len() == 2));
    let process: u32 = clients(&sandbox)[0].split(' ').next().and_then(|pid| pid.parse().ok()).expect("a pid");
    drop(client);
    wait_until(5, "no process is left", || ProcId::of(process).is_none());
}

#[test]
fn an_attach_that_is_given_up_does_no_harm() {
    let sandbox = Sandbox::new();
    let first = sandbox.client();
    let process = ProcId::of(first.server_pid()).expect("server");
    let stop = sandbox.join("stop");
    // It stops between the question for its version and the attach.
    let after = format!("if test -e {}; then kill -STOP {}; fi", stop.display(), process.pid);
    let version = sandbox.tmux(&["display-message", "-p", "#{version}"]);
    let server = by_way_of(&sandbox, version.trim(), &after);
    let told = Arc::new(());
    let kept = told.clone();
    let mut client = Client::connect(&server, &Sandbox::anchor(), move |_| drop(kept.clone())).expect("connect");
    client.set_deadline(Duration::from_millis(500));
    for _ in 0..5 {
        std::fs::write(&stop, "").expect("a mark");
        let result = client.restore();
        assert!(matches!(result, Err(TmuxError::Deadline { .. })), "{result:?}");
        std::fs::remove_file(&stop).expect("no mark");
        assert!(process.signal(Signal::CONT));
    }
    client.set_deadline(Duration::from_secs(5));
    assert_eq!(client.restore(), Ok(false), "the same server");
    assert_eq!(client.list().expect("list").len(), 1);
    wait_until(5, "those that were given up are gone", || clients(&sandbox).len() == 2);
    assert!(process.signal(Signal::STOP));
    drop(client);
    wait_until(5, "no thread of ours waits for a server that is stopped", || Arc::strong_count(&told) == 1);
    assert!(process.signal(Signal::CONT));
}
