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
    // Who came while it was empty, and only looks, may have done it.
    if check(&tx, path, steps)? == steps.len() as i64 {
        return Ok(());
    }
    tx.execute_batch(whole).map_err(told)?;
    tx.pragma_update(None, "user_version", steps.len() as i64).map_err(told)?;
    tx.commit().map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_that_somebody_else_has_brought_up_is_made_already() {
        let mut conn = Connection::open_in_memory().expect("a file");
        let (path, steps) = (Path::new("x"), ["CREATE TABLE a(b);"]);
        migrate(&mut conn, path, &steps).expect("by steps");
        make(&mut conn, path, &steps, steps[0]).expect("found made");
        let mut other = Connection::open_in_memory().expect("a file");
        make(&mut other, path, &steps, steps[0]).expect("made");
        migrate(&mut other, path, &steps).expect("nothing to do");
        assert_eq!((check(&conn, path, &steps).expect("read"), check(&other, path, &steps).expect("read")), (1, 1));
    }
}
