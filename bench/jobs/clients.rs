//! Those who submit, and may be killed at any moment of it.
use crate::{
    ledger::{FILE, Work},
    place::{Place, wait},
    process,
};
use agents::world::process::ProcId;
use rustix::process::Signal;
use std::{
    fs::{self, File},
    io,
    process::{Child, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    Clients,
    Runners,
    Both,
}

impl Kill {
    pub const ALL: [Kill; 3] = [Kill::Clients, Kill::Runners, Kill::Both];

    pub fn word(self) -> &'static str {
        match self {
            Kill::Clients => "clients",
            Kill::Runners => "runners",
            Kill::Both => "clients and runners",
        }
    }

    pub fn of_runners(self) -> bool {
        self != Kill::Clients
    }

    /// All of them, as they are now; until they are dead, which takes a while where the machine is busy.
    pub fn now(self, place: &Place) -> io::Result<usize> {
        let meant = |found: &process::Found| match self {
            Kill::Clients => found.is_client(place.program()),
            Kill::Runners => found.is_runner(),
            Kill::Both => found.is_runner() || found.is_client(place.program()),
        };
        let all: Vec<_> = process::of(place.root()).into_iter().filter(meant).collect();
        // What was a client a moment ago may have become the runner that it was about to be: they stand still first.
        all.iter().for_each(|found| process::signal(found.pid, Signal::STOP));
        wait(Duration::from_secs(10), Duration::from_micros(200), || {
            Ok((!all.iter().any(|found| process::runs(found.pid))).then_some(()))
        })?;
        let (dead, others): (Vec<_>, Vec<_>) =
            all.iter().filter_map(|found| process::found(found.pid)).partition(|found| meant(found));
        others.iter().for_each(|found| process::signal(found.pid, Signal::CONT));
        let marks: Vec<ProcId> = dead.iter().filter_map(|found| ProcId::of(found.pid)).collect();
        dead.iter().for_each(|found| process::signal(found.pid, Signal::KILL));
        wait(Duration::from_secs(10), Duration::from_micros(200), || {
            Ok((!marks.iter().any(|mark| mark.is_alive())).then_some(()))
        })?;
        Ok(dead.len())
    }
}

pub struct Clients<'a> {
    place: &'a Place,
    own: String,
    ledger: String,
    /// They submit nothing more.
    over: AtomicBool,
    /// What they were told.
    acked: Mutex<Vec<String>>,
}

impl Clients<'_> {
    pub fn new(place: &Place) -> io::Result<Clients<'_>> {
        let own = std::env::current_exe()?.to_string_lossy().into_owned();
        let ledger = place.path(FILE).to_string_lossy().into_owned();
        Ok(Clients { place, own, ledger, over: AtomicBool::new(false), acked: Mutex::default() })
    }

    /// Shows the job until its end.
    pub fn foreground(&self, work: Work) -> io::Result<Child> {
        let words = work.words(&self.own, &self.ledger);
        self.place.verb(&["run", "--"]).args(words).spawn()
    }

    /// All at once. Its answers go into a file, so that those of a killed one count as well.
    pub fn batch(&self, works: &[Work]) -> io::Result<Child> {
        let file = self.place.path("batch");
        fs::write(&file, works.iter().map(|work| work.line(&self.own, &self.ledger)).collect::<String>())?;
        let answers = File::create(self.place.path("answers"))?;
        self.place.verb(&["run", "-b", "--batch"]).arg(file).stdout(answers).spawn()
    }

    /// One after the other, until somebody ends it.
    pub fn one_by_one(&self, works: &[Work]) -> io::Result<()> {
        for work in works {
            if self.over.load(Ordering::SeqCst) {
                break;
            }
            let words = work.words(&self.own, &self.ledger);
            let said = self.place.verb(&["run", "-b", "--"]).args(words).stdout(Stdio::piped()).output()?;
            self.note(&String::from_utf8_lossy(&said.stdout));
        }
        Ok(())
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Whole lines alone: a killed one may have written half.
    fn note(&self, said: &str) {
        let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if let Ok(mut acked) = self.acked.lock() {
            acked.extend(whole.lines().map(str::to_owned));
        }
    }

    /// Every id that was given out.
    pub fn acked(&self) -> Vec<String> {
        self.note(&fs::read_to_string(self.place.path("answers")).unwrap_or_default());
        self.acked.lock().map(|acked| acked.clone()).unwrap_or_default()
    }
}

/// One that neither was killed nor ends when its job has ended would wait for ever.
pub fn ended(child: &mut Child) -> io::Result<()> {
    let ended = wait(Duration::from_secs(10), Duration::from_millis(5), || child.try_wait());
    if ended.is_err() {
        child.kill()?;
        child.wait()?;
        return Err(io::Error::other("a client did not end with its job"));
    }
    Ok(())
}
