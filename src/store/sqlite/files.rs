//! The database's files: whose they are, who may read them, and which process may replace them.
//!
//! `agents.db` and SQLite's own `-wal` and `-shm`, `agents.db.bak` (the last backup), `agents.db-lock` (held shared by
//! every writer, exclusively while the files themselves are made or replaced), `agents.db-suspect` (somebody met
//! damage: check everything at the next open).
use super::fault;
use crate::store::{Durability, StoreError};
use rustix::{
    fs::{FlockOperation, Mode, flock},
    io::Errno,
};
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

#[derive(Clone, Debug)]
pub struct Files {
    /// Absolute; its folder has no symlink in it.
    pub db: PathBuf,
    dir: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Absent,
    Empty,
    Present,
}

impl Files {
    /// `None`: the folder does not exist, and was not to be `make`d.
    pub fn find(path: &Path, make: bool) -> Result<Option<Files>, StoreError> {
        let absolute = std::path::absolute(path).map_err(|e| fault::io(path, e))?;
        let (Some(dir), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(fault::other(path, "this is not the path of a file"));
        };
        if !dir.exists() {
            if !make {
                return Ok(None);
            }
            DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| fault::io(dir, e))?;
        }
        let dir = dir.canonicalize().map_err(|e| fault::io(dir, e))?;
        ours(&dir, &fs::metadata(&dir).map_err(|e| fault::io(&dir, e))?)?;
        Ok(Some(Files { db: dir.join(name), dir }))
    }

    /// `agents.db` + `ending`.
    pub fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(self.db.as_os_str());
        name.push(ending);
        PathBuf::from(name)
    }
    pub fn backup(&self) -> PathBuf {
        self.beside(".bak")
    }
    pub fn suspect(&self) -> PathBuf {
        self.beside("-suspect")
    }

    /// Looks at the database file, narrows its rights to 0600, and refuses what is not ours.
    ///
    /// Never opens it: closing it again would drop the locks that SQLite holds on it elsewhere in this process.
    pub fn presence(&self) -> Result<Presence, StoreError> {
        for path in [self.beside("-wal"), self.beside("-shm"), self.beside("-journal"), self.backup()] {
            look(&path)?;
        }
        let Some(meta) = look(&self.db)? else { return Ok(Presence::Absent) };
        if meta.mode() & 0o077 != 0 {
            fs::set_permissions(&self.db, fs::Permissions::from_mode(0o600)).map_err(|e| fault::io(&self.db, e))?;
        }
        Ok(if meta.len() == 0 { Presence::Empty } else { Presence::Present })
    }

    /// A new, empty file with mode 0600 whatever the umask. SQLite gives `-wal` and `-shm` the rights of the database.
    pub fn create(&self, path: &Path) -> Result<(), StoreError> {
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| fault::io(path, e))?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o600)).map_err(|e| fault::io(path, e.into()))
    }

    /// The same with something in it. With [`Durability::Full`] that is on the disk when this returns; the name may not be
    /// yet.
    pub fn create_with(&self, path: &Path, content: &[u8], durability: Durability) -> Result<(), StoreError> {
        self.create(path)?;
        let file = OpenOptions::new().write(true).open(path);
        let written = file.and_then(|mut file| {
            file.write_all(content)?;
            // Else a power cut may take the file, and with it what was written to it since.
            if durability == Durability::Full { file.sync_all() } else { Ok(()) }
        });
        written.map_err(|e| fault::io(path, e))
    }

    pub fn remove(&self, path: &Path) -> Result<(), StoreError> {
        match fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(fault::io(path, e)),
            _ => Ok(()),
        }
    }

    /// Renames; `from` may be absent.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        match fs::rename(from, to) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(fault::io(from, e)),
            _ => Ok(()),
        }
    }

    /// Makes renames in the folder last through a power cut.
    pub fn sync_dir(&self) -> Result<(), StoreError> {
        File::open(&self.dir).and_then(|d| d.sync_all()).map_err(|e| fault::io(&self.dir, e))
    }

    pub fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.beside("-lock");
        look(&path)?;
        let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
        let mut how = OpenOptions::new();
        how.write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow);
        let file = how.open(&path).map_err(|e| fault::io(&path, e))?;
        Ok(Lock { file, path })
    }
}

fn ours(path: &Path, meta: &fs::Metadata) -> Result<(), StoreError> {
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        let detail = format!("it belongs to user id {}, this program runs as {me}: run it as its owner", meta.uid());
        return Err(fault::other(path, detail));
    }
    Ok(())
}

/// A regular file of ours, or nothing.
fn look(path: &Path) -> Result<Option<fs::Metadata>, StoreError> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fault::io(path, e)),
    };
    if meta.is_symlink() {
        return Err(fault::other(path, "it is a symbolic link, which is not followed here: put the file itself there"));
    }
    if !meta.is_file() {
        return Err(fault::other(path, "it is not a regular file"));
    }
    ours(path, &meta)?;
    Ok(Some(meta))
}

/// flock on `agents.db-lock`; released when dropped.
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    pub fn exclusive_within(&self, patience: Duration) -> Result<bool, StoreError> {
        self.within(FlockOperation::NonBlockingLockExclusive, patience)
    }
    pub fn shared_within(&self, patience: Duration) -> Result<bool, StoreError> {
        self.within(FlockOperation::NonBlockingLockShared, patience)
    }
    fn within(&self, how: FlockOperation, patience: Duration) -> Result<bool, StoreError> {
        let deadline = Instant::now() + patience;
        loop {
            match flock(&self.file, how) {
                Ok(()) => return Ok(true),
                Err(Errno::WOULDBLOCK) if Instant::now() >= deadline => return Ok(false),
                Err(Errno::WOULDBLOCK | Errno::INTR) => thread::sleep(Duration::from_millis(5)),
                Err(e) => return Err(fault::io(&self.path, e.into())),
            }
        }
    }
}
