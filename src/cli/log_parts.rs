//! The files of one log: `NAME.log`, and its older parts `NAME.log.1` (the newest of them), `NAME.log.2`, …
use crate::model::time::Wall;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

const CHUNK: usize = 64 * 1024;

/// Is there any part?
pub fn exists(log: &Path) -> bool {
    oldest_first(log).is_ok_and(|parts| !parts.is_empty())
}

/// Every part, the current one last.
pub fn oldest_first(log: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(dir), Some(name)) = (log.parent(), log.file_name().and_then(|n| n.to_str())) else {
        return Ok(Vec::new());
    };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut parts: Vec<(u64, PathBuf)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        let number = match file.strip_prefix(name) {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('.').and_then(|n| n.parse::<u64>().ok()),
            None => None,
        };
        if let Some(number) = number {
            parts.push((number, entry.path()));
        }
    }
    parts.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    Ok(parts.into_iter().map(|(_, path)| path).collect())
}

/// Gives the whole part in pieces; how many bytes there were.
pub fn read<E: From<io::Error>>(part: &Path, take: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<u64, E> {
    let mut file = File::open(part)?;
    let mut buffer = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let n = match file.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e.into()),
        };
        total += n as u64;
        take(&buffer[..n])?;
    }
}

/// When it was last written to.
pub fn written(part: &Path) -> io::Result<Wall> {
    let modified = std::fs::metadata(part)?.modified()?;
    let since_epoch = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Wall(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)))
}

/// The end of a log.
pub struct Tail {
    pub bytes: Vec<u8>,
    /// Nothing stands before it.
    pub whole: bool,
    /// Size of the current part, as far as it was read.
    pub end: u64,
}

/// The last `lines` newline-ended pieces (and what follows them), over all parts.
pub fn tail(log: &Path, lines: usize) -> io::Result<Tail> {
    let parts = oldest_first(log)?;
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut newlines = 0;
    let mut end = 0;
    for (i, part) in parts.iter().enumerate().rev() {
        let mut file = File::open(part)?;
        let mut at = file.seek(SeekFrom::End(0))?;
        if i + 1 == parts.len() && part == log {
            end = at;
        }
        while at > 0 {
            let size = at.min(CHUNK as u64);
            at -= size;
            file.seek(SeekFrom::Start(at))?;
            let mut piece = Vec::with_capacity(size as usize);
            (&mut file).take(size).read_to_end(&mut piece)?;
            // The newline that ends the last line begins none.
            let ends_log = pieces.is_empty() && piece.last() == Some(&b'\n');
            let body = piece.len() - usize::from(ends_log);
            for (j, byte) in piece[..body].iter().enumerate().rev() {
                if *byte == b'\n' {
                    newlines += 1;
                    if newlines == lines.max(1) {
                        pieces.push(piece[j + 1..].to_vec());
                        return Ok(Tail { bytes: joined(pieces), whole: false, end });
                    }
                }
            }
            pieces.push(piece);
        }
    }
    Ok(Tail { bytes: joined(pieces), whole: true, end })
}

fn joined(pieces: Vec<Vec<u8>>) -> Vec<u8> {
    pieces.into_iter().rev().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(parts: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, text) in parts {
            std::fs::write(dir.path().join(name), text).expect("a file");
        }
        let path = dir.path().join("a.log");
        (dir, path)
    }

    #[test]
    fn parts_are_read_oldest_first() {
        let (_dir, path) =
            log(&[("a.log", "3"), ("a.log.1", "2"), ("a.log.10", "1"), ("ab.log", "x"), ("a.log.gz", "x")]);
        let names: Vec<_> =
            oldest_first(&path).expect("parts").iter().map(|p| p.file_name().map(|n| n.to_owned())).collect();
        assert_eq!(names, ["a.log.10", "a.log.1", "a.log"].map(|n| Some(n.into())));
    }

    #[test]
    fn a_tail_reaches_into_older_parts() {
        let (_dir, path) = log(&[("a.log", "d\ne\n"), ("a.log.1", "a\nb\nc\n")]);
        let text = |n| String::from_utf8(tail(&path, n).expect("a tail").bytes).unwrap_or_default();
        assert_eq!(text(1), "e\n");
        assert_eq!(text(3), "c\nd\ne\n");
        assert_eq!(text(100), "a\nb\nc\nd\ne\n");
        let all = tail(&path, 100).expect("a tail");
        assert!(all.whole);
        assert_eq!(all.end, 4);
    }

    #[test]
    fn a_tail_over_many_chunks() {
        let body: String = (0..50_000).map(|i| format!("line {i}\n")).collect();
        let (_dir, path) = log(&[("a.log", &body)]);
        let found = tail(&path, 20_000).expect("a tail");
        let text = String::from_utf8(found.bytes).unwrap_or_default();
        assert_eq!(text.lines().count(), 20_000);
        assert!(text.starts_with("line 30000\n"), "{}", &text[..20]);
    }
}
