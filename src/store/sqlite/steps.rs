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
    go(conn, path, steps, None)
}

/// The same, for a new file. `whole`: what all steps come to. Another process may be faster, and do it step by step.
pub fn make(conn: &mut Connection, path: &Path, steps: &[&str], whole: &str) -> Result<(), StoreError> {
    go(conn, path, steps, Some(whole))
}

fn go(conn: &mut Connection, path: &Path, steps: &[&str], whole: Option<&str>) -> Result<(), StoreError> {
    let known = steps.len() as i64;
    if check(conn, path, steps)? == known {
        return Ok(());
    }
    let told = |e| fault::sql(path, e);
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(told)?;
    // another process may have done it while this one waited for the lock
    let found = check(&tx, path, steps)?;
    match whole {
        Some(whole) if found == 0 => tx.execute_batch(whole).map_err(told)?,
        _ => {
            for step in steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
                tx.execute_batch(step).map_err(told)?;
            }
        }
    }
    tx.pragma_update(None, "user_version", known).map_err(told)?;
    tx.commit().map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_has_made_meanwhile_is_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.db");
        let open = || Connection::open(&path).expect("opened");
        let (steps, whole) = (["CREATE TABLE t(a)", "ALTER TABLE t ADD COLUMN b"], "CREATE TABLE t(a, b)");
        make(&mut open(), &path, &steps[..1], steps[0]).expect("made");
        open().execute("INSERT INTO t VALUES(1)", []).expect("written");
        make(&mut open(), &path, &steps, whole).expect("stepped");
        make(&mut open(), &path, &steps, whole).expect("there");
        assert_eq!(open().query_row("SELECT a, b IS NULL FROM t", [], |r| Ok((r.get(0)?, r.get(1)?))), Ok((1, true)));
    }
}
