//! What a process that mostly waits keeps of the program in memory.
use rustix::mm::{Advice, madvise};

/// Unmaps the code and constants that were needed to get here; what is needed again is mapped again from the page cache.
///
/// Two processes of ours stand beside every agent. Getting ready maps 4 MB of the program in each, the waiting that
/// follows needs a tenth of it. Does nothing where `/proc` cannot be read.
pub fn let_go_of_code() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (from, bytes) in maps.lines().filter_map(untouched) {
        // SAFETY: a private mapping of a file that nothing was ever written to holds the file's bytes and no others;
        // dropped pages are read from the file again. `from` and `bytes` are the kernel's own words for it.
        #[allow(unsafe_code, reason = "the libraries have no safe call for it; see above why nothing can be lost")]
        let _ = unsafe { madvise(std::ptr::without_provenance_mut(from), bytes, Advice::LinuxDontNeed) };
    }
}

/// Start and length of a mapping from a file that cannot have been written to: its code, and the read-only segment that
/// begins with the file's own header. What else is read-only now may have been relocated before.
fn untouched(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (from, to) = words.next()?.split_once('-')?;
    let (rights, offset, path) = (words.next()?, words.next()?, words.nth(2)?);
    let number = |word| usize::from_str_radix(word, 16).ok();
    let (from, to, offset) = (number(from)?, number(to)?, number(offset)?);
    let untouched = rights == "r-xp" || (rights == "r--p" && offset == 0);
    (untouched && path.starts_with('/')).then(|| (from, to.saturating_sub(from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_wrote_to_is_let_go() {
        let text = "00400000-00c00000 r-xp 00001000 fe:00 123   /usr/bin/agents";
        assert_eq!(untouched(text), Some((0x400000, 0x800000)));
        assert_eq!(untouched(&text.replace("r-xp", "r--p")), None, "relocated data may hide there");
        assert_eq!(untouched(&text.replace("r-xp 00001000", "r--p 00000000")), Some((0x400000, 0x800000)));
        assert_eq!(untouched(&text.replace("r-xp 00001000", "rw-p 00000000")), None);
        assert_eq!(untouched("7ffd0000-7ffd2000 r-xp 00000000 00:00 0   [vdso]"), None);
        assert_eq!(untouched("7ffd0000-7ffd2000 r--p 00000000 00:00 0"), None);
        assert_eq!(untouched(""), None);
        let constant = std::hint::black_box("as before");
        let_go_of_code();
        assert_eq!(constant.len(), "as before".len(), "and this program still runs");
    }
}
