//! What the parsers share: how one line was taken, and texts that a file gives in one of two shapes.
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
};

/// What became of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Understood; it may mean no row.
    Yes,
    /// JSON, of a type that we do not know.
    Unknown,
    /// No JSON object, or one of a known type with the wrong things in it.
    Broken,
}

/// `"text"` or `[part, part]`.
#[derive(Debug)]
pub enum TextOr<T> {
    Text(String),
    Parts(Vec<T>),
}

impl<T> Default for TextOr<T> {
    fn default() -> Self {
        TextOr::Parts(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = TextOr<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a text or a list")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextOr::Text(text.to_owned()))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(TextOr::Text(text))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(TextOr::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    parts.push(part);
                }
                Ok(TextOr::Parts(parts))
            }
        }
        from.deserialize_any(Either(PhantomData))
    }
}

/// `null` is as good as not there.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// For ids and texts that are compared, and not kept.
pub fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
