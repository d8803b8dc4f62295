//! Environments: one row for all jobs that have the same.
use md5::{Digest, Md5};
use rusqlite::{OptionalExtension, Transaction, params};
use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// `KEY=VALUE`, each ended by NUL; the row that holds it.
pub fn store(tx: &Transaction, env: &[(OsString, OsString)]) -> rusqlite::Result<i64> {
    let mut body = Vec::new();
    for (key, value) in env {
        for part in [key.as_bytes(), b"=", value.as_bytes(), b"\0"] {
            body.extend_from_slice(part);
        }
    }
    let sum = Md5::digest(&body).to_vec();
    let known = tx.prepare_cached("SELECT id FROM env WHERE sum = ?1")?.query_row([&sum], |r| r.get(0)).optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    tx.prepare_cached("INSERT INTO env(sum, body) VALUES(?1, ?2)")?.execute(params![sum, body])?;
    Ok(tx.last_insert_rowid())
}

/// What [`store`] wrote.
pub fn read(body: &[u8]) -> Vec<(OsString, OsString)> {
    let entries = body.split(|b| *b == 0).filter(|entry| !entry.is_empty());
    entries
        .filter_map(|entry| {
            // The first `=` of a name that begins with one belongs to it.
            let at = entry.iter().skip(1).position(|b| *b == b'=')? + 1;
            Some((OsStr::from_bytes(&entry[..at]).to_owned(), OsString::from_vec(entry[at + 1..].to_vec())))
        })
        .collect()
}
