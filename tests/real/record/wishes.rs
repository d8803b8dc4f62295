//! What is to be recorded, as it stands on the command line.
use super::SIZES;
use crate::terminal::Size;

/// How many colours the terminal says it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colors {
    True,
    /// 256, and no word of more.
    Few,
}

impl Colors {
    /// Of a pane's environment.
    pub fn apply(self, env: &mut Vec<(String, String)>) {
        if self == Colors::Few {
            env.retain(|(key, _)| key != "COLORTERM");
            env.push(("TERM".into(), "tmux-256color".into()));
        }
    }

    /// In the names of screens.
    pub fn suffix(self) -> &'static str {
        match self {
            Colors::True => "",
            Colors::Few => "-256",
        }
    }
}

/// What to record: `--size 80x24` (or `all`), `--version 1.2.3` (then with names of one CLI only), and names:
/// `claude` = all its scenes, `claude/limit` = that one. `--colors 256`: in a terminal without true colour.
pub struct Wishes<'a> {
    pub sizes: Vec<Size>,
    pub version: Option<&'a str>,
    pub colors: Colors,
    names: Vec<&'a str>,
}

impl<'a> Wishes<'a> {
    pub fn parse(words: &[&'a str]) -> Result<Wishes<'a>, String> {
        let mut wishes = Wishes { sizes: vec![SIZES[0]], version: None, colors: Colors::True, names: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--size" => {
                    let size = words.next().ok_or("`--size` wants a size")?;
                    wishes.sizes = match *size {
                        "all" => SIZES.to_vec(),
                        one => vec![parse_size(one).ok_or(format!("not a size: `{one}`"))?],
                    };
                }
                "--version" => wishes.version = Some(words.next().ok_or("`--version` wants a version")?),
                "--colors" => {
                    wishes.colors = match words.next() {
                        Some(&"256") => Colors::Few,
                        Some(&"true") => Colors::True,
                        _ => return Err("`--colors` wants `256` or `true`".into()),
                    };
                }
                name => wishes.names.push(name),
            }
        }
        Ok(wishes)
    }

    pub fn wants(&self, cli: &str, scene: &str) -> bool {
        self.names.is_empty() && self.version.is_none()
            || self.names.iter().any(|n| *n == cli || *n == format!("{cli}/{scene}"))
    }
}

fn parse_size(text: &str) -> Option<Size> {
    let (columns, rows) = text.split_once('x')?;
    Some(Size { columns: columns.parse().ok()?, rows: rows.parse().ok()? })
}
