//! What reading 200 changed panes costs: `cargo bench --bench reading`. Every recorded screen is read by its preset, filled
//! up to 120x40 by history above it, as one tick would.
use agents::{
    backends::{self, Context, Screen},
    model::{
        policy::{PRESETS, Reader},
        time::Now,
    },
};
use rustix::time::{ClockId, clock_gettime};
use std::{fs, hint::black_box, path::Path};

const PANES: usize = 200;
const COLUMNS: usize = 120;
const ROWS: usize = 40;
const LIMIT_MS: f64 = 10.0;
const TICKS: usize = 41;

fn main() {
    let panes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/panes");
    println!("reading {PANES} changed panes of {COLUMNS}x{ROWS}: CPU time of {TICKS} ticks (limit {LIMIT_MS} ms)");
    let recorded = PRESETS.map(|cli| (cli, screens(&panes.join(cli))));
    let of = |cli, screens: &'static [String]| screens.iter().map(move |s| (cli, s.as_str()));
    let recorded = recorded.map(|(cli, screens)| (cli, &*screens.leak()));
    for (cli, screens) in recorded {
        report(cli, &of(cli, screens).collect::<Vec<_>>());
        let limited = of(cli, screens).filter(|(cli, text)| is_limited(cli, text)).collect::<Vec<_>>();
        report(&format!("{cli}, limits"), &limited);
    }
    // A quarter of each: some of its screens, from its first to its last.
    let share = PANES / PRESETS.len();
    let nth =
        |i: usize| move |(cli, screens): (_, &'static [String])| (cli, screens[i * screens.len() / share].as_str());
    report("all four", &(0..share).flat_map(|i| recorded.map(nth(i))).collect::<Vec<_>>());
}

/// A whole account at its limit shows such screens alone.
fn is_limited(cli: &str, text: &str) -> bool {
    let reader = Reader { preset: Some(cli.to_owned()), ..Reader::default() };
    let about = Context { reader: &reader, said: "", ours: &[], now: Now::default() };
    backends::read(&Screen { text, ..Screen::default() }, &about).limit.is_some()
}

fn report(what: &str, screens: &[(&str, &str)]) {
    let readers = PRESETS.map(|cli| (cli, Reader { preset: Some(cli.to_owned()), ..Reader::default() }));
    let reader = |cli: &str| readers.iter().find(|(name, _)| *name == cli).map(|(_, reader)| reader);
    let tick = || {
        let started = cpu_ms();
        for (cli, text) in screens.iter().cycle().take(PANES) {
            let Some(reader) = reader(cli) else { continue };
            let about = Context { reader, said: "", ours: &[], now: Now::default() };
            black_box(backends::read(&Screen { text, title: "a title", cursor: (2, 30), colours: None }, &about));
        }
        cpu_ms() - started
    };
    // The patterns grow their tables as they are used.
    tick();
    let mut times: Vec<f64> = (0..TICKS).map(|_| tick()).collect();
    times.sort_by(f64::total_cmp);
    let (best, median, worst) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    let verdict = if median <= LIMIT_MS { "ok" } else { "OVER" };
    let count = screens.len();
    println!(
        "  {what:<16} {count:>4} screens   best {best:>6.2}   median {median:>6.2}   worst {worst:>6.2}   {verdict}"
    );
}

/// What this thread has used of a core: others on the machine do not count.
fn cpu_ms() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 * 1000.0 + used.tv_nsec as f64 / 1e6
}

fn screens(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.sort();
    files.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    files.iter().filter_map(|path| fs::read_to_string(path).ok()).map(|text| filled(&text)).collect()
}

/// Blank rows become rows of history: the worst case for a pattern.
fn filled(text: &str) -> String {
    let history = format!("  {}\n", "words of an older turn, ".repeat(5)).chars().take(COLUMNS).collect::<String>();
    let rows: Vec<&str> = text.trim_end().lines().collect();
    let missing = ROWS.saturating_sub(rows.len());
    let above: String = std::iter::repeat_n(history.trim_end(), missing).map(|row| format!("{row}\n")).collect();
    above + &rows.join("\n") + "\n"
}
