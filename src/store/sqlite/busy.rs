//! How one process waits for another's transaction. SQLite's own way sleeps a millisecond at least, and more each time: a
//! transaction here takes a tenth of that, and whoever waited long would go on to wait behind those who came later.
use super::BUSY;
use std::time::Duration;

/// First short pauses, and their number.
const SHORT: (Duration, i32) = (Duration::from_micros(100), 50);
const LONG: Duration = Duration::from_millis(1);

/// SQLite's busy handler: `tries` before this one. `false`: it is told that the database is locked.
pub fn wait(tries: i32) -> bool {
    let pause = if tries < SHORT.1 { SHORT.0 } else { LONG };
    std::thread::sleep(pause);
    u128::try_from(tries).is_ok_and(|tries| tries * LONG.as_millis() < BUSY.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::{Connection, TransactionBehavior};

    #[test]
    fn it_gives_up_in_the_end() {
        assert!(wait(0) && wait(4999));
        assert!(!wait(5000) && !wait(-1));
    }

    #[test]
    fn who_waits_is_let_in_when_the_other_is_done() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("shared.db");
        let open = || {
            let mut conn = Connection::open(&file).expect("opened");
            conn.busy_handler(Some(wait)).expect("set");
            conn
        };
        let mut first = open();
        first.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(a)").expect("made");
        let tx = first.transaction_with_behavior(TransactionBehavior::Immediate).expect("begun");
        std::thread::scope(|scope| {
            let second = scope.spawn(|| open().execute("INSERT INTO t VALUES(2)", []));
            tx.execute("INSERT INTO t VALUES(1)", []).expect("written");
            tx.commit().expect("committed");
            assert_eq!(second.join().expect("joined").expect("written"), 1);
        });
    }
}
