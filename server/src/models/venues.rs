//! Venues.

use diesel::prelude::*;
use parterre_model::catalog::{Position, Sensitivity, VenueFields, VenueKind};

use crate::db::{Conn, new_id, now_ms};
use crate::models::history::{self, Record, Subject};
use crate::person::Person;
use crate::schema::venues;

/// A venue: a stadium, a concert hall.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = venues)]
pub struct Venue {
    /// Identifier.
    pub id: String,
    /// Name for addresses, unique.
    pub slug: String,
    /// Name as people write it.
    pub name: String,
    /// The name as [`fold`] gives it.
    pub name_folded: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Name in the language of the place.
    pub local_name: Option<String>,
    /// That name as [`fold`] gives it.
    pub local_name_folded: Option<String>,
    /// Name of a [`VenueKind`].
    pub kind: String,
    /// Street, number and postal code.
    pub address: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Two letters of ISO 3166-1.
    pub country: Option<String>,
    /// Degrees, WGS 84.
    pub longitude: Option<f64>,
    /// Degrees, WGS 84.
    pub latitude: Option<f64>,
    /// Most people inside.
    pub capacity: Option<i32>,
    /// JSON: a list of contacts.
    pub contacts: String,
    /// Name of a [`Sensitivity`].
    pub sensitivity: String,
    /// Notes.
    pub notes: Option<String>,
    /// Counts the changes of the fields.
    pub revision: i32,
    /// Identifier of a person.
    pub created_by: Option<String>,
    /// Milliseconds since 1970.
    pub updated_at: Option<i64>,
    /// Identifier of a person.
    pub updated_by: Option<String>,
    /// Milliseconds since 1970.
    pub withdrawn_at: Option<i64>,
    /// Identifier of a person.
    pub withdrawn_by: Option<String>,
}

/// The columns that a change of the fields writes.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = venues, treat_none_as_null = true)]
struct Changed {
    name: String,
    name_folded: String,
    local_name: Option<String>,
    local_name_folded: Option<String>,
    kind: String,
    address: Option<String>,
    city: Option<String>,
    country: Option<String>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    capacity: Option<i32>,
    contacts: String,
    sensitivity: String,
    notes: Option<String>,
    revision: i32,
    updated_at: Option<i64>,
    updated_by: Option<String>,
}

impl Venue {
    /// Adds a venue; to be called in a writing transaction. The fields are taken as they are.
    pub fn create(conn: &mut Conn, fields: &VenueFields, person: &Person) -> QueryResult<Self> {
        let slug = free_slug(conn, &slug_of(&fields.name))?;
        let columns = columns(fields);
        let venue = Self {
            id: new_id(),
            slug,
            name: columns.name,
            name_folded: columns.name_folded,
            created_at: now_ms(),
            local_name: columns.local_name,
            local_name_folded: columns.local_name_folded,
            kind: columns.kind,
            address: columns.address,
            city: columns.city,
            country: columns.country,
            longitude: columns.longitude,
            latitude: columns.latitude,
            capacity: columns.capacity,
            contacts: columns.contacts,
            sensitivity: columns.sensitivity,
            notes: columns.notes,
            revision: 1,
            created_by: Some(person.id().to_owned()),
            updated_at: None,
            updated_by: None,
            withdrawn_at: None,
            withdrawn_by: None,
        };
        diesel::insert_into(venues::table).values(&venue).execute(conn)?;
        Ok(venue)
    }

    /// What people may change.
    pub fn fields(&self) -> VenueFields {
        VenueFields {
            name: self.name.clone(),
            local_name: self.local_name.clone(),
            kind: VenueKind::by_name(&self.kind).unwrap_or_default(),
            address: self.address.clone(),
            city: self.city.clone(),
            country: self.country.clone(),
            position: self.longitude.zip(self.latitude).map(|(lon, lat)| Position { lon, lat }),
            capacity: self.capacity.map(|count| count as u32),
            contacts: serde_json::from_str(&self.contacts).unwrap_or_default(),
            // What is not understood is not for everybody.
            sensitivity: Sensitivity::by_name(&self.sensitivity).unwrap_or(Sensitivity::Restricted),
            notes: self.notes.clone(),
        }
    }

    /// Changes the fields if the venue still has that revision; false where it has not.
    pub fn update(conn: &mut Conn, id: &str, revision: i32, fields: &VenueFields, person: &Person) -> QueryResult<bool> {
        let changed =
            Changed { revision: revision + 1, updated_at: Some(now_ms()), updated_by: Some(person.id().to_owned()), ..columns(fields) };
        let rows =
            diesel::update(venues::table.filter(venues::id.eq(id).and(venues::revision.eq(revision)))).set(&changed).execute(conn)?;
        Ok(rows == 1)
    }

    /// Takes the venue out of the lists, or back into them, if it still has that revision; false where it has not.
    pub fn withdraw(conn: &mut Conn, id: &str, revision: i32, person: Option<&Person>) -> QueryResult<bool> {
        let rows = diesel::update(venues::table.filter(venues::id.eq(id).and(venues::revision.eq(revision))))
            .set((
                venues::revision.eq(revision + 1),
                venues::withdrawn_at.eq(person.map(|_| now_ms())),
                venues::withdrawn_by.eq(person.map(Person::id)),
            ))
            .execute(conn)?;
        Ok(rows == 1)
    }

    /// Finds a venue and locks it against other writers; to be called in a writing transaction.
    pub fn find_held(conn: &mut Conn, id_or_slug: &str) -> QueryResult<Option<Self>> {
        let Some(found) = Self::find(conn, id_or_slug)? else { return Ok(None) };
        if !Self::lock(conn, &found.id)? {
            return Ok(None);
        }
        Self::find(conn, &found.id)
    }

    /// Removes the row.
    pub fn remove(conn: &mut Conn, id: &str) -> QueryResult<()> {
        diesel::delete(venues::table.find(id)).execute(conn)?;
        Ok(())
    }

    /// Finds a venue by its identifier, or else by its slug.
    pub fn find(conn: &mut Conn, id_or_slug: &str) -> QueryResult<Option<Self>> {
        let of_id = venues::table.find(id_or_slug).select(Self::as_select()).first(conn).optional()?;
        if of_id.is_some() {
            return Ok(of_id);
        }
        venues::table.filter(venues::slug.eq(id_or_slug)).select(Self::as_select()).first(conn).optional()
    }

    /// Finds the oldest venue of that name, regardless of case and accents, or with that slug.
    pub fn find_by_name(conn: &mut Conn, name: &str) -> QueryResult<Option<Self>> {
        venues::table
            .filter(venues::name_folded.eq(fold(name)).or(venues::slug.eq(name)))
            .order((venues::created_at, venues::id))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }

    /// Locks the venue against other writers until the transaction ends; false where it is gone. A writing transaction of SQLite locks
    /// everything by itself.
    pub fn lock(conn: &mut Conn, id: &str) -> QueryResult<bool> {
        let found: Option<String> = match conn {
            Conn::Postgres(conn) => venues::table.find(id).select(venues::id).for_update().first(conn).optional()?,
            Conn::Sqlite(conn) => venues::table.find(id).select(venues::id).first(conn).optional()?,
        };
        Ok(found.is_some())
    }

    /// The withdrawn venues, by name.
    pub fn withdrawn(conn: &mut Conn, limit: i64) -> QueryResult<Vec<Self>> {
        venues::table
            .filter(venues::withdrawn_at.is_not_null())
            .order((venues::name_folded, venues::id))
            .limit(limit)
            .select(Self::as_select())
            .load(conn)
    }

    /// A page of the venues whose name or local name contains `query`, by name, and how many there are in all; without those that are
    /// withdrawn.
    pub fn search(conn: &mut Conn, query: &str, limit: i64, offset: i64) -> QueryResult<(Vec<Self>, i64)> {
        let pattern = like_pattern(&fold(query));
        let found = || {
            let listed = venues::table.filter(venues::withdrawn_at.is_null()).into_boxed();
            if query.is_empty() {
                return listed;
            }
            let in_local_name = venues::local_name_folded.like(pattern.clone()).escape('\\').assume_not_null();
            listed.filter(
                venues::name_folded.like(pattern.clone()).escape('\\').or(venues::local_name_folded.is_not_null().and(in_local_name)),
            )
        };
        let total = found().count().get_result(conn)?;
        let rows = found().order((venues::name_folded, venues::id)).limit(limit).offset(offset).select(Self::as_select()).load(conn)?;
        Ok((rows, total))
    }
}

/// Adds a venue and records who did.
pub fn add(conn: &mut Conn, fields: &VenueFields, person: &Person) -> QueryResult<Venue> {
    let venue = Venue::create(conn, fields, person)?;
    let record = Record {
        venue_id: &venue.id,
        subject: Subject::Venue,
        subject_id: &venue.id,
        revision: Some(venue.revision),
        action: "added",
        changes: None,
        note: None,
    };
    history::record(conn, person, &record)?;
    Ok(venue)
}

fn columns(fields: &VenueFields) -> Changed {
    Changed {
        name: fields.name.clone(),
        name_folded: fold(&fields.name),
        local_name: fields.local_name.clone(),
        local_name_folded: fields.local_name.as_deref().map(fold),
        kind: fields.kind.name().to_owned(),
        address: fields.address.clone(),
        city: fields.city.clone(),
        country: fields.country.clone(),
        longitude: fields.position.map(|at| at.lon),
        latitude: fields.position.map(|at| at.lat),
        capacity: fields.capacity.map(|count| count as i32),
        contacts: serde_json::json!(fields.contacts).to_string(),
        sensitivity: fields.sensitivity.name().to_owned(),
        notes: fields.notes.clone(),
        revision: 1,
        updated_at: None,
        updated_by: None,
    }
}

fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn free_slug(conn: &mut Conn, wanted: &str) -> QueryResult<String> {
    let taken: Vec<String> =
        venues::table.filter(venues::slug.eq(wanted).or(venues::slug.like(format!("{wanted}-%")))).select(venues::slug).load(conn)?;
    if !taken.iter().any(|slug| slug == wanted) {
        return Ok(wanted.to_owned());
    }
    // Each taken slug blocks one number, so one of these is free.
    let free = (2..=taken.len() + 2).map(|n| format!("{wanted}-{n}")).find(|slug| !taken.contains(slug));
    Ok(free.unwrap_or_else(new_id))
}

/// The name for addresses: ASCII letters and digits in lower case with single hyphens between, at most 60 characters.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in fold(name).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 60 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "venue".to_owned()
    } else if uuid::Uuid::parse_str(slug).is_ok() {
        // An address must not read as another venue's identifier.
        format!("venue-{slug}")
    } else {
        slug.to_owned()
    }
}

/// Lower case without the accents of Latin letters, white space runs as one space.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars().flat_map(char::to_lowercase) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => folded.push('a'),
            'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => folded.push('c'),
            'ď' | 'đ' | 'ð' => folded.push('d'),
            'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => folded.push('e'),
            'ĝ' | 'ğ' | 'ġ' | 'ģ' => folded.push('g'),
            'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => folded.push('i'),
            'ł' | 'ĺ' | 'ļ' | 'ľ' => folded.push('l'),
            'ñ' | 'ń' | 'ņ' | 'ň' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => folded.push('o'),
            'ŕ' | 'ŗ' | 'ř' => folded.push('r'),
            'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => folded.push('s'),
            'ţ' | 'ť' | 'ț' => folded.push('t'),
            'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ź' | 'ż' | 'ž' => folded.push('z'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            // What lower-casing leaves of a letter and a separate accent.
            '\u{300}'..='\u{36f}' => {}
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain_and_never_empty() {
        assert_eq!(slug_of("Théâtre du Châtelet"), "theatre-du-chatelet");
        assert_eq!(slug_of("  Stade   Bauer / tribune №2 "), "stade-bauer-tribune-2");
        assert_eq!(slug_of("東京ドーム"), "venue");
        assert_eq!(slug_of("../../etc"), "etc");
        for id in ["01934b7a-7c0f-7f2e-9d0a-0123456789ab", "01934B7A7C0F7F2E9D0A0123456789AB"] {
            assert_eq!(slug_of(id), format!("venue-{}", id.to_lowercase()));
        }
        assert!(slug_of(&"long ".repeat(100)).len() <= 60);
    }

    #[test]
    fn patterns_take_wildcards_literally() {
        assert_eq!(like_pattern("100%_\\"), "%100\\%\\_\\\\%");
    }
}
