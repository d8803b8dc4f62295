//! The tables of jobs. `user_version` counts the steps below; a released step is never edited, only followed by another
//! one.
//!
//! The partial indexes are what keeps a claim, a list and a submit as fast with 100,000 rows as with ten; a query uses
//! one only where it repeats its condition word for word.
pub const STEPS: &[&str] = &[
    "
CREATE TABLE env(id INTEGER PRIMARY KEY, sum BLOB NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE grp(name TEXT PRIMARY KEY, slots INTEGER) WITHOUT ROWID;
CREATE TABLE job(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, grp TEXT NOT NULL, state TEXT NOT NULL,
                 priority INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0,
                 tries INTEGER NOT NULL DEFAULT 0, goes_on INTEGER NOT NULL DEFAULT 0, step INTEGER NOT NULL DEFAULT 0,
                 created INTEGER NOT NULL, started INTEGER, ended INTEGER, code INTEGER, signal INTEGER, error TEXT,
                 wake INTEGER, cancel INTEGER, runner INTEGER, runner_start INTEGER, child INTEGER,
                 child_start INTEGER, boot TEXT, run_dir BLOB, env INTEGER NOT NULL, spec TEXT NOT NULL, steps TEXT,
                 progress TEXT, last_event TEXT, peak_rss INTEGER, cpu_s REAL);
CREATE TABLE edge(parent INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY(parent, child)) WITHOUT ROWID;
CREATE INDEX edge_child ON edge(child);
CREATE INDEX job_ready ON job(grp, priority DESC, id) WHERE state = 'queued' AND wake IS NULL;
CREATE INDEX job_wake ON job(wake) WHERE wake IS NOT NULL;
CREATE INDEX job_live ON job(grp) WHERE state IN ('running', 'paused');
CREATE INDEX job_waiting ON job(state) WHERE state IN ('held', 'blocked');
CREATE INDEX job_finished ON job(state) WHERE state IN ('done', 'skipped');
CREATE INDEX job_unfinished ON job(state) WHERE state IN ('failed', 'timeout', 'cancelled', 'interrupted');
CREATE INDEX job_name ON job(name) WHERE name <> '';
CREATE INDEX job_env ON job(env);
INSERT INTO grp(name, slots) VALUES('default', -1);
",
    "ALTER TABLE job ADD COLUMN answer TEXT;",
    // The epoch of the end that people were told of.
    "ALTER TABLE job ADD COLUMN told INTEGER NOT NULL DEFAULT 0;",
    "
ALTER TABLE job ADD COLUMN session TEXT;
ALTER TABLE job ADD COLUMN agent_session TEXT;
ALTER TABLE job ADD COLUMN files_changed INTEGER;
ALTER TABLE job ADD COLUMN cost_usd REAL;
ALTER TABLE job ADD COLUMN usage TEXT;
",
    "ALTER TABLE job ADD COLUMN bounds TEXT;",
    // A list of more than two values is a table of its own, made anew by every write that asks whether a row is in it.
    "
DROP INDEX job_unfinished;
CREATE INDEX job_unfinished ON job(state)
  WHERE state = 'failed' OR state = 'timeout' OR state = 'cancelled' OR state = 'interrupted';
",
    // Who has found that its runner is gone; the epoch by which its session was made; the job within whose bounds it was
    // submitted, and no runner outside of them takes it; what its caller has beside an environment.
    "
ALTER TABLE job ADD COLUMN finder TEXT;
ALTER TABLE job ADD COLUMN opened INTEGER;
ALTER TABLE job ADD COLUMN within INTEGER;
ALTER TABLE env ADD COLUMN caller TEXT;
DROP INDEX job_ready;
CREATE INDEX job_ready ON job(grp, priority DESC, id) WHERE state = 'queued' AND wake IS NULL AND within IS NULL;
CREATE INDEX job_within ON job(within, state, grp, priority DESC, id) WHERE within IS NOT NULL;
",
];

/// What all steps make, in one: each later step costs a new file as much as the first one.
pub const WHOLE: &str = "
CREATE TABLE env(id INTEGER PRIMARY KEY, sum BLOB NOT NULL UNIQUE, body BLOB NOT NULL, caller TEXT);
CREATE TABLE grp(name TEXT PRIMARY KEY, slots INTEGER) WITHOUT ROWID;
CREATE TABLE job(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, grp TEXT NOT NULL, state TEXT NOT NULL,
                 priority INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, attempt INTEGER NOT NULL DEFAULT 0,
                 tries INTEGER NOT NULL DEFAULT 0, goes_on INTEGER NOT NULL DEFAULT 0, step INTEGER NOT NULL DEFAULT 0,
                 created INTEGER NOT NULL, started INTEGER, ended INTEGER, code INTEGER, signal INTEGER, error TEXT,
                 wake INTEGER, cancel INTEGER, runner INTEGER, runner_start INTEGER, child INTEGER,
                 child_start INTEGER, boot TEXT, run_dir BLOB, env INTEGER NOT NULL, spec TEXT NOT NULL, steps TEXT,
                 progress TEXT, last_event TEXT, peak_rss INTEGER, cpu_s REAL, answer TEXT,
                 told INTEGER NOT NULL DEFAULT 0, session TEXT, agent_session TEXT, files_changed INTEGER,
                 cost_usd REAL, usage TEXT, bounds TEXT, finder TEXT, opened INTEGER, within INTEGER);
CREATE TABLE edge(parent INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY(parent, child)) WITHOUT ROWID;
CREATE INDEX edge_child ON edge(child);
CREATE INDEX job_ready ON job(grp, priority DESC, id) WHERE state = 'queued' AND wake IS NULL AND within IS NULL;
CREATE INDEX job_wake ON job(wake) WHERE wake IS NOT NULL;
CREATE INDEX job_live ON job(grp) WHERE state IN ('running', 'paused');
CREATE INDEX job_waiting ON job(state) WHERE state IN ('held', 'blocked');
CREATE INDEX job_finished ON job(state) WHERE state IN ('done', 'skipped');
CREATE INDEX job_unfinished ON job(state)
  WHERE state = 'failed' OR state = 'timeout' OR state = 'cancelled' OR state = 'interrupted';
CREATE INDEX job_name ON job(name) WHERE name <> '';
CREATE INDEX job_env ON job(env);
CREATE INDEX job_within ON job(within, state, grp, priority DESC, id) WHERE within IS NOT NULL;
INSERT INTO grp(name, slots) VALUES('default', -1);
";

/// The group's limit follows from the machine.
pub const BY_MACHINE: i64 = -1;

/// What holds a slot.
pub const LIVE: &str = "state IN ('running', 'paused')";
pub const READY: &str = "state = 'queued' AND wake IS NULL AND within IS NULL";
pub const WAITING: &str = "state IN ('held', 'blocked')";
pub const FINISHED: &str = "state IN ('done', 'skipped')";
pub const UNFINISHED: &str = "(state = 'failed' OR state = 'timeout' OR state = 'cancelled' OR state = 'interrupted')";

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// Tables with their columns, indexes, and what stands in them.
    fn all(conn: &Connection) -> Vec<String> {
        let rows = |sql: &str| -> Vec<String> {
            let mut query = conn.prepare(sql).expect("SQL");
            let columns = query.column_count();
            let line = |r: &rusqlite::Row| (0..columns).map(|i| Ok(format!("{:?}", r.get_ref(i)?))).collect();
            let lines: rusqlite::Result<Vec<String>> = query.query_map([], line).expect("asked").collect();
            lines.expect("read")
        };
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid";
        let names: Vec<String> =
            conn.prepare(names).expect("SQL").query_map([], |r| r.get(0)).expect("asked").map(Result::unwrap).collect();
        let columns = names.iter().flat_map(|name| rows(&format!("PRAGMA table_xinfo({name})")));
        let indexes = rows("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name");
        columns.chain(indexes).chain(rows("SELECT * FROM grp")).chain(names.iter().cloned()).collect()
    }

    #[test]
    fn the_whole_is_what_the_steps_make() {
        let (stepped, whole) = (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
        STEPS.iter().for_each(|step| stepped.execute_batch(step).expect(step));
        whole.execute_batch(WHOLE).expect("made");
        assert_eq!(all(&stepped), all(&whole));
        assert!(all(&whole).len() > 60);
    }
}
