//! A stand-in for the model services, so that real agent CLIs run with no account and no network.
//!
//! One instance listens on a free loopback port and speaks four wire protocols, told apart by path. What the "model"
//! does is a [`Mode`], changed at run time. Every model request is kept in a log that tests assert on.
mod anthropic;
mod chat;
mod control;
mod fault;
mod gemini;
mod http;
mod log;
mod responses;

pub use fault::Mode;
pub use log::{Asked, Protocol};

use http::{Connection, Incoming};
use serde_json::{Value, json};
use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

pub struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the model does, and the words it uses.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub mode: Mode,
    /// What `say` answers.
    pub text: String,
    /// Shell command that `tool` asks to run.
    pub tool_command: String,
    /// Another tool for `tool` to ask for, with its arguments; `None`: the CLI's shell.
    pub call: Option<(String, Value)>,
    /// What `tool` does once it has the result.
    pub then: Mode,
    /// Seconds from now until a usage limit resets.
    pub reset_in: u64,
    /// The limit resets at this moment instead, in seconds since 1970, and is over then; it is told as by a plan, with
    /// the moment in the CLI's own words.
    pub reset_at: Option<u64>,
    /// A conversation in which this was said is refused for ever.
    pub poisoned: Option<String>,
    /// What hangs is never answered, whatever the mode is by then.
    pub hangs_on: bool,
    /// Pause between two words of `say`.
    pub pace: Duration,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            mode: Mode::Say,
            text: "All done. The work you asked for is finished.".into(),
            tool_command: "echo hello".into(),
            call: None,
            then: Mode::Say,
            reset_in: 3 * 3600,
            reset_at: None,
            poisoned: None,
            hangs_on: false,
            pace: Duration::from_millis(30),
        }
    }
}

impl Behaviour {
    /// A limit that has a moment is over after it.
    fn at_present(mut self) -> Behaviour {
        if let (Mode::Limit, Some(reset)) = (self.mode, self.reset_at) {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
            self.reset_in = reset.saturating_sub(now);
            if self.reset_in == 0 {
                self.mode = Mode::Say;
            }
        }
        self
    }
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    changed: Condvar,
    log: Mutex<Vec<Asked>>,
    stopping: AtomicBool,
    /// Requests of the conversation that are being answered.
    under_way: AtomicUsize,
    serial: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    pub fn start() -> io::Result<Service> {
        Service::start_on(0)
    }

    /// On a port of one's own choice, for use by hand; 0 = any free one.
    pub fn start_on(port: u16) -> io::Result<Service> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Behaviour::default()),
            changed: Condvar::new(),
            log: Mutex::new(Vec::new()),
            stopping: AtomicBool::new(false),
            under_way: AtomicUsize::new(0),
            serial: AtomicU64::new(1),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.stopping.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Ok(Service { address, shared })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes effect for the next request; a slow answer that is under way is finished, a hanging one is cut.
    pub fn set_mode(&self, mode: Mode) {
        self.change(|b| b.mode = mode);
    }

    pub fn mode(&self) -> Mode {
        lock(&self.shared.behaviour).mode
    }

    pub fn change(&self, edit: impl FnOnce(&mut Behaviour)) {
        edit(&mut lock(&self.shared.behaviour));
        self.shared.changed.notify_all();
    }

    /// How many requests of the conversation are being answered.
    pub fn under_way(&self) -> usize {
        self.shared.under_way.load(Ordering::SeqCst)
    }

    /// Every model request so far, oldest first.
    pub fn log(&self) -> Vec<Asked> {
        lock(&self.shared.log).clone()
    }

    /// Requests of the conversation itself (no titles, summaries or token counts), oldest first.
    pub fn conversation(&self) -> Vec<Asked> {
        self.log().into_iter().filter(|a| !a.side).collect()
    }

    /// How often `text` has been said in the conversation as it stands now: what the model was last asked.
    pub fn times_said(&self, text: &str) -> usize {
        self.conversation().last().map_or(0, |a| a.said.matches(text).count())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        // Wakes the accepting thread, so that the port is given back.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let Ok(mut connection) = Connection::new(stream) else { return };
        // A client that hangs up in the middle of an answer is an everyday event here, not an error.
        while let Ok(Some(incoming)) = connection.next_request() {
            if self.stopping.load(Ordering::Relaxed) || self.answer(&mut connection, &incoming).is_err() {
                return;
            }
        }
    }

    fn answer(&self, to: &mut Connection, incoming: &Incoming) -> io::Result<()> {
        let Some(protocol) = Protocol::of(incoming) else {
            return self.other_request(to, incoming);
        };
        let none = Value::Null;
        let body = incoming.body.as_ref().unwrap_or(&none);
        let behaviour = lock(&self.behaviour).clone().at_present();
        let asked = Asked::read(protocol, incoming, body, &behaviour);
        lock(&self.log).push(asked.clone());
        let turn =
            Turn { shared: self, behaviour, body, asked: &asked, id: self.serial.fetch_add(1, Ordering::Relaxed) };
        let counted = usize::from(!asked.side);
        self.under_way.fetch_add(counted, Ordering::SeqCst);
        let answered = match protocol {
            Protocol::Anthropic => anthropic::answer(&turn, to),
            Protocol::Responses => responses::answer(&turn, to),
            Protocol::Chat => chat::answer(&turn, to),
            Protocol::Gemini => gemini::answer(&turn, to),
        };
        self.under_way.fetch_sub(counted, Ordering::SeqCst);
        answered
    }

    fn other_request(&self, to: &mut Connection, incoming: &Incoming) -> io::Result<()> {
        let path = incoming.path.as_str();
        match incoming.method.as_str() {
            "HEAD" => to.empty(),
            _ if path == "/control" => self.control(to, incoming),
            _ if path.ends_with("/count_tokens") => to.json(200, &[], &json!({"input_tokens": 10})),
            _ if path.ends_with(":countTokens") => to.json(200, &[], &json!({"totalTokens": 10})),
            "GET" if path.contains("/models") => {
                to.json(200, &[], &json!({"object": "list", "data": [{"id": "stub", "object": "model"}], "models": []}))
            }
            _ => to.json(200, &[], &json!({})),
        }
    }
}

/// One request being answered.
struct Turn<'a> {
    shared: &'a Shared,
    behaviour: Behaviour,
    body: &'a Value,
    asked: &'a Asked,
    /// Unique within the service; part of every id in the answer.
    id: u64,
}

impl Turn<'_> {
    /// What this request gets.
    fn mode(&self) -> Mode {
        self.asked.answer
    }

    /// Name and arguments of the tool to ask for; `shell` gives those of the CLI's shell.
    fn call(&self, shell: impl FnOnce() -> (String, Value)) -> (String, Value) {
        self.behaviour.call.clone().unwrap_or_else(shell)
    }

    /// Gives the answer's words to `each`, at the mode's pace.
    fn words(
        &self,
        to: &mut Connection,
        mut each: impl FnMut(&mut Connection, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.mode() == Mode::Slow {
            let mut n = 0;
            while self.still(Mode::Slow) {
                each(to, &format!("word{n} "))?;
                n += 1;
                self.wait_while(Mode::Slow, Duration::from_secs(1));
            }
            return Ok(());
        }
        for (n, word) in self.behaviour.text.split_inclusive(' ').enumerate() {
            if self.mode() == Mode::Drop && n == 3 {
                return Err(to.cut());
            }
            each(to, word)?;
            std::thread::sleep(self.behaviour.pace);
        }
        Ok(())
    }

    fn still(&self, mode: Mode) -> bool {
        !self.shared.stopping.load(Ordering::Relaxed)
            && self.asked.mode_of_answer(&lock(&self.shared.behaviour)) == mode
    }

    /// Looks after a while at the earliest where nothing would be noticed otherwise.
    fn hangs(&self) -> bool {
        if !self.behaviour.hangs_on || self.shared.stopping.load(Ordering::Relaxed) {
            return self.still(Mode::Hang);
        }
        std::thread::sleep(Duration::from_millis(50));
        true
    }

    fn wait_while(&self, mode: Mode, at_most: Duration) {
        let until = Instant::now() + at_most;
        let mut now = lock(&self.shared.behaviour);
        while self.asked.mode_of_answer(&now) == mode && !self.shared.stopping.load(Ordering::Relaxed) {
            let Some(rest) = until.checked_duration_since(Instant::now()) else { return };
            now = self.shared.changed.wait_timeout(now, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
