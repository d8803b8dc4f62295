//! Faults of the system in words for a reader.

/// `No such file or directory`, without `(os error 2)`.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
