//! Plays the stories and the incidents, and tells how they went.
use crate::{
    clis::{self, CLIS, Cli, Installed, Trouble},
    dialogs::{self, SCENES},
    incident::{self, INCIDENTS, Incident},
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
    /// A chapter of the story, or an incident.
    what: &'static str,
    verdict: Verdict,
}

#[derive(Clone)]
enum Verdict {
    /// With a word about how, for incidents.
    Passed(Duration, &'static str),
    /// With what was wrong, in a line.
    Failed(String),
    Skipped,
}

type Play = fn(&'static Cli, &Installed, &[&'static Incident]) -> Vec<Line>;

/// Every story and every incident, or those of the CLIs named. All at once: most of the time they wait.
pub fn run(names: &[&str]) -> ExitCode {
    let chosen: Vec<&'static Cli> = CLIS.iter().filter(|c| names.is_empty() || names.contains(&c.name)).collect();
    let plays: Vec<Play> = match names {
        [.., "stories"] => vec![play_story],
        [.., "incidents"] => vec![play_incidents],
        [.., "dialogs"] => vec![play_dialogs],
        _ => vec![play_story, play_incidents, play_dialogs],
    };
    let incidents: Vec<&'static Incident> = INCIDENTS.iter().filter(|i| names.contains(&i.name)).collect();
    let plays = if incidents.is_empty() { plays } else { vec![play_incidents as Play] };
    let incidents = if incidents.is_empty() { INCIDENTS.iter().collect() } else { incidents };
    let chosen = if chosen.is_empty() { CLIS.iter().collect() } else { chosen };
    let whats = || {
        CHAPTERS
            .iter()
            .map(|(chapter, _)| *chapter)
            .chain(INCIDENTS.iter().map(|i| i.name))
            .chain(SCENES.iter().map(|s| s.name))
    };
    let lines: Vec<Line> = match clis::install() {
        Ok(installed) => {
            let (installed, incidents) = (&installed, incidents.as_slice());
            let jobs = || chosen.iter().flat_map(|cli| plays.iter().map(move |play| (*cli, *play)));
            std::thread::scope(|scope| {
                let threads: Vec<_> =
                    jobs().map(|(cli, play)| scope.spawn(move || play(cli, installed, incidents))).collect();
                threads.into_iter().flat_map(|t| t.join().unwrap_or_default()).collect()
            })
        }
        Err(trouble) => {
            let (verdict, text) = match trouble {
                Trouble::Lacking(why) => (Verdict::Skipped, format!("skipped: {why}")),
                Trouble::Wrong(why) => (Verdict::Failed(in_a_line(&why)), format!("FAILED: {why}")),
            };
            chosen.iter().flat_map(|cli| all(cli, &mut whats(), &verdict, &text)).collect()
        }
    };
    let played: Vec<&'static str> = whats().filter(|w| lines.iter().any(|l| l.what == *w)).collect();
    table(&chosen, &played, &lines);
    let count = |wanted: fn(&Verdict) -> bool| lines.iter().filter(|l| wanted(&l.verdict)).count();
    let failed = chosen.len() * played.len() - count(|v| !matches!(v, Verdict::Failed(_)));
    let (passed, skipped) = (count(|v| matches!(v, Verdict::Passed(..))), count(|v| matches!(v, Verdict::Skipped)));
    // Once more at the end: of a long report often only that is kept.
    for line in &lines {
        if let Verdict::Failed(why) = &line.verdict {
            println!("FAILED: {} {}: {why}", line.cli, line.what);
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 && !played.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(cli: &'static Cli, whats: &mut dyn Iterator<Item = &'static str>, verdict: &Verdict, words: &str) -> Vec<Line> {
    let line = |what: &'static str| {
        println!("{} {what}: {words}", cli.name);
        Line { cli: cli.name, what, verdict: verdict.clone() }
    };
    whats.map(line).collect()
}

fn play_story(cli: &'static Cli, installed: &Installed, _: &[&'static Incident]) -> Vec<Line> {
    let sandbox = match Sandbox::new(cli, installed) {
        Ok(sandbox) => sandbox,
        Err(e) => {
            return all(
                cli,
                &mut CHAPTERS.iter().map(|(c, _)| *c),
                &Verdict::Failed(in_a_line(&e)),
                &format!("FAILED: {e}"),
            );
        }
    };
    let mut launched = true;
    let chapter = |(number, (chapter, play)): (usize, &crate::story::Chapter)| {
        let line = timed(cli, chapter, Some(&sandbox), || {
            if !launched {
                return Err("it was never launched".into());
            }
            play(&sandbox).map(|()| "")
        });
        launched = launched && !(number == 0 && matches!(line.verdict, Verdict::Failed(_)));
        line
    };
    CHAPTERS.iter().enumerate().map(chapter).collect()
}

fn play_incidents(cli: &'static Cli, installed: &Installed, incidents: &[&'static Incident]) -> Vec<Line> {
    let ready = Sandbox::new(cli, installed).and_then(|s| incident::prepare(&s).map(|()| s));
    let sandbox = match ready {
        Ok(sandbox) => sandbox,
        Err(e) => {
            return all(
                cli,
                &mut incidents.iter().map(|i| i.name),
                &Verdict::Failed(in_a_line(&e)),
                &format!("FAILED: {e}"),
            );
        }
    };
    incidents.iter().map(|i| timed(cli, i.name, Some(&sandbox), || incident::play(&sandbox, i))).collect()
}

fn play_dialogs(cli: &'static Cli, installed: &Installed, _: &[&'static Incident]) -> Vec<Line> {
    SCENES.iter().map(|s| timed(cli, s.name, None, || dialogs::play(s, cli, installed))).collect()
}

fn timed(
    cli: &'static Cli,
    what: &'static str,
    sandbox: Option<&Sandbox>,
    play: impl FnOnce() -> Outcome<&'static str>,
) -> Line {
    let since = Instant::now();
    let verdict = match play() {
        Ok(how) => {
            println!("{} {what}: ok {how} ({:.1} s)", cli.name, since.elapsed().as_secs_f64());
            Verdict::Passed(since.elapsed(), how)
        }
        Err(e) => {
            println!("{} {what}: FAILED: {e}", cli.name);
            sandbox.iter().for_each(|s| s.service.set_mode(Mode::Say));
            Verdict::Failed(in_a_line(&e))
        }
    };
    Line { cli: cli.name, what, verdict }
}

/// What was wrong, and the last that the fleet's own log says.
fn in_a_line(error: &str) -> String {
    let mut rows = error.lines();
    let first = rows.next().unwrap_or_default().to_owned();
    let events: Vec<&str> =
        rows.skip_while(|r| *r != "--- events").skip(1).take_while(|r| !r.starts_with("---")).collect();
    let last: Vec<&str> = events.iter().rev().take(3).rev().map(|e| e.strip_prefix("[agents ").unwrap_or(e)).collect();
    let words = [&[first.as_str()], last.as_slice()].concat().join(" | ");
    words.chars().take(400).collect()
}

fn table(clis: &[&'static Cli], whats: &[&'static str], lines: &[Line]) {
    let header: String = clis.iter().map(|c| format!("{:>16}", format!("{} ", c.name))).collect();
    println!("\n{:<34}{header}", "");
    let versions: String = clis.iter().map(|c| format!("{:>16}", format!("{} ", c.version))).collect();
    println!("{:<34}{versions}", "");
    for what in whats {
        let cell = |cli: &Cli| match lines.iter().find(|l| l.cli == cli.name && l.what == *what).map(|l| &l.verdict) {
            Some(Verdict::Passed(time, "")) => format!("ok {:.0} s ", time.as_secs_f64()),
            Some(Verdict::Passed(time, how)) => format!("{how} {:.0} s ", time.as_secs_f64()),
            Some(Verdict::Skipped) => "skipped ".into(),
            Some(Verdict::Failed(_)) | None => "FAILED ".into(),
        };
        let cells: String = clis.iter().map(|c| format!("{:>16}", cell(c))).collect();
        println!("{what:<34}{cells}");
    }
    println!();
}
