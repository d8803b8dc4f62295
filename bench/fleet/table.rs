//! The figures beside those of the Python driver, and the limits we hold ourselves to.
use crate::measure::Figures;
use std::fs;

/// The Python driver with tmux 3.3a on 2 CPUs, 200 and 50 agents on a quiet machine, 10 and 1 on a busy one.
struct Python {
    n: usize,
    up_s: f64,
    down_s: f64,
    status: f64,
    status_cpu: f64,
    status_server: f64,
    tick: f64,
    tick_cpu: f64,
    tick_server: f64,
    tick_processes: f64,
    pss_mb: f64,
    restart_s: f64,
    restart_worst_s: f64,
}

const fn python(n: usize, verbs: [f64; 5], tick: [f64; 4], rest: [f64; 3]) -> Python {
    let [up_s, down_s, status, status_cpu, status_server] = verbs;
    let [tick, tick_cpu, tick_server, tick_processes] = tick;
    let [pss_mb, restart_s, restart_worst_s] = rest;
    Python {
        n,
        up_s,
        down_s,
        status,
        status_cpu,
        status_server,
        tick,
        tick_cpu,
        tick_server,
        tick_processes,
        pss_mb,
        restart_s,
        restart_worst_s,
    }
}

const PYTHON: [Python; 4] = [
    python(1, [0.15, 0.18, 67.0, 56.0, 0.8], [20.0, 10.0, 1.0, 4.0], [11.0, 0.37, 0.85]),
    python(10, [0.36, 0.30, 272.0, 96.0, 8.0], [168.0, 80.0, 14.0, 40.0], [12.0, 0.30, 1.17]),
    python(50, [0.46, 0.30, 253.0, 205.0, 58.0], [396.0, 330.0, 111.0, 200.0], [17.0, 0.19, 0.55]),
    python(200, [2.05, 1.17, 1204.0, 681.0, 719.0], [2103.0, 1220.0, 1375.0, 800.0], [17.0, 1.96, 2.37]),
];

pub fn print(n: usize, f: &Figures) {
    let python = PYTHON.iter().find(|p| p.n == n);
    let old = |field: fn(&Python) -> f64| python.map(field);
    let (quiet, busy) = (&f.quiet, &f.repainting);
    println!("{n} agents{:>40} {:>9} {:>9}", "Python", "agents", "limit");
    row("up", "s", old(|p| p.up_s), f.up_s, Some(2.0));
    row("  until all programs run", "s", None, f.all_run_s, None);
    row("down", "s", old(|p| p.down_s), f.down_s, Some(2.0));
    row("status, wall", "ms", old(|p| p.status), f.status, Some(30.0));
    row("  our CPU", "ms", old(|p| p.status_cpu), f.status_cpu, None);
    row("  CPU of the tmux server", "ms", old(|p| p.status_server), f.status_server, None);
    row("quiet tick, wall", "ms", old(|p| p.tick), quiet.wall, Some(8.0));
    row("  fastest", "ms", None, quiet.fastest, None);
    row("  our CPU", "ms", old(|p| p.tick_cpu), quiet.cpu, None);
    row("  CPU of the tmux server", "ms", old(|p| p.tick_server), quiet.server, None);
    row("  CPU together", "ms", old(|p| p.tick_cpu + p.tick_server), quiet.cpu + quiet.server, Some(4.0));
    row("  processes started", "", old(|p| p.tick_processes), f.processes_a_tick, Some(1.0));
    row("tick, all panes repainting", "ms", None, busy.wall, Some(60.0));
    row("  fastest", "ms", None, busy.fastest, None);
    row("  our CPU", "ms", None, busy.cpu, None);
    row("  CPU of the tmux server", "ms", None, busy.server, None);
    row("  CPU together", "ms", None, busy.cpu + busy.server, Some(45.0));
    row("  server for the output itself", "ms/s", None, busy.server_alone_a_second, None);
    row("killed agent runs again, median", "ms", old(|p| p.restart_s * 1000.0), f.restart, Some(100.0));
    row("  worst", "ms", old(|p| p.restart_worst_s * 1000.0), f.restart_worst, Some(100.0));
    row("PSS of the watchdog and its session", "MB", old(|p| p.pss_mb), f.watchdog_mb, Some(15.0));
    row("PSS of the rest of ours, per agent", "MB", None, f.rest_mb_an_agent, Some(1.0));
    row("processes of ours per agent", "", None, f.processes_an_agent, Some(2.0));
    println!("  ({} quiet and {} repainting ticks)\n", quiet.count, busy.count);
}

fn row(what: &str, unit: &str, old: Option<f64>, new: f64, limit: Option<f64>) {
    let shown = |value: Option<f64>| value.map_or(String::new(), number);
    let verdict = match limit {
        None => "",
        Some(limit) if new <= limit => "ok",
        Some(_) => "OVER",
    };
    let line = format!("  {what:<35} {unit:>4} {:>9} {:>9} {:>9}  {verdict}", shown(old), number(new), shown(limit));
    println!("{}", line.trim_end());
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// What the figures were taken on.
pub fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    format!("{cpus} CPUs, load {load} at the start")
}
