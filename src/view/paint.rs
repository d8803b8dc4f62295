//! Colour, or none.

/// Whether to colour, decided once by the face that knows its output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    #[default]
    Plain,
    Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    Green,
    Yellow,
    Red,
    Dim,
    Bold,
}

impl Paint {
    /// `text` in that tint; `text` itself where there is no colour.
    pub fn tint(self, tint: Tint, text: &str) -> String {
        let code = match (self, tint) {
            (Paint::Plain, _) => return text.to_owned(),
            (_, Tint::Green) => "32",
            (_, Tint::Yellow) => "33",
            (_, Tint::Red) => "31",
            (_, Tint::Dim) => "2",
            (_, Tint::Bold) => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
