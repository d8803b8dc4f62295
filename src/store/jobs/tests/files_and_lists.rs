use super::*;

#[test]
fn what_was_asked_for_comes_back_and_the_files_are_ours_alone() {
    let (_dir, mut store) = temp();
    let mut job = with(|spec| {
        spec.name = "build".into();
        spec.dir = "/tmp".into();
    });
    job.spec.steps[0].command = JobCommand::Argv(vec![Bytes("a b".into()), Bytes("".into())]);
    let id = submit(&mut store, job.clone());
    assert_eq!(id, JobId(1));
    let read = again(&store).job(id).expect("read").expect("there");
    assert_eq!((read.spec, read.state, read.attempt, read.created), (job.spec, JobState::Queued, 1, Wall(1000)));
    assert_eq!(read.log, store.dir().join("logs/jobs/j1-build.log"));
    assert_eq!(store.named("build").expect("read"), [id]);
    let claimed = claim(&mut store, 2000).expect("it may run");
    assert_eq!(claimed.env, *job.env);
    assert_eq!((claimed.job.state, claimed.job.runner), (JobState::Running, Some(me(1))));
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(store.dir()), 0o700);
    for file in ["jobs.db", "jobs.db-wal", PULSE] {
        assert_eq!(mode(&store.dir().join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_link_and_a_newer_format_are_refused() {
    let (dir, store) = temp();
    let link = dir.path().join("link.db");
    std::os::unix::fs::symlink(store.path(), &link).expect("a link");
    assert!(open(&link, Durability::Normal).err().expect("refused").to_string().contains("symbolic link"));
    store.conn.pragma_update(None, "user_version", 99).expect("written");
    let refused = open(&store.path(), Durability::Normal).err().expect("refused");
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
    assert!(open_existing(&dir.path().join("none").join(FILE), Durability::Full).expect("looked").is_none());
    assert!(!dir.path().join("none").exists(), "a look makes nothing");
}

#[test]
fn a_damaged_file_never_becomes_an_empty_queue() {
    let (_dir, store) = temp();
    let path = store.path();
    drop(store);
    std::fs::remove_file(path.with_file_name("jobs.db-wal")).expect("it would mend the file");
    std::fs::write(&path, b"this is no database, whatever its name says").expect("written");
    let refused = open(&path, Durability::Normal).err().expect("refused");
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
    assert!(std::fs::read(&path).expect("read").starts_with(b"this is no"), "and was not touched");
}

#[test]
fn remove_and_clean_never_touch_what_runs() {
    let (_dir, mut store) = temp();
    for _ in 0..6 {
        submit(&mut store, new());
    }
    let running = claim(&mut store, 1).expect("claimed");
    store.set_run_dir(running.job.id, running.epoch, "jobs/x-1").expect("written");
    assert_eq!(store.remove(running.job.id, Wall(2)).expect("read"), Removed::Not(JobState::Running));
    for state in [JobState::Done, JobState::Done, JobState::Failed] {
        let claimed = claim(&mut store, 1).expect("claimed");
        finish(&mut store, &claimed, state, 2);
    }
    let ids = |gone: Vec<Gone>| gone.into_iter().map(|gone| gone.id.0).collect::<Vec<_>>();
    assert_eq!(ids(store.clean(1, 1, false).expect("written")), [2]);
    assert_eq!(ids(store.clean(1, 1, false).expect("read")), [] as [i64; 0]);
    assert_eq!(ids(store.clean(9, 0, true).expect("written")), [3, 4]);
    finish(&mut store, &running, JobState::Done, 3);
    let gone = store.clean(0, 0, false).expect("written");
    assert_eq!(gone[0].run_dir, Some(store.dir().join("jobs/x-1")));
    assert_eq!(gone[0].log, store.dir().join("logs/jobs/j1.log"));
    let child = submit(&mut store, with(|spec| spec.after = vec![JobId(5)]));
    assert!(matches!(store.remove(JobId(5), Wall(4)).expect("written"), Removed::Gone(_)));
    assert_eq!(state(&store, child), JobState::Skipped);
    assert_eq!(store.remove(JobId(5), Wall(4)).expect("read"), Removed::Unknown);
    assert_eq!(submit(&mut store, new()), JobId(8), "an id is given out once");
}

#[test]
fn lists_are_newest_first_and_by_state_and_group() {
    let (_dir, mut store) = temp();
    store.set_limit("other", Some(1)).expect("written");
    submit(&mut store, new());
    submit(&mut store, with(|spec| spec.group = "other".into()));
    submit(&mut store, with(|spec| spec.hold = true));
    submit(&mut store, with(|spec| spec.not_before = Some(Wall(99_000))));
    let list = |state, group: Option<&str>, limit| {
        let filter = JobFilter { state, group: group.map(str::to_owned) };
        store.list(&filter, limit).expect("read").iter().map(|job| job.id.0).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, None), [4, 3, 2, 1]);
    assert_eq!(list(None, None, Some(2)), [4, 3]);
    assert_eq!(list(Some(JobState::Queued), None, None), [4, 2, 1]);
    assert_eq!(list(Some(JobState::Held), None, None), [3]);
    assert_eq!(list(Some(JobState::Queued), Some("other"), None), [2]);
    assert_eq!(list(None, Some("default"), Some(1)), [4]);
    let counts = store.counts().expect("read");
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(JobState::Held, 1), (JobState::Queued, 3)]);
}

#[test]
fn a_long_log_of_changes_is_carried_over_when_there_is_time() {
    let (_dir, mut store) = temp();
    store.settle();
    let path = store.path();
    assert!(std::fs::metadata(path.with_file_name("jobs.db-wal")).expect("there").len() > 0, "it is short");
    store.submit(&vec![new(); 1000], Wall(1)).expect("queued");
    store.settle();
    // One page: the new log has begun.
    assert_eq!(std::fs::metadata(path.with_file_name("jobs.db-wal")).expect("there").len(), 32 + 24 + 4096);
    assert_eq!(again(&store).list(&JobFilter::default(), None).expect("read").len(), 1000);
}

/// Each of them is alone with the file, as commands are: what one of them carries over, the next one does not know of.
#[test]
fn the_log_of_changes_does_not_grow_for_ever_where_nobody_runs_jobs() {
    let (_dir, store) = temp();
    let path = store.path();
    drop(store);
    for n in 0..400 {
        let mut store = open(&path, Durability::Normal).expect("opened");
        store.submit(&[new()], Wall(n)).expect("queued");
    }
    let length = std::fs::metadata(path.with_file_name("jobs.db-wal")).expect("there").len();
    assert!(length < 3 << 20, "{length} bytes");
}

#[test]
fn one_environment_is_stored_once_and_goes_with_its_last_job() {
    let (_dir, mut store) = temp();
    let other = NewJob { env: vec![("B".into(), "2".into())].into(), ..new() };
    store.submit(&[new(), new(), other], Wall(1)).expect("queued");
    submit(&mut store, new());
    let rows = |store: &JobStore| store.conn.query_row("SELECT count(*) FROM env", [], |r| r.get::<_, i64>(0));
    assert_eq!(rows(&store), Ok(2));
    for _ in 0..3 {
        let claimed = claim(&mut store, 1).expect("claimed");
        finish(&mut store, &claimed, JobState::Done, 2);
    }
    store.clean(0, 0, false).expect("written");
    assert_eq!(rows(&store), Ok(1));
}

/// What makes them fast with 100,000 rows: no query of the way from submit to end reads the table.
#[test]
fn claims_and_lists_read_no_table_from_end_to_end() {
    let (_dir, mut store) = temp();
    submit(&mut store, new());
    let mut plans = Vec::new();
    for sql in [
        claim::next_sql(None).replace("?1", "5"),
        claim::next_sql(Some(7)).replace("?1", "5"),
        format!("SELECT id FROM job WHERE grp = 'x' AND {} ORDER BY priority DESC, id LIMIT 1", schema::READY),
        format!("SELECT count(*) FROM job WHERE grp = 'x' AND {}", schema::LIVE),
        "SELECT min(wake) FROM job WHERE wake IS NOT NULL AND state IN ('queued', 'backoff') AND within IS NULL".into(),
        "UPDATE job SET state = 'queued', wake = NULL WHERE wake IS NOT NULL AND wake <= 5
         AND state IN ('queued', 'backoff')"
            .into(),
        format!("SELECT id, epoch FROM job WHERE {}", schema::LIVE),
        format!("SELECT id FROM job WHERE {} ORDER BY id DESC LIMIT -1 OFFSET 9", schema::FINISHED),
        format!("SELECT id FROM job WHERE {} AND state = 'failed' ORDER BY id DESC LIMIT 9", schema::UNFINISHED),
        "SELECT id FROM job WHERE name = 'x' AND name <> '' ORDER BY id DESC".into(),
    ] {
        let mut query = store.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a query");
        let rows = query.query_map([], |r| r.get::<_, String>(3)).expect("a plan");
        plans.push((sql.clone(), rows.map(|row| row.expect("a row")).collect::<Vec<_>>()));
    }
    for (sql, plan) in plans {
        assert!(plan.iter().any(|step| step.contains("INDEX job_")), "{sql}\n{plan:?}");
        let whole = |step: &&String| step.starts_with("SCAN") && !step.contains("INDEX") && !step.contains("SCAN g");
        assert_eq!(plan.iter().find(whole), None, "{sql}");
    }
}

/// A list of several values in the condition of an index is a table in memory for each write.
#[test]
fn a_write_makes_no_table_of_its_own() {
    let (_dir, store) = temp();
    for sql in [
        "INSERT INTO job(id, name, grp, state, priority, created, env, spec) VALUES(1, '', 'g', 'queued', 0, 5, 1, '')",
        "UPDATE job SET state = 'done', ended = 5, steps = '' WHERE id = 7 AND epoch = 1",
        "DELETE FROM job WHERE id = 7",
    ] {
        let mut query = store.conn.prepare(&format!("EXPLAIN {sql}")).expect("a query");
        let steps = query.query_map([], |r| r.get::<_, String>(1)).expect("its steps");
        let steps: Vec<String> = steps.map(|step| step.expect("a step")).collect();
        assert!(steps.len() > 10 && !steps.contains(&"OpenEphemeral".to_owned()), "{sql}: {steps:?}");
    }
}

#[test]
fn a_store_whose_unfinished_jobs_stand_in_an_older_index_gets_todays() {
    let (_dir, mut store) = temp();
    let failed = submit(&mut store, new());
    submit(&mut store, new());
    let old = "UPDATE job SET state = 'failed' WHERE id = 1; DROP INDEX job_unfinished;
               CREATE INDEX job_unfinished ON job(state)
                 WHERE state IN ('failed', 'timeout', 'cancelled', 'interrupted');
               DROP INDEX job_ready; DROP INDEX job_within;
               ALTER TABLE job DROP COLUMN finder; ALTER TABLE job DROP COLUMN opened;
               ALTER TABLE job DROP COLUMN within; ALTER TABLE env DROP COLUMN caller;
               CREATE INDEX job_ready ON job(grp, priority DESC, id) WHERE state = 'queued' AND wake IS NULL;
               PRAGMA user_version = 5;";
    store.conn.execute_batch(old).expect("as it was");
    drop(again(&store));
    let sql = "SELECT sql FROM sqlite_schema WHERE name = 'job_unfinished'";
    let index: String = store.conn.query_row(sql, [], |r| r.get(0)).expect("the index");
    assert!(index.contains("OR state = 'interrupted'"), "{index}");
    let filter = JobFilter { state: Some(JobState::Failed), group: None };
    let found = store.list(&filter, None).expect("a list");
    assert_eq!(found.iter().map(|job| job.id).collect::<Vec<_>>(), [failed]);
}
