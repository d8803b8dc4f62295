//! Takes the screens under `tests/panes/` from the real CLIs: plays the scenes of each CLI and saves what stands there.
use crate::{
    clis::{self, CLIS, Cli, Installed},
    home,
    scenes::{self, Scene, Step},
    service::Service,
    sweep,
    terminal::{Look, Terminal},
};
use regex::Regex;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// How long a scene waits for a screen.
const PATIENCE: Duration = Duration::from_secs(150);

/// Stands in recorded screens for the folder that was used.
const SHOWN_FOLDER: &str = "/home/dev";

pub fn record(names: &[&str]) -> ExitCode {
    let installed = match clis::install() {
        Ok(installed) => installed,
        Err(trouble) => {
            eprintln!("error: {trouble:?}");
            return ExitCode::FAILURE;
        }
    };
    // `claude` = all its scenes, `claude/limit` = that one.
    let wanted =
        |cli: &str, scene: &str| names.is_empty() || names.iter().any(|n| *n == cli || *n == format!("{cli}/{scene}"));
    let failures = std::thread::scope(|scope| {
        let threads: Vec<_> = CLIS
            .iter()
            .map(|cli| {
                let installed = &installed;
                scope.spawn(move || {
                    let scenes = scenes::of(cli.name).iter().filter(|s| wanted(cli.name, s.name));
                    scenes.filter(|scene| !play_and_tell(cli, scene, installed)).count()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap_or(1)).sum::<usize>()
    });
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play_and_tell(cli: &Cli, scene: &Scene, installed: &Installed) -> bool {
    match play(cli, scene, installed) {
        Ok(saved) => {
            println!("{}/{}: {saved} screens", cli.name, scene.name);
            true
        }
        Err(e) => {
            println!("{}/{}: FAILED: {e}", cli.name, scene.name);
            false
        }
    }
}

fn play(cli: &Cli, scene: &Scene, installed: &Installed) -> io::Result<usize> {
    let folder = tempfile::Builder::new().prefix("agents-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let root = folder.path().canonicalize()?;
    let project = root.join("shop");
    fs::create_dir(&project)?;
    // A repository of its own, or else the CLIs would take this one's name.
    std::process::Command::new("git").arg("-C").arg(&project).args(["init", "-q"]).status()?;
    let service = Service::start()?;
    let mut env = home::furnish(cli, installed, &root.join("home"), &service.url(), &project, scene.welcome)?;
    env.extend(scene.env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    service.change(|b| {
        b.mode = scene.mode;
        b.tool_command = "touch made-by-the-tool".into();
    });
    let mut argv = vec![cli.name.to_owned()];
    argv.extend(scene.args.iter().map(|a| (*a).to_owned()));
    let run = root.display().to_string();
    env.push((sweep::MARKER.into(), run.clone()));
    let terminal = Terminal::start(&argv, &project, &env)?;
    let _sweep = Sweep(run);
    let mut saved = 0;
    for step in scene.steps {
        match *step {
            Step::Mode(mode) => service.set_mode(mode),
            Step::Say(text) => service.change(|b| b.text = text.to_owned()),
            Step::Wait(pattern) => {
                let pattern = Regex::new(pattern).map_err(io::Error::other)?;
                let shown = |look: &Look| {
                    pattern.is_match(&look.text) || pattern.is_match(&look.title) || pattern.is_match(&look.command)
                };
                terminal.wait(pattern.as_str(), PATIENCE, shown)?;
            }
            Step::Rest => rest(&terminal)?,
            Step::Type(text) => terminal.type_text(text)?,
            Step::Press(key) => terminal.press(key)?,
            Step::Save(name, state) => {
                save(cli, name, state, &terminal.look()?, &root)?;
                saved += 1;
            }
        }
    }
    Ok(saved)
}

struct Sweep(String);

impl Drop for Sweep {
    fn drop(&mut self) {
        sweep::kill(&self.0);
    }
}

/// Waits until the screen has not changed for a second.
fn rest(terminal: &Terminal) -> io::Result<()> {
    let mut last: Option<(Look, Instant)> = None;
    terminal
        .wait("quiet screen", PATIENCE, |look| match &last {
            Some((same, since)) if same == look => since.elapsed() > Duration::from_secs(1),
            _ => {
                last = Some((look.clone(), Instant::now()));
                false
            }
        })
        .map(drop)
}

fn save(cli: &Cli, name: &str, state: &str, look: &Look, root: &Path) -> io::Result<()> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/panes").join(cli.name);
    fs::create_dir_all(&folder)?;
    let root = root.display().to_string();
    let folder_name = root.rsplit('/').next().unwrap_or_default().to_owned();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let port = Regex::new(r"127\.0\.0\.1:\d+").map_err(io::Error::other)?;
    let clean = |text: &str| {
        let text = text.replace(&root, SHOWN_FOLDER).replace(&folder_name, "dev");
        let text = port.replace_all(&text, "127.0.0.1:8080");
        text.lines().map(|l| l.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned() + "\n"
    };
    fs::write(folder.join(format!("{name}.txt")), clean(&look.text))?;
    let facts = format!(
        "state = \"{state}\"\ntitle = {}\ncommand = {}\n",
        toml::Value::String(if look.title == host { "host".into() } else { clean(&look.title).trim_end().to_owned() }),
        toml::Value::String(look.command.clone())
    );
    fs::write(folder.join(format!("{name}.toml")), facts)
}
