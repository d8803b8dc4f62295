//! A machine that has no time: prompts one after the other, while far more wants to run than there are processors. A CLI
//! then takes seconds to read a key, and seconds more to act on it.
use crate::{
    clis::{self, CLIS, Cli, Installed, Trouble},
    example::AGENT,
    prompts::{self, Prompts},
    sandbox::{Outcome, Sandbox},
};
use std::{
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

/// Prompts a CLI.
const PROMPTS: usize = 20;
/// Programs that want a processor, for each that there is.
const GREEDY: usize = 150;
const GIVE_UP: Duration = Duration::from_secs(300);

/// `names`: of CLIs; none = all. One after the other.
pub fn play(names: &[&str]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|n| CLIS.iter().all(|c| c.name != **n)) {
        eprintln!("error: no CLI is called `{unknown}`");
        return ExitCode::from(2);
    }
    let installed = match clis::install() {
        Ok(installed) => installed,
        Err(Trouble::Lacking(why) | Trouble::Wrong(why)) => {
            println!("FAILED: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut good = true;
    for cli in CLIS.iter().filter(|c| names.is_empty() || names.contains(&c.name)) {
        good &= play_cli(cli, &installed).unwrap_or_else(|e| {
            println!("{:9} FAILED: {e}", cli.name);
            false
        });
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// True: each prompt came once.
fn play_cli(cli: &'static Cli, installed: &Installed) -> Outcome<bool> {
    let s = Sandbox::new(cli, installed)?;
    s.agents(&["up"])?;
    s.wait("first request", || Ok((!s.service.conversation().is_empty()).then_some(())))?;
    let greedy = Greedy::start()?;
    let prompts = Prompts::default();
    for number in 0..PROMPTS {
        prompts.ask(&s, AGENT, format!("MARK-busy-{number}-"), "120s");
    }
    let count = |wanted: &dyn Fn(usize) -> bool| -> Vec<String> {
        let log = s.service.log();
        let all = prompts.all();
        all.iter().filter(|p| wanted(prompts::arrivals(&log, &p.mark))).map(|p| p.mark.clone()).collect()
    };
    let until = Instant::now() + GIVE_UP;
    while !count(&|n| n == 0).is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(500));
    }
    // One that comes again comes when the turn before it is over.
    std::thread::sleep(Duration::from_secs(10));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    drop(greedy);
    let (never, twice) = (count(&|n| n == 0), count(&|n| n > 1));
    let once = count(&|n| n == 1).len();
    let load = load.split(' ').next().unwrap_or_default();
    println!("{:9} load {load}: {PROMPTS} prompts: {once} once, never {never:?}, twice {twice:?}", cli.name);
    if !(never.is_empty() && twice.is_empty()) {
        println!("{}", s.agents(&["events", "-n", "200"])?);
    }
    s.agents(&["down"])?;
    Ok(never.is_empty() && twice.is_empty())
}

/// Ended when this is dropped.
struct Greedy(Vec<Child>);

impl Greedy {
    fn start() -> Outcome<Greedy> {
        let many = GREEDY * std::thread::available_parallelism().map_or(1, usize::from);
        let mut all = Greedy(Vec::new());
        for _ in 0..many {
            let mut command = Command::new("sh");
            command.args(["-c", "while :; do :; done"]).stdin(Stdio::null());
            all.0.push(command.spawn().map_err(|e| format!("cannot run `sh`: {e}"))?);
        }
        Ok(all)
    }
}

impl Drop for Greedy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
