//! The protocol between a tmux client and its server, version 8.
//!
//! A control client comes in, talks over the two pipes that it has handed in, and hears when it is over. A plain client
//! asks once, and hears what is printed.
//!
//! A message of another size than expected ends the server, with all its sessions, so this is spoken only to versions
//! whose sources were read.

/// Server versions (`#{version}`) whose message header has a 16-bit length and flags, and whose messages are as here.
/// Newer ones have another header.
const SPOKEN: [&str; 2] = ["3.3a", "3.5a"];

const PROTOCOL: u32 = 8;
/// Kind, length and flags, protocol, pid.
const HEADER: usize = 16;
/// The longest message that a server takes, header and all.
const MAX_MESSAGE: usize = 16384;
/// How much environment is handed on: with it, all that is said still fits into one read of the server.
const MAX_ENVIRONMENT: usize = 32 * 1024;

/// In the header: a file descriptor comes with this message.
const WITH_FD: u16 = 1;
/// UTF-8 whatever the locale, and start no server: `tmux -u -N`.
const PLAIN: u64 = 0x10000 | 0x1000;
/// `tmux -C -u -N`.
const CONTROL: u64 = PLAIN | 0x2000;

const VERSION: u32 = 12;
const IDENTIFY_TERM: u32 = 101;
const IDENTIFY_TTYNAME: u32 = 102;
const IDENTIFY_STDIN: u32 = 104;
const IDENTIFY_ENVIRON: u32 = 105;
const IDENTIFY_DONE: u32 = 106;
const IDENTIFY_CLIENTPID: u32 = 107;
const IDENTIFY_CWD: u32 = 108;
const IDENTIFY_STDOUT: u32 = 110;
const IDENTIFY_LONGFLAGS: u32 = 111;
const COMMAND: u32 = 200;
const DETACH: u32 = 201;
const DETACH_KILL: u32 = 202;
const EXIT: u32 = 203;
const EXITED: u32 = 204;
const SHUTDOWN: u32 = 210;
const EXEC: u32 = 217;
const WRITE_OPEN: u32 = 303;
const WRITE: u32 = 304;
const WRITE_READY: u32 = 305;

pub(super) fn is_spoken_by(version: &str) -> bool {
    SPOKEN.contains(&version)
}

/// To be sent first, together with the descriptor that the server is to read our commands from. `environment` has
/// `NAME=value` words; those that are too long, or too many, are left out.
pub(super) fn opening(environment: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in environment {
        let size = HEADER + word.len() + 1;
        if size <= MAX_MESSAGE && bytes.len() + size <= MAX_ENVIRONMENT && !word.contains(&0) {
            push(&mut bytes, IDENTIFY_ENVIRON, 0, &ended(&word));
        }
    }
    push(&mut bytes, IDENTIFY_STDIN, WITH_FD, &[]);
    bytes
}

/// To be sent second, together with the descriptor that the server is to answer to, by one call: tmux 3.3a crashes if
/// anything happens on the server between the flags of a control client and the end of its introduction. `None`: the
/// words are too long.
pub(super) fn introduction(pid: u32, command: &[&str]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    push(&mut bytes, IDENTIFY_STDOUT, WITH_FD, &[]);
    push_who(&mut bytes, pid, CONTROL);
    push_command(&mut bytes, command.iter().copied())?;
    Some(bytes)
}

/// All that a plain client says, by one call: it comes without a terminal, and asks for `commands`, one after the other
/// until one fails. `None`: that is too much to say.
pub(super) fn request(pid: u32, commands: &[Vec<String>]) -> Option<Vec<u8>> {
    // A last `;` ends a command.
    let is_safe = |word: &&String| !word.ends_with(';');
    if !commands.iter().flatten().all(|word| is_safe(&word)) {
        return None;
    }
    let mut bytes = Vec::new();
    push_who(&mut bytes, pid, PLAIN);
    push_command(&mut bytes, commands.join(&";".to_owned()).iter().map(String::as_str))?;
    Some(bytes)
}

/// The answer to [`Said::Opens`]: let it come.
pub(super) fn ready(stream: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    push(&mut bytes, WRITE_READY, 0, &[stream.to_ne_bytes(), 0i32.to_ne_bytes()].concat());
    bytes
}

fn push_who(bytes: &mut Vec<u8>, pid: u32, flags: u64) {
    push(bytes, IDENTIFY_LONGFLAGS, 0, &flags.to_ne_bytes());
    push(bytes, IDENTIFY_TERM, 0, &ended(b"unknown"));
    push(bytes, IDENTIFY_TTYNAME, 0, &ended(b""));
    push(bytes, IDENTIFY_CWD, 0, &ended(b"/"));
    push(bytes, IDENTIFY_CLIENTPID, 0, &pid.to_ne_bytes());
    push(bytes, IDENTIFY_DONE, 0, &[]);
}

/// `None`: the words are too long.
fn push_command<'a>(bytes: &mut Vec<u8>, command: impl Iterator<Item = &'a str> + Clone) -> Option<()> {
    let mut words = u32::try_from(command.clone().count()).ok()?.to_ne_bytes().to_vec();
    command.clone().for_each(|word| words.extend(ended(word.as_bytes())));
    if HEADER + words.len() > MAX_MESSAGE || command.clone().any(|word| word.contains('\0')) {
        return None;
    }
    push(bytes, COMMAND, 0, &words);
    Some(())
}

fn ended(word: &[u8]) -> Vec<u8> {
    [word, b"\0"].concat()
}

/// The caller sees to it that the length fits.
fn push(bytes: &mut Vec<u8>, kind: u32, flags: u16, payload: &[u8]) {
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(((HEADER + payload.len()) as u16).to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(PROTOCOL.to_ne_bytes());
    // tmux sends no pid here either: the kernel tells.
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend(payload);
}

/// What the server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// We are to go; tmux's words for why, if any.
    Farewell(String),
    /// It is going to print into this stream (1 or 2), and waits for [`ready`].
    Opens(i32),
    Prints(i32, &'a [u8]),
    Other,
}

/// What was heard so far, put together to messages.
#[derive(Default)]
pub(super) struct Heard {
    bytes: Vec<u8>,
    /// Up to here it was given out.
    at: usize,
}

impl Heard {
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message.
    pub fn next(&mut self) -> Option<Said<'_>> {
        let [k0, k1, k2, k3, l0, l1, _, _, v0, ..] = *self.bytes[self.at..].first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        if !(HEADER..=MAX_MESSAGE).contains(&length) {
            return Some(Said::Farewell("lost server: a message without a length".into()));
        }
        let message = self.bytes.get(self.at..self.at + length)?;
        self.at += length;
        Some(said(u32::from_ne_bytes([k0, k1, k2, k3]), v0, &message[HEADER..]))
    }
}

fn said(kind: u32, version: u8, payload: &[u8]) -> Said<'_> {
    let stream = payload.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes));
    match (kind, stream) {
        (WRITE_OPEN, Some(stream)) => Said::Opens(stream),
        (WRITE, Some(stream)) => Said::Prints(stream, &payload[4..]),
        _ => farewell(kind, version, payload).map_or(Said::Other, Said::Farewell),
    }
}

fn farewell(kind: u32, version: u8, payload: &[u8]) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.strip_suffix(b"\0").unwrap_or(bytes)).into_owned();
    match kind {
        // An exit status, and sometimes words.
        EXIT => Some(text(payload.get(4..).unwrap_or_default())),
        SHUTDOWN => Some("server exited".into()),
        DETACH | DETACH_KILL => Some(format!("detached (from session {})", text(payload))),
        EXITED | EXEC => Some(String::new()),
        VERSION => Some(format!("protocol version mismatch (client {PROTOCOL}, server {version})")),
        _ => None,
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    // What `tmux -u -N -C attach-session -f no-output,ignore-size -t =a:` of 3.3a sends, message by message.
    const STDIN: &[u8] = b"\x68\x00\x00\x00\x10\x00\x01\x00\x08\x00\x00\x00\xff\xff\xff\xff";
    const STDOUT: &[u8] = b"\x6e\x00\x00\x00\x10\x00\x01\x00\x08\x00\x00\x00\xff\xff\xff\xff";
    const LONGFLAGS: &[u8] =
        b"\x6f\x00\x00\x00\x18\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xff\x00\x30\x01\x18\x00\x00\x00\x00";
    const TERM: &[u8] = b"\x65\x00\x00\x00\x17\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xffscreen\0";
    const TTYNAME: &[u8] = b"\x66\x00\x00\x00\x11\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xff\x00";
    const CWD: &[u8] = b"\x6c\x00\x00\x00\x15\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xff/tmp\0";
    const CLIENTPID: &[u8] = b"\x6b\x00\x00\x00\x14\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xff\x97\x4c\x00\x00";
    const ENVIRON: &[u8] = b"\x69\x00\x00\x00\x1d\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xffLANG=C.UTF-8\0";
    const DONE: &[u8] = b"\x6a\x00\x00\x00\x10\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xff";
    const COMMAND: &[u8] = b"\xc8\x00\x00\x00\x43\x00\x00\x00\x08\x00\x00\x00\xff\xff\xff\xff\x05\x00\x00\x00\
        attach-session\0-f\0no-output,ignore-size\0-t\0=a:\0";

    /// The same message with another text.
    fn with_text(message: &[u8], text: &[u8]) -> Vec<u8> {
        let mut new = message[..HEADER].to_vec();
        new.extend(text);
        new[4] = new.len() as u8;
        new
    }

    #[test]
    fn we_say_byte_for_byte_what_a_tmux_client_says() {
        assert_eq!(opening([b"LANG=C.UTF-8".to_vec()]), [ENVIRON, STDIN].concat());
        let said = introduction(0x4c97, &["attach-session", "-f", "no-output,ignore-size", "-t", "=a:"]).unwrap();
        let mut flags = LONGFLAGS.to_vec();
        // Two flags that only the client itself reads: the default folder for sockets, a command that starts a server.
        flags[19] = 0;
        let (term, cwd) = (with_text(TERM, b"unknown\0"), with_text(CWD, b"/\0"));
        assert_eq!(said, [STDOUT, &flags, &term, TTYNAME, &cwd, CLIENTPID, DONE, COMMAND].concat());
    }

    #[test]
    fn all_that_is_said_fits_into_one_read_of_the_server() {
        let long = opening([vec![b'x'; MAX_MESSAGE], b"A=1".to_vec(), b"B=\0".to_vec()]);
        assert_eq!(long.len(), 2 * HEADER + 4, "what the server would not take is left out");
        let many = opening((0..1000).map(|_| vec![b'x'; 1000]));
        let command = introduction(u32::MAX, &["x".repeat(MAX_MESSAGE - HEADER - 5).as_str()]).unwrap();
        assert!(many.len() > 30_000 && many.len() + command.len() < 65_535);
        assert_eq!(introduction(1, &["x".repeat(MAX_MESSAGE).as_str()]), None);
        assert_eq!(introduction(1, &["a\0b"]), None);
    }

    #[test]
    fn only_versions_whose_sources_were_read_are_spoken_to() {
        for (version, spoken) in
            [("3.3a", true), ("3.5a", true), ("3.6", false), ("next-3.4", false), ("openbsd-7.5", false), ("", false)]
        {
            assert_eq!(is_spoken_by(version), spoken, "{version}");
        }
    }

    fn message(kind: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        push(&mut bytes, kind, 0, payload);
        bytes
    }

    #[test]
    fn the_end_is_heard_however_it_is_cut() {
        let flags = message(218, &[0; 8]);
        for (last, words) in [
            (message(EXIT, &[0; 4]), ""),
            (message(EXIT, b"\x01\0\0\0not a terminal\0"), "not a terminal"),
            (message(SHUTDOWN, b""), "server exited"),
            (message(DETACH, b"p-a\0"), "detached (from session p-a)"),
            (message(VERSION, b""), "protocol version mismatch (client 8, server 8)"),
            (vec![0; HEADER], "lost server: a message without a length"),
        ] {
            let all = [flags.as_slice(), &last].concat();
            let mut heard = Heard::default();
            heard.take(&all);
            assert_eq!(heard.next(), Some(Said::Other));
            assert_eq!(heard.next(), Some(Said::Farewell(words.into())));
            let mut heard = Heard::default();
            let mut said = Vec::new();
            for byte in &all {
                heard.take(&[*byte]);
                said.extend(heard.next().map(|said| format!("{said:?}")));
            }
            assert_eq!(said, ["Other".to_owned(), format!("Farewell({words:?})")]);
        }
    }

    // What `tmux -u -N display-message -p a \; capture-pane -p` of 3.3a says and hears, the environment left out.
    #[test]
    fn a_plain_client_asks_once_and_hears_what_is_printed() {
        let commands = [vec!["display-message".into(), "-p".into(), "a".into()], vec!["list-panes".into()]];
        let said = request(0x4c97, &commands).unwrap();
        let mut flags = LONGFLAGS.to_vec();
        flags[17..20].copy_from_slice(b"\x10\x01\0");
        let (term, cwd) = (with_text(TERM, b"unknown\0"), with_text(CWD, b"/\0"));
        let command = with_text(COMMAND, b"\x05\0\0\0display-message\0-p\0a\0;\0list-panes\0");
        assert_eq!(said, [&flags, &term, TTYNAME, &cwd, CLIENTPID, DONE, &command].concat());
        for word in ["x;", ";", "a\0b", &"x".repeat(MAX_MESSAGE)] {
            assert_eq!(request(1, &[vec![word.to_owned()]]), None);
        }
        let opens = message(WRITE_OPEN, b"\x01\0\0\0\x01\0\0\0\0\0\0\0");
        let mut heard = Heard::default();
        heard.take(&[opens, message(WRITE, b"\x02\0\0\0no\n"), message(WRITE, b"\x01")].concat());
        assert_eq!(heard.next(), Some(Said::Opens(1)));
        assert_eq!(heard.next(), Some(Said::Prints(2, b"no\n")));
        assert_eq!(heard.next(), Some(Said::Other));
        assert_eq!(heard.next(), None);
        assert_eq!(ready(1), b"\x31\x01\0\0\x18\0\0\0\x08\0\0\0\xff\xff\xff\xff\x01\0\0\0\0\0\0\0");
    }
}
