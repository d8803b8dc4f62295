//! What an agent CLI tells of a run without a terminal, whichever CLI it is: its JSON stream, taken apart. Texts are as
//! they stand there: every byte of them is somebody else's.
use super::{name::printable_cut, transcript::Tokens};
use serde_json::Value;

/// Characters of an argument that are shown.
const ARGUMENT: usize = 80;

#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The CLI's own name of the conversation.
    Session(String),
    /// The model answers once more.
    Call,
    /// How many turns the run had, by the CLI's own count.
    Rounds(u64),
    /// The model's words. `piece`: they go on in the next one.
    Text {
        text: String,
        piece: bool,
    },
    Tool(ToolCall),
    /// What came of a tool.
    Result {
        failed: bool,
        text: String,
    },
    /// Something that the program did by itself: waits, tries again.
    Note(String),
    Used {
        of: Scope,
        tokens: Tokens,
    },
    /// What the run has cost so far, in US dollars. `more`: this comes on top.
    Cost {
        usd: f64,
        more: bool,
    },
    /// The CLI's own words about what it used, as they stand there.
    Usage(Value),
    /// The error that ended the run.
    Failed(String),
    /// The run came to its end, and that was no error.
    Ended,
    /// A line that is none of the stream's: what the program writes beside it.
    Plain(String),
}

/// Of what a count is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One answer of the model, by its id. The newest count of the same answer holds.
    Answer(String),
    /// What came to it since the last count.
    More,
    /// The run as a whole, whatever was said before.
    Run,
    /// The conversation as a whole, earlier runs among it.
    Conversation,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    pub name: String,
    /// What tells most about it: `file` and `auth.go`.
    pub argument: Option<(String, String)>,
}

/// Names of arguments that tell most, the best first, and how they are shown.
const TELLING: [(&str, &str); 14] = [
    ("file_path", "file"),
    ("filePath", "file"),
    ("absolute_path", "file"),
    ("notebook_path", "file"),
    ("path", "path"),
    ("dir_path", "path"),
    ("command", "command"),
    ("cmd", "command"),
    ("pattern", "pattern"),
    ("query", "query"),
    ("url", "url"),
    ("skill", "skill"),
    ("description", "description"),
    ("prompt", "prompt"),
];

impl ToolCall {
    /// `input`: the arguments, as the model wrote them.
    pub fn of(name: &str, input: Option<&Value>) -> ToolCall {
        let text = |key: &str| input?.get(key)?.as_str().filter(|text| !text.is_empty());
        let known = TELLING.iter().find_map(|(key, shown)| Some(((*shown).to_owned(), text(key)?.to_owned())));
        let any = || {
            let fields = input?.as_object()?.iter();
            fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).next()
        };
        ToolCall { name: name.to_owned(), argument: known.or_else(any) }
    }

    /// `Edit(file='auth.go')`: one printable line.
    pub fn words(&self) -> String {
        let name = printable_cut(&self.name, ARGUMENT);
        match &self.argument {
            None => format!("{name}()"),
            Some((key, value)) => {
                // No more than can be shown: an argument may be a whole file.
                let beginning: String = value.chars().take(ARGUMENT * 4).collect();
                let line = beginning.split_whitespace().collect::<Vec<_>>().join(" ");
                format!("{name}({}='{}')", printable_cut(key, 30), printable_cut(&line, ARGUMENT))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_is_told_by_its_best_argument() {
        let words = |name: &str, input: Value| ToolCall::of(name, Some(&input)).words();
        assert_eq!(words("Edit", json!({"old_string": "a", "file_path": "auth.go"})), "Edit(file='auth.go')");
        assert_eq!(words("Bash", json!({"description": "d", "command": "a\n  b"})), "Bash(command='a b')");
        assert_eq!(words("x", json!({"n": 1, "other": "y"})), "x(other='y')");
        assert_eq!(words("x", json!(null)), "x()");
        let evil = words("\x1b[2J", json!({"path": "\x1b]0;a\x07\u{202e}"}));
        assert!(evil.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{evil}");
        assert!(words("x", json!({"path": "y".repeat(100_000)})).len() < 200);
    }
}
