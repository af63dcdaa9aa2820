//! Changes of what people edit: partial ones (RFC 7396), which fields they change, and what two people changed at the same time.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use parterre_model::catalog::Fault;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{ApiError, ApiResult};

/// What people may change of something, as one JSON object with all fields present.
pub trait Fields: Clone + Serialize + DeserializeOwned {
    /// The fields as they are kept: texts cleaned, values checked.
    ///
    /// # Errors
    /// `name_invalid`, `field_invalid`.
    fn checked(self) -> Result<Self, Fault>;
}

/// The values of a field before and after a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Before.
    pub from: Value,
    /// After.
    pub to: Value,
}

/// Changed fields.
pub type Changes = BTreeMap<String, Change>;

/// All fields by name.
pub fn object(fields: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(fields) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

/// The fields that differ.
pub fn changes(from: &impl Serialize, to: &impl Serialize) -> Changes {
    let (from, to) = (object(from), object(to));
    let differing = to.into_iter().filter(|(name, value)| from.get(name) != Some(value));
    differing.map(|(name, to)| (name.clone(), Change { from: from.get(&name).cloned().unwrap_or_default(), to })).collect()
}

/// The fields after a partial change.
///
/// # Errors
/// `field_unknown`, `name_invalid`, `field_invalid`.
pub fn patched<F: Fields>(current: &F, patch: &Map<String, Value>) -> ApiResult<F> {
    let mut fields = Value::Object(object(current));
    for name in patch.keys() {
        if fields.get(name).is_none() {
            return Err(ApiError::unprocessable(
                "field_unknown",
                format!("there is no field {name:?} that can be changed"),
                "docs/api.md lists the fields; the others follow from what the catalogue holds.",
            ));
        }
    }
    for (name, value) in patch {
        merge(&mut fields[name], value);
    }
    of_value::<F>(fields)
}

/// Fields out of a JSON object that has them all, checked.
pub fn of_value<F: Fields>(fields: Value) -> ApiResult<F> {
    let read = serde_json::from_value::<F>(fields).map_err(|error| {
        ApiError::unprocessable(
            "field_invalid",
            format!("a field has an unusable value: {error}"),
            "docs/api.md lists the fields and their values.",
        )
    })?;
    check(read)
}

/// The fields, checked.
pub fn check<F: Fields>(fields: F) -> ApiResult<F> {
    fields.checked().map_err(|fault| ApiError::of_fault(StatusCode::UNPROCESSABLE_ENTITY, fault))
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                merge(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// A field that somebody else changed while a person was editing.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Its name.
    pub field: String,
    /// What somebody else made of it.
    pub theirs: Change,
    /// What the person entered, where they changed it too, and to something else.
    pub mine: Option<Value>,
}

/// What a person entered, joined with what others saved since the person began.
#[derive(Clone, Debug)]
pub struct Joined<F> {
    /// The person's value of the fields that they changed, the others' of the rest.
    pub fields: F,
    /// What others changed.
    pub conflicts: Vec<Conflict>,
}

/// Joins what a person entered with the present state. `since` is what others changed after the state that the person began with.
pub fn join<F: Fields>(current: &F, since: &Changes, mine: &F) -> Joined<F> {
    let (now, entered) = (object(current), object(mine));
    let mut joined = now.clone();
    let mut conflicts = Vec::new();
    for (field, value) in entered {
        let present = now.get(&field).cloned().unwrap_or_default();
        let changed = since.get(&field);
        let base = changed.map_or(&present, |change| &change.from);
        let is_mine = value != *base;
        if is_mine {
            joined.insert(field.clone(), value.clone());
        }
        if let Some(change) = changed
            && change.from != present
        {
            let theirs = Change { from: change.from.clone(), to: present.clone() };
            conflicts.push(Conflict { field, theirs, mine: (is_mine && value != present).then_some(value) });
        }
    }
    let fields = serde_json::from_value(Value::Object(joined)).unwrap_or_else(|_| mine.clone());
    Joined { fields, conflicts }
}

/// Several changes, oldest first, as one.
pub fn sum(all: impl IntoIterator<Item = Changes>) -> Changes {
    let mut sum = Changes::new();
    for (field, change) in all.into_iter().flatten() {
        match sum.get_mut(&field) {
            Some(earlier) => earlier.to = change.to,
            None => drop(sum.insert(field, change)),
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use parterre_model::catalog::{Position, VenueFields};
    use serde_json::json;

    use super::*;

    fn hall() -> VenueFields {
        VenueFields { name: "Hall".into(), city: Some("Paris".into()), capacity: Some(100), ..VenueFields::default() }
    }

    fn patch(of: &VenueFields, with: Value) -> Result<VenueFields, String> {
        let Value::Object(with) = with else { return Err("no object".into()) };
        patched(of, &with).map_err(|error| error.fault().code.clone())
    }

    #[test]
    fn absent_stays_and_null_clears() {
        let changed = patch(&hall(), json!({ "city": null, "position": { "lon": 2.3, "lat": 48.8 } }));
        let expected = VenueFields { city: None, position: Some(Position { lon: 2.3, lat: 48.8 }), ..hall() };
        assert_eq!(changed.as_ref(), Ok(&expected));
        assert_eq!(
            patch(&expected, json!({ "position": { "lat": 48.9 } })).map(|fields| fields.position.map(|at| (at.lon, at.lat))),
            Ok(Some((2.3, 48.9)))
        );
        assert_eq!(patch(&expected, json!({ "position": null })).map(|fields| fields.position), Ok(None));
        for (wrong, code) in [
            (json!({ "nom": "x" }), "field_unknown"),
            (json!({ "id": "x" }), "field_unknown"),
            (json!({ "name": null }), "field_invalid"),
            (json!({ "name": "" }), "name_invalid"),
            (json!({ "capacity": "many" }), "field_invalid"),
            (json!({ "kind": "barn" }), "field_invalid"),
            (json!({ "position": { "lon": 1 } }), "field_invalid"),
        ] {
            assert_eq!(patch(&hall(), wrong.clone()), Err(code.to_owned()), "{wrong}");
        }
    }

    #[test]
    fn what_two_people_changed_is_joined_field_by_field() {
        let base = hall();
        let theirs = VenueFields { capacity: Some(200), city: Some("Lyon".into()), notes: Some("n".into()), ..base.clone() };
        let mine = VenueFields { capacity: Some(300), address: Some("Rue 1".into()), notes: Some("n".into()), ..base.clone() };
        let joined = join(&theirs, &changes(&base, &theirs), &mine);
        let expected = VenueFields { city: Some("Lyon".into()), ..mine.clone() };
        assert_eq!(joined.fields, expected);
        let told: Vec<(&str, Option<Value>)> = joined.conflicts.iter().map(|c| (c.field.as_str(), c.mine.clone())).collect();
        assert_eq!(told, [("capacity", Some(json!(300))), ("city", None), ("notes", None)]);
        let twice = sum([changes(&base, &theirs), changes(&theirs, &mine)]);
        assert_eq!(twice["capacity"], Change { from: json!(100), to: json!(300) });
    }
}
