//! What differs between two JSON values: places that are set, and places that are gone. A place is a JSON pointer (RFC
//! 6901); an array is one place, and is written whole.
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, io::Write};

/// What changed, as it is read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Change {
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    gone: Vec<String>,
}

/// The text of a change, while it is found: nothing of it is kept as a value, of which a large fleet has many.
#[derive(Debug, Default)]
pub struct Delta {
    set: Vec<u8>,
    gone: Vec<String>,
}

impl Delta {
    /// Adds what makes `new` of `old`, at `place`.
    pub fn add(&mut self, place: &str, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, None) => {}
            (Some(_), None) => self.gone.push(place.to_owned()),
            (Some(Value::Object(old)), Some(Value::Object(new))) => self.fields(place, old, new),
            (Some(old), Some(new)) if old == new => {}
            (_, Some(new)) => {
                let before = if self.set.is_empty() { "" } else { "," };
                // A value always has a text.
                let _ = write!(self.set, "{before}{}:{new}", Value::from(place));
            }
        }
    }

    fn fields(&mut self, place: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let gone = old.keys().filter(|key| !new.contains_key(*key));
        self.gone.extend(gone.map(|key| below(place, key)));
        for (key, value) in new {
            let before = old.get(key);
            if before != Some(value) {
                self.add(&below(place, key), before, Some(value));
            }
        }
    }

    /// `{"set":{…},"gone":[…]}`, each only if there is any.
    pub fn text(&self) -> Vec<u8> {
        let mut text = vec![b'{'];
        if !self.set.is_empty() {
            text.extend(b"\"set\":{");
            text.extend(&self.set);
            text.push(b'}');
        }
        if !self.gone.is_empty() {
            let before = if text.len() > 1 { "," } else { "" };
            let _ = write!(text, "{before}\"gone\":{}", json!(self.gone));
        }
        text.push(b'}');
        text
    }
}

/// The place of a field.
pub fn below(place: &str, key: &str) -> String {
    format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"))
}

impl Change {
    /// Carries it out. The error names the place that is not there.
    pub fn apply(self, to: &mut Value) -> Result<(), String> {
        for place in self.gone {
            let (parent, key) = parent(to, &place)?;
            parent.remove(&key).ok_or_else(|| format!("`{place}` is not there"))?;
        }
        // A place comes before what is below it.
        for (place, value) in self.set {
            match place.as_str() {
                "" => *to = value,
                _ => {
                    let (parent, key) = parent(to, &place)?;
                    parent.insert(key, value);
                }
            }
        }
        Ok(())
    }
}

fn parent<'a>(value: &'a mut Value, place: &str) -> Result<(&'a mut Map<String, Value>, String), String> {
    let lost = || format!("`{place}` is not there");
    let (above, key) = place.rsplit_once('/').ok_or_else(lost)?;
    let parent = value.pointer_mut(above).and_then(Value::as_object_mut).ok_or_else(lost)?;
    Ok((parent, key.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn between(old: &Value, new: &Value) -> String {
        let mut delta = Delta::default();
        delta.add("", Some(old), Some(new));
        String::from_utf8(delta.text()).unwrap()
    }

    #[test]
    fn only_what_differs_is_written() {
        let old = json!({"a": {"x": 1, "y": null, "z": [1, 2]}, "b/c": {"~": 1}, "d": 1});
        let new = json!({"a": {"x": 2, "y": null, "z": [1]}, "b/c": {"~": null}, "e": {}});
        let text = between(&old, &new);
        assert_eq!(text, r#"{"set":{"/a/x":2,"/a/z":[1],"/b~1c/~0":null,"/e":{}},"gone":["/d"]}"#);
        let change: Change = serde_json::from_str(&text).unwrap();
        let mut made = old;
        change.apply(&mut made).unwrap();
        assert_eq!(made, new);
    }

    #[test]
    fn what_fits_nowhere_is_an_error() {
        for text in [r#"{"gone":["/x"]}"#, r#"{"set":{"/x/y":1}}"#, r#"{"set":{"x":1}}"#, r#"{"gone":[""]}"#] {
            let change: Change = serde_json::from_str(text).unwrap();
            assert!(change.apply(&mut json!({"a": 1})).is_err(), "{text}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(|n| json!(n)), "[a~/]{0,2}".prop_map(|s| json!(s))];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::btree_map("[ab~/]{0,2}", inner.clone(), 0..4).prop_map(|m| json!(m)),
                proptest::collection::vec(inner, 0..3).prop_map(|v| json!(v)),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_two_values(old in value(), new in value()) {
            let text = between(&old, &new);
            let change: Change = serde_json::from_str(&text).unwrap();
            let mut made = old;
            change.apply(&mut made).unwrap();
            prop_assert_eq!(made, new);
        }
    }
}
