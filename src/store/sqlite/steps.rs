//! Formats in steps: `user_version` counts those that a file has had; the newest one is the number of steps.
use super::fault;
use crate::store::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The file's format. Refuses what a newer program wrote. Reads only.
pub fn check(conn: &Connection, path: &Path, steps: &[&str]) -> Result<i64, StoreError> {
    let found = version(conn).map_err(|e| fault::sql(path, e))?;
    let known = steps.len() as i64;
    if found > known {
        return Err(StoreError::Newer { path: path.display().to_string(), found, known });
    }
    Ok(found)
}

/// Brings the file up to the last step, all steps or none.
pub fn migrate(conn: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let known = steps.len() as i64;
    if check(conn, path, steps)? == known {
        return Ok(());
    }
    let told = |e| fault::sql(path, e);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    // another process may have done it while this one waited for the lock
    let found = check(&tx, path, steps)?;
    for step in steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
        tx.execute_batch(step).map_err(told)?;
    }
    tx.pragma_update(None, "user_version", known).map_err(told)?;
    tx.commit().map_err(told)
}

/// A new file in the last format, by what all steps come to.
pub fn make(conn: &mut Connection, path: &Path, steps: &[&str], whole: &str) -> Result<(), StoreError> {
    let told = |e| fault::sql(path, e);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    tx.execute_batch(whole).map_err(told)?;
    tx.pragma_update(None, "user_version", steps.len() as i64).map_err(told)?;
    tx.commit().map_err(told)
}
