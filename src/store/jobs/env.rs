//! Environments, with what else a caller hands on: one row for all jobs that have the same.
use crate::model::caller::Caller;
use md5::{Digest, Md5};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// `KEY=VALUE`, each ended by NUL, and beside them [`Caller::word`]; the row that holds it.
pub fn store(tx: &Transaction, env: &[(OsString, OsString)], caller: Option<&Caller>) -> rusqlite::Result<i64> {
    let mut body = Vec::new();
    for (key, value) in env {
        for part in [key.as_bytes(), b"=", value.as_bytes(), b"\0"] {
            body.extend_from_slice(part);
        }
    }
    let caller = caller.map(Caller::word);
    let mut all = Md5::new_with_prefix(&body);
    if let Some(word) = &caller {
        // No entry is empty.
        all.update([b"\0", word.as_bytes()].concat());
    }
    let sum = all.finalize().to_vec();
    let known = tx.prepare_cached("SELECT id FROM env WHERE sum = ?1")?.query_row([&sum], |r| r.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    tx.prepare_cached("INSERT INTO env(sum, body, caller) VALUES(?1, ?2, ?3)")?.execute(params![sum, body, caller])?;
    Ok(tx.last_insert_rowid())
}

/// The columns that [`read`] wants.
pub const COLUMNS: &str = "body, caller";

/// What [`store`] wrote; `None` for a caller of whom nothing is known.
pub fn read(r: &Row) -> rusqlite::Result<(Vec<(OsString, OsString)>, Option<Caller>)> {
    let caller = r.get_ref(1)?.as_str_or_null()?.and_then(Caller::parse);
    Ok((entries(r.get_ref(0)?.as_blob()?), caller))
}

fn entries(body: &[u8]) -> Vec<(OsString, OsString)> {
    let entries = body.split(|b| *b == 0).filter(|entry| !entry.is_empty());
    entries
        .filter_map(|entry| {
            // The first `=` of a name that begins with one belongs to it.
            let at = entry.iter().skip(1).position(|b| *b == b'=')? + 1;
            Some((OsStr::from_bytes(&entry[..at]).to_owned(), OsString::from_vec(entry[at + 1..].to_vec())))
        })
        .collect()
}
