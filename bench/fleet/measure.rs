//! The measurements of one size.
use crate::{
    Plan, process,
    sandbox::{SIGNAL, Sandbox},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

/// Milliseconds, unless the name says otherwise. `None`: not measured.
#[derive(Default)]
pub struct Figures {
    pub up_s: f64,
    /// From the call of `up` until the last agent's program runs.
    pub all_run_s: f64,
    pub down_s: f64,
    pub status: f64,
    pub status_cpu: f64,
    pub status_server: f64,
    pub quiet: Ticks,
    pub repainting: Ticks,
    pub processes_a_tick: f64,
    pub restart: f64,
    pub restart_worst: f64,
    pub watchdog_mb: f64,
    pub rest_mb_an_agent: f64,
    pub processes_an_agent: f64,
}

#[derive(Default)]
pub struct Ticks {
    pub count: usize,
    pub wall: f64,
    pub fastest: f64,
    pub cpu: f64,
    pub server: f64,
    /// What the server needs for the agents' own output, per second.
    pub server_alone_a_second: f64,
}

pub fn fleet(plan: &Plan, n: usize) -> io::Result<Figures> {
    let mut figures = Figures::default();
    quiet(plan, n, &mut figures)?;
    let sandbox = Sandbox::new(&plan.program, n, "repaints")?;
    sandbox.run(&["up"], None)?;
    all_run(&sandbox, n)?;
    figures.repainting = ticks(&sandbox, plan.watch)?;
    Ok(figures)
}

fn quiet(plan: &Plan, n: usize, figures: &mut Figures) -> io::Result<()> {
    let sandbox = Sandbox::new(&plan.program, n, "quiet")?;
    let called = process::boottime();
    figures.up_s = sandbox.run(&["up"], None)?.as_secs_f64();
    figures.all_run_s = all_run(&sandbox, n)?.saturating_sub(called).as_secs_f64();
    figures.quiet = ticks(&sandbox, plan.watch)?;
    status(&sandbox, figures)?;
    memory(&sandbox, n, figures)?;
    restarts(&sandbox, n, plan.kills, figures)?;
    figures.processes_a_tick = processes(&sandbox, plan.watch / 4)?;
    figures.down_s = sandbox.run(&["down"], None)?.as_secs_f64();
    Ok(())
}

/// Waits for every agent's program; the moment of the last start.
fn all_run(sandbox: &Sandbox, n: usize) -> io::Result<Duration> {
    sandbox.wait(Duration::from_secs(60), || {
        let starts = sandbox.starts();
        (starts.len() == n).then(|| starts.values().map(|s| s.at).max().unwrap_or_default())
    })
}

fn ticks(sandbox: &Sandbox, watch: Duration) -> io::Result<Ticks> {
    let (watchdog, server) = sandbox.masters()?;
    // The first ticks after a start look at everything.
    std::thread::sleep(Duration::from_secs(3));
    let (own, theirs) = (process::cpu(watchdog), process::cpu(server));
    let started = Instant::now();
    let mut beats = Vec::new();
    while started.elapsed() < watch {
        std::thread::sleep(SIGNAL / 10);
        if let Some(beat) = sandbox.beat()
            && beats.last() != Some(&beat)
        {
            beats.push(beat);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let own = process::cpu(watchdog).saturating_sub(own);
    let theirs = process::cpu(server).saturating_sub(theirs);
    let alone = alone(watchdog, server, watch / 3)?;
    let passes = seconds / SIGNAL.as_secs_f64();
    let mut walls: Vec<f64> = beats.iter().skip(1).map(|b| b.1).collect();
    Ok(Ticks {
        count: walls.len(),
        fastest: walls.iter().copied().fold(f64::INFINITY, f64::min),
        wall: median(&mut walls),
        cpu: ms(own) / passes,
        server: (ms(theirs) - alone * seconds).max(0.0) / passes,
        server_alone_a_second: alone,
    })
}

/// The server's CPU per second (ms) while nobody looks: the watchdog is stopped for that long.
fn alone(watchdog: u32, server: u32, watch: Duration) -> io::Result<f64> {
    signal(watchdog, Signal::STOP)?;
    let before = process::cpu(server);
    let started = Instant::now();
    std::thread::sleep(watch);
    let used = process::cpu(server).saturating_sub(before);
    let seconds = started.elapsed().as_secs_f64();
    signal(watchdog, Signal::CONT)?;
    Ok(ms(used) / seconds)
}

fn status(sandbox: &Sandbox, figures: &mut Figures) -> io::Result<()> {
    const TIMES: usize = 20;
    let (watchdog, server) = sandbox.masters()?;
    // Its own ticks would count as the server's work for us.
    signal(watchdog, Signal::STOP)?;
    let (own, theirs) = (process::children_cpu(std::process::id()), process::cpu(server));
    let mut walls = Vec::new();
    for _ in 0..TIMES {
        walls.push(ms(sandbox.run(&["status", "--json"], None)?));
    }
    figures.status_cpu = ms(process::children_cpu(std::process::id()).saturating_sub(own)) / TIMES as f64;
    figures.status_server = ms(process::cpu(server).saturating_sub(theirs)) / TIMES as f64;
    figures.status = median(&mut walls);
    signal(watchdog, Signal::CONT)
}

fn memory(sandbox: &Sandbox, n: usize, figures: &mut Figures) -> io::Result<()> {
    let (watchdog, server) = sandbox.masters()?;
    // One a fleet: the watchdog, its guardian, and what shows its log in its session. All else is there for an agent.
    let mut watchdogs = process::pss(watchdog);
    let mut rest = 0;
    let mut count = 0;
    for (pid, words) in process::marked(sandbox.root()) {
        let is_agent = words.iter().any(|w| w == crate::agent::WORD);
        if pid == watchdog || pid == server || is_agent {
            continue;
        }
        let of_the_fleet = words.iter().any(|w| w == "__watchlog" || w == "__guardian");
        *(if of_the_fleet { &mut watchdogs } else { &mut rest }) += process::pss(pid);
        count += usize::from(words.iter().any(|w| w == "__shim" || w == "__log"));
    }
    figures.watchdog_mb = mb(watchdogs);
    figures.rest_mb_an_agent = mb(rest) / n as f64;
    figures.processes_an_agent = count as f64 / n as f64;
    Ok(())
}

fn restarts(sandbox: &Sandbox, n: usize, kills: usize, figures: &mut Figures) -> io::Result<()> {
    let mut took = Vec::new();
    for i in 0..kills {
        let name = format!("a{}", i % n);
        let before = sandbox.starts()[&name];
        let killed = process::boottime();
        signal(before.pid, Signal::KILL)?;
        let after = sandbox
            .wait(Duration::from_secs(30), || sandbox.starts().get(&name).copied().filter(|s| s.pid != before.pid))?;
        took.push(ms(after.at.saturating_sub(killed)));
        // Not at the same place between two ticks every time.
        std::thread::sleep(Duration::from_millis(150 + 37 * (i as u64 % 5)));
    }
    figures.restart_worst = took.iter().copied().fold(0.0, f64::max);
    figures.restart = median(&mut took);
    Ok(())
}

/// How many tmux processes a tick starts, counted by a stand-in for tmux in front of the path of another watchdog.
fn processes(sandbox: &Sandbox, watch: Duration) -> io::Result<f64> {
    let bin = sandbox.path("bin");
    fs::create_dir_all(&bin)?;
    let ledger = sandbox.path("processes");
    let real = std::env::var("PATH").unwrap_or_default();
    let script = format!("#!/bin/sh\nPATH='{real}'\nprintf x >>'{}'\nexec tmux \"$@\"\n", ledger.display());
    fs::write(bin.join("tmux"), script)?;
    fs::set_permissions(bin.join("tmux"), fs::Permissions::from_mode(0o755))?;
    sandbox.run(&["down", "watchdog"], None)?;
    sandbox.run(&["up", "watchdog"], Some(&bin))?;
    std::thread::sleep(Duration::from_secs(2));
    let count = || fs::metadata(&ledger).map_or(0, |m| m.len());
    let (before, started) = (count(), Instant::now());
    std::thread::sleep(watch);
    let passes = started.elapsed().as_secs_f64() / SIGNAL.as_secs_f64();
    Ok((count() - before) as f64 / passes)
}

fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(kill_process(pid, signal)?)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
