//! Takes the screens under `tests/panes/` from the real CLIs: plays the scenes of each CLI and saves what stands there.
mod wishes;

use crate::{
    clis::{self, CLIS, Cli, Installed},
    home,
    scenes::{self, Scene, Step, traps},
    screen::{Facts, Saver},
    service::{Mode, Service},
    sweep,
    terminal::{Look, Size, Terminal},
};
use regex::Regex;
use std::{
    fs, io,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};
pub use wishes::Colors;
use wishes::Wishes;

/// How long a scene waits for a screen. OpenCode starts slowly.
const PATIENCE: Duration = Duration::from_secs(70);

pub const SIZES: [Size; 4] = [
    Size { columns: 120, rows: 40 },
    Size { columns: 80, rows: 24 },
    Size { columns: 200, rows: 50 },
    Size { columns: 60, rows: 20 },
];

pub fn record(words: &[&str]) -> ExitCode {
    match Wishes::parse(words).and_then(|w| clis::install().map(|i| (w, i)).map_err(|trouble| format!("{trouble:?}"))) {
        Ok((wishes, installed)) => match record_all(&wishes, &installed) {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        },
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Returns how many scenes failed.
fn record_all(wishes: &Wishes, installed: &Installed) -> usize {
    std::thread::scope(|scope| {
        let threads: Vec<_> = CLIS.iter().map(|cli| scope.spawn(move || record_cli(cli, wishes, installed))).collect();
        threads.into_iter().map(|t| t.join().unwrap_or(1)).sum()
    })
}

fn record_cli(cli: &'static Cli, wishes: &Wishes, installed: &Installed) -> usize {
    let wants = |s: &&Scene| wishes.wants(cli.name, s.name) && (!s.later || wishes.version.is_some());
    let wanted: Vec<&Scene> = scenes::of(cli.name).into_iter().filter(wants).collect();
    if wanted.is_empty() {
        return 0;
    }
    let version = wishes.version.unwrap_or(cli.version);
    let other = match version == cli.version {
        true => None,
        false => match clis::install_version(cli, version, installed) {
            Ok(other) => Some(other),
            Err(trouble) => {
                println!("{} {version}: {trouble:?}", cli.name);
                return 1;
            }
        },
    };
    let installed = other.as_ref().unwrap_or(installed);
    let mut failed = 0;
    for size in &wishes.sizes {
        for scene in &wanted {
            let name = format!("{}/{} {}x{} {version}", cli.name, scene.name, size.columns, size.rows);
            match play(cli, version, scene, *size, wishes.colors, installed) {
                Ok(saved) => println!("{name}: {saved} screens"),
                Err(e) => {
                    failed += 1;
                    println!("{name}: FAILED: {e}");
                }
            }
        }
    }
    failed
}

fn play(
    cli: &'static Cli,
    version: &str,
    scene: &Scene,
    size: Size,
    colors: Colors,
    installed: &Installed,
) -> io::Result<usize> {
    // As long as the folder that stands in for it in the screens, so that boxes stay in shape.
    let folder = tempfile::Builder::new().prefix("d").rand_bytes(3).tempdir()?;
    let root = folder.path().canonicalize()?;
    let project = root.join("shop");
    fs::create_dir(&project)?;
    for (name, text) in traps::FILES {
        fs::write(project.join(name), text)?;
    }
    // A repository of its own, or else the CLIs would take this one's name.
    std::process::Command::new("git").arg("-C").arg(&project).args(["init", "-q"]).status()?;
    let service = Service::start()?;
    let mut env = home::furnish(cli, installed, &root.join("home"), &service.url(), &project, scene.welcome)?;
    colors.apply(&mut env);
    env.extend(scene.env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    service.change(|b| {
        b.mode = scene.mode;
        b.tool_command = "touch made-by-the-tool".into();
    });
    let run = root.display().to_string();
    env.push((sweep::MARKER.into(), run.clone()));
    // Or else Codex complains that its home is in the folder for temporary files.
    let temporary = root.join("tmp");
    fs::create_dir(&temporary)?;
    env.push(("TMPDIR".into(), temporary.display().to_string()));
    let terminal = start(cli, version, scene, &project, env, size)?;
    let _sweep = Sweep(run.clone());
    let zone = scene.env.iter().find(|(k, _)| *k == "TZ").map_or("UTC", |(_, v)| v);
    let saver = Saver { cli, scene: scene.name, version, size, colors, root: &root, zone };
    let mut saved = 0;
    for step in scene.steps {
        let shot = match *step {
            Step::Save(name, state) | Step::Coloured(name, state) => Some((name, Facts { state, ..Facts::default() })),
            Step::Fail(name, state, class) => Some((name, Facts { state, error: Some(class), ..Facts::default() })),
            Step::Limited(name) => {
                Some((name, Facts { state: "limited", reset: last_reset(&service), ..Facts::default() }))
            }
            Step::Trap(name, state, why) => Some((name, Facts { state, why: Some(why), ..Facts::default() })),
            ref other => {
                act(other, &terminal, &service, &run)?;
                None
            }
        };
        if let Some((name, facts)) = shot {
            let mut look = plausible(name, &facts, &terminal, &service, &run)?;
            if matches!(step, Step::Coloured(..)) {
                look.text = terminal.coloured()?;
            }
            saver.save(name, &facts, &look)?;
            saved += 1;
        }
    }
    Ok(saved)
}

fn start(
    cli: &Cli,
    version: &str,
    scene: &Scene,
    project: &Path,
    mut env: Vec<(String, String)>,
    size: Size,
) -> io::Result<Terminal> {
    // Only the pinned Codex knows this one.
    let known = |a: &&&str| version == cli.version || **a != "--no-daemon";
    let args: Vec<&str> = scene.args.iter().filter(known).copied().collect();
    if !scene.in_shell {
        let argv: Vec<String> = [cli.name].iter().chain(&args).map(|a| (*a).to_owned()).collect();
        return Terminal::start(&argv, project, &env, size);
    }
    if !env.iter().any(|(k, _)| k == "PS1") {
        env.push(("PS1".into(), "dev@box:~/shop$ ".into()));
    }
    let argv = ["bash", "--norc", "--noprofile", "-i"].map(String::from);
    let terminal = Terminal::start(&argv, project, &env, size)?;
    rest(&terminal)?;
    let words: Vec<String> = args.iter().map(|a| format!(" '{a}'")).collect();
    terminal.type_text(&format!("{}{}", cli.name, words.concat()))?;
    terminal.press("Enter")?;
    Ok(terminal)
}

fn act(step: &Step, terminal: &Terminal, service: &Service, run: &str) -> io::Result<()> {
    match *step {
        Step::Mode(mode) => service.set_mode(mode),
        Step::Say(text) => service.change(|b| b.text = text.to_owned()),
        Step::Tool(command) => service.change(|b| {
            b.mode = Mode::Tool;
            b.tool_command = command.to_owned();
            b.call = None;
        }),
        Step::Call(name, arguments) => {
            let arguments = serde_json::from_str(&arguments.replace("{project}", &format!("{run}/shop")))?;
            service.change(|b| {
                b.mode = Mode::Tool;
                b.call = Some((name.to_owned(), arguments));
            });
        }
        Step::Then(mode) => service.change(|b| b.then = mode),
        Step::Reset(seconds) => service.change(|b| b.reset_in = seconds),
        Step::Wait(pattern) => wait(terminal, pattern, true)?,
        Step::Gone(pattern) => wait(terminal, pattern, false)?,
        Step::Rest => rest(terminal)?,
        Step::Type(text) => terminal.type_text(text)?,
        Step::Paste(text) => terminal.paste(text)?,
        Step::Press(key) => terminal.press(key)?,
        Step::Kill => {
            // The shell around it stays, and so does the terminal.
            let stays = |f: &sweep::Found| f.command.starts_with("bash --norc") || f.command.starts_with("tmux ");
            sweep::find(run).iter().filter(|f| !stays(f)).for_each(|f| sweep::kill_one(f.pid));
        }
        Step::Save(..) | Step::Coloured(..) | Step::Fail(..) | Step::Limited(..) | Step::Trap(..) => {}
    }
    Ok(())
}

/// Rows that only an open permission dialog has.
const DIALOG: &str = "Do you want to (proceed|create|make)|Would you like to (run|make)|Allow execution|Apply this change|\
    Permission required|Exit plan mode\\?|Enter to confirm";

/// Looks when the stand-in service and the processes say the same as the label: a scene that has run ahead of the screen
/// or behind it fails, instead of saving a screen under a wrong name.
fn plausible(name: &str, facts: &Facts, terminal: &Terminal, service: &Service, run: &str) -> io::Result<Look> {
    let dialog = Regex::new(DIALOG).map_err(io::Error::other)?;
    let asks = |look: &Look| {
        let rows: Vec<&str> = look.text.lines().filter(|l| !l.trim().is_empty()).collect();
        let tail = rows[rows.len().saturating_sub(14)..].join("\n");
        look.title.contains("Action Required")
            || (facts.why.is_none() && !name.contains("hostile") && dialog.is_match(&tail))
    };
    let tool_runs =
        || sweep::find(run).iter().any(|f| f.command.starts_with("sleep ") || f.command.contains("show.sh"));
    let retries = || matches!(service.mode(), Mode::Overload | Mode::Drop | Mode::Limit);
    let fits = |look: &Look| match facts.state {
        "working" => !asks(look) && (service.under_way() > 0 || retries() || tool_runs()),
        "idle" | "fatal" => !asks(look) && service.under_way() == 0,
        "waiting" => service.under_way() == 0,
        _ => true,
    };
    let until = Instant::now() + Duration::from_secs(3);
    loop {
        let before = terminal.look()?;
        let look = terminal.look()?;
        if fits(&before) && fits(&look) {
            return Ok(look);
        }
        if Instant::now() > until {
            return Err(io::Error::other(format!("`{name}` is not {}:\n{}", facts.state, look.text.trim_end())));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Until the pattern is found in the screen, the title or the command (`wanted`), or is not.
fn wait(terminal: &Terminal, pattern: &str, wanted: bool) -> io::Result<()> {
    let pattern = Regex::new(pattern).map_err(io::Error::other)?;
    let shown = |look: &Look| {
        // A narrow window breaks a sentence over rows.
        let joined = look.text.split_whitespace().collect::<Vec<_>>().join(" ");
        // tmux does not always find room for its own words about it.
        let end = look.dead.map_or(String::new(), |_| "Pane is dead".to_owned());
        [&look.text, &look.title, &look.command, &joined, &end].iter().any(|t| pattern.is_match(t)) == wanted
    };
    let what = if wanted { pattern.to_string() } else { format!("end of {pattern}") };
    terminal.wait(&what, PATIENCE, shown).map(drop)
}

/// When the limit that was last answered resets, in seconds since 1970.
fn last_reset(service: &Service) -> Option<u64> {
    let log = service.log();
    let asked = log.iter().rev().find(|a| a.mode == Mode::Limit)?;
    let at = asked.at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(at + asked.reset_in)
}

struct Sweep(String);

impl Drop for Sweep {
    fn drop(&mut self) {
        sweep::kill(&self.0);
    }
}

/// Waits until the screen has not changed for a second. A title that blinks to be noticed does not count.
fn rest(terminal: &Terminal) -> io::Result<()> {
    let mut last: Option<(Look, Instant)> = None;
    terminal
        .wait("quiet screen", PATIENCE, |look| {
            let mut look = look.clone();
            if look.title.starts_with('[') {
                look.title.clear();
            }
            match &last {
                Some((same, since)) if *same == look => since.elapsed() > Duration::from_secs(1),
                _ => {
                    last = Some((look, Instant::now()));
                    false
                }
            }
        })
        .map(drop)
}
