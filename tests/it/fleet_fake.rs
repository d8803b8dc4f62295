//! The test builder and the fake agent themselves.
use crate::fleet::Fleet;

#[test]
fn the_fake_agent_follows_its_script() {
    let fleet = Fleet::new("[[agent]]\nname = \"a\"\n");
    fleet.script("a", "say hello\nreply thanks\nswallow 1\nidle");
    fleet.up();
    fleet.wait("a prompt", |f| f.output("a").contains("hello") && f.output("a").contains("> "));
    fleet.tmux(&["send-keys", "-t", "=t-a:", "-l", "--", "one"]).ok();
    fleet.tmux(&["send-keys", "-t", "=t-a:", "Enter"]).ok();
    fleet.tmux(&["send-keys", "-t", "=t-a:", "Enter"]).ok();
    fleet.wait("the second Enter counts", |f| f.lines("a") == ["one"]);
    fleet.wait("an answer", |f| f.output("a").contains("thanks"));
    fleet.tell("a", "busy");
    fleet.wait("it is busy", |f| f.state("a") == "working");
    fleet.tell("a", "exit 3");
    fleet.wait("it is started again", |f| f.starts("a") == 2);
    assert_eq!(fleet.row("a")["last_exit"]["code"], 3);
}
