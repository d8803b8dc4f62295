//! The log file in parts: `<log>`, then `<log>.1` (newest) to `<log>.9`, all together within a quota.
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Old parts kept; with the current one ten.
const OLD_PARTS: u32 = 9;
const SMALLEST_PART: u64 = 4096;

/// An open log. Bytes go to it unchanged.
pub(super) struct Log {
    path: PathBuf,
    part_max: u64,
    file: File,
    size: u64,
    /// Device and inode of `file`.
    id: (u64, u64),
}

impl Log {
    /// Appends to `path` (0600), whose folder is made (0700) if missing. A symlink is refused.
    pub fn open(path: &Path, max_bytes: u64) -> io::Result<Log> {
        if let Some(dir) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NOCTTY).bits() as i32)
            .open(path)?;
        let meta = file.metadata()?;
        let part_max = (max_bytes / u64::from(OLD_PARTS + 1)).max(SMALLEST_PART);
        Ok(Log { path: path.to_owned(), part_max, file, size: meta.len(), id: (meta.dev(), meta.ino()) })
    }

    /// Writes what it can and tells how much that was.
    pub fn write(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut done = 0;
        while done < bytes.len() {
            if self.size >= self.part_max
                && let Err(e) = self.rotate()
            {
                return (done, Err(e));
            }
            let room = usize::try_from(self.part_max - self.size).unwrap_or(usize::MAX);
            let end = done + room.min(bytes.len() - done);
            match io::Write::write(&mut self.file, &bytes[done..end]) {
                Ok(0) => return (done, Err(io::ErrorKind::WriteZero.into())),
                Ok(n) => {
                    done += n;
                    self.size += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return (done, Err(e)),
            }
        }
        (done, Ok(()))
    }

    /// Whether the path still leads to the open file: people move and delete logs. A file somebody emptied counts
    /// from its new size.
    pub fn is_in_place(&mut self) -> bool {
        let Ok(meta) = std::fs::symlink_metadata(&self.path) else { return false };
        self.size = meta.len();
        (meta.dev(), meta.ino()) == self.id
    }

    /// Changes its times only.
    pub fn touch(&self) {
        let _ = self.file.set_modified(std::time::SystemTime::now());
    }

    fn rotate(&mut self) -> io::Result<()> {
        for n in (1..OLD_PARTS).rev() {
            rename_if_there(&self.part(n), &self.part(n + 1))?;
        }
        rename_if_there(&self.path, &self.part(1))?;
        *self = Log::open(&self.path, self.part_max * u64::from(OLD_PARTS + 1))?;
        Ok(())
    }

    fn part(&self, n: u32) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(format!(".{n}"));
        path.into()
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_bytes_within_the_quota_are_kept_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logs/a.log");
        let mut log = Log::open(&path, 50_000).unwrap();
        let all: Vec<u8> = (0..20_000_u32).flat_map(|n| format!("{n:05}\n").into_bytes()).collect();
        for chunk in all.chunks(7_777) {
            assert_eq!(log.write(chunk).0, chunk.len());
        }
        let mut kept = Vec::new();
        for n in (1..=9).rev() {
            kept.extend(std::fs::read(log.part(n)).unwrap());
        }
        kept.extend(std::fs::read(&path).unwrap());
        assert!(all.ends_with(&kept), "no gap, no mix-up");
        assert!((45_000..=50_000).contains(&kept.len()), "{}", kept.len());
        assert!(!log.part(10).exists());
    }

    #[test]
    fn a_symlink_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        std::fs::write(&target, "untouched").unwrap();
        let path = dir.path().join("a.log");
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(Log::open(&path, 100_000).is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "untouched");
    }

    #[test]
    fn a_moved_log_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.log");
        let mut log = Log::open(&path, 100_000).unwrap();
        assert!(log.is_in_place());
        std::fs::rename(&path, dir.path().join("b")).unwrap();
        assert!(!log.is_in_place());
    }
}
