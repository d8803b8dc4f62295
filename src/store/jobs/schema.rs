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
];

/// The group's limit follows from the machine.
pub const BY_MACHINE: i64 = -1;

/// What holds a slot.
pub const LIVE: &str = "state IN ('running', 'paused')";
pub const READY: &str = "state = 'queued' AND wake IS NULL";
pub const WAITING: &str = "state IN ('held', 'blocked')";
pub const FINISHED: &str = "state IN ('done', 'skipped')";
pub const UNFINISHED: &str = "(state = 'failed' OR state = 'timeout' OR state = 'cancelled' OR state = 'interrupted')";
