//! One control-mode connection: lines out, blocks back.
//!
//! Every request is followed by a marker that only we know; a request's answer is what stands before its marker. So
//! neither the number of blocks that a chained command gives nor text of a pane that looks like a block can shift an
//! answer to another request.
use super::{error::TmuxError, server::Server};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    io::{BufRead, BufReader, Read},
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

/// Something happened on the server that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Sessions or windows came, went or were renamed: list again.
    Changed,
    /// This connection is over; the words are tmux's.
    Lost(String),
}

/// Gets notices, on the reader's thread: must not block.
pub type OnNotice = Arc<dyn Fn(Notice) + Send + Sync>;

/// Requests on the way at once: tmux keeps unread answers in memory without a limit.
const WINDOW: usize = 48;

enum Incoming {
    Block {
        ok: bool,
        text: String,
    },
    /// A stray end of a block: the text before it was cut, by accident or by forgery.
    Broken,
    Gone(String),
}

/// What one request line gave.
pub(super) struct Answer {
    /// Output of its commands, in order.
    pub blocks: Vec<String>,
    /// tmux's words, if one of them failed; those after it were not run.
    pub error: Option<String>,
}

/// What carries a connection: a process of tmux ([`super::child`]), or the server's socket ([`super::direct`]).
pub(super) struct Ends {
    /// Takes our lines; does not block.
    pub input: OwnedFd,
    /// Read by a thread that ends when `holder` is dropped.
    pub output: Box<dyn Output>,
    pub holder: Box<dyn Holder>,
}

pub(super) trait Output: Read + Send {
    /// Once all is read: tmux's words for why it is over, if it did not say so in its output.
    fn last_words(&mut self) -> String;
}

/// Keeps the connection; dropped, it ends.
pub(super) trait Holder: Send {
    /// The other side has gone; what it said may not be read yet.
    fn is_over(&mut self) -> bool;
}

pub(super) struct Link {
    holder: Box<dyn Holder>,
    input: OwnedFd,
    incoming: Receiver<Incoming>,
    marker: String,
    asked: u64,
    place: String,
    program: String,
}

impl Link {
    /// Over `ends`, which attach to session `anchor`: the connection, and the server's pid.
    pub fn open(
        ends: Ends,
        server: &Server,
        anchor: &str,
        marker: &str,
        on_notice: OnNotice,
        (until, deadline): (Instant, Duration),
    ) -> Result<(Link, u32), TmuxError> {
        let Ends { input, output, holder } = ends;
        let (sender, incoming) = channel();
        let established = Arc::new(AtomicBool::new(false));
        let heard = established.clone();
        let reader = std::thread::Builder::new().name("tmux".into()).stack_size(128 * 1024);
        reader
            .spawn(move || read_all(output, &sender, &on_notice, &heard))
            .map_err(|e| TmuxError::io("cannot start a thread", e))?;
        let (place, program) = (server.place(), server.tmux.display().to_string());
        let mut link = Link { holder, input, incoming, marker: marker.into(), asked: 0, place, program };
        let text = link.shake_hands(until, deadline, anchor)?;
        let pid = text.trim().parse().map_err(|_| TmuxError::Protocol(format!("server pid `{}`", text.trim())))?;
        established.store(true, Ordering::Release);
        Ok((link, pid))
    }

    /// The other side has gone; what it said is not read yet.
    pub fn is_over(&mut self) -> bool {
        self.holder.is_over()
    }

    /// The answer to the attach itself comes unasked; everything up to the first marker belongs to it. tmux may read our
    /// first line before it has attached, and then says nothing of an attach that fails: so we ask until the client has
    /// a session, or is gone.
    fn shake_hands(&mut self, until: Instant, deadline: Duration, anchor: &str) -> Result<String, TmuxError> {
        let hello = format!("{}hello ", self.marker);
        let line = format!("display-message -p '{hello}#{{pid}} #{{client_session}}'\n");
        let mut early = false;
        self.greet(&line, until, deadline)?;
        loop {
            match self.next(until, deadline, "attach")? {
                Incoming::Block { ok: true, text } => {
                    let Some(words) = text.strip_prefix(&hello) else { continue };
                    if let Some((pid, _)) = words.trim_end().split_once(' ') {
                        return Ok(pid.to_owned());
                    }
                    early = true;
                    self.greet(&line, until, deadline)?;
                }
                Incoming::Block { ok: false, text } => {
                    return Err(TmuxError::from_text(&text, anchor, &self.place, &self.program));
                }
                Incoming::Gone(words) if early && words.is_empty() => return Err(TmuxError::Gone(anchor.into())),
                Incoming::Gone(words) => return Err(self.gone(&words, anchor)),
                Incoming::Broken => {}
            }
        }
    }

    /// A client that ended at once says more with its own words than a broken pipe does.
    fn greet(&mut self, line: &str, until: Instant, deadline: Duration) -> Result<(), TmuxError> {
        match self.write(line.as_bytes(), until, deadline, "attach") {
            Err(e @ TmuxError::Deadline { .. }) => Err(e),
            _ => Ok(()),
        }
    }

    /// Sends each request as one line and gives back one answer each, in order. The deadline is for the time without
    /// any answer. After an error the connection is of no more use.
    pub fn ask(&mut self, requests: &[String], deadline: Duration, doing: &str) -> Result<Vec<Answer>, TmuxError> {
        let mut answers = Vec::with_capacity(requests.len());
        for window in requests.chunks(WINDOW) {
            let first = self.asked;
            let mut lines = String::new();
            for request in window {
                debug_assert!(!request.contains('\n') && !request.is_empty(), "one line: {request:?}");
                lines.push_str(&format!("{request}\ndisplay-message -p '{}{}'\n", self.marker, self.asked));
                self.asked += 1;
            }
            self.write(lines.as_bytes(), Instant::now() + deadline, deadline, doing)?;
            for n in first..self.asked {
                let until = Instant::now() + deadline;
                answers.push(self.answer(&format!("{}{n}", self.marker), until, deadline, doing)?);
            }
        }
        Ok(answers)
    }

    fn answer(&mut self, marker: &str, until: Instant, deadline: Duration, doing: &str) -> Result<Answer, TmuxError> {
        let mut answer = Answer { blocks: Vec::new(), error: None };
        let mut broken = false;
        loop {
            match self.next(until, deadline, doing)? {
                Incoming::Block { ok: true, text } if text.strip_suffix('\n').unwrap_or(&text) == marker => {
                    return if broken { Err(TmuxError::Protocol("a block ended twice".into())) } else { Ok(answer) };
                }
                Incoming::Block { ok: true, text } => answer.blocks.push(text),
                Incoming::Block { ok: false, text } => answer.error = Some(text),
                Incoming::Broken => broken = true,
                Incoming::Gone(words) => return Err(self.gone(&words, doing)),
            }
        }
    }

    fn gone(&self, words: &str, target: &str) -> TmuxError {
        match TmuxError::from_text(words, target, &self.place, &self.program) {
            // It went without words, or because its session was killed: the server may well live.
            TmuxError::Protocol(_) | TmuxError::Refused(_) => TmuxError::Protocol("the connection was closed".into()),
            other => other,
        }
    }

    fn next(&mut self, until: Instant, deadline: Duration, doing: &str) -> Result<Incoming, TmuxError> {
        match self.incoming.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(incoming) => Ok(incoming),
            Err(RecvTimeoutError::Timeout) => {
                Err(TmuxError::Deadline { doing: doing.into(), ms: deadline.as_millis() as u64 })
            }
            Err(RecvTimeoutError::Disconnected) => Ok(Incoming::Gone(String::new())),
        }
    }

    fn write(&mut self, mut bytes: &[u8], until: Instant, deadline: Duration, doing: &str) -> Result<(), TmuxError> {
        let late = || TmuxError::Deadline { doing: doing.into(), ms: deadline.as_millis() as u64 };
        while !bytes.is_empty() {
            match rustix::io::write(&self.input, bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let left = until.checked_duration_since(Instant::now()).ok_or_else(late)?;
                    let mut fds = [PollFd::new(&self.input, PollFlags::OUT)];
                    match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
                        Ok(0) => return Err(late()),
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(e) => return Err(TmuxError::io(doing, e)),
                    }
                }
                // The reader will tell why.
                Err(Errno::PIPE) => return Ok(()),
                Err(e) => return Err(TmuxError::io(doing, e)),
            }
        }
        Ok(())
    }
}

fn read_all(output: Box<dyn Output>, sender: &Sender<Incoming>, on_notice: &OnNotice, established: &AtomicBool) {
    let mut blocks = Blocks::default();
    let mut exit = String::new();
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        match blocks.line(&line) {
            Some(Heard::Incoming(incoming)) => {
                // Nobody listens any more: go on draining, so that the client can end.
                let _ = sender.send(incoming);
            }
            Some(Heard::Changed) => on_notice(Notice::Changed),
            Some(Heard::Exit(words)) => exit = words,
            None => {}
        }
    }
    if exit.is_empty() {
        exit = reader.get_mut().last_words();
    }
    let _ = sender.send(Incoming::Gone(exit.clone()));
    // A connection that never came about is told by the call that wanted it.
    if established.load(Ordering::Acquire) {
        on_notice(Notice::Lost(exit));
    }
}

enum Heard {
    Incoming(Incoming),
    Changed,
    Exit(String),
}

/// Puts lines together to blocks.
#[derive(Default)]
struct Blocks {
    /// `time number flags` of the open block, and its text so far.
    open: Option<(Vec<u8>, Vec<u8>)>,
}

impl Blocks {
    fn line(&mut self, line: &[u8]) -> Option<Heard> {
        if let Some((triple, text)) = &mut self.open {
            let end = [(b"%end ".as_slice(), true), (b"%error ".as_slice(), false)]
                .into_iter()
                .find(|(word, _)| line.strip_prefix(*word) == Some(triple.as_slice()));
            let Some((_, ok)) = end else {
                text.extend_from_slice(line);
                text.push(b'\n');
                return None;
            };
            let text = String::from_utf8_lossy(text).into_owned();
            // Flag 1: one of our lines. The attach has 0, and its end may come after the first answer.
            let asked = triple.ends_with(b" 1");
            self.open = None;
            if ok && !asked {
                return None;
            }
            return Some(Heard::Incoming(Incoming::Block { ok, text }));
        }
        if let Some(triple) = line.strip_prefix(b"%begin ") {
            self.open = Some((triple.to_vec(), Vec::new()));
            return None;
        }
        let word = line.split(|b| *b == b' ').next().unwrap_or_default();
        match word {
            b"%end" | b"%error" => Some(Heard::Incoming(Incoming::Broken)),
            b"%exit" => Some(Heard::Exit(String::from_utf8_lossy(line.get(6..).unwrap_or_default()).into_owned())),
            b"%sessions-changed"
            | b"%session-renamed"
            | b"%unlinked-window-add"
            | b"%unlinked-window-close"
            | b"%window-add"
            | b"%window-close" => Some(Heard::Changed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(text: &str) -> Vec<String> {
        let mut blocks = Blocks::default();
        text.lines()
            .filter_map(|line| blocks.line(line.as_bytes()))
            .map(|heard| match heard {
                Heard::Incoming(Incoming::Block { ok, text }) => format!("{ok}:{text:?}"),
                Heard::Incoming(Incoming::Broken) => "broken".into(),
                Heard::Incoming(Incoming::Gone(_)) => "gone".into(),
                Heard::Changed => "changed".into(),
                Heard::Exit(words) => format!("exit {words}"),
            })
            .collect()
    }

    #[test]
    fn a_block_ends_only_with_its_own_triple() {
        let heard =
            feed("%begin 1 2 1\n%end 1 3 1\n%begin 9 9 1\nx\n%end 1 2 1\n%sessions-changed\n%exit server exited");
        assert_eq!(heard, ["true:\"%end 1 3 1\\n%begin 9 9 1\\nx\\n\"", "changed", "exit server exited"]);
    }

    #[test]
    fn the_answer_to_the_attach_itself_is_not_ours() {
        assert_eq!(feed("%begin 1 2 0\n%end 1 2 0\n%begin 1 3 0\nno\n%error 1 3 0"), ["false:\"no\\n\""]);
    }

    #[test]
    fn a_forged_end_is_noticed() {
        assert_eq!(feed("%begin 1 2 1\nrow\n%end 1 2 1\nrow 2\n%end 1 2 1"), ["true:\"row\\n\"", "broken"]);
        assert_eq!(feed("%begin 1 2 1\nno\n%error 1 2 1"), ["false:\"no\\n\""]);
    }
}
