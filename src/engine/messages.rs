//! A text that cannot be typed as it is goes by file: several lines would be several messages, and a long one is slow.
use super::paths::{Paths, make_private};
use crate::{
    launch::prompt,
    model::{
        request::{Request, Verb},
        state::State,
    },
    world::file::write_whole,
};
use std::{
    path::Path,
    time::{Duration, SystemTime},
};

const MAX_TYPED: usize = 4 * 1024;
/// An agent may come back to what it was told; after this, or when so many came later, it does not.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
const MOST: usize = 500;

/// The request with a reference instead of such a text. Files that nobody reads any more go.
pub fn by_reference(request: Request, paths: &Paths, state: &State) -> Request {
    let Verb::Send { name, text } = &request.verb else { return request };
    let trimmed = text.trim_end();
    let one_line = !trimmed.chars().any(|c| c.is_control());
    let text = if one_line && trimmed.len() <= MAX_TYPED {
        trimmed.to_owned()
    } else {
        let stamp = request.at.0;
        let file = paths.messages.join(format!("message-{stamp}-{}.txt", request.id));
        let kept = make_private(&paths.messages).and_then(|()| write_whole(&file, text.as_bytes()));
        forget_old(&paths.messages, state, SystemTime::now());
        match kept {
            Ok(()) => prompt::read_message(&file),
            // Better one long line than nothing.
            Err(_) => prompt::one_line(text),
        }
    };
    Request { verb: Verb::Send { name: name.clone(), text }, ..request }
}

/// Removes the files of messages that are over and old, or too many. One that is still on its way stays.
fn forget_old(messages: &Path, state: &State, now: SystemTime) {
    let entries = std::fs::read_dir(messages).into_iter().flatten().flatten();
    let mut files: Vec<(SystemTime, String)> = entries
        .filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.file_name().into_string().ok()?)))
        .filter(|(_, name)| name.starts_with("message-"))
        .collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    for (at, (written, name)) in files.iter().enumerate() {
        let old = now.duration_since(*written).is_ok_and(|age| age > KEPT);
        let awaited = || state.deliveries.values().any(|d| !d.stage.is_over() && d.text.contains(name.as_str()));
        if (old || at >= MOST) && !awaited() {
            let _ = std::fs::remove_file(messages.join(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        delivery::{Delivery, DeliveryKind, Stage},
        time::{Boot, Wall},
    };
    use std::fs::{self, File};

    fn delivery(id: i64, text: String, stage: Stage) -> (i64, Delivery) {
        let delivery = Delivery {
            id,
            session: "p-a".into(),
            kind: DeliveryKind::Send,
            text,
            submit_key: "Enter".into(),
            created: Wall(0),
            incarnation: None,
            not_before: Boot(0),
            stage,
        };
        (id, delivery)
    }

    #[test]
    fn files_of_messages_that_are_over_go_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let days = |n: u64| now - Duration::from_secs(n * 24 * 3600);
        let put = |name: &str, at: SystemTime| {
            File::create(dir.path().join(name)).unwrap().set_modified(at).unwrap();
        };
        put("message-1-1.txt", days(8));
        put("message-1-2.txt", days(8));
        put("message-1-3.txt", days(6));
        put("somebodys.txt", days(90));
        let queued = Stage::Queued { rest: None, free_since: None, look: Boot(0) };
        let over = Stage::Delivered { at: Wall(1) };
        let state = State {
            deliveries: [
                delivery(1, "read 'x/message-1-1.txt'".into(), over),
                delivery(2, "read 'x/message-1-2.txt'".into(), queued),
            ]
            .into(),
            ..State::default()
        };
        let left = || {
            let mut names: Vec<_> =
                fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        forget_old(dir.path(), &state, now);
        assert_eq!(left(), ["message-1-2.txt", "message-1-3.txt", "somebodys.txt"]);
        for n in 0..MOST as u64 + 20 {
            put(&format!("message-2-{n}.txt"), now - Duration::from_secs(n));
        }
        forget_old(dir.path(), &state, now);
        assert_eq!(left().len(), MOST + 2, "the newest, the one that is awaited, and what is not ours");
        assert!(left().contains(&"message-1-2.txt".into()) && !left().contains(&"message-1-3.txt".into()));
    }
}
