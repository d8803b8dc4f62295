//! SQLite's errors in the store's words.
use crate::store::StoreError;
use rusqlite::ErrorCode;
use rustix::process::{Resource, getrlimit};
use std::path::Path;

/// Less than this is "full": SQLite needs a few pages for any transaction.
const LOW_BYTES: u64 = 64 * 1024;

pub fn sql(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => full(path),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => corrupt(path, &error),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => match file_limit(path) {
            Some(bytes) => StoreError::FileLimit { path: path.display().to_string(), bytes },
            None if no_space(path) => full(path),
            None => other(path, error),
        },
        Some(ErrorCode::DatabaseBusy) => other(path, "another process keeps it locked"),
        Some(ErrorCode::ReadOnly) => other(path, "it cannot be written"),
        _ => other(path, error),
    }
}

pub fn io(path: &Path, error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => full(path),
        std::io::ErrorKind::FileTooLarge => match our_limit() {
            Some(bytes) => StoreError::FileLimit { path: path.display().to_string(), bytes },
            None => other(path, error),
        },
        _ => other(path, error),
    }
}

pub fn full(path: &Path) -> StoreError {
    StoreError::Full { path: path.display().to_string() }
}

pub fn corrupt(path: &Path, detail: impl ToString) -> StoreError {
    StoreError::Corrupt { path: path.display().to_string(), detail: detail.to_string() }
}

pub fn other(path: &Path, detail: impl ToString) -> StoreError {
    StoreError::Other { path: path.display().to_string(), detail: detail.to_string() }
}

/// SQLite tells a failed growth of its shared-memory file as a plain I/O error, so the file system is asked.
fn no_space(path: &Path) -> bool {
    let dir = path.parent().unwrap_or(Path::new("/"));
    rustix::fs::statvfs(dir)
        .is_ok_and(|s| s.f_bavail.saturating_mul(s.f_frsize) < LOW_BYTES || (s.f_files > 0 && s.f_favail == 0))
}

/// Of the size of a file that this process writes. `None`: there is none.
fn our_limit() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// SQLite does not tell it apart from a broken disk: it is the reason where one of the files is near it.
fn file_limit(path: &Path) -> Option<u64> {
    let limit = our_limit()?;
    let size = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        std::fs::metadata(name).map_or(0, |meta| meta.len())
    };
    ["", "-wal", "-shm", "-journal"].iter().any(|ending| size(ending) + LOW_BYTES > limit).then_some(limit)
}
