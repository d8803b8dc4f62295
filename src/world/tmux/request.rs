//! One list of commands and what they print, over a connection of our own: no process is started, and the server is
//! done with us in one turn where a client's process needs five.
use super::{
    error::TmuxError,
    server::Server,
    socket,
    wire::{self, Said},
};
use crate::world::process::ProcId;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{RecvFlags, recv, sockopt::socket_peercred},
};
use std::{
    mem::MaybeUninit,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

/// What is read at once.
const BUFFER: usize = 256 * 1024;
/// What commands print.
const STDOUT: i32 = 1;

/// What `commands` print, up to and without the line `end`, which the last of them has to print. `None`: it cannot be
/// had this way. `speaks`: the process that is known to speak [`wire`]; nobody else is spoken to.
pub(super) fn run(
    server: &Server,
    speaks: ProcId,
    commands: &[Vec<String>],
    end: &str,
    deadline: Duration,
    doing: &str,
) -> Result<Option<Vec<u8>>, TmuxError> {
    let until = Instant::now() + deadline;
    let late = TmuxError::Deadline { doing: doing.into(), ms: deadline.as_millis() as u64 };
    let Some(words) = wire::request(std::process::id(), commands) else { return Ok(None) };
    let socket = socket::connect_to(server, until, &late)?;
    if !socket_peercred(&socket).is_ok_and(|peer| ProcId::of(peer.pid.as_raw_pid() as u32) == Some(speaks)) {
        return Ok(None);
    }
    if socket::send(&socket, &words, None, server).is_err() {
        return Ok(None);
    }
    let end = format!("{end}\n");
    let mut heard = wire::Heard::default();
    let mut printed = Vec::new();
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    loop {
        match recv(&socket, &mut buffer, RecvFlags::empty()) {
            // The server ended, or would not have us: a process finds out what it is, and has the words for it.
            Ok((([], _), _)) | Err(Errno::CONNRESET) => return Ok(None),
            Ok(((bytes, _), _)) => heard.take(bytes),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                if !readable(&socket, until)? {
                    return Err(late);
                }
            }
            Err(e) => return Err(TmuxError::io("tmux connection", e)),
        }
        let mut over = false;
        while let Some(said) = heard.next() {
            match said {
                Said::Prints(STDOUT, bytes) => printed.extend_from_slice(bytes),
                // What it prints first waits for this.
                Said::Opens(stream) => over = socket::send(&socket, &wire::ready(stream), None, server).is_err(),
                Said::Farewell(_) => over = true,
                Said::Prints(..) | Said::Other => {}
            }
            if over {
                break;
            }
        }
        if printed.ends_with(end.as_bytes()) {
            printed.truncate(printed.len() - end.len());
            return Ok(Some(printed));
        }
        if over {
            return Ok(None);
        }
    }
}

/// False: it is too late.
fn readable(socket: &OwnedFd, until: Instant) -> Result<bool, TmuxError> {
    let Some(left) = until.checked_duration_since(Instant::now()) else { return Ok(false) };
    match poll(&mut [PollFd::new(socket, PollFlags::IN)], Timespec::try_from(left).ok().as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(true),
        Err(e) => Err(TmuxError::io("tmux connection", e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::tmux::Address;
    use std::{
        io::{Read, Write},
        os::unix::net::{UnixListener, UnixStream},
    };

    /// What becomes of a question to a server that does `answer`.
    fn asked(answer: impl FnOnce(UnixStream) + Send + 'static) -> Result<Option<Vec<u8>>, TmuxError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 64];
            stream.read_exact(&mut question).unwrap();
            answer(stream);
        });
        let commands = [vec!["display-message".into(), "-p".into(), "end".into()]];
        let server = Server::at(Address::Socket(path));
        let result = run(&server, ProcId::own().unwrap(), &commands, "end", Duration::from_millis(300), "asking");
        serving.join().unwrap();
        result
    }

    fn message(kind: u32, payload: &[u8]) -> Vec<u8> {
        let length = (16 + payload.len()) as u16;
        [&kind.to_ne_bytes()[..], &length.to_ne_bytes(), &[0; 2], &8u32.to_ne_bytes(), &[0xff; 4], payload].concat()
    }

    #[test]
    fn what_is_no_answer_hangs_nobody() {
        let line = message(304, b"\x01\0\0\0hello\nend\n");
        assert_eq!(asked(move |mut s| s.write_all(&line).unwrap()), Ok(Some(b"hello\n".to_vec())));
        let half = message(304, b"\x01\0\0\0hello\n");
        assert_eq!(asked(move |mut s| s.write_all(&half).unwrap()), Ok(None), "it hung up in the middle");
        assert_eq!(asked(move |mut s| s.write_all(&message(203, &[0; 4])).unwrap()), Ok(None), "it sent us away");
        assert_eq!(asked(|mut s| s.write_all(&[0; 64]).unwrap()), Ok(None), "it speaks something else");
        let mute = asked(|mut s| drop(s.read_to_end(&mut Vec::new())));
        assert!(matches!(mute, Err(TmuxError::Deadline { .. })), "{mute:?}");
    }
}
