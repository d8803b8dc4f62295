//! The SQLite store in trouble: foreign files, damage, a full disk, `kill -9`, two processes, old formats.
use crate::store_conformance::{delivery, event, queued, unit};
use agents::{
    model::{
        delivery::Stage,
        request::{Answer, Verb},
        state::{FleetState, Hold, Life, Wish},
        time::{Boot, Wall},
    },
    store::{
        Changes, Claim, Durability, EventFilter, Store, StoreError,
        sqlite::{self, Settings, SqliteStore},
    },
};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Where a test that runs again as a child process finds its folder.
const DIR: &str = "AGENTS_STORE_TEST_DIR";

fn child_dir() -> Option<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from)
}

/// The command that runs one test of this binary: `wrapper` gets its words as `"$@"`.
fn child(test: &str, wrapper: &str, dir: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", wrapper, "sh"]).arg(std::env::current_exe().unwrap());
    command.args([&format!("store_sqlite::{test}"), "--exact", "--nocapture", "--test-threads=1"]).env(DIR, dir);
    command
}

fn bed() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let db = dir.path().join("agents.db");
    (dir, db)
}

fn open(db: &Path) -> SqliteStore {
    let opened = sqlite::open(db).unwrap();
    assert_eq!(opened.notice, None);
    opened.store
}

fn refused(db: &Path) -> String {
    match sqlite::open(db) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("opened"),
    }
}

/// Two units, a fleet, an open and a closed message, an event, a request: number `n` of each.
fn everything(n: i64) -> Changes {
    Changes {
        units: vec![unit("t-a", n as u64), unit("t-b", n as u64)],
        fleet: Some(FleetState { next_delivery: n, phase: 1, ..FleetState::default() }),
        deliveries: vec![
            delivery(n, "t-a", queued()),
            delivery(n + 1_000_000, "t-a", Stage::Delivered { at: Wall(n) }),
        ],
        events: vec![event(Some("a"), n, "saved")],
        ..Changes::default()
    }
}

fn filled(db: &Path) -> (SqliteStore, Claim) {
    let mut store = open(db);
    let claim = store.claim("engine", "me").unwrap();
    store.save(&claim, &everything(1), Durability::Full).unwrap();
    (store, claim)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_are_private_whatever_the_umask() {
    if let Some(dir) = child_dir() {
        let (mut store, _) = filled(&dir.join("new/er/agents.db"));
        store.ask(&Verb::PhaseSet { index: 0 }, Wall(0)).unwrap();
        return;
    }
    let dir = TempDir::new().unwrap();
    let status = child("files_are_private_whatever_the_umask", "umask 0; exec \"$@\"", dir.path())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let home = dir.path().join("new/er");
    assert_eq!((mode(&dir.path().join("new")), mode(&home)), (0o700, 0o700));
    let names: Vec<_> = fs::read_dir(&home).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(names.len() >= 4, "{names:?}");
    for path in names {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    // one that was too open is narrowed
    fs::set_permissions(home.join("agents.db"), fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&home.join("agents.db")));
    assert_eq!(mode(&home.join("agents.db")), 0o600);
}

#[test]
fn a_symlink_is_refused_and_its_target_untouched() {
    for name in ["agents.db", "agents.db-wal", "agents.db-shm", "agents.db-lock", "agents.db.bak"] {
        let (dir, db) = bed();
        let target = dir.path().join("precious");
        fs::write(&target, "mine").unwrap();
        symlink(&target, dir.path().join(name)).unwrap();
        assert!(refused(&db).contains("symbolic link"), "{name}: {}", refused(&db));
        assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    }
    // a folder that is reached through a link is fine
    let (dir, _) = bed();
    fs::create_dir(dir.path().join("real")).unwrap();
    symlink("real", dir.path().join("link")).unwrap();
    drop(open(&dir.path().join("link/agents.db")));
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    let (dir, db) = bed();
    drop(filled(&db));
    chown(&db, Some(54_321), None).unwrap();
    assert!(refused(&db).contains("belongs to user id 54321"), "{}", refused(&db));
    assert!(sqlite::open_read_only(&db).is_err());
    chown(&db, Some(0), None).unwrap();
    chown(dir.path(), Some(54_321), None).unwrap();
    assert!(refused(&db).contains("belongs to user id 54321"));
}

#[test]
fn a_path_with_everything_in_it_works() {
    use std::os::unix::ffi::OsStrExt;
    let dir = TempDir::new().unwrap();
    let odd = dir.path().join("a b'\"$(x)?&#%20;").join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let db = odd.join("agents.db");
    drop(filled(&db));
    assert_eq!(open(&db).load().unwrap().units.len(), 2);
    assert!(odd.join("agents.db.bak").exists());
}

#[test]
fn a_newer_format_is_refused_without_a_touch() {
    let (_dir, db) = bed();
    drop(filled(&db));
    let conn = Connection::open(&db).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let before = fs::read(&db).unwrap();
    match sqlite::open(&db) {
        Err(StoreError::Newer { found: 99, known: 1, .. }) => {}
        other => panic!("{:?}", other.map(|o| o.notice)),
    }
    assert!(matches!(sqlite::open_read_only(&db), Err(StoreError::Newer { .. })));
    assert_eq!(fs::read(&db).unwrap(), before);
}

#[test]
fn the_first_format_loads_for_ever() {
    let (_dir, db) = bed();
    let conn = Connection::open(&db).unwrap();
    conn.execute_batch(include_str!("../states/v1.sql")).unwrap();
    drop(conn);
    let mut store = open(&db);
    let state = store.load().unwrap();
    assert_eq!(store.notices(), Vec::<String>::new());
    let builder = &state.units["demo-builder"];
    assert_eq!((builder.incarnation, builder.wish), (7, Wish::Run));
    assert_eq!(builder.life, Life::Running { since: Boot(123_456) });
    assert_eq!(builder.hold.as_ref().unwrap().probes, 2);
    assert_eq!(state.units["demo-adversary"].wish, Wish::Stop);
    assert_eq!((state.fleet.phase, state.fleet.next_delivery), (1, 12));
    assert_eq!(state.fleet.handoff.heads["refs/heads/main"], "0123456789abcdef0123456789abcdef01234567");
    assert_eq!(state.deliveries.keys().collect::<Vec<_>>(), [&11]);
    assert_eq!(store.requests().unwrap().len(), 1);
    assert!(store.answer(1).unwrap().is_some());
    assert_eq!(store.get("config").unwrap().as_deref(), Some("session_prefix = \"demo-\"\n"));
    assert_eq!(store.last_events(&EventFilter::default(), 9).unwrap().len(), 2);
    assert_eq!(store.claim("engine", "next").unwrap().epoch, 4);
}

/// Makes the file behind `tests/states/vN.sql`: run it with AGENTS_STORE_TEST_DIR set, then `sqlite3 agents.db .dump`
/// and add the `PRAGMA user_version`.
#[test]
#[ignore = "makes a file for the tree, by hand"]
fn make_a_state_file() {
    let Some(dir) = child_dir() else { return };
    let mut store = open(&dir.join("agents.db"));
    for _ in 0..2 {
        store.claim("engine", "older").unwrap();
    }
    let claim = store.claim("engine", "0f3c").unwrap();
    let (first, second) = (Verb::Pause { names: vec!["builder".into()] }, Verb::PhaseSet { index: 1 });
    store.ask(&first, Wall(1_764_000_000_000)).unwrap();
    store.ask(&second, Wall(1_764_000_000_500)).unwrap();
    store.put(&BTreeMap::from([("config".into(), "session_prefix = \"demo-\"\n".into())])).unwrap();
    let mut builder = unit("demo-builder", 7);
    (builder.wish, builder.life) = (Wish::Run, Life::Running { since: Boot(123_456) });
    let (since, until_wall) = (Wall(1_764_000_000_000), Wall(1_764_000_900_000));
    builder.hold =
        Some(Hold { since, until: Boot(999_999), until_wall, reset: None, probes: 2, pause_ms: 600_000, gone: None });
    let mut adversary = unit("demo-adversary", 3);
    adversary.wish = Wish::Stop;
    let mut fleet = FleetState { phase: 1, next_delivery: 12, ..FleetState::default() };
    fleet.handoff.heads.insert("refs/heads/main".into(), "0123456789abcdef0123456789abcdef01234567".into());
    let changes = Changes {
        units: vec![builder, adversary],
        fleet: Some(fleet),
        deliveries: vec![
            delivery(10, "demo-builder", Stage::Undelivered { at: Wall(5), reason: "agent gone".into() }),
            delivery(
                11,
                "demo-builder",
                Stage::Typing { since: Boot(1), check: Boot(2), until: Boot(3), before: 0, tail: None },
            ),
        ],
        events: vec![event(Some("builder"), 3, "builder: started"), event(None, 4, "watchdog up")],
        answers: vec![(1, Answer::Accepted { text: "paused".into(), delivery: None })],
        ..Changes::default()
    };
    store.save(&claim, &changes, Durability::Full).unwrap();
}

#[test]
fn damage_brings_the_backup_back_and_never_an_empty_fleet() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("header", |db| overwrite(db, 0, b"garbage!")),
        ("empty", |db| fs::write(db, "").unwrap()),
        ("gone", |db| fs::remove_file(db).unwrap()),
        ("pages", |db| (1..40).for_each(|page| overwrite(db, page * 4096, &[0xa5; 4096]))),
    ];
    for (name, damage) in damages {
        let (dir, db) = bed();
        let (mut store, claim) = filled(&db);
        let id = store.ask(&Verb::PhaseSet { index: 3 }, Wall(1)).unwrap();
        store.save(&claim, &everything(2), Durability::Full).unwrap();
        drop(store);
        Connection::open(&db).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        damage(&db);
        let opened = sqlite::open(&db).unwrap();
        let notice = opened.notice.unwrap_or_else(|| panic!("{name}: opened as if nothing had happened"));
        assert!(notice.contains("was damaged") && notice.contains("restored as of"), "{name}: {notice}");
        let mut store = opened.store;
        let state = store.load().unwrap();
        // the copy was made by the first save; numbers given out since are skipped, open messages are not typed again
        assert_eq!(state.units["t-a"].incarnation, 1, "{name}");
        assert_eq!((state.fleet.phase, state.fleet.next_delivery), (1, 1_001), "{name}");
        assert!(state.deliveries.is_empty(), "{name}");
        assert_eq!(store.delivery(1).unwrap().unwrap().stage.outcome(), "unknown", "{name}");
        assert!(
            matches!(store.save(&claim, &everything(3), Durability::Full), Err(StoreError::Fenced { .. })),
            "{name}"
        );
        assert!(store.claim("engine", "next").unwrap().epoch > 1_000, "{name}");
        assert!(store.ask(&Verb::PhaseSet { index: 3 }, Wall(1)).unwrap() > id, "{name}");
        drop(store);
        let kept = fs::read_dir(dir.path())
            .unwrap()
            .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("corrupt-"));
        assert_eq!(kept.count() > 0, name != "gone", "{name}");
        assert!(open(&db).load().is_ok(), "{name}: mended for good");
    }
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    if at < file.metadata().unwrap().len() {
        file.write_all_at(bytes, at).unwrap();
    }
}

#[test]
fn damage_without_a_backup_is_an_error_and_the_file_stays() {
    let (_dir, db) = bed();
    drop(filled(&db));
    fs::remove_file(db.with_extension("db.bak")).unwrap();
    // else the log still has every page, and nothing is lost
    Connection::open(&db).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    overwrite(&db, 0, b"garbage!");
    let before = fs::read(&db).unwrap();
    let error = sqlite::open(&db).err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("move it away"), "{error}");
    assert!(sqlite::open_read_only(&db).and_then(|s| s.unwrap().load()).is_err());
    assert_eq!(fs::read(&db).unwrap(), before);
}

#[test]
fn a_damaged_fleet_row_is_damage_of_the_file() {
    let (_dir, db) = bed();
    drop(filled(&db));
    Connection::open(&db)
        .unwrap()
        .execute("UPDATE fleet SET body = replace(body, 'phase\":1', 'phase\":5')", [])
        .unwrap();
    let opened = sqlite::open(&db).unwrap();
    assert!(opened.notice.unwrap().contains("checksum"));
    assert_eq!(opened.store.load().unwrap().fleet.phase, 1);
}

#[test]
fn one_damaged_unit_does_not_take_the_others_with_it() {
    let (_dir, db) = bed();
    let (store, _) = filled(&db);
    Connection::open(&db).unwrap().execute("UPDATE unit SET body = x'ff00' WHERE session = 't-a'", []).unwrap();
    let state = store.load().unwrap();
    assert_eq!(state.units.keys().collect::<Vec<_>>(), ["t-b"]);
    let notices = store.notices();
    assert!(notices.len() == 1 && notices[0].contains("`t-a`"), "{notices:?}");
    assert!(store.notices().is_empty());
}

#[test]
fn a_file_in_use_is_not_replaced_under_its_user() {
    let (_dir, db) = bed();
    let (store, _) = filled(&db);
    let claim = Connection::open(&db).unwrap().execute("UPDATE fleet SET sum = 0", []);
    assert_eq!(claim.unwrap(), 1);
    assert!(matches!(sqlite::open(&db).err(), Some(StoreError::Corrupt { .. })));
    drop(store);
    assert!(sqlite::open(&db).unwrap().notice.is_some());
}

#[test]
fn looking_makes_nothing() {
    let (dir, db) = bed();
    assert!(sqlite::open_read_only(&db).unwrap().is_none());
    assert!(sqlite::open_read_only(&dir.path().join("no/agents.db")).unwrap().is_none());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    let (mut store, claim) = filled(&db);
    let mut reader = sqlite::open_read_only(&db).unwrap().unwrap();
    assert_eq!(reader.load().unwrap().units["t-a"].incarnation, 1);
    store.save(&claim, &everything(2), Durability::Normal).unwrap();
    assert_eq!(reader.load().unwrap().units["t-a"].incarnation, 2);
    assert!(reader.claim("engine", "x").is_err() && reader.put(&BTreeMap::from([("a".into(), "b".into())])).is_err());
}

#[test]
fn the_past_is_kept_up_to_its_cap() {
    let (_dir, db) = bed();
    let settings = Settings { events: 50, deliveries: 20, requests: 10, ..Settings::default() };
    let mut store = sqlite::open_with(&db, settings).unwrap().store;
    let claim = store.claim("engine", "me").unwrap();
    for n in 1..=257 {
        let id = store.ask(&Verb::PhaseSet { index: 1 }, Wall(n)).unwrap();
        let answers = if n > 3 { vec![(id, Answer::Ignored { text: String::new() })] } else { vec![] };
        let over = Stage::Delivered { at: Wall(n) };
        let stage = if n > 2 { over } else { queued() };
        let changes = Changes {
            events: vec![event(None, n, "e")],
            deliveries: vec![delivery(n, "t-a", stage)],
            answers,
            ..Changes::default()
        };
        store.save(&claim, &changes, Durability::Normal).unwrap();
    }
    let events = store.last_events(&EventFilter::default(), 1_000).unwrap();
    assert_eq!((events.len(), events.last().unwrap().seq), (50, 257));
    // what is open stays, however old
    assert_eq!(store.deliveries(None, 1_000).unwrap().len(), 22);
    assert_eq!(store.load().unwrap().deliveries.len(), 2);
    assert_eq!(store.requests().unwrap().len(), 3);
    assert!(store.answer(200).unwrap().is_none() && store.answer(257).unwrap().is_some());
}

#[test]
fn kill_9_in_the_middle_of_saves_leaves_all_or_nothing() {
    if let Some(dir) = child_dir() {
        let mut store = open(&dir.join("agents.db"));
        let claim = store.claim("engine", "child").unwrap();
        let first = store.load().unwrap().fleet.next_delivery + 1;
        for n in first.. {
            let durability = if n % 3 == 0 { Durability::Full } else { Durability::Normal };
            store.save(&claim, &everything(n), durability).unwrap();
            println!("saved {n}");
            std::io::stdout().flush().unwrap();
        }
        return;
    }
    let (dir, db) = bed();
    for round in 0..8 {
        let mut child = child("kill_9_in_the_middle_of_saves_leaves_all_or_nothing", "exec \"$@\"", dir.path());
        let mut child = child.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut saved = lines.by_ref().filter_map(|l| l.rsplit_once("saved ").and_then(|(_, n)| n.parse::<i64>().ok()));
        let mut last = 0;
        for _ in 0..=round * 7 {
            last = saved.next().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        last = saved.last().unwrap_or(last);
        let store = open(&db);
        let state = store.load().unwrap();
        let n = state.fleet.next_delivery;
        assert!(n == last || n == last + 1, "{last} was said to be saved, {n} is there");
        assert_eq!((state.units["t-a"].incarnation, state.units["t-b"].incarnation), (n as u64, n as u64));
        assert_eq!(state.deliveries.keys().next_back(), Some(&n));
        assert_eq!(store.delivery(n + 1_000_000).unwrap().unwrap().id, n + 1_000_000);
        assert_eq!(store.last_events(&EventFilter::default(), 1).unwrap()[0].at, Wall(n));
    }
}

#[test]
fn others_read_and_ask_while_one_writes() {
    if let Some(dir) = child_dir() {
        let mut store = open(&dir.join("agents.db"));
        for n in 0..40 {
            store.ask(&Verb::PhaseSet { index: n }, Wall(n as i64)).unwrap();
            let state = sqlite::open_read_only(&dir.join("agents.db")).unwrap().unwrap().load().unwrap();
            assert_eq!(state.units["t-a"].incarnation, state.units["t-b"].incarnation);
        }
        return;
    }
    let (dir, db) = bed();
    let (mut store, claim) = filled(&db);
    let mut askers: Vec<_> = (0..2)
        .map(|_| {
            child("others_read_and_ask_while_one_writes", "exec \"$@\"", dir.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let (mut n, mut answered) = (1, 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while answered < 80 && Instant::now() < deadline {
        n += 1;
        let requests = store.requests().unwrap();
        answered += requests.len();
        let answers = requests.iter().map(|r| (r.id, Answer::Ignored { text: String::new() })).collect();
        store.save(&claim, &Changes { answers, ..everything(n) }, Durability::Normal).unwrap();
    }
    let fine = askers.iter_mut().all(|c| c.wait().unwrap().success());
    assert!(fine && answered == 80, "{answered} requests arrived");
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let (_dir, db) = bed();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            std::thread::spawn(move || open(&db).ask(&Verb::PhaseSet { index: 0 }, Wall(0)).unwrap())
        })
        .collect();
    let mut ids: Vec<i64> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=8).collect::<Vec<_>>());
}

#[test]
fn a_full_disk_leaves_the_old_state_readable() {
    if let Some(dir) = child_dir() {
        return on_a_tiny_disk(&dir);
    }
    let dir = TempDir::new().unwrap();
    let mounted = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none"]).arg(dir.path()).output();
    if !mounted.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: no tmpfs can be mounted here (needs root)");
        return;
    }
    // in a mount namespace of its own, which ends with the child
    let wrapper =
        format!("exec unshare -m sh -c 'mount -t tmpfs -o size=1m,mode=700 none \"${DIR}\" && exec \"$@\"' sh \"$@\"");
    let out = child("a_full_disk_leaves_the_old_state_readable", &wrapper, dir.path()).output().unwrap();
    assert!(out.status.success(), "{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
}

fn on_a_tiny_disk(dir: &Path) {
    let db = dir.join("agents.db");
    let (mut store, claim) = filled(&db);
    let mut filler = fs::File::create(dir.join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    while filler.write_all(&[0; 1]).is_ok() {}
    let long = "x".repeat(20_000);
    let mut n = 1;
    let error = loop {
        let changes = Changes { events: vec![event(None, n, &long)], ..everything(n + 1) };
        match store.save(&claim, &changes, Durability::Full) {
            Ok(()) => n += 1,
            Err(error) => break error,
        }
        assert!(n < 100, "1 MB holds 2 MB");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    let old = store.load().unwrap();
    assert_eq!((old.units["t-a"].incarnation, old.fleet.next_delivery), (n as u64, n));
    assert_eq!(sqlite::open_read_only(&db).unwrap().unwrap().load().unwrap(), old);
    drop(store);
    // the next one starts on the full disk
    let mut store = open(&db);
    assert_eq!(store.load().unwrap(), old);
    drop(filler);
    fs::remove_file(dir.join("filler")).unwrap();
    store.save(&claim, &everything(n + 7), Durability::Full).unwrap();
    assert_eq!(store.load().unwrap().fleet.next_delivery, n + 7);
}

/// `cargo test --release --test it store_sqlite::measure -- --ignored --nocapture`
#[test]
#[ignore = "prints timings"]
fn measure() {
    let (_dir, db) = bed();
    let mut store = open(&db);
    let claim = store.claim("engine", "me").unwrap();
    let all: Vec<_> = (0..200).map(|n| unit(&format!("t-{n}"), 1)).collect();
    store.save(&claim, &Changes { units: all.clone(), ..Changes::default() }, Durability::Full).unwrap();
    let mut time = |what: &str, times: u32, work: &mut dyn FnMut(&mut SqliteStore)| {
        let start = Instant::now();
        (0..times).for_each(|_| work(&mut store));
        println!("{what}: {:.3} ms", start.elapsed().as_secs_f64() * 1e3 / f64::from(times));
    };
    let one = Changes { units: all[..1].to_vec(), ..Changes::default() };
    let every = Changes { units: all.clone(), ..Changes::default() };
    time("save of one unit, FULL", 200, &mut |s| s.save(&claim, &one, Durability::Full).unwrap());
    time("save of one unit, NORMAL", 200, &mut |s| s.save(&claim, &one, Durability::Normal).unwrap());
    time("save of 200 units, FULL", 50, &mut |s| s.save(&claim, &every, Durability::Full).unwrap());
    time("save of 200 units, NORMAL", 50, &mut |s| s.save(&claim, &every, Durability::Normal).unwrap());
    time("load of 200 units", 100, &mut |s| assert_eq!(s.load().unwrap().units.len(), 200));
    time("open", 50, &mut |_| drop(open(&db)));
    time("open to look, and load", 50, &mut |_| drop(sqlite::open_read_only(&db).unwrap().unwrap().load().unwrap()));
}
