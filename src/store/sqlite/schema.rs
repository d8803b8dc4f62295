//! The tables, and how an older file becomes today's. `user_version` counts the steps below; a released step is never
//! edited, only followed by another one, and `tests/states/vN.sql` keeps a file of each.
use super::steps;
use crate::store::StoreError;
use rusqlite::Connection;
use std::path::Path;

const STEPS: &[&str] = &["
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE claim(resource TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE unit(session TEXT PRIMARY KEY, body TEXT NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE fleet(id INTEGER PRIMARY KEY CHECK(id = 1), body TEXT NOT NULL, sum INTEGER NOT NULL);
CREATE TABLE delivery(id INTEGER PRIMARY KEY, session TEXT NOT NULL, over INTEGER NOT NULL, created INTEGER NOT NULL,
                      body TEXT NOT NULL, sum INTEGER NOT NULL);
CREATE INDEX delivery_open ON delivery(id) WHERE over = 0;
CREATE INDEX delivery_session ON delivery(session, id);
CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, agent TEXT,
                   alert INTEGER NOT NULL, text TEXT NOT NULL, data TEXT);
CREATE INDEX event_agent ON event(agent, seq);
CREATE TABLE request(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, body TEXT NOT NULL, answer TEXT,
                     answered INTEGER);
CREATE INDEX request_open ON request(id) WHERE answer IS NULL;
"];

/// The newest format this program knows.
pub const KNOWN: i64 = STEPS.len() as i64;

/// Refuses what a newer program wrote. Reads only.
pub fn check(conn: &Connection, path: &Path) -> Result<i64, StoreError> {
    steps::check(conn, path, STEPS)
}

/// Brings the file up to [`KNOWN`], all steps or none.
pub fn migrate(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    steps::migrate(conn, path, STEPS)
}
