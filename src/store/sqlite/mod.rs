//! The store on SQLite: one file, several processes, WAL.
//!
//! Opening is where trouble is met: a file of somebody else, of a newer program, a symlink, damage. A damaged file is
//! moved aside and the last backup takes its place ([`Opened::notice`] says so); with no backup it is an error. What it
//! never becomes is an empty fleet.
mod backup;
pub(super) mod blank;
pub(super) mod busy;
pub(super) mod fault;
pub(super) mod files;
mod read;
mod row;
mod schema;
pub(super) mod steps;
mod write;

use super::{Changes, Claim, Durability, EventFilter, Store, StoreError};
use crate::model::{
    delivery::Delivery,
    event::Event,
    request::{Answer, Request, Verb},
    state::{FleetState, State},
    time::Wall,
};
use files::{Files, Lock, Presence};
use rusqlite::{Connection, OpenFlags, OptionalExtension, config::DbConfig};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

/// How long one process waits for another's transaction, about.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// How much of the past is kept, and how often a copy is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Newest events kept.
    pub events: u32,
    /// Newest deliveries kept of those that are over.
    pub deliveries: u32,
    /// Newest requests kept of those that are answered.
    pub requests: u32,
    /// A save makes a new backup when the last one is older than this.
    pub backup_every: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { events: 200_000, deliveries: 10_000, requests: 1_000, backup_every: Duration::from_secs(600) }
    }
}

pub struct SqliteStore {
    conn: Connection,
    files: Files,
    settings: Settings,
    /// `synchronous` as last set on the connection.
    sync: Option<Durability>,
    saves: u32,
    /// When this process last made, or looked at the age of, the backup.
    backup_looked: Option<Instant>,
    notices: RefCell<Vec<String>>,
    /// Dropped after the connection.
    _lock: Option<Lock>,
}

pub struct Opened {
    pub store: SqliteStore,
    /// The file was damaged or gone and a backup took its place: to be said loudly, once.
    pub notice: Option<String>,
}

/// Opens the store for writing; makes it, and its folder, if need be.
pub fn open(path: &Path) -> Result<Opened, StoreError> {
    open_with(path, Settings::default())
}

pub fn open_with(path: &Path, settings: Settings) -> Result<Opened, StoreError> {
    let Some(files) = Files::find(path, true)? else { return Err(fault::other(path, "its folder is gone")) };
    let lock = files.lock()?;
    let (conn, notice) = if lock.exclusive_within(Duration::ZERO)? {
        open_alone(&files)?
    } else {
        // whoever holds it exclusively is about to make, or mend, the file
        if !lock.shared_within(BUSY * 2)? {
            return Err(fault::other(&files.db, "another process has been mending it for 10 s"));
        }
        match open_ready(&files) {
            Err(StoreError::Corrupt { .. }) if lock.exclusive_within(BUSY)? => open_alone(&files)?,
            ready => (ready?, None),
        }
    };
    if !lock.shared_within(BUSY)? {
        return Err(fault::other(&files.db, "another process is replacing it"));
    }
    Ok(Opened { store: SqliteStore::new(conn, files, settings, Some(lock)), notice })
}

/// Opens what is there, to look at it: makes, mends and migrates nothing. `None`: there is nothing (yet).
pub fn open_read_only(path: &Path) -> Result<Option<SqliteStore>, StoreError> {
    let Some(files) = Files::find(path, false)? else { return Ok(None) };
    if files.presence()? != Presence::Present {
        return Ok(None);
    }
    let conn = connect(&files, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match schema::check(&conn, &files.db)? {
        schema::KNOWN => Ok(Some(SqliteStore::new(conn, files, Settings::default(), None))),
        0 => Ok(None),
        old => Err(fault::other(
            &files.db,
            format!("it has the old format {old}; `agents up` or `agents watchdog` brings it up to date"),
        )),
    }
}

/// With the files to itself: makes them, or puts the backup in place of what is damaged.
fn open_alone(files: &Files) -> Result<(Connection, Option<String>), StoreError> {
    let found = files.presence()?;
    let has_backup = files.backup().exists();
    let detail = match found {
        Presence::Absent if has_backup => "it was gone".to_owned(),
        Presence::Empty if has_backup => "it was empty".to_owned(),
        Presence::Absent => {
            // left over from another database: must never be played into this one
            files.remove(&files.beside("-wal"))?;
            files.remove(&files.beside("-shm"))?;
            files.create(&files.db)?;
            let made = open_ready(files);
            if made.is_err() {
                // Nothing was ever in it (a full disk): nothing is left of it that others would have to make sense of.
                for half in [files.db.clone(), files.beside("-wal"), files.beside("-shm")] {
                    files.remove(&half)?;
                }
            }
            return Ok((made?, None));
        }
        Presence::Empty | Presence::Present => match open_ready(files).and_then(|conn| suspected(files, conn)) {
            Err(StoreError::Corrupt { detail, .. }) if has_backup => detail,
            Err(StoreError::Corrupt { path, detail }) => {
                let detail = format!("{detail}; there is no backup: move it away to begin with an empty memory");
                return Err(StoreError::Corrupt { path, detail });
            }
            ready => return Ok((ready?, None)),
        },
    };
    let notice = backup::restore(files, &detail)?;
    Ok((open_ready(files)?, Some(notice)))
}

/// Somebody met damage that opening alone does not see: reads every page.
fn suspected(files: &Files, conn: Connection) -> Result<Connection, StoreError> {
    if files.suspect().exists() {
        quick_check(&conn, files, "PRAGMA quick_check(1)")?;
        files.remove(&files.suspect())?;
    }
    Ok(conn)
}

/// Opens a file that is there, as today's format, and looks at the few tables without which there is no state.
fn open_ready(files: &Files) -> Result<Connection, StoreError> {
    if files.presence()? == Presence::Absent {
        return Err(fault::corrupt(&files.db, "it is gone"));
    }
    let mut conn = connect(files, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let told = |e| fault::sql(&files.db, e);
    schema::check(&conn, &files.db)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(told)?;
    // FULL until a save asks for less: making tables must not be half done
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;").map_err(told)?;
    schema::migrate(&mut conn, &files.db)?;
    for table in ["unit", "fleet", "claim", "meta"] {
        quick_check(&conn, files, &format!("PRAGMA quick_check('{table}')"))?;
    }
    if let Err(detail) = read::fleet(&conn).map_err(told)? {
        return Err(fault::corrupt(&files.db, format!("the fleet's row: {detail}")));
    }
    Ok(conn)
}

fn quick_check(conn: &Connection, files: &Files, pragma: &str) -> Result<(), StoreError> {
    let answer: Option<String> =
        conn.query_row(pragma, [], |row| row.get(0)).optional().map_err(|e| fault::sql(&files.db, e))?;
    match answer {
        Some(text) if text != "ok" => Err(fault::corrupt(&files.db, text.lines().next().unwrap_or_default())),
        _ => Ok(()),
    }
}

pub(super) fn connect(files: &Files, access: OpenFlags) -> Result<Connection, StoreError> {
    let told = |e| fault::sql(&files.db, e);
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut conn = Connection::open_with_flags(&files.db, flags).map_err(told)?;
    conn.busy_handler(Some(busy::wait)).map_err(told)?;
    // `-wal` and `-shm` stay when the last process closes: the next one opens faster, needs no space for them on a full
    // disk, and a file that is only looked at (a newer program's) is not written
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(told)?;
    // a query is not planned anew for the values that it is asked with
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(told)?;
    conn.set_prepared_statement_cache_capacity(32);
    conn.execute_batch("PRAGMA cache_size = -1024; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;").map_err(told)?;
    Ok(conn)
}

impl SqliteStore {
    fn new(conn: Connection, files: Files, settings: Settings, lock: Option<Lock>) -> SqliteStore {
        let notices = RefCell::new(Vec::new());
        SqliteStore { conn, files, settings, sync: None, saves: 0, backup_looked: None, notices, _lock: lock }
    }

    fn sync(&mut self, durability: Durability) -> Result<(), StoreError> {
        if self.sync != Some(durability) {
            let word = if durability == Durability::Full { "FULL" } else { "NORMAL" };
            self.conn.pragma_update(None, "synchronous", word).map_err(|e| fault::sql(&self.files.db, e))?;
            self.sync = Some(durability);
        }
        Ok(())
    }

    /// A failed call in the store's words; damage also leaves a mark for the next open.
    fn told<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|e| {
            let error = fault::sql(&self.files.db, e);
            if matches!(error, StoreError::Corrupt { .. }) && self._lock.is_some() {
                // best effort: without the mark the next open still finds damage where the state is
                let _ = self.files.create(&self.files.suspect());
            }
            error
        })
    }

    fn note(&self, lines: impl IntoIterator<Item = String>) {
        self.notices.borrow_mut().extend(lines);
    }

    /// A copy of what matters, if the last one is old. Its failure is a notice, never a failed save.
    fn back_up(&mut self) {
        if self.backup_looked.is_some_and(|t| t.elapsed() < self.settings.backup_every) {
            return;
        }
        self.backup_looked = Some(Instant::now());
        let age = self.files.backup().metadata().and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
        if age.is_some_and(|age| age < self.settings.backup_every) {
            return;
        }
        if let Err(error) = backup::make(&self.files) {
            self.note([format!("no backup of the state could be made: {error}")]);
        }
    }
}

impl Store for SqliteStore {
    fn claim(&mut self, resource: &str, owner: &str) -> Result<Claim, StoreError> {
        self.sync(Durability::Full)?;
        let epoch = write::claim(&mut self.conn, resource, owner);
        Ok(Claim { resource: resource.into(), owner: owner.into(), epoch: self.told(epoch)? })
    }

    fn load(&self) -> Result<State, StoreError> {
        // one read transaction: all tables as of one moment
        let tx = self.told(self.conn.unchecked_transaction())?;
        let (units, mut notices) = self.told(read::units(&tx))?;
        let (deliveries, more) = self.told(read::open_deliveries(&tx))?;
        let (fleet, lost) = self
            .told(read::fleet(&tx))?
            .map_err(|detail| fault::corrupt(&self.files.db, format!("the fleet's row: {detail}")))?;
        notices.extend(more);
        notices.extend(lost.iter().map(|field| format!("the fleet's `{field}` cannot be read and was left out")));
        self.note(notices);
        Ok(State { units, deliveries, fleet })
    }

    fn save(&mut self, claim: &Claim, changes: &Changes, durability: Durability) -> Result<(), StoreError> {
        self.sync(durability)?;
        let prune = self.saves.is_multiple_of(write::PRUNE_EVERY).then_some(self.settings);
        let held = write::save(&mut self.conn, claim, changes, prune);
        if !self.told(held)? {
            return Err(StoreError::Fenced { resource: claim.resource.clone(), epoch: claim.epoch });
        }
        self.saves = self.saves.wrapping_add(1);
        if !changes.units.is_empty() {
            self.back_up();
        }
        Ok(())
    }

    fn last_events(&self, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.told(read::last_events(&self.conn, filter, limit))
    }

    fn events_after(&self, seq: i64, filter: &EventFilter, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.told(read::events_after(&self.conn, seq, filter, limit))
    }

    fn ask(&mut self, verb: &Verb, at: Wall) -> Result<i64, StoreError> {
        self.sync(Durability::Normal)?;
        let id = write::ask(&mut self.conn, verb, at);
        self.told(id)
    }

    fn requests(&self) -> Result<Vec<Request>, StoreError> {
        let (requests, notices) = self.told(read::requests(&self.conn))?;
        self.note(notices);
        Ok(requests)
    }

    fn answer(&self, request: i64) -> Result<Option<Answer>, StoreError> {
        self.told(read::answer(&self.conn, request))
    }

    fn delivery(&self, id: i64) -> Result<Option<Delivery>, StoreError> {
        self.told(read::delivery(&self.conn, id))
    }

    fn deliveries(&self, session: Option<&str>, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.told(read::deliveries(&self.conn, session, limit))
    }

    fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.told(read::get(&self.conn, key))
    }

    fn put(&mut self, values: &BTreeMap<String, String>) -> Result<(), StoreError> {
        self.sync(Durability::Normal)?;
        let done = write::put(&mut self.conn, values);
        self.told(done)
    }

    fn notices(&self) -> Vec<String> {
        self.notices.take()
    }
}

/// The fleet's row, with the fields that could not be read; or why there is none.
type FleetRow = Result<(FleetState, Vec<String>), String>;
