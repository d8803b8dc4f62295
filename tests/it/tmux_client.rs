//! The tmux client on a real, private server.
use crate::sandbox::{Sandbox, wait_until};
use agents::world::{
    process::{ProcId, has_unread_input},
    tmux::{Client, NewSession, Notice, Server, TmuxError, list_once, rescue_socket},
};
use rustix::process::Signal;
use std::{
    io::Write,
    process::{Child, Command, Stdio},
    time::Duration,
};

fn text_of(client: &mut Client, pane: &str) -> String {
    client.capture(&[pane]).expect("capture").remove(pane).map(|c| c.text).unwrap_or_default()
}

/// Columns and rows.
fn size_of(sandbox: &Sandbox, pane: &str) -> String {
    sandbox.tmux(&["display-message", "-p", "-t", pane, "#{pane_width}x#{pane_height}"]).trim().to_owned()
}

#[test]
fn sessions_are_made_listed_captured_and_ended() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let made = client.new_session(&Sandbox::session("p-a", "echo hello; exec cat")).expect("session");
    wait_until(5, "the pane prints", || text_of(&mut client, &made.pane_id).starts_with("hello\n"));
    let rows = client.list().expect("list");
    let row = rows.iter().find(|r| r.session_name == "p-a").expect("row");
    assert_eq!((&row.pane_id, row.pane_pid), (&made.pane_id, made.pid));
    assert_eq!(size_of(&sandbox, &made.pane_id), "120x40");
    assert!(!row.dead && !row.in_mode && !row.piped && row.activity > 1_700_000_000);
    assert_eq!(row.command, "cat");
    let (pid, once) = list_once(&sandbox.server).expect("look").expect("a server");
    assert_eq!((pid, once.len()), (client.server_pid(), 2));
    client.kill_session(&made.session_id).expect("kill");
    assert!(client.list().expect("list").iter().all(|r| r.session_name != "p-a"));
    client.kill_session(&made.session_id).expect("killing twice is no fault");
    client.kill_session("p-a").expect("nor by name");
}

#[test]
fn a_taken_name_is_the_last_lock() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let new = Sandbox::session("p-a", "exec sleep 100");
    let results = client.new_sessions(&[new.clone(), new.clone(), Sandbox::session("p-b", "exec sleep 100")]);
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert_eq!(results[1], Err(TmuxError::Duplicate("p-a".into())));
    let bad = client.new_session(&Sandbox::session("#(touch x)", "true"));
    assert!(matches!(bad, Err(TmuxError::Refused(_))), "{bad:?}");
}

#[test]
fn early_output_is_never_lost() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let all: Vec<NewSession> = (0..20)
        .map(|n| NewSession {
            pipe: Some(vec![
                "dd".into(),
                "status=none".into(),
                "bs=65536".into(),
                format!("of={}", sandbox.join(&format!("log{n}")).display()),
            ]),
            ..Sandbox::session(&format!("p-{n}"), "echo FIRST; echo SECOND; exec sleep 100")
        })
        .collect();
    for made in client.new_sessions(&all) {
        assert_eq!(made.expect("session").pipe_error, None);
    }
    for n in 0..20 {
        let log = sandbox.join(&format!("log{n}"));
        wait_until(10, "both lines", || std::fs::read_to_string(&log).is_ok_and(|t| t == "FIRST\r\nSECOND\r\n"));
    }
}

#[test]
fn odd_paths_reach_the_log_writer_as_they_are() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let odd = "a b 'q' \"d\" $(touch x1) `touch x2` #(touch x3) ##{pid} #[fg=red] ##[x %H 100% \\ ~ ; é";
    let dir = sandbox.join(odd);
    std::fs::create_dir(&dir).expect("folder");
    let log = dir.join("log;");
    let new = NewSession {
        pipe: Some(vec!["dd".into(), "status=none".into(), "bs=65536".into(), format!("of={}", log.display())]),
        argv: vec!["printf".into(), "%s|".into(), odd.into(), "end;".into()],
        ..Sandbox::session("p-odd", "")
    };
    client.new_session(&new).expect("session");
    wait_until(10, "its words", || std::fs::read_to_string(&log).is_ok_and(|t| t == format!("{odd}|end;|")));
    let left: Vec<_> = std::fs::read_dir("/").expect("root").flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().starts_with('x')), "{left:?}");
}

#[test]
fn rows_cannot_be_forged() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let title = "t|x %9 $9";
    let forged = format!(
        "printf '\\033]2;%s\\033\\\\' '{title}'; exec -a \"$(printf 'sh\\n%%end 1 2 1\\n$9 @9 %%9 1 1 0\\tx')\" sleep 100"
    );
    let argv = vec!["bash".into(), "-c".into(), forged];
    let made = client.new_session(&NewSession { argv, ..Sandbox::session("p-f", "") }).expect("session");
    wait_until(5, "the forged name", || {
        client
            .list()
            .expect("list")
            .iter()
            .any(|r| r.pane_id == made.pane_id && r.command.contains("%end") && r.title == title)
    });
    assert_eq!(client.list().expect("list").len(), 2, "one row a pane");
    assert_eq!(list_once(&sandbox.server).expect("look").expect("server").1.len(), 2);
}

#[test]
fn typed_text_arrives_whole() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let out = sandbox.join("typed");
    let made = client
        .new_session(&Sandbox::session("p-t", &format!("stty -echo; echo ready; exec cat > {}", out.display())))
        .expect("session");
    wait_until(5, "ready", || text_of(&mut client, &made.pane_id).contains("ready"));
    let words = [
        "ends with;",
        ";",
        "-leading",
        "a'b\"c",
        "$HOME ~ #{pid} #(touch x) \\ %1 {x}",
        "é●漢",
        "Enter",
        "# not a comment",
    ];
    for word in words {
        client.send_text(&made.pane_id, word).expect("type");
        client.press(&made.pane_id, "Enter").expect("press");
    }
    let long = "é;".repeat(1300);
    client.send_text(&made.pane_id, &long).expect("type");
    client.press(&made.pane_id, "C-m").expect("press");
    let want = format!("{}\n{long}\n", words.join("\n"));
    wait_until(10, "all words", || std::fs::read_to_string(&out).is_ok_and(|t| t == want));
    assert!(matches!(client.send_text(&made.pane_id, "a\nb"), Err(TmuxError::Refused(_))));
    assert!(matches!(client.press(&made.pane_id, "kill-server"), Err(TmuxError::Refused(_))));
    assert_eq!(client.send_text("%99", "x"), Err(TmuxError::Gone("%99".into())));
}

#[test]
fn a_long_text_is_typed_whole_or_not_at_all() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let out = sandbox.join("typed");
    let script = format!("stty raw -echo; echo ready; exec cat > {}", out.display());
    let made = client.new_session(&Sandbox::session("p-t", &script)).expect("session");
    wait_until(5, "ready", || text_of(&mut client, &made.pane_id).contains("ready"));
    let long = "é'; \\".repeat(2500);
    sandbox.tmux(&["copy-mode", "-t", &made.pane_id]);
    assert!(matches!(client.send_text(&made.pane_id, &long), Err(TmuxError::Refused(_))));
    client.leave_mode(&made.pane_id).expect("leave");
    client.send_text(&made.pane_id, &long).expect("type");
    wait_until(10, "all of it", || std::fs::read_to_string(&out).is_ok_and(|t| t.len() >= long.len()));
    assert_eq!(std::fs::read_to_string(&out).expect("text"), long);
    client.erase(&made.pane_id, 3).expect("erase");
    wait_until(10, "backspaces", || std::fs::read_to_string(&out).is_ok_and(|t| t == format!("{long}\x7f\x7f\x7f")));
}

#[test]
fn a_paste_is_bracketed_cleaned_and_whole() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let out = sandbox.join("pasted");
    let line = format!("stty raw -echo; printf '\\033[?2004hready'; exec dd bs=65536 of={} 2>/dev/null", out.display());
    let made = client.new_session(&Sandbox::session("p-t", &line)).expect("session");
    wait_until(5, "ready", || text_of(&mut client, &made.pane_id).contains("ready"));
    let body = "0123456789abcdef\n".repeat(12_000);
    client.paste(&made.pane_id, &format!("\x1b[201~\x03{body}é\ttail;")).expect("paste");
    let want = format!("\x1b[200~[201~{body}é\ttail;\x1b[201~");
    wait_until(20, "the paste", || std::fs::read_to_string(&out).is_ok_and(|t| t == want));
    assert_eq!(sandbox.tmux(&["list-buffers"]), "");
}

#[test]
fn nothing_is_typed_into_a_dead_pane_or_a_mode() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let pid = client.server_pid();
    sandbox.tmux(&["set-option", "-g", "remain-on-exit", "on"]);
    let made = client.new_session(&Sandbox::session("p-d", "exit 7")).expect("session");
    wait_until(5, "it is dead", || client.list().expect("list").iter().any(|r| r.pane_id == made.pane_id && r.dead));
    for result in [
        client.paste(&made.pane_id, "text"),
        client.send_text(&made.pane_id, "text"),
        client.press(&made.pane_id, "Enter"),
    ] {
        assert_eq!(result, Err(TmuxError::Refused(format!("pane {} is dead", made.pane_id))));
    }
    let live = client.new_session(&Sandbox::session("p-l", "exec cat")).expect("session");
    sandbox.tmux(&["copy-mode", "-t", &live.pane_id]);
    assert_eq!(
        client.send_text(&live.pane_id, "x"),
        Err(TmuxError::Refused(format!("pane {} is in copy mode", live.pane_id)))
    );
    client.leave_mode(&live.pane_id).expect("leave");
    client.send_text(&live.pane_id, "after").expect("type");
    wait_until(5, "typed", || text_of(&mut client, &live.pane_id).contains("after"));
    sandbox.tmux(&["select-pane", "-d", "-t", &live.pane_id]);
    assert!(matches!(client.press(&live.pane_id, "a"), Err(TmuxError::Refused(_))));
    assert_eq!(client.server_pid(), pid);
    assert_eq!(sandbox.tmux(&["list-buffers"]), "");
    assert_eq!(list_once(&sandbox.server).expect("look").map(|(p, _)| p), Some(pid), "the server lives");
}

#[test]
fn nothing_is_typed_where_the_cursor_has_moved() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let made = client.new_session(&Sandbox::session("p-a", "stty -echo; printf 'name: '; exec cat")).expect("session");
    wait_until(5, "it asks", || text_of(&mut client, &made.pane_id).starts_with("name:"));
    for (column, row) in [(6, 1), (5, 0), (0, 0)] {
        for refused in [
            client.while_at(Some((column, row))).send_text(&made.pane_id, "x"),
            client.while_at(Some((column, row))).paste(&made.pane_id, "x"),
            client.while_at(Some((column, row))).press(&made.pane_id, "Enter"),
            client.while_at(Some((column, row))).erase(&made.pane_id, 1),
        ] {
            assert!(matches!(refused, Err(TmuxError::Refused(_))), "{column} {row}: {refused:?}");
        }
    }
    client.while_at(Some((6, 0))).send_text(&made.pane_id, "a").expect("type");
    client.while_at(Some((6, 0))).paste(&made.pane_id, "b").expect("paste");
    client.while_at(Some((6, 0))).press(&made.pane_id, "Enter").expect("press");
    wait_until(5, "it answers", || text_of(&mut client, &made.pane_id).contains("name: ab"));
    client.press(&made.pane_id, "Enter").expect("anywhere");
}

#[test]
fn two_hundred_sessions() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let all: Vec<NewSession> =
        (0..200).map(|n| Sandbox::session(&format!("p-{n}"), &format!("echo pane {n}; exec sleep 1000"))).collect();
    client.set_deadline(Duration::from_secs(60));
    let made: Vec<_> = client.new_sessions(&all).into_iter().map(|r| r.expect("session")).collect();
    assert_eq!(client.list().expect("list").len(), 201);
    let panes: Vec<&str> = made.iter().map(|m| m.pane_id.as_str()).collect();
    wait_until(30, "every screen", || {
        let got = client.capture(&panes).expect("capture");
        (0..200).all(|n| got.get(panes[n]).is_some_and(|c| c.text.starts_with(&format!("pane {n}\n"))))
    });
    client.kill_session(&made[7].session_id).expect("kill");
    let got = client.capture(&panes).expect("capture");
    assert_eq!((got.len(), got.contains_key(panes[7])), (199, false), "what is gone is absent");
}

/// Many are told apart by their heights, few by marks.
#[test]
fn the_screens_of_many_are_those_of_each() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let shows = |n: usize, command: &str| Sandbox::session(&format!("p-{n}"), &format!("{command}; exec sleep 1000"));
    let all = [
        shows(0, "seq 1 99; printf 'no newline'"),
        shows(1, "printf '\\033[?1049h\\033[2Jalternate \\345\\260\\217 wide\\033[7;9H'"),
        shows(2, "printf '\\033]2;a | title # {x}\\007titled\\n'"),
        shows(3, "true"),
        shows(4, "seq 1 99; printf '\\033[3;4H'"),
        shows(5, "printf '\\377 not a character\\n'; seq 1 5"),
    ];
    let made: Vec<_> = client.new_sessions(&all).into_iter().map(|r| r.expect("session")).collect();
    let panes: Vec<&str> = made.iter().map(|m| m.pane_id.as_str()).collect();
    let tmux = |words: &[&str]| drop(sandbox.tmux(words));
    tmux(&["resize-window", "-t", "=p-3:", "-x", "40", "-y", "3"]);
    tmux(&["resize-window", "-t", "=p-2:", "-x", "200", "-y", "61"]);
    assert_eq!(client.list().expect("list").len(), 7);
    wait_until(30, "every screen", || {
        let got = client.capture(&panes).expect("capture");
        let shows = |n: usize, text: &str| got[panes[n]].text.contains(text);
        shows(0, "no newline") && shows(1, "wide") && shows(2, "titled") && shows(4, "99") && shows(5, "5\n")
    });
    tmux(&["copy-mode", "-t", "=p-4:"]);
    tmux(&["send-keys", "-t", "=p-4:", "-X", "page-up"]);
    let together = client.capture(&panes).expect("capture");
    let each = panes.iter().flat_map(|pane| client.capture(&[pane]).expect("capture"));
    assert_eq!(together, each.collect());
    let heights: Vec<_> = panes.iter().map(|pane| together[*pane].text.lines().count()).collect();
    assert_eq!((heights[2], heights[3]), (61, 3));
    assert_eq!(together[panes[2]].title, "a | title # {x}");
}

#[test]
fn a_stopped_server_is_a_deadline_with_unknown_outcome() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let server = ProcId::of(client.server_pid()).expect("server");
    assert!(server.signal(Signal::STOP));
    client.set_deadline(Duration::from_millis(300));
    let result = client.new_session(&Sandbox::session("p-late", "exec sleep 100"));
    assert!(matches!(&result, Err(e) if e.is_unknown()), "{result:?}");
    assert!(matches!(client.list(), Err(TmuxError::Deadline { .. })));
    assert!(matches!(client.capture(&["%0"]), Err(TmuxError::Deadline { .. })));
    for _ in 0..4 {
        assert!(matches!(client.restore(), Err(TmuxError::Deadline { .. })));
    }
    assert!(server.signal(Signal::CONT));
    client.set_deadline(Duration::from_secs(5));
    wait_until(10, "it answers again", || client.list().is_ok());
    assert_eq!(client.server_pid(), server.pid);
}

#[test]
fn a_killed_server_is_seen_and_made_again_only_when_asked() {
    let sandbox = Sandbox::new();
    let (sender, notices) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let mut client = Client::connect(&sandbox.server, &Sandbox::anchor(), move |notice| {
        let _ = sender.lock().expect("lock").send(notice);
    })
    .expect("connect");
    let first = client.server_pid();
    assert!(ProcId::of(first).expect("server").signal(Signal::KILL));
    loop {
        match notices.recv_timeout(Duration::from_secs(5)).expect("a notice") {
            Notice::Lost(_) => break,
            Notice::Changed => {}
        }
    }
    assert!(matches!(client.list(), Err(TmuxError::ServerDown(_))));
    assert_eq!(list_once(&sandbox.server), Ok(None));
    assert_eq!(client.restore(), Ok(true));
    assert_ne!(client.server_pid(), first);
    assert_eq!(client.list().expect("list").len(), 1);
    sandbox.tmux(&["kill-session", "-t", "=p-watchdog:"]);
    wait_until(5, "the anchor is made again", || client.list().is_ok_and(|rows| rows.len() == 1));
    assert_eq!(client.restore(), Ok(false));
}

#[test]
fn a_change_made_by_others_is_noticed() {
    let sandbox = Sandbox::new();
    let (sender, notices) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let _client = Client::connect(&sandbox.server, &Sandbox::anchor(), move |notice| {
        let _ = sender.lock().expect("lock").send(notice);
    })
    .expect("connect");
    sandbox.tmux(&["new-session", "-d", "-s", "other", "sleep 100"]);
    assert_eq!(notices.recv_timeout(Duration::from_secs(5)), Ok(Notice::Changed));
}

#[test]
fn a_removed_socket_comes_back() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let server = ProcId::of(client.server_pid()).expect("server");
    std::fs::remove_file(sandbox.server.socket_path()).expect("remove");
    assert_eq!(list_once(&sandbox.server), Ok(None));
    assert_eq!(rescue_socket(&sandbox.server, server), Ok(true));
    assert_eq!(list_once(&sandbox.server).expect("look").map(|(pid, _)| pid), Some(server.pid));
    client.list().expect("the old connection never ended");
    assert_eq!(
        rescue_socket(&sandbox.server, ProcId { start: 1, ..server }),
        Ok(false),
        "another process is left alone"
    );
}

#[test]
fn the_size_stays_when_a_person_looks_in() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let made = client.new_session(&Sandbox::session("p-a", "exec sleep 100")).expect("session");
    // A second tmux server stands in for the person's terminal.
    let other = Sandbox::new();
    let mut terminal = other.client();
    let attach = format!("TMUX= exec tmux -S {} attach -t =p-a:", sandbox.server.socket_path().display());
    let person = NewSession { size: (60, 15), ..Sandbox::session("person", &attach) };
    terminal.new_session(&person).expect("terminal");
    wait_until(5, "attached", || sandbox.tmux(&["list-clients", "-F", "#{client_width}"]).contains("60"));
    assert_eq!(size_of(&sandbox, &made.pane_id), "120x40");
}

/// A stand-in for `tmux` that runs `line` first.
fn wrapped(sandbox: &Sandbox, line: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = sandbox.join("tmux-wrapper");
    std::fs::write(&path, format!("#!/bin/sh\n{line}\n")).expect("wrapper");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("mode");
    path
}

#[test]
fn a_look_costs_no_process_and_a_sweep_of_captures_one_at_most() {
    let spoken = ["tmux 3.3a", "tmux 3.5a"].contains(&Sandbox::new().tmux(&["-V"]).trim());
    sweep("cat", usize::from(!spoken));
    sweep("sed 1s/.*/9.9/", 1);
}

/// `version`: what is made of the server's version on its way to us. `processes`: for a sweep of captures.
fn sweep(version: &str, processes: usize) {
    let sandbox = Sandbox::new();
    let calls = sandbox.join("calls");
    let line = format!(
        "echo x >> {}\ncase \"$*\" in *'#{{version}}'*) tmux \"$@\" | {version} ;; *) exec tmux \"$@\" ;; esac",
        calls.display()
    );
    let tmux = wrapped(&sandbox, &line);
    let server = Server { tmux, ..sandbox.server.clone() };
    let mut client = Client::connect(&server, &Sandbox::anchor(), |_| {}).expect("connect");
    let all: Vec<NewSession> = (0..50).map(|n| Sandbox::session(&format!("p-{n}"), "exec sleep 1000")).collect();
    let count = || std::fs::read_to_string(&calls).expect("calls").lines().count();
    let before = count();
    let made: Vec<_> = client.new_sessions(&all).into_iter().map(|r| r.expect("session")).collect();
    assert_eq!(client.list().expect("list").len(), 51);
    client.send_text(&made[0].pane_id, "x").expect("type");
    assert_eq!(count(), before, "making, listing and typing go over the connection");
    let panes: Vec<&str> = made.iter().map(|m| m.pane_id.as_str()).collect();
    assert_eq!(client.capture(&panes).expect("capture").len(), 50);
    assert_eq!(count(), before + processes, "with `{version}`");
    assert_eq!(client.capture(&[]).expect("capture").len(), 0);
    assert_eq!(count(), before + processes, "nothing to capture, no process");
}

#[test]
fn keys_that_a_program_has_not_read_are_seen() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    let go = sandbox.join("go");
    let line = format!("stty raw -echo; echo up; while ! test -e {}; do sleep 0.02; done; exec cat", go.display());
    let made = client.new_session(&Sandbox::session("p-a", &line)).expect("session");
    wait_until(10, "it is up", || {
        client.capture(&[&made.pane_id]).is_ok_and(|all| all[&made.pane_id].text.starts_with("up"))
    });
    let rows = client.list().expect("list");
    let pid = rows.iter().find(|r| r.pane_id == made.pane_id).expect("its pane").pane_pid;
    let process = ProcId::of(pid).expect("it lives");
    assert_eq!(has_unread_input(process), Some(false));
    client.press(&made.pane_id, "Enter").expect("a key");
    wait_until(10, "the key waits", || has_unread_input(process) == Some(true));
    std::fs::write(&go, "").expect("go on");
    wait_until(10, "the key is read", || has_unread_input(process) == Some(false));
    let server = ProcId::of(client.server_pid()).expect("the server");
    assert_eq!(has_unread_input(server), None, "it has no terminal");
    client.kill_session(&made.session_id).expect("kill");
    wait_until(10, "it is gone", || has_unread_input(process).is_none());
}

#[test]
fn the_users_options_do_not_end_or_bend_what_we_start() {
    let sandbox = Sandbox::new();
    let conf = sandbox.join("users.conf");
    let options = "set -g destroy-unattached on\nset -g base-index 1\nset -g pane-base-index 1\nset -g remain-on-exit on\n\
                   set -g allow-rename on\nset -g default-command false\nset -g default-shell /bin/false\n";
    std::fs::write(&conf, options).expect("conf");
    let server = Server {
        tmux: wrapped(&sandbox, &format!("exec tmux -f {} \"$@\"", conf.display())),
        conf: None,
        ..sandbox.server.clone()
    };
    assert!(!server.is_own());
    let mut client = Client::connect(&server, &Sandbox::anchor(), |_| {}).expect("connect");
    let made = client.new_session(&Sandbox::session("p-a", "echo hello; exec cat")).expect("session");
    assert_eq!(made.pipe_error, None);
    wait_until(5, "started", || text_of(&mut client, &made.pane_id).starts_with("hello"));
    client.send_text(&made.pane_id, "words").expect("type");
    wait_until(5, "typed", || text_of(&mut client, &made.pane_id).starts_with("hello\nwords"));
    client.press(&made.pane_id, "Enter").expect("press");
    client.press(&made.pane_id, "C-d").expect("press");
    wait_until(5, "nothing is left", || client.list().expect("list").len() == 1);
}

#[test]
fn buffers_of_a_process_that_is_gone_are_removed() {
    let sandbox = Sandbox::new();
    drop(sandbox.client());
    let mut gone = std::process::Command::new("true").spawn().expect("true");
    gone.wait().expect("wait");
    for name in [format!("agents-{}-1", gone.id()), format!("agents-{}-1", std::process::id()), "mine".into()] {
        sandbox.tmux(&["set-buffer", "-b", &name, "text"]);
    }
    let _client = sandbox.client();
    let left = sandbox.tmux(&["list-buffers", "-F", "#{buffer_name}"]);
    let mut left: Vec<&str> = left.lines().collect();
    left.sort_unstable();
    assert_eq!(left, [format!("agents-{}-1", std::process::id()).as_str(), "mine"]);
}

#[test]
fn a_server_that_cannot_be_made_is_said() {
    let sandbox = Sandbox::new();
    let server =
        Server { address: agents::world::tmux::Address::Socket("/nonexistent/dir/s".into()), ..sandbox.server.clone() };
    let result = Client::connect(&server, &Sandbox::anchor(), |_| {});
    assert!(matches!(&result, Err(TmuxError::Socket(why)) if why.contains("/nonexistent/dir")), "{:?}", result.err());
    let missing = Server { tmux: "/nonexistent/tmux".into(), ..sandbox.server.clone() };
    assert_eq!(missing.version(), Err(TmuxError::NoTmux("/nonexistent/tmux".into())));
    assert_eq!(
        Client::connect(&missing, &Sandbox::anchor(), |_| {}).err(),
        Some(TmuxError::NoTmux("/nonexistent/tmux".into()))
    );
}

#[test]
fn a_killed_watchdogs_connection_does_not_keep_the_server_from_ending() {
    let sandbox = Sandbox::new();
    let mut client = sandbox.client();
    client.new_session(&Sandbox::session("p-a", "exec sleep 100")).expect("session");
    let control = |owner: String| {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(sandbox.server.socket_path()).args(["-C", "attach-session", "-t", "=p-a:"]);
        command.env("AGENTS_TMUX_OWNER", owner).env_remove("TMUX");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("tmux")
    };
    let clients = || sandbox.tmux(&["list-clients", "-F", "#{client_pid}"]).lines().count();
    let own = ProcId::own().expect("ourselves");
    // Owners that are gone, in the middle of an answer: tmux 3.3a keeps some of these clients for ever.
    let mut children: Vec<Child> = (0..12).map(|_| control(format!("{} {}", own.pid, own.start + 1))).collect();
    let mut alive = control(format!("{} {}", own.pid, own.start));
    wait_until(5, "all are attached", || clients() == 14);
    for child in &mut children {
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all("list-sessions\n".repeat(6).as_bytes()).expect("asked");
        drop(child.stdout.take());
    }
    client.restore().expect("another connection");
    wait_until(5, "only the living one's is left", || clients() == 2);
    drop(alive.stdin.take());
    sandbox.server.kill().expect("told to end");
    wait_until(5, "the server is gone", || ProcId::of(client.server_pid()).is_none_or(|p| !p.is_alive()));
    children.iter_mut().chain([&mut alive]).for_each(|child| drop(child.wait()));
}
