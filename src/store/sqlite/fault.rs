//! SQLite's errors in the store's words.
use crate::store::StoreError;
use rusqlite::ErrorCode;
use std::path::Path;

/// Less than this is "full": SQLite needs a few pages for any transaction.
const LOW_BYTES: u64 = 64 * 1024;

pub fn sql(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => full(path),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => corrupt(path, &error),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) if no_space(path) => full(path),
        Some(ErrorCode::DatabaseBusy) => other(path, "another process keeps it locked"),
        Some(ErrorCode::ReadOnly) => other(path, "it cannot be written"),
        _ => other(path, error),
    }
}

pub fn io(path: &Path, error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => full(path),
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
