//! What changes on a pane without any output, and without a word from tmux: its log writer is gone, somebody scrolls.
//! Between two heavy passes panes are looked at in short, which does not tell of it.
use crate::fleet::{BASE, Fleet, signal};
use agents::world::process::ProcId;
use rustix::process::Signal;

fn log_writer(f: &Fleet) -> ProcId {
    let is = |p: &ProcId| {
        std::fs::read(format!("/proc/{}/cmdline", p.pid)).is_ok_and(|l| l.windows(5).any(|w| w == b"__log"))
    };
    let not_watch = |p: &ProcId| {
        std::fs::read(format!("/proc/{}/cmdline", p.pid)).is_ok_and(|l| !l.windows(5).any(|w| w == b"tmux\0"))
    };
    f.processes().into_iter().filter(not_watch).find(is).expect("a log writer")
}

#[test]
fn a_lost_log_writer_is_told_once() {
    let base = BASE.replace("heavy_interval = 0.3", "heavy_interval = 3");
    let f = Fleet::with(&format!("{base}[[agent]]\nname = \"a\"\n"));
    f.script("a", "rate 5 600");
    f.up();
    f.wait("it prints", |f| f.output("a").contains("of the flow"));
    // Younger panes may not be connected yet.
    f.wait("it is settled", |f| f.output("a").matches("of the flow").count() > 30);
    signal(log_writer(&f).pid, Signal::KILL);
    f.wait("it is said", |f| f.said("the log writer of t-a was gone") > 0);
    let before = f.output("a").len();
    f.wait("the log goes on", |f| f.output("a").len() > before);
    f.ticks(8);
    assert_eq!(f.said("the log writer of t-a was gone"), 1, "{}", f.log());
}

/// tmux does not notice before the pane prints again, and by then it is too late for what is printed.
#[test]
fn a_log_writer_is_missed_while_its_pane_is_quiet() {
    let base = BASE.replace("heavy_interval = 0.3", "heavy_interval = 3600");
    let f = Fleet::with(&format!("{base}[[agent]]\nname = \"a\"\n"));
    f.up();
    f.wait("it is idle", |f| f.starts("a") == 1 && f.state("a") == "idle");
    f.agents(&["restart", "a"]).ok();
    f.wait("it is idle again", |f| f.starts("a") == 2 && f.state("a") == "idle");
    f.ticks(3);
    assert_eq!(f.said("the log writer of t-a was gone"), 0, "the first one ended with its pane");
    let before = f.output("a").len();
    signal(log_writer(&f).pid, Signal::KILL);
    f.wait("it is said", |f| f.said("the log writer of t-a was gone") > 0);
    assert_eq!(f.output("a").len(), before, "nothing was printed meanwhile");
    f.agents(&["send", "a", "hello there"]).ok();
    f.wait("the log goes on", |f| f.output("a").contains("hello there"));
    assert_eq!(f.said("the log writer of t-a was gone"), 1, "{}", f.log());
    f.agents(&["down", "watchdog"]).ok();
    signal(log_writer(&f).pid, Signal::KILL);
    f.agents(&["up", "watchdog"]).ok();
    f.wait("the next one is missed, too", |f| f.said("the log writer of t-a was gone") == 2);
}

#[test]
fn a_pane_that_is_scrolled_meanwhile_is_not_typed_to() {
    let base = BASE.replace("heavy_interval = 0.3", "heavy_interval = 3600");
    let f =
        Fleet::with(&format!("{base}[[agent]]\nname = \"a\"\nwake = {{ interval = 2, prompt_file = \"wake.md\" }}\n"));
    f.write("wake.md", "look around");
    f.up();
    f.wait("it is woken", |f| f.said("delivered to a") == 1);
    let mode = |f: &Fleet| f.tmux(&["display-message", "-p", "-t", "=t-a:", "#{pane_in_mode}"]).out.trim().to_owned();
    f.tmux(&["copy-mode", "-t", "=t-a:"]).ok();
    let woken = f.said("waking a");
    f.wait("the next wake is due", |f| f.said("waking a") > woken);
    let lines = f.lines("a").len();
    f.ticks(8);
    assert_eq!((f.lines("a").len(), mode(&f).as_str()), (lines, "1"), "{}", f.log());
    f.tmux(&["send-keys", "-t", "=t-a:", "-X", "cancel"]).ok();
    f.wait("it is typed afterwards", |f| f.lines("a").len() > lines);
    assert!(f.lines("a").iter().all(|l| l == "look around"), "{:?}", f.lines("a"));
    assert_eq!(f.said("not delivered") + f.said("unknown whether"), 0, "{}", f.log());
}

/// While tmux is stopped nobody tells of anything. What died meanwhile is not taken for alive afterwards.
#[test]
fn a_death_while_tmux_is_silent_is_seen_once_it_answers() {
    let base = BASE.replace("heavy_interval = 0.3", "heavy_interval = 3600");
    let f = Fleet::with(&format!("{base}[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n"));
    f.up();
    f.wait("both are idle", |f| ["a", "b"].iter().all(|n| f.starts(n) == 1 && f.state(n) == "idle"));
    f.ticks(4);
    let server = f.server();
    signal(server, Signal::STOP);
    f.wait("it is said", |f| f.said("the tmux server does not answer") > 0);
    f.kill("b");
    f.ticks(2);
    signal(server, Signal::CONT);
    f.wait("it is back", |f| f.starts("b") == 2);
    assert_eq!(f.starts("a"), 1, "{}", f.log());
}
