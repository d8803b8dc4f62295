//! Plays the stories and tells how they went.
use crate::{
    clis::{self, CLIS, Cli, Installed, Trouble},
    sandbox::{Outcome, Sandbox},
    service::Mode,
    story::CHAPTERS,
};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

struct Line {
    cli: &'static str,
    chapter: &'static str,
    verdict: Verdict,
}

#[derive(Clone)]
enum Verdict {
    Passed(Duration),
    Failed,
    Skipped,
}

/// Every story, or those of the CLIs named. All at once: most of the time they wait.
pub fn run(names: &[&str]) -> ExitCode {
    let chosen: Vec<&'static Cli> = CLIS.iter().filter(|c| names.is_empty() || names.contains(&c.name)).collect();
    let lines: Vec<Line> = match clis::install() {
        Ok(installed) => {
            let installed = &installed;
            std::thread::scope(|scope| {
                let threads: Vec<_> = chosen.iter().map(|cli| scope.spawn(move || play(cli, installed))).collect();
                threads.into_iter().flat_map(|t| t.join().unwrap_or_default()).collect()
            })
        }
        Err(trouble) => {
            let (verdict, text) = match trouble {
                Trouble::Lacking(why) => (Verdict::Skipped, format!("skipped: {why}")),
                Trouble::Wrong(why) => (Verdict::Failed, format!("FAILED: {why}")),
            };
            chosen.iter().flat_map(|cli| all(cli, &verdict, &text)).collect()
        }
    };
    table(&chosen, &lines);
    let count = |wanted: fn(&Verdict) -> bool| lines.iter().filter(|l| wanted(&l.verdict)).count();
    let failed = chosen.len() * CHAPTERS.len() - count(|v| !matches!(v, Verdict::Failed));
    let (passed, skipped) = (count(|v| matches!(v, Verdict::Passed(_))), count(|v| matches!(v, Verdict::Skipped)));
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(cli: &'static Cli, verdict: &Verdict, words: &str) -> Vec<Line> {
    let line = |chapter: &'static str| {
        println!("{} {chapter}: {words}", cli.name);
        Line { cli: cli.name, chapter, verdict: verdict.clone() }
    };
    CHAPTERS.iter().map(|(chapter, _)| line(chapter)).collect()
}

fn play(cli: &'static Cli, installed: &Installed) -> Vec<Line> {
    let sandbox = match Sandbox::new(cli, installed) {
        Ok(sandbox) => sandbox,
        Err(e) => return all(cli, &Verdict::Failed, &format!("FAILED: {e}")),
    };
    let mut lines = Vec::new();
    let mut launched = true;
    for (number, (chapter, play)) in CHAPTERS.iter().enumerate() {
        let since = Instant::now();
        let outcome: Outcome<()> = if launched { play(&sandbox) } else { Err("it was never launched".into()) };
        let verdict = match outcome {
            Ok(()) => {
                println!("{} {chapter}: ok ({:.1} s)", cli.name, since.elapsed().as_secs_f64());
                Verdict::Passed(since.elapsed())
            }
            Err(e) => {
                println!("{} {chapter}: FAILED: {e}", cli.name);
                sandbox.service.set_mode(Mode::Say);
                launched = launched && number > 0;
                Verdict::Failed
            }
        };
        lines.push(Line { cli: cli.name, chapter, verdict });
    }
    lines
}

fn table(clis: &[&'static Cli], lines: &[Line]) {
    let header: String = clis.iter().map(|c| format!("{:>14}", format!("{} ", c.name))).collect();
    println!("\n{:<34}{header}", "");
    let versions: String = clis.iter().map(|c| format!("{:>14}", format!("{} ", c.version))).collect();
    println!("{:<34}{versions}", "");
    for (chapter, _) in CHAPTERS {
        let cell =
            |cli: &Cli| match lines.iter().find(|l| l.cli == cli.name && l.chapter == chapter).map(|l| &l.verdict) {
                Some(Verdict::Passed(time)) => format!("ok {:.0} s ", time.as_secs_f64()),
                Some(Verdict::Skipped) => "skipped ".into(),
                Some(Verdict::Failed) | None => "FAILED ".into(),
            };
        let cells: String = clis.iter().map(|c| format!("{:>14}", cell(c))).collect();
        println!("{chapter:<34}{cells}");
    }
    println!();
}
