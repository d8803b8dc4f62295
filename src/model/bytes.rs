//! Words of the operating system, which need not be text.
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};
use std::{ffi::OsString, fmt, os::unix::ffi::OsStringExt};

/// Bytes of the operating system (an argument, a path): text where they are UTF-8, else a list of numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "Stored")]
pub struct Bytes(pub OsString);

#[derive(Serialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Raw(Vec<u8>),
}

impl From<Bytes> for Stored {
    fn from(bytes: Bytes) -> Stored {
        match bytes.0.into_string() {
            Ok(text) => Stored::Text(text),
            Err(raw) => Stored::Raw(raw.into_vec()),
        }
    }
}

/// By hand: what is derived for two kinds copies each text once more, and every job that is looked at is read by it.
impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        deserializer.deserialize_any(TextOrRaw)
    }
}

struct TextOrRaw;

impl<'de> Visitor<'de> for TextOrRaw {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text, or a list of bytes")
    }

    fn visit_str<E>(self, text: &str) -> Result<Bytes, E> {
        Ok(Bytes(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Bytes, E> {
        Ok(Bytes(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bytes, A::Error> {
        let mut raw = Vec::new();
        while let Some(byte) = list.next_element()? {
            raw.push(byte);
        }
        Ok(Bytes(OsString::from_vec(raw)))
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
        let long = Bytes("a \"b\"\n".into());
        let json = serde_json::to_string(&long).expect("json");
        assert_eq!(serde_json::from_str::<Bytes>(&json).expect("with escapes"), long);
        assert_eq!(serde_json::from_value::<Bytes>(json.parse().expect("a value")).expect("of a value"), long);
        for neither in ["7", "null", "[256]", "[\"a\"]", "{}"] {
            assert!(serde_json::from_str::<Bytes>(neither).is_err(), "{neither}");
        }
    }
}
