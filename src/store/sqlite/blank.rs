//! A database in which nothing stands yet, as SQLite would leave it in WAL mode after a rollback journal, four syncs and a
//! second one for the mode. Its format is fixed for good: <https://sqlite.org/fileformat2.html>.

/// Bytes of a page.
const PAGE: usize = 4096;

/// The whole file: one page, of which 100 bytes are the file's header and the rest is an empty table of tables.
pub fn page() -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = page.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, b"SQLite format 3\0");
    put(16, &(PAGE as u16).to_be_bytes());
    // Written and read with a write-ahead log.
    put(18, &[2, 2]);
    // Unused bytes of each page; fractions of one that a row may take.
    put(20, &[0, 64, 32, 32]);
    // Changes so far; pages.
    put(24, &[0, 0, 0, 1, 0, 0, 0, 1]);
    // Schema's format; UTF-8.
    put(44, &[0, 0, 0, 4]);
    put(56, &[0, 0, 0, 1]);
    // For which number of changes the number of pages holds; the version that wrote it.
    put(92, &[0, 0, 0, 1, 0, 46, 52, 128]);
    // The table of tables: a leaf, no rows, the place for them begins at the page's end.
    put(100, &[13, 0, 0, 0, 0]);
    put(105, &(PAGE as u16).to_be_bytes());
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn sqlite_takes_it_for_its_own() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("blank.db");
        std::fs::write(&file, page()).expect("written");
        let conn = Connection::open(&file).expect("opened");
        let asked = |pragma: &str| conn.query_row(pragma, [], |r| r.get::<_, String>(0)).expect("an answer");
        assert_eq!(asked("PRAGMA integrity_check"), "ok");
        assert_eq!(asked("PRAGMA journal_mode"), "wal");
        assert_eq!(asked("PRAGMA encoding"), "UTF-8");
        conn.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES(7); PRAGMA wal_checkpoint(TRUNCATE);")
            .expect("done");
        drop(conn);
        let conn = Connection::open(&file).expect("opened again");
        assert_eq!(conn.query_row("SELECT a FROM t", [], |r| r.get::<_, i64>(0)).expect("the row"), 7);
        assert_eq!(conn.query_row("PRAGMA integrity_check", [], |r| r.get::<_, String>(0)).expect("checked"), "ok");
    }
}
