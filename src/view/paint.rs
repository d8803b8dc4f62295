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

/// Of jobs, by their number: none of them is the red of a failure.
const OF_JOBS: [&str; 8] = ["36", "35", "34", "33", "32", "96", "95", "94"];

impl Paint {
    /// `text` in the colour of the job with this number, which is always the same.
    pub fn of_job(self, number: usize, text: &str) -> String {
        match self {
            Paint::Plain => text.to_owned(),
            Paint::Colour => format!("\x1b[{}m{text}\x1b[0m", OF_JOBS[number % OF_JOBS.len()]),
        }
    }

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
