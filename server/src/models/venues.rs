//! Venues.

use diesel::prelude::*;

use crate::db::{Conn, new_id, now_ms};
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
}

impl Venue {
    /// Adds a venue; to be called in a writing transaction. The name is taken as it is.
    pub fn create(conn: &mut Conn, name: &str) -> QueryResult<Self> {
        let slug = free_slug(conn, &slug_of(name))?;
        let venue = Self { id: new_id(), slug, name: name.to_owned(), name_folded: fold(name), created_at: now_ms() };
        diesel::insert_into(venues::table).values(&venue).execute(conn)?;
        Ok(venue)
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

    /// Locks the venue against other writers until the transaction ends. A writing transaction of SQLite does so by itself.
    pub fn lock(conn: &mut Conn, id: &str) -> QueryResult<()> {
        if let Conn::Postgres(conn) = conn {
            venues::table.find(id).select(venues::id).for_update().first::<String>(conn)?;
        }
        Ok(())
    }

    /// A page of the venues whose name contains `query`, by name, and how many there are in all.
    pub fn search(conn: &mut Conn, query: &str, limit: i64, offset: i64) -> QueryResult<(Vec<Self>, i64)> {
        let pattern = like_pattern(&fold(query));
        let found = venues::name_folded.like(&pattern).escape('\\');
        let total = venues::table.filter(found).count().get_result(conn)?;
        let rows = venues::table
            .filter(venues::name_folded.like(&pattern).escape('\\'))
            .order((venues::name_folded, venues::id))
            .limit(limit)
            .offset(offset)
            .select(Self::as_select())
            .load(conn)?;
        Ok((rows, total))
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
