//! One value as one row: JSON text and a checksum over it. SQLite itself does not notice a flipped bit in a value.
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// FNV-1a, 64 bits: finds accidents, not forgeries.
pub fn sum(body: &str) -> i64 {
    let hash =
        body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    hash.cast_signed()
}

/// `(body, sum)` to be stored.
pub fn write<T: Serialize>(value: &T) -> Result<(String, i64), serde_json::Error> {
    let body = serde_json::to_string(value)?;
    let sum = sum(&body);
    Ok((body, sum))
}

/// A value and the fields that could not be read and got their default. Unknown fields are ignored. `Err` says why
/// there is no value at all: a wrong checksum, no JSON, or one of the `needed` fields unreadable.
pub fn read<T: DeserializeOwned>(body: &str, stored: i64, needed: &[&str]) -> Result<(T, Vec<String>), String> {
    if sum(body) != stored {
        return Err("its checksum is wrong".into());
    }
    let error = match serde_json::from_str(body) {
        Ok(value) => return Ok((value, Vec::new())),
        Err(error) => error.to_string(),
    };
    let Ok(Value::Object(all)) = serde_json::from_str::<Value>(body) else { return Err(error) };
    let (mut kept, rest): (Map<_, _>, Map<_, _>) = all.into_iter().partition(|(key, _)| needed.contains(&key.as_str()));
    let parse = |fields: &Map<String, Value>| serde_json::from_value::<T>(Value::Object(fields.clone()));
    let mut value = parse(&kept).map_err(|_| error)?;
    let mut lost = Vec::new();
    for (key, field) in rest {
        kept.insert(key.clone(), field);
        match parse(&kept) {
            Ok(more) => value = more,
            Err(_) => {
                kept.remove(&key);
                lost.push(key);
            }
        }
    }
    Ok((value, lost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::{UnitState, Wish};

    fn unit(body: &str) -> Result<(UnitState, Vec<String>), String> {
        read(body, sum(body), &["name", "session"])
    }

    #[test]
    fn missing_fields_are_defaulted_and_unknown_ones_ignored() {
        let (unit, lost) = unit(r#"{"name":"a","session":"x-a","wish":"stop","invented":{"later":1}}"#).unwrap();
        assert_eq!((unit.wish, unit.incarnation), (Wish::Stop, 0));
        assert!(lost.is_empty());
    }

    #[test]
    fn one_unreadable_field_does_not_take_the_wish_with_it() {
        let (unit, lost) = unit(r#"{"name":"a","pane":"half","session":"x-a","wish":"stop","life":7}"#).unwrap();
        assert_eq!((unit.wish, unit.pane), (Wish::Stop, None));
        assert_eq!(lost, ["life", "pane"]);
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let body = r#"{"name":"a","session":"x-a","incarnation":4}"#;
        let flipped = body.replace('4', "5");
        assert_eq!(read::<UnitState>(&flipped, sum(body), &[]).unwrap_err(), "its checksum is wrong");
        assert!(unit("{").is_err());
        assert!(unit(r#"{"session":"x-a"}"#).is_err());
    }
}
