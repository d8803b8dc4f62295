//! Words for a hint, one after another.

/// `` `a`, `b` and `c` ``.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> =
        words.into_iter().map(|w| format!("`{}`", crate::model::name::printable_cut(w, 60))).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((one, [])) => one.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_another() {
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!((listed(["a"]), listed([])), ("`a`".into(), String::new()));
    }
}
