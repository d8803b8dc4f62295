//! Bytes that need not be text.
use serde::{Deserialize, Serialize};
use std::{ffi::OsString, os::unix::ffi::OsStringExt};

/// Bytes of the operating system (an argument, a path): text where they are UTF-8, else a list of numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Bytes(pub OsString);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Raw(Vec<u8>),
}

impl From<Stored> for Bytes {
    fn from(stored: Stored) -> Bytes {
        Bytes(match stored {
            Stored::Text(text) => text.into(),
            Stored::Raw(raw) => OsString::from_vec(raw),
        })
    }
}

impl From<Bytes> for Stored {
    fn from(bytes: Bytes) -> Stored {
        match bytes.0.into_string() {
            Ok(text) => Stored::Text(text),
            Err(raw) => Stored::Raw(raw.into_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_survive() {
        let odd = Bytes(OsString::from_vec(vec![0xff, b'a']));
        let json = serde_json::to_string(&odd).expect("json");
        assert_eq!(serde_json::from_str::<Bytes>(&json).expect("back"), odd);
        assert_eq!(serde_json::to_string(&Bytes("a b".into())).expect("json"), "\"a b\"");
    }
}
