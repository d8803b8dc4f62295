//! A file that grows, line by line, from where it was read last. It is never held whole.
//!
//! - A last line without its end is kept for the next time.
//! - A line longer than [`LONGEST`], and one that is not UTF-8, is skipped and counted.
//! - A file that became shorter, that another one took the place of, or whose last lines as we know them are no longer
//!   there, is read anew from its beginning.
use rustix::fs::{Mode, OFlags};
use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

/// Bytes of one line. A picture in a result takes some MB.
pub const LONGEST: usize = 16 << 20;
const CHUNK: usize = 64 * 1024;
/// So many bytes in front of the position have to be the same ones at the next look.
const MARK: usize = 64;
/// A buffer that was needed for one long line is given back.
const KEPT: usize = 1 << 20;

/// Lines that were not read, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub too_long: u64,
    pub not_utf8: u64,
    /// No JSON, or with the wrong things in it.
    pub broken: u64,
    /// JSON of a type that we do not know.
    pub unknown: u64,
}

/// What one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Bytes behind the last position.
    pub grown: u64,
    /// The file is not the one that was read before: everything that was told of it is void.
    pub anew: bool,
}

#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    /// Device and inode.
    file: Option<(u64, u64)>,
    /// Up to where it was read.
    at: u64,
    mark: Vec<u8>,
    partial: Vec<u8>,
    /// Within a line that is too long.
    skipping: bool,
    pub skipped: Skipped,
    longest: usize,
}

impl Tail {
    pub fn new(path: &Path) -> Tail {
        Tail::with_longest(path, LONGEST)
    }

    pub(super) fn with_longest(path: &Path, longest: usize) -> Tail {
        let (partial, mark) = (Vec::new(), Vec::new());
        let path = path.to_owned();
        Tail { path, file: None, at: 0, mark, partial, skipping: false, skipped: Skipped::default(), longest }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is anything to read, at the price of one look at the file's data about itself.
    pub fn is_behind(&self) -> bool {
        match std::fs::metadata(&self.path) {
            Ok(meta) => self.file != Some((meta.dev(), meta.ino())) || meta.len() != self.at,
            Err(_) => false,
        }
    }

    /// Whether the file that was read last is the one that lies at `path`.
    pub(super) fn is_now(&self, path: &Path) -> bool {
        self.file.is_some() && std::fs::metadata(path).is_ok_and(|meta| self.file == Some((meta.dev(), meta.ino())))
    }

    /// As [`Tail::read`], of the same file under another path.
    pub(super) fn read_at(&mut self, path: &Path, each: &mut dyn FnMut(&str, &mut Skipped)) -> io::Result<Look> {
        let own = std::mem::replace(&mut self.path, path.to_owned());
        let look = self.read(&mut || {}, each);
        self.path = own;
        look
    }

    /// Gives every line that is complete by now. `anew` is called before the first line if what was given before is void.
    pub fn read(&mut self, anew: &mut dyn FnMut(), each: &mut dyn FnMut(&str, &mut Skipped)) -> io::Result<Look> {
        let mut file = open(&self.path)?;
        let meta = file.metadata()?;
        let identity = (meta.dev(), meta.ino());
        let mut look = Look::default();
        if self.file != Some(identity) || meta.len() < self.at || !self.stands(&file)? {
            look.anew = self.file.is_some();
            *self = Tail::with_longest(&self.path, self.longest);
            self.file = Some(identity);
            if look.anew {
                anew();
            }
        }
        io::Seek::seek(&mut file, io::SeekFrom::Start(self.at))?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            self.at += read as u64;
            look.grown += read as u64;
            self.remember(&buffer[..read]);
            self.take(&buffer[..read], each);
        }
        if self.partial.capacity() > KEPT && self.partial.len() < KEPT {
            self.partial.shrink_to(KEPT);
        }
        Ok(look)
    }

    /// Is what we read last still in front of our position?
    fn stands(&self, file: &File) -> io::Result<bool> {
        let mut there = vec![0; self.mark.len()];
        match file.read_exact_at(&mut there, self.at - self.mark.len() as u64) {
            Ok(()) => Ok(there == self.mark),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.mark.extend_from_slice(&bytes[bytes.len().saturating_sub(MARK)..]);
        let too_many = self.mark.len().saturating_sub(MARK);
        self.mark.drain(..too_many);
    }

    fn take(&mut self, bytes: &[u8], each: &mut dyn FnMut(&str, &mut Skipped)) {
        let mut pieces = bytes.split_inclusive(|b| *b == b'\n');
        for piece in &mut pieces {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if !self.skipping && self.partial.len() + text.len() > self.longest {
                self.skipping = true;
                self.skipped.too_long += 1;
                self.partial = Vec::new();
            }
            if self.skipping {
                self.skipping = !ends;
                continue;
            }
            match (ends, self.partial.is_empty()) {
                (false, _) => self.partial.extend_from_slice(text),
                (true, true) => one(text, &mut self.skipped, each),
                (true, false) => {
                    self.partial.extend_from_slice(text);
                    one(&self.partial, &mut self.skipped, each);
                    self.partial.clear();
                }
            }
        }
    }
}

fn one(line: &[u8], skipped: &mut Skipped, each: &mut dyn FnMut(&str, &mut Skipped)) {
    match std::str::from_utf8(line) {
        Ok(text) if text.trim().is_empty() => {}
        Ok(text) => each(text, skipped),
        Err(_) => skipped.not_utf8 += 1,
    }
}

/// Only a regular file, and without waiting: a pipe of that name would hold us up.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    struct Case {
        dir: tempfile::TempDir,
        tail: Tail,
        anew: usize,
    }

    fn case() -> Case {
        let dir = tempfile::tempdir().expect("a folder");
        let tail = Tail::with_longest(&dir.path().join("a.jsonl"), 1000);
        Case { dir, tail, anew: 0 }
    }

    impl Case {
        fn append(&self, bytes: &[u8]) {
            let file = File::options().append(true).create(true).open(self.tail.path());
            file.and_then(|mut f| f.write_all(bytes)).expect("written");
        }
        fn read(&mut self) -> Vec<String> {
            let mut lines = Vec::new();
            self.tail.read(&mut || self.anew += 1, &mut |line, _| lines.push(line.to_owned())).expect("read");
            lines
        }
    }

    #[test]
    fn half_a_line_waits_for_its_end() {
        let mut case = case();
        case.append(b"one\ntw");
        assert_eq!(case.read(), ["one"]);
        assert!(!case.tail.is_behind());
        assert_eq!(case.read(), [""; 0]);
        case.append("o \u{e9}".as_bytes());
        case.append(b"\n\n  \nthree\n");
        assert!(case.tail.is_behind());
        assert_eq!(case.read(), ["two \u{e9}", "three"]);
        assert_eq!(case.anew, 0);
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        let mut case = case();
        case.append(b"a\n\xff\xfe\nb\n");
        case.append(&[b'x'; 700]);
        assert_eq!(case.read(), ["a", "b"]);
        case.append(&[b'x'; 700]);
        assert_eq!(case.read(), [""; 0]);
        assert!(case.tail.partial.is_empty(), "a line that is too long is not kept");
        case.append(b"still\nc\n");
        assert_eq!(case.read(), ["c"]);
        let (too_long, not_utf8) = (1, 1);
        assert_eq!(case.tail.skipped, Skipped { too_long, not_utf8, ..Skipped::default() });
    }

    #[test]
    fn another_file_is_read_from_its_beginning() {
        let mut case = case();
        case.append(b"one\ntwo\n");
        case.read();
        std::fs::write(case.tail.path(), b"three\n").expect("written");
        assert_eq!((case.read(), case.anew), (vec!["three".to_owned()], 1), "shorter");
        let other = case.dir.path().join("b");
        std::fs::write(&other, b"three\nfour\n").expect("written");
        std::fs::rename(&other, case.tail.path()).expect("moved");
        assert_eq!((case.read(), case.anew), (vec!["three".to_owned(), "four".to_owned()], 2), "replaced");
        std::fs::write(case.tail.path(), b"other\nlines\nand more\n").expect("written");
        assert_eq!((case.read().len(), case.anew), (3, 3), "written anew in its place, and longer");
        std::fs::remove_file(case.tail.path()).expect("removed");
        assert!(case.tail.read(&mut || {}, &mut |_, _| {}).is_err());
    }

    #[test]
    fn a_pipe_and_a_folder_are_refused_at_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0).expect("a pipe");
        for path in [pipe.as_path(), dir.path()] {
            assert!(Tail::new(path).read(&mut || {}, &mut |_, _| {}).is_err());
        }
    }

    proptest::proptest! {
        /// However the bytes arrive, the lines are those of the whole.
        #[test]
        fn any_cutting_gives_the_same_lines(cuts in proptest::collection::vec(0_usize..200, 0..8)) {
            let text: Vec<u8> = (0..40).flat_map(|i| format!("line {i} {}\n", "\u{e9}".repeat(i)).into_bytes()).collect();
            let mut case = case();
            let (mut lines, mut at) = (Vec::new(), 0);
            for cut in cuts {
                let end = (at + cut).min(text.len());
                case.append(&text[at..end]);
                lines.extend(case.read());
                at = end;
            }
            case.append(&text[at..]);
            lines.extend(case.read());
            let whole = String::from_utf8(text).unwrap_or_default();
            proptest::prop_assert_eq!(lines, whole.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }
}
