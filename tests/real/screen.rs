//! Saves a recorded screen: the text, and beside it a TOML file with the facts that a reader may be asked for.
use crate::{
    clis::{CLIS, Cli},
    record::{Colors, SIZES},
    scenes,
    terminal::{Look, Size},
};
use chrono::{DateTime, FixedOffset, Offset as _, TimeZone as _, Utc};
use regex::Regex;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Stands in recorded screens for the folder that was used.
const SHOWN_FOLDER: &str = "/home/dev";

/// What the scene knows of the screen.
#[derive(Default)]
pub struct Facts {
    pub state: &'static str,
    /// Class of the error that ended the turn.
    pub error: Option<&'static str>,
    /// Seconds since 1970.
    pub reset: Option<u64>,
    /// What could mislead; the screen goes to `hostile/`.
    pub why: Option<&'static str>,
}

/// Where one scene's screens go.
pub struct Saver<'a> {
    pub cli: &'static Cli,
    pub scene: &'a str,
    pub version: &'a str,
    pub size: Size,
    pub colors: Colors,
    pub root: &'a Path,
    /// Time zone of the pane, as in `TZ`.
    pub zone: &'a str,
}

impl Saver<'_> {
    pub fn save(&self, name: &str, facts: &Facts, look: &Look) -> io::Result<()> {
        let (folder, name) = self.place(name, facts);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{name}.txt")), self.clean(&look.text)?)?;
        fs::write(folder.join(format!("{name}.toml")), self.facts(&name, facts, look)?)
    }

    /// The first size and the pinned version have no place in the name.
    fn place(&self, name: &str, facts: &Facts) -> (PathBuf, String) {
        let panes = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/panes");
        let mut name = name.to_owned();
        if self.size != SIZES[0] {
            name.push_str(&format!("-{}x{}", self.size.columns, self.size.rows));
        }
        if self.version != self.cli.version {
            name.push_str(&format!("-v{}", self.version));
        }
        name.push_str(self.colors.suffix());
        if facts.why.is_some() {
            return (panes.join("hostile"), format!("{}-{name}", self.cli.name));
        }
        let cli = self.cli.name;
        (if self.is_unseen() { panes.join("unseen").join(cli) } else { panes.join(cli) }, name)
    }

    /// About a third of the screens, always the same: some scenes altogether, and some sizes and versions of the others.
    fn is_unseen(&self) -> bool {
        let plain =
            self.size == SIZES[0] && self.colors == Colors::True && CLIS.iter().any(|c| c.version == self.version);
        if !scenes::is_shown(self.cli.name, self.scene) {
            return lot(&[self.cli.name, self.scene]).is_multiple_of(2);
        }
        let size = format!("{}x{}", self.size.columns, self.size.rows);
        !plain && lot(&[self.cli.name, self.scene, &size, self.version]) % 5 < 2
    }

    fn clean(&self, text: &str) -> io::Result<String> {
        let root = self.root.display().to_string();
        let port = Regex::new(r"127\.0\.0\.1:\d+").map_err(io::Error::other)?;
        let name = root.rsplit('/').next().unwrap_or_default();
        let text = text.replace(&root, SHOWN_FOLDER).replace(name, "dev");
        let text = port.replace_all(&text, "127.0.0.1:8080");
        Ok(text.lines().map(|l| l.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned() + "\n")
    }

    fn facts(&self, name: &str, facts: &Facts, look: &Look) -> io::Result<String> {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let title = if look.title == host { "host".into() } else { self.clean(&look.title)?.trim_end().to_owned() };
        let word = |text: &str| toml::Value::String(text.to_owned());
        let mut rows = vec![format!("state = {}", word(facts.state))];
        if let Some(why) = facts.why {
            rows.insert(0, format!("cli = {}", word(self.cli.name)));
            rows.push(format!("why = {}", word(why)));
        }
        rows.push(format!("title = {}", word(&title)));
        rows.push(format!("command = {}", word(&look.command)));
        rows.push(format!("cursor = [{}, {}]", look.cursor.0, look.cursor.1));
        rows.push(format!("size = \"{}x{}\"", self.size.columns, self.size.rows));
        rows.push(format!("version = {}", word(self.version)));
        rows.extend(look.dead.map(|code| format!("dead = {code}")));
        rows.extend(facts.error.map(|class| format!("error = \"{class}\"")));
        if let Some(seconds) = facts.reset {
            let zone = offset(self.zone)?;
            match shown_reset(&look.text, seconds, zone) {
                Some(reset) => rows.push(format!("reset = \"{}\"", reset.to_rfc3339())),
                None => println!("{}/{name}: the screen does not say the reset", self.cli.name),
            }
            let now = Utc::now().timestamp();
            let now = zone.timestamp_opt(now, 0).single().ok_or(io::Error::other("no such time"))?;
            rows.push(format!("now = \"{}\"", now.to_rfc3339()));
        }
        Ok(rows.join("\n") + "\n")
    }
}

/// The same number for the same words, on every machine (FNV-1a).
fn lot(words: &[&str]) -> u64 {
    words.join("/").bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
        >> 7
}

/// The zone's offset today, from the system's own tables.
fn offset(zone: &str) -> io::Result<FixedOffset> {
    let out = Command::new("date").env("TZ", zone).arg("+%:z").output()?;
    let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    text.parse::<FixedOffset>().or_else(|_| Ok(Utc.fix()))
}

/// The reset with the precision of the screen. CLIs cut the seconds off or round up to the next minute or hour; the
/// first of these that stands there is meant. `None`: the screen names no such time.
fn shown_reset(text: &str, seconds: u64, zone: FixedOffset) -> Option<DateTime<FixedOffset>> {
    let exact = zone.timestamp_opt(i64::try_from(seconds).ok()?, 0).single()?;
    let text = text.to_lowercase();
    let minute = exact.timestamp().div_euclid(60) * 60;
    let hour = exact.timestamp().div_euclid(3600) * 3600;
    [minute, minute + 60, hour, hour + 3600].into_iter().find_map(|at| {
        let at = zone.timestamp_opt(at, 0).single()?;
        let mut forms = vec!["%-I:%M%P", "%-I:%M %P", "%H:%M"];
        if at.timestamp() % 3600 == 0 {
            forms.extend(["%-I%P", "%-I %P"]);
        }
        // The noun phrase may be broken by the window's edge.
        let squeezed: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        forms.iter().any(|f| squeezed.contains(&at.format(f).to_string())).then_some(at)
    })
}
