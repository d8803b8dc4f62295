//! A job that a newer version wrote, or that is damaged, among others.
use crate::{jobs_world::JobWorld, sandbox::wait_until};
use agents::model::job::{JobId, JobState};

fn damage(world: &JobWorld, id: JobId) {
    let db = rusqlite::Connection::open(world.dir().join("jobs.db")).expect("the database");
    let spec = r#"{"steps": [{"command": {"dream": "later"}}]}"#;
    assert_eq!(db.execute("UPDATE job SET spec = ?2 WHERE id = ?1", (id.0, spec)), Ok(1));
}

fn out(world: &JobWorld, line: &[&str]) -> String {
    let output = world.run(line);
    assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_others_are_listed_and_it_is_said_which_one_cannot_be_read_and_why() {
    let world = JobWorld::new();
    let (bad, good) = (world.background(&["--hold", "--name", "odd", "true"]), world.background(&["--hold", "true"]));
    damage(&world, bad);
    let list = out(&world, &["jobs"]);
    assert!(list.contains("j2  ‖ held") && list.contains("j1  ‖ held"), "{list}");
    assert!(list.contains("odd: this version of agents cannot read it: unknown variant `dream`"), "{list}");
    let shown = out(&world, &["jobs", "show", "odd"]);
    assert!(shown.contains("error     this version of agents cannot read it: unknown variant `dream`"), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&out(&world, &["jobs", "--json"])).expect("JSON");
    assert!(json[1]["error"].as_str().is_some_and(|why| why.contains("dream")) && json[0]["error"].is_null(), "{json}");
    assert_eq!(out(&world, &["jobs", "rm", "j1"]), "j1 was removed\n");
    assert_eq!(world.jobs().iter().map(|job| job.id).collect::<Vec<_>>(), [good]);
}

#[test]
fn it_fails_when_its_turn_comes_and_blocks_nobody() {
    let world = JobWorld::new();
    world.run(&["jobs", "limit", "1"]);
    let bad = world.background(&["--hold", "true"]);
    damage(&world, bad);
    out(&world, &["jobs", "release", "j1"]);
    assert_eq!(world.over(world.kick()).state, JobState::Done);
    wait_until(30, "it failed", || world.job(bad).state == JobState::Failed);
    assert!(world.job(bad).error.is_some_and(|why| why.contains("cannot read it")));
    let waited = world.run(&["jobs", "wait", "j1"]);
    let said = String::from_utf8_lossy(&waited.stdout).into_owned();
    assert_eq!(waited.status.code(), Some(1));
    assert!(said.starts_with("j1 is failed: this version of agents cannot read it"), "{said}");
}
