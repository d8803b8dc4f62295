//! What a capture of one pane gives.

/// One pane's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    pub pane_id: String,
    /// From 0, from the top left.
    pub cursor_x: u16,
    pub cursor_y: u16,
    /// Untrusted.
    pub title: String,
    /// Physical rows, each ended by a newline, without the blanks at their ends.
    pub text: String,
}
