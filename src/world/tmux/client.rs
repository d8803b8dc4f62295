//! The client: a connection that is made again when it is lost, and what is asked over it.
use super::{
    capture, child,
    control::{Answer, Link, Notice, OnNotice},
    direct,
    error::TmuxError,
    glance::{self, Extent},
    nonce::nonce,
    orphan, quote, rows,
    rows::PaneRow,
    run,
    screen::Captured,
    server::Server,
    session::{self, Created, NewSession},
    speaker, wire,
};
use crate::world::process::ProcId;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// How long any one call may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// A connection to one server, attached to a session of ours: the anchor.
pub struct Client {
    pub(super) server: Server,
    anchor: NewSession,
    link: Option<Link>,
    on_notice: OnNotice,
    deadline: Duration,
    /// Marks our lines and rows. Never in an argv.
    pub(super) nonce: String,
    server_pid: u32,
    /// The server, if it is known to speak [`wire`].
    speaks: Option<ProcId>,
    /// As of the last list.
    all_panes: usize,
    /// Numbers paste buffers.
    pub(super) pastes: u64,
    /// Where the cursor has to stand for the next text or key.
    pub(super) cursor: Option<(u16, u16)>,
}

impl Client {
    /// Starts the server and the anchor session if missing, and attaches to it. `on_notice` runs on another thread.
    pub fn connect(
        server: &Server,
        anchor: &NewSession,
        on_notice: impl Fn(Notice) + Send + Sync + 'static,
    ) -> Result<Client, TmuxError> {
        session::check_name(&anchor.name)?;
        let mut client = Client {
            server: server.clone(),
            anchor: anchor.clone(),
            link: None,
            on_notice: Arc::new(on_notice),
            deadline: DEADLINE,
            nonce: nonce().map_err(|e| TmuxError::io("/dev/urandom", e))?,
            server_pid: 0,
            speaks: None,
            all_panes: 0,
            pastes: 0,
            cursor: None,
        };
        client.restore()?;
        client.sweep_buffers()?;
        Ok(client)
    }

    /// Another deadline than 5 s without any answer, for each of the calls that follow.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// The server's process, as of the last connection.
    pub fn server_pid(&self) -> u32 {
        self.server_pid
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Makes the connection if there is none, and the server and anchor if they are missing. `Ok(true)`: the server
    /// is another one than before. The other calls never start a server.
    pub fn restore(&mut self) -> Result<bool, TmuxError> {
        let before = self.server_pid;
        match self.attach() {
            Ok(()) => {}
            Err(TmuxError::ServerDown(_) | TmuxError::Socket(_)) => {
                self.start()?;
                self.attach()?;
            }
            Err(e) => return Err(e),
        }
        Ok(self.server_pid != before)
    }

    /// Whether the server answers, starting nothing.
    pub fn is_alive(&mut self) -> Result<(), TmuxError> {
        self.ask_again(&["display-message -p x".into()], "ping").map(drop)
    }

    /// Every pane of the server. No process is started.
    pub fn list(&mut self) -> Result<Vec<PaneRow>, TmuxError> {
        let mark = self.row_mark();
        let text = self.list_as(&rows::format(&mark, rows::Fields::All))?;
        let rows = rows::parse(&text, &mark)?;
        self.all_panes = rows.len();
        Ok(rows)
    }

    /// Brings `known` up to date as far as `extent` goes; all else stays as it was then. False: there are other panes,
    /// or one died, and `known` is of no more use. Much cheaper than [`Client::list`].
    pub fn glance(&mut self, known: &mut [PaneRow], extent: Extent) -> Result<bool, TmuxError> {
        let mark = self.row_mark();
        let text = self.list_as(&glance::format(&mark, extent))?;
        Ok(glance::update(known, &text, &mark, extent))
    }

    /// Another marker than the one between answers: this one is printed inside of rows.
    fn row_mark(&self) -> String {
        format!("{}r", self.nonce)
    }

    fn list_as(&mut self, format: &str) -> Result<String, TmuxError> {
        let line = format!("list-panes -a -F {}", quote::word(format));
        let answers = self.ask_again(&[line], "list panes")?;
        let Some(Answer { blocks, error }) = answers.into_iter().next() else {
            return Err(TmuxError::Protocol("no answer".into()));
        };
        if let Some(words) = error {
            return Err(self.error(&words, "list-panes"));
        }
        let Ok([text]) = <[String; 1]>::try_from(blocks) else {
            return Err(TmuxError::Protocol("not one list".into()));
        };
        Ok(text)
    }

    /// The visible screens of `panes` (ids), with at most one process for up to 256. A pane that is gone is absent.
    pub fn capture(&mut self, panes: &[&str]) -> Result<BTreeMap<String, Captured>, TmuxError> {
        match panes {
            [] => Ok(BTreeMap::new()),
            panes => capture::capture(&self.server, self.speaks, panes, self.all_panes, self.deadline),
        }
    }

    /// The visible screen of one pane with its escape sequences.
    pub fn capture_coloured(&mut self, pane: &str) -> Result<String, TmuxError> {
        capture::coloured(&self.server, self.speaks, pane, self.deadline)
    }

    /// Makes one session; its log writer is connected before its first byte. A name that is taken is
    /// [`TmuxError::Duplicate`]: this is the last lock against starting twice.
    pub fn new_session(&mut self, new: &NewSession) -> Result<Created, TmuxError> {
        self.new_sessions(std::slice::from_ref(new))
            .pop()
            .unwrap_or_else(|| Err(TmuxError::Protocol("no answer".into())))
    }

    /// Makes many, one result each, in order.
    pub fn new_sessions(&mut self, all: &[NewSession]) -> Vec<Result<Created, TmuxError>> {
        let lines: Vec<Result<String, TmuxError>> =
            all.iter().map(|new| session::command_line(new, !self.server.is_own())).collect();
        let good: Vec<String> = lines.iter().filter_map(|line| line.as_ref().ok().cloned()).collect();
        let mut answers = match self.ask(&good, "new session") {
            Ok(answers) => answers.into_iter(),
            Err(e) => return lines.into_iter().map(|line| line.and_then(|_| Err(e.clone()))).collect(),
        };
        let results = lines.into_iter().zip(all).map(|(line, new)| {
            line?;
            let answer = answers.next().ok_or_else(|| TmuxError::Protocol("no answer".into()))?;
            match (answer.blocks.first().and_then(|text| session::created(text)), answer.error) {
                (Some(created), pipe_error) => Ok(Created { pipe_error, ..created }),
                (None, Some(words)) => Err(self.error(&words, &new.name)),
                (None, None) => Err(TmuxError::Protocol(format!("no ids of a new session: {:?}", answer.blocks))),
            }
        });
        results.collect()
    }

    /// Ends a session: `$3`, or a name. Its processes get HUP. One that is gone already is no error.
    pub fn kill_session(&mut self, session: &str) -> Result<(), TmuxError> {
        let target = match rows::id(session, '$') {
            Some(id) => id,
            None => {
                session::check_name(session)?;
                format!("={session}:")
            }
        };
        match self.simple(&format!("kill-session -t {}", quote::word(&target)), session, "kill session") {
            Err(TmuxError::Gone(_)) => Ok(()),
            other => other,
        }
    }

    /// Connects a log writer to a pane that has lost its own, replacing one that is there.
    pub fn repipe(&mut self, pane_id: &str, pipe: &[String]) -> Result<(), TmuxError> {
        let pane = self.pane(pane_id)?;
        self.simple(&session::pipe_line(&pane, pipe), pane_id, "connect the log")
    }

    pub(super) fn pane(&self, pane_id: &str) -> Result<String, TmuxError> {
        rows::id(pane_id, '%').ok_or_else(|| {
            TmuxError::Refused(format!("`{}` is not a pane id", crate::model::name::printable_cut(pane_id, 40)))
        })
    }

    /// One command without output that matters.
    pub(super) fn simple(&mut self, line: &str, target: &str, doing: &str) -> Result<(), TmuxError> {
        let answers = self.ask(&[line.to_owned()], doing)?;
        match answers.into_iter().next().and_then(|a| a.error) {
            None => Ok(()),
            Some(words) => Err(self.error(&words, target)),
        }
    }

    /// For questions that change nothing: asked once more if only the connection was lost.
    fn ask_again(&mut self, lines: &[String], doing: &str) -> Result<Vec<Answer>, TmuxError> {
        match self.ask(lines, doing) {
            Err(TmuxError::Protocol(_)) => self.ask(lines, doing),
            other => other,
        }
    }

    pub(super) fn ask(&mut self, lines: &[String], doing: &str) -> Result<Vec<Answer>, TmuxError> {
        if self.link.as_mut().is_none_or(Link::is_over) {
            self.attach()?;
        }
        let link = self.link.as_mut().ok_or_else(|| TmuxError::Protocol("no connection".into()))?;
        let result = link.ask(lines, self.deadline, doing);
        if result.is_err() {
            self.link = None;
        }
        result
    }

    pub(super) fn error(&self, words: &str, target: &str) -> TmuxError {
        TmuxError::from_text(words, target, &self.server.place(), &self.server.tmux.display().to_string())
    }

    /// Attaches to the anchor; makes the anchor if only that is missing. Never starts a server.
    fn attach(&mut self) -> Result<(), TmuxError> {
        self.link = None;
        let first = self.open();
        let (link, pid, version) = match first {
            Err(TmuxError::Gone(_)) => {
                self.make_anchor(false)?;
                self.open()?
            }
            other => other?,
        };
        self.link = Some(link);
        self.server_pid = pid;
        self.speaks = speaker::met(&self.server, pid, &version);
        Ok(())
    }

    fn open(&self) -> Result<(Link, u32, String), TmuxError> {
        let until = Instant::now() + self.deadline;
        let version = self.probe(until)?;
        let target = format!("={}:", self.anchor.name);
        let command = ["attach-session", "-f", "no-output,ignore-size", "-t", &target];
        let ends = if wire::is_spoken_by(&version) {
            direct::open(&self.server, &command, until, &self.late())?
        } else {
            child::open(&self.server, &command)?
        };
        let patience = (until, self.deadline);
        let (link, pid) =
            Link::open(ends, &self.server, &self.anchor.name, &self.nonce, self.on_notice.clone(), patience)?;
        Ok((link, pid, version))
    }

    /// The running server's version, once it has let go of the clients of watchdogs that were killed: one that goes
    /// while another comes crashes tmux 3.3a. So do several that were killed while they waited for a stopped server; a
    /// client of the kind that asks here does no harm.
    fn probe(&self, until: Instant) -> Result<String, TmuxError> {
        let mut ended = BTreeSet::new();
        loop {
            let mut command = self.server.command(false);
            command.args(["display-message", "-p", "#{version}", ";", "list-clients", "-F", orphan::FORMAT]);
            let out = run::run(command, b"", until.saturating_duration_since(Instant::now()), "connect")?;
            let text = String::from_utf8_lossy(&out.stdout);
            // Without a session it lists no clients and calls that an error, but it answers.
            let Some((version, clients)) = text.split_once('\n') else {
                return Err(self.error(&String::from_utf8_lossy(&out.stderr), &self.anchor.name));
            };
            if !orphan::end(clients, &mut ended) {
                return Ok(version.to_owned());
            }
            if Instant::now() >= until {
                return Err(self.late());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn late(&self) -> TmuxError {
        TmuxError::Deadline { doing: "connect".into(), ms: self.deadline.as_millis() as u64 }
    }

    /// Starts the server together with the anchor: a server without a session would end at once where the user's
    /// configuration says so. Right after the end of another server the first try may fail.
    fn start(&mut self) -> Result<(), TmuxError> {
        if let Some(dir) = self.server.socket_path().parent().filter(|d| !d.is_dir() && self.server.is_own()) {
            return Err(TmuxError::Socket(format!("`{}` is not a directory", dir.display())));
        }
        match self.make_anchor(true) {
            Err(TmuxError::ServerDown(_)) => self.make_anchor(true),
            other => other,
        }
    }

    fn make_anchor(&self, start_server: bool) -> Result<(), TmuxError> {
        let (columns, rows) = self.anchor.size;
        let mut command = self.server.command(start_server);
        command.args(["new-session", "-d", "-s", &self.anchor.name]);
        command.arg("-x").arg(columns.to_string()).arg("-y").arg(rows.to_string()).arg("--");
        match self.anchor.argv.as_slice() {
            [] => return Err(TmuxError::Refused("a session needs a program".into())),
            [only] => {
                command.arg(format!("exec {}", quote::sh(only)));
            }
            // A last `;` would end the command, for tmux.
            several => {
                command.args(several.iter().map(|a| match a.strip_suffix(';') {
                    Some(rest) => format!("{rest}\\;"),
                    None => a.clone(),
                }));
            }
        }
        let at = format!("={}:", self.anchor.name);
        for [flag, option, value] in session::options(!self.server.is_own()) {
            command.args([";", "set-option", flag, "-t", &at, option, value]);
        }
        let out = run::run(command, b"", self.deadline, "start tmux")?;
        let words = String::from_utf8_lossy(&out.stderr);
        // With a socket that cannot be made it ends with 0 all the same; the attach that follows is the proof.
        if out.status.success() && words.trim().is_empty() {
            return Ok(());
        }
        match self.error(&words, &self.anchor.name) {
            TmuxError::Duplicate(_) => Ok(()),
            e => Err(e),
        }
    }
}
