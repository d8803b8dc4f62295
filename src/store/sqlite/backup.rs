//! The copy of yesterday's memory, and putting it in place of a damaged one.
//!
//! The copy holds the state in full and of the past only the newest part, so that making it takes milliseconds.
use super::{fault, files::Files, read, row, schema};
use crate::{
    model::{
        delivery::{Delivery, Stage},
        request::Answer,
        time::Wall,
    },
    store::StoreError,
};
use rusqlite::{Connection, OpenFlags, Transaction, params, types::Value};
use std::{os::unix::ffi::OsStrExt, path::Path, time::SystemTime};

/// Numbers given out after the copy was made must not be given out again.
const SKIP: i64 = 1_000;

/// Writes `agents.db.bak`: whole, or not at all. Damaged rows are not copied over good ones: then the old copy stays.
pub fn make(files: &Files) -> Result<(), StoreError> {
    copy(files, &files.db, &files.beside(".bak-new"))?;
    files.rename(&files.beside(".bak-new"), &files.backup())?;
    files.sync_dir()
}

/// Moves the damaged file aside as `agents.db.corrupt-<stamp>` and puts the backup in its place; what happened, in one
/// line. Needs the files for itself.
pub fn restore(files: &Files, detail: &str) -> Result<String, StoreError> {
    let fresh = files.beside(".restored");
    copy(files, &files.backup(), &fresh)?;
    let made = files.backup().metadata().and_then(|m| m.modified()).map_err(|e| fault::io(&files.backup(), e))?;
    age(&fresh)?;
    let stamp = wall(SystemTime::now());
    let aside =
        files.beside(&format!(".corrupt-{}-{:03}", stamp.format_local("%Y%m%d_%H%M%S"), stamp.0.rem_euclid(1000)));
    let there = files.db.exists();
    // the database first: if this is cut short, its absence is what tells the next one to go on
    files.rename(&files.db, &aside)?;
    // its log must never be played into another database
    let log = format!("{}-wal", aside.display());
    files.rename(&files.beside("-wal"), Path::new(&log))?;
    files.remove(&files.beside("-shm"))?;
    files.sync_dir()?;
    files.rename(&fresh, &files.db)?;
    files.remove(&files.suspect())?;
    files.sync_dir()?;
    let kept = if there { format!("; the damaged file is `{}`", aside.display()) } else { String::new() };
    Ok(format!(
        "the memory `{}` was damaged ({detail}) and was restored as of {}{kept}",
        files.db.display(),
        wall(made).rfc3339()
    ))
}

fn wall(t: SystemTime) -> Wall {
    let since = t.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Copies what matters from one database into a new file, and sees to it that it can be read.
fn copy(files: &Files, from: &Path, to: &Path) -> Result<(), StoreError> {
    files.remove(to)?;
    files.create(to)?;
    let told = |e| fault::sql(from, e);
    let mut conn = open(to)?;
    schema::migrate(&mut conn, to)?;
    // as a blob: a path need not be UTF-8
    conn.execute("ATTACH ?1 AS old", [Value::Blob(from.as_os_str().as_bytes().to_vec())]).map_err(told)?;
    let found: i64 = conn.query_row("PRAGMA old.user_version", [], |r| r.get(0)).map_err(told)?;
    if found != schema::KNOWN {
        return Err(fault::corrupt(from, format!("it has format {found} instead of {}", schema::KNOWN)));
    }
    let tx = conn.transaction().map_err(told)?;
    tx.execute_batch(
        "INSERT INTO main.meta SELECT * FROM old.meta;
         INSERT INTO main.claim SELECT * FROM old.claim;
         INSERT INTO main.unit SELECT * FROM old.unit;
         INSERT INTO main.fleet SELECT * FROM old.fleet;
         INSERT INTO main.delivery SELECT * FROM old.delivery WHERE over = 0;
         INSERT INTO main.delivery SELECT * FROM (SELECT * FROM old.delivery WHERE over = 1 ORDER BY id DESC LIMIT 500);
         INSERT INTO main.event SELECT * FROM (SELECT * FROM old.event ORDER BY seq DESC LIMIT 2000);
         INSERT INTO main.request SELECT * FROM (SELECT * FROM old.request ORDER BY id DESC LIMIT 200);",
    )
    .map_err(told)?;
    if let Err(why) = read::fleet(&tx).map_err(told)? {
        return Err(fault::corrupt(from, format!("the fleet's row: {why}")));
    }
    let (_, bad) = read::units(&tx).map_err(told)?;
    if let Some(line) = bad.into_iter().next() {
        return Err(fault::corrupt(from, line));
    }
    tx.commit().map_err(|e| fault::sql(to, e))
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let told = |e| fault::sql(path, e);
    let mut conn = Connection::open_with_flags(path, flags).map_err(told)?;
    conn.busy_handler(Some(super::busy::wait)).map_err(told)?;
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(told)?;
    conn.execute_batch("PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL;")
        .map_err(told)?;
    Ok(conn)
}

/// Nobody knows what was done between the copy and the damage. What was open then may have been done since: messages
/// become `unknown` (never typed twice), requests are denied (their askers read it), numbers skip ahead.
fn age(path: &Path) -> Result<(), StoreError> {
    let mut conn = open(path)?;
    let told = |e| fault::sql(path, e);
    let tx = conn.transaction().map_err(told)?;
    close_open_deliveries(&tx).map_err(told)?;
    let denied = Answer::Denied { text: "the memory was damaged and restored meanwhile: ask again".into() };
    let denied = serde_json::to_string(&denied).map_err(|e| fault::other(path, e))?;
    tx.execute("UPDATE request SET answer = ?1, answered = 0 WHERE answer IS NULL", [denied]).map_err(told)?;
    tx.execute("UPDATE claim SET epoch = epoch + ?1", [SKIP]).map_err(told)?;
    tx.execute("UPDATE sqlite_sequence SET seq = seq + ?1", [SKIP]).map_err(told)?;
    if let Ok((mut fleet, _)) = read::fleet(&tx).map_err(told)? {
        fleet.next_delivery += SKIP;
        let (body, sum) = row::write(&fleet).map_err(|e| fault::other(path, e))?;
        tx.execute("INSERT OR REPLACE INTO fleet(id, body, sum) VALUES(1, ?1, ?2)", params![body, sum])
            .map_err(told)?;
    }
    tx.commit().map_err(told)
}

fn close_open_deliveries(tx: &Transaction) -> rusqlite::Result<()> {
    let (open, _) = read::open_deliveries(tx)?;
    let reason = "the memory was restored from an older copy";
    for delivery in open.into_values() {
        let stage = Stage::Unknown { at: wall(SystemTime::now()), reason: reason.into() };
        let closed = Delivery { stage, ..delivery };
        let (body, sum) = row::write(&closed).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        tx.execute("UPDATE delivery SET over = 1, body = ?2, sum = ?3 WHERE id = ?1", params![closed.id, body, sum])?;
    }
    tx.execute("DELETE FROM delivery WHERE over = 0", [])?;
    Ok(())
}
