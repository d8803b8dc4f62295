//! What the disk holds, as an argument: this room looks at no file itself.
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Questions to the file system. Paths are absolute.
pub trait Disk {
    fn is_file(&self, path: &Path) -> bool;
    fn is_dir(&self, path: &Path) -> bool;
    /// May this process read the file? Asked only about files.
    fn is_readable(&self, path: &Path) -> bool;
    /// The path with symlinks resolved; `None` if it does not exist.
    fn canonical(&self, path: &Path) -> Option<PathBuf>;
}

/// A disk that is only a list: for tests, and for asking "what if".
#[derive(Clone, Debug, Default)]
pub struct ListedDisk {
    pub files: BTreeSet<PathBuf>,
    pub dirs: BTreeSet<PathBuf>,
    /// Every path is a readable file, and every path is a folder.
    pub everything: bool,
}

impl ListedDisk {
    /// A disk with these files, and the folders they stand in.
    pub fn with<P: Into<PathBuf>>(files: impl IntoIterator<Item = P>) -> ListedDisk {
        let mut disk = ListedDisk::default();
        for file in files {
            let file = file.into();
            disk.dirs.extend(file.ancestors().skip(1).map(Path::to_path_buf));
            disk.files.insert(file);
        }
        disk
    }
    /// A disk on which nothing is missing.
    pub fn full() -> ListedDisk {
        ListedDisk { everything: true, ..ListedDisk::default() }
    }
}

impl Disk for ListedDisk {
    fn is_file(&self, path: &Path) -> bool {
        self.everything || self.files.contains(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        self.everything || self.dirs.contains(path)
    }
    fn is_readable(&self, path: &Path) -> bool {
        self.is_file(path)
    }
    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        (self.is_file(path) || self.is_dir(path)).then(|| path.to_path_buf())
    }
}
