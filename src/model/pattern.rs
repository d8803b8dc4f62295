//! How a pattern of the config stands in a record: its source. Read back, it is compiled as the config has it, without
//! regard to the case of letters.
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub fn serialize<S: Serializer>(pattern: &Regex, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(pattern.as_str())
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Regex, D::Error> {
    compile(&String::deserialize(from)?).map_err(Error::custom)
}

/// `^` and `$` match at every line: what is decided by a pattern is decided about single lines.
fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).case_insensitive(true).multi_line(true).build()
}

/// The same for a pattern that may be absent.
pub mod maybe {
    use super::{Deserialize, Deserializer, Error, Regex, Serializer, compile};

    pub fn serialize<S: Serializer>(pattern: &Option<Regex>, to: S) -> Result<S::Ok, S::Error> {
        match pattern {
            Some(pattern) => to.serialize_some(pattern.as_str()),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Regex>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| compile(&text)).transpose().map_err(Error::custom)
    }
}
