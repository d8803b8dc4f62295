//! The same CLIs at more moments: retries, running tools, menus, other dialogs, resets in other zones, a shell around them.
pub mod claude;
pub mod claude_tools;
pub mod codex;
pub mod gemini;
pub mod opencode;

/// Longer than a row of any window.
const LONG_DRAFT: &str = "a draft that goes on for longer than one row of the window: count the stock, sort the shelves, \
write the report, and tell me how many loaves of bread and packets of tea are left, what sold best in the last week, and \
which of the three suppliers should be asked first, before the end";

/// More lines than a CLI shows of what is pasted.
const PASTED: &str = "bread 12\ntea 30\nsoap 7\nrice 44\nsalt 9\nbread 12\ntea 30\nsoap 7\nrice 44\nsalt 9\nbread 12\n\
tea 30\nsoap 7\nrice 44\nsalt 9\nbread 12\ntea 30\nsoap 7\nrice 44\nsalt 9\nbread 12\ntea 30\nsoap 7\nrice 44\nsalt 9";
