//! The program that stands for an agent: notes its start in the ledger, then is quiet, or repaints five times a second.
use crate::process;
use std::{
    fs::OpenOptions,
    io::{Read, Write},
    process::ExitCode,
    time::Duration,
};

pub const WORD: &str = "__agent";
const COLUMNS: usize = 120;
const ROWS: usize = 40;
const REPAINT: Duration = Duration::from_millis(200);

/// `LEDGER quiet|repaints`. Appends `NAME PID NANOSECONDS` (CLOCK_BOOTTIME) to the ledger.
pub fn main(words: &[String]) -> ExitCode {
    let [ledger, how] = words else { return ExitCode::from(2) };
    let name = std::env::var("AGENTS_NAME").unwrap_or_default();
    let line = format!("{name} {} {}\n", std::process::id(), process::boottime().as_nanos());
    let noted = OpenOptions::new().append(true).open(ledger).and_then(|mut file| file.write_all(line.as_bytes()));
    if noted.is_err() {
        return ExitCode::FAILURE;
    }
    let mut out = std::io::stdout().lock();
    let mut frame = 0;
    let mut paint = |text: &str| out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok();
    if !paint(&screen()) {
        return ExitCode::FAILURE;
    }
    if how == "repaints" {
        while paint(&status(frame)) {
            frame += 1;
            std::thread::sleep(REPAINT);
        }
    } else {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(n) if n > 0) {}
    }
    ExitCode::SUCCESS
}

/// A whole screen full of text.
fn screen() -> String {
    let row: String = (0..COLUMNS - 1).map(|i| char::from(b'!' + (i % 90) as u8)).collect();
    let rows: Vec<String> = (1..=ROWS - 2).map(|n| format!("\x1b[{n};1H\x1b[3{}m{row}\x1b[0m", n % 8)).collect();
    format!("\x1b[2J{}", rows.concat())
}

/// What such programs repaint while they work: a spinner line and a status line.
fn status(frame: usize) -> String {
    let spinner = ['-', '\\', '|', '/'][frame % 4];
    let work = format!("{spinner} Working for {} ms (esc to interrupt)", frame * 200);
    let line = format!("tokens {:>12} context {:>3} % {:-<80}", frame * 977, frame % 100, "");
    format!("\x1b[{};1H{work:<119}\x1b[{};1H{line:<119}", ROWS - 1, ROWS)
}
