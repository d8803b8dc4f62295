//! A mistake in this program (a panic) kept from ending it: caught at the edge of a piece of work, and put into words.
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook},
    sync::Once,
};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does `work`; a panic in it becomes `what it said (file:line)` instead of an end of the thread, and is not printed.
/// What `work` left half done is the caller's business: throw away what it may have touched.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    listen();
    DEPTH.set(DEPTH.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|_| LAST.take().unwrap_or_else(|| "it gave no reason".into()))
}

/// The place of a panic is known to the hook alone.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| match DEPTH.get() {
            0 => others(info),
            _ => LAST.set(Some(words(info))),
        }));
    });
}

fn words(info: &PanicHookInfo) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let said = text.unwrap_or("it gave no reason");
    match info.location() {
        Some(at) => format!("{said} ({}:{})", at.file(), at.line()),
        None => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_words_with_its_place() {
        assert_eq!(caught(|| 7), Ok(7));
        let words = caught(|| -> u8 { panic!("index {} of {}", 3, 2) }).unwrap_err();
        assert!(words.starts_with("index 3 of 2 (src/world/mishap.rs:"), "{words}");
        let outer = caught(|| caught(|| panic!("inner")).is_err());
        assert_eq!(outer, Ok(true), "one inside another");
        assert!(caught(|| std::panic::resume_unwind(Box::new(1))).unwrap_err().contains("no reason"));
    }
}
