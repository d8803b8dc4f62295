//! A text that cannot be typed as it is goes by file: several lines would be several messages, and a long one is slow.
use super::paths::{Paths, make_private, write_whole};
use crate::{
    launch::prompt,
    model::request::{Request, Verb},
};

const MAX_TYPED: usize = 4 * 1024;

/// The request with a reference instead of such a text.
pub fn by_reference(request: Request, paths: &Paths) -> Request {
    let Verb::Send { name, text } = &request.verb else { return request };
    let trimmed = text.trim_end();
    let one_line = !trimmed.chars().any(|c| c.is_control());
    let text = if one_line && trimmed.len() <= MAX_TYPED {
        trimmed.to_owned()
    } else {
        let stamp = request.at.0;
        let file = paths.messages.join(format!("message-{stamp}-{}.txt", request.id));
        let kept = make_private(&paths.messages).and_then(|()| write_whole(&file, text.as_bytes()));
        match kept {
            Ok(()) => prompt::read_message(&file),
            // Better one long line than nothing.
            Err(_) => prompt::one_line(text),
        }
    };
    Request { verb: Verb::Send { name: name.clone(), text }, ..request }
}
