//! What session files cost: `cargo bench --bench transcripts`. A file of 50 MB, made of recorded rows with results as large
//! as real ones, is read once; then one row is appended, many times.
use agents::{
    model::{transcript::Program, zones::Zones},
    transcripts::Transcript,
};
use rustix::time::{ClockId, clock_gettime};
use std::{
    fs::{self, File},
    hint::black_box,
    io::Write,
    path::Path,
};

const SIZE: usize = 50 << 20;
const APPENDED: usize = 1000;

fn main() -> std::io::Result<()> {
    println!("CPU time of a session file of {} MB, and of a row that is appended", SIZE >> 20);
    for (program, name) in [(Program::Claude, "claude-2.1.197"), (Program::Codex, "codex-0.169.0")] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("session.jsonl");
        let recorded =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/transcripts/{name}.jsonl")))?;
        // Real results are whole files: a few kilobytes in each.
        let recorded = recorded.replace("a\\nb", &"a line of a file that was read\\n".repeat(200));
        let mut file = File::create(&path)?;
        let mut size = 0;
        while size < SIZE {
            file.write_all(recorded.as_bytes())?;
            size += recorded.len();
        }
        let mut rows = 0_usize;
        let mut transcript = Transcript::new(program, &path, Zones::default());
        let before = cpu_ms();
        transcript.read(&mut |row| {
            black_box(row);
            rows += 1;
        })?;
        let whole = cpu_ms() - before;
        let line = recorded.lines().nth(9).unwrap_or_default();
        let (mut looks, mut reads) = (0.0, 0.0);
        for _ in 0..APPENDED {
            let before = cpu_ms();
            black_box(transcript.is_behind());
            looks += cpu_ms() - before;
            writeln!(file, "{line}")?;
            let before = cpu_ms();
            transcript.read(&mut |row| {
                black_box(row);
            })?;
            reads += cpu_ms() - before;
        }
        let each = 1000.0 / APPENDED as f64;
        println!(
            "  {:<7} {rows:>7} rows   whole {whole:>7.1} ms   appended row {:>6.1} µs   look at an unchanged file {:>5.1} µs   {:>5} MB in memory at most",
            program.as_str(),
            reads * each,
            looks * each,
            peak_mb(),
        );
    }
    Ok(())
}

/// What this thread has used of a core: others on the machine do not count.
fn cpu_ms() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 * 1000.0 + used.tv_nsec as f64 / 1e6
}

/// The largest size of this process so far.
fn peak_mb() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().split(' ').next().and_then(|kb| kb.parse::<usize>().ok()).unwrap_or(0) / 1024
}
