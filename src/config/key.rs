//! What a key of the config is: its name, its kind of value, its default, and what it means.

/// A kind of value.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Text,
    /// `~` and relative to the project root.
    Path,
    Bool,
    /// Seconds or `"5m"`; may be zero.
    Duration,
    /// Seconds or `"5m"`; not zero.
    Interval,
    /// A whole number from 1 on.
    Count,
    /// The same, or 0.
    Whole,
    /// Bytes or `"100MB"`.
    Size,
    /// The same, or 0: not asked for.
    Room,
    /// A whole number, also below 0.
    Integer,
    /// 0 or more; 0 = not asked for.
    Number,
    /// `"200x50"`.
    Dimensions,
    Regex,
    /// One of these.
    Word(&'static [&'static str]),
    /// One of these, or anything else.
    OpenWord(&'static [&'static str]),
    Texts,
    /// One text, or a list of them.
    TextOrTexts,
    /// Key -> text.
    TextMap,
    Table(&'static Section),
    /// Array of tables: `[[agent]]`.
    List(&'static Section),
    /// Tables by name: `[backend.NAME]`.
    Named(&'static Section),
}

#[derive(Clone, Copy)]
pub(super) enum Default {
    Required,
    None,
    /// As it would be written: `300`, `heal`, `true`, `100MB`.
    Is(&'static str),
    List(&'static [&'static str]),
    /// Worked out; in words.
    Words(&'static str),
}

pub(super) struct Key {
    pub name: &'static str,
    pub of: Type,
    pub default: Default,
    pub doc: &'static str,
}

pub(super) struct Section {
    /// As in the file: `[watchdog]`.
    pub header: &'static str,
    pub doc: &'static str,
    pub keys: &'static [Key],
}

impl Section {
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|k| k.name == name)
    }
}

pub(super) const fn key(name: &'static str, of: Type, default: Default, doc: &'static str) -> Key {
    Key { name, of, default, doc }
}
