//! A job in the hands of one process, as it stands on a line: `j7@3`, its id and the epoch by which it is held.
use crate::model::job::JobId;

pub fn word(id: JobId, epoch: i64) -> String {
    format!("{id}@{epoch}")
}

pub fn parse(word: &str) -> Option<(JobId, i64)> {
    let (id, epoch) = word.split_once('@')?;
    Some((JobId::parse(id)?, epoch.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_named_with_its_epoch() {
        assert_eq!(parse(&word(JobId(7), 3)), Some((JobId(7), 3)));
        for bad in ["j7", "7@3", "j7@", "j7@x", "@3"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
