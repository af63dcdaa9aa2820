//! What is known about a venue beside its scans: its record, levels, layouts and pictures.
//!
//! A `…Fields` type is what a person may change. `PATCH` takes any part of it (RFC 7396): a field that is absent stays, `null` clears.

use serde::{Deserialize, Serialize};

use super::named::named;

named! {
    /// Kind of a venue.
    #[derive(Default)]
    VenueKind {
        /// Football ground, athletics stadium.
        Stadium = "stadium", "Stadium";
        /// Indoor arena.
        Arena = "arena", "Arena";
        /// Concert hall.
        ConcertHall = "concert_hall", "Concert hall";
        /// Theatre, opera house.
        Theatre = "theatre", "Theatre";
        /// Exhibition hall.
        ExhibitionHall = "exhibition_hall", "Exhibition hall";
        /// Club.
        Club = "club", "Club";
        /// Anything else.
        #[default]
        Other = "other", "Other";
    }
}

named! {
    /// How carefully what the catalogue holds about a venue must be handled.
    #[derive(Default)]
    Sensitivity {
        /// For everybody who may use the catalogue.
        #[default]
        Standard = "standard", "Standard";
        /// For those who work with this venue.
        Sensitive = "sensitive", "Sensitive";
        /// For named persons only.
        Restricted = "restricted", "Restricted";
    }
}

/// A person who acts in the catalogue.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Who did something, and when.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Who.
    pub by: Person,
    /// When.
    pub at: String,
}

/// A place on the Earth, WGS 84.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees east, -180 to 180.
    pub lon: f64,
    /// Degrees north, -90 to 90.
    pub lat: f64,
}

/// Somebody to call about a venue.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// Function, such as "head of security".
    pub role: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Electronic mail address.
    pub email: Option<String>,
    /// Anything else, such as the hours.
    pub note: Option<String>,
}

/// What people may change of a venue; body of `POST /api/venues`, of which only `name` is required.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VenueFields {
    /// Name for people; 1 to 200 characters.
    pub name: String,
    /// Name in the language or script of the place, where it is another one.
    #[serde(default)]
    pub local_name: Option<String>,
    /// Kind.
    #[serde(default)]
    pub kind: VenueKind,
    /// Street, number and postal code.
    #[serde(default)]
    pub address: Option<String>,
    /// City.
    #[serde(default)]
    pub city: Option<String>,
    /// Country, by its two letters in ISO 3166-1.
    #[serde(default)]
    pub country: Option<String>,
    /// Position of the main entrance.
    #[serde(default)]
    pub position: Option<Position>,
    /// Most people who may be inside at once, 1 to 1,000,000.
    #[serde(default)]
    pub capacity: Option<u32>,
    /// Whom to call, at most 20.
    #[serde(default)]
    pub contacts: Vec<Contact>,
    /// How carefully it must be handled.
    #[serde(default)]
    pub sensitivity: Sensitivity,
    /// Anything else, at most 10,000 characters.
    #[serde(default)]
    pub notes: Option<String>,
}

/// What people may change of a level.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LevelFields {
    /// The venue's own name for it, such as "Parterre" or "First balcony".
    pub name: String,
    /// Its short form, for signs and plans.
    #[serde(default)]
    pub short_name: Option<String>,
    /// Order of the levels: 0 is that of the main entrance, 1 the one above, -1 the one below. Unique in the venue. If `POST` does not give
    /// it: the one above the highest.
    #[serde(default)]
    pub ordinal: Option<i32>,
    /// Height of its floor, metres, in the frame of the venue's scans.
    #[serde(default)]
    pub floor_m: Option<f64>,
    /// Height up to which it reaches, metres.
    #[serde(default)]
    pub top_m: Option<f64>,
}

/// A level of a venue.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VenueLevel {
    /// Identifier.
    pub id: String,
    /// The venue's identifier.
    pub venue: String,
    /// What people may change.
    #[serde(flatten)]
    pub fields: LevelFields,
    /// Counts its changes.
    pub revision: i32,
    /// The last change.
    pub updated: Signature,
}

/// A level found in a scan, which no level of the venue describes yet.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelProposal {
    /// The scan.
    pub scan: String,
    /// Its version.
    pub version: u32,
    /// Number of the level in the scan, 1 the lowest.
    pub level: u32,
    /// Height of most of its floor, metres, in the scan's frame.
    pub floor_m: f64,
    /// Height up to which it reaches, metres.
    pub top_m: f64,
    /// Area of its floors, square metres.
    pub area_m2: f64,
}

/// `GET /api/venues/{id}/levels`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelList {
    /// The lowest first.
    pub levels: Vec<VenueLevel>,
    /// Levels of the venue's scans that have no name yet.
    pub proposed: Vec<LevelProposal>,
}

/// What people may change of a configuration.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationFields {
    /// Name, such as "Concert, standing".
    pub name: String,
    /// First day on which it holds, YYYY-MM-DD.
    #[serde(default)]
    pub valid_from: Option<String>,
    /// Last day on which it holds, YYYY-MM-DD.
    #[serde(default)]
    pub valid_to: Option<String>,
    /// Where the stage is and how large.
    #[serde(default)]
    pub stage: Option<String>,
    /// Where people sit and stand.
    #[serde(default)]
    pub seating: Option<String>,
    /// Barriers.
    #[serde(default)]
    pub barriers: Option<String>,
    /// Doors that are locked, by their names or numbers; at most 200.
    #[serde(default)]
    pub locked_doors: Vec<String>,
    /// Most people in this layout.
    #[serde(default)]
    pub capacity: Option<u32>,
    /// Anything else.
    #[serde(default)]
    pub notes: Option<String>,
}

/// A named and dated layout of a venue.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// Identifier.
    pub id: String,
    /// The venue's identifier.
    pub venue: String,
    /// What people may change.
    #[serde(flatten)]
    pub fields: ConfigurationFields,
    /// Counts its changes.
    pub revision: i32,
    /// Who added it.
    pub created: Signature,
    /// The last change.
    pub updated: Signature,
}

/// `GET /api/venues/{id}/configurations`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigurationList {
    /// In the order in which they were added.
    pub configurations: Vec<Configuration>,
}

/// A picture of a venue.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Identifier.
    pub id: String,
    /// The venue's identifier.
    pub venue: String,
    /// Address of the file, relative to the service's root.
    pub url: String,
    /// Name of the file.
    pub file_name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// What it shows.
    pub caption: Option<String>,
    /// Who added it.
    pub created: Signature,
}

/// Something that was done.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `added`, `changed`, `removed`, `withdrawn`, `restored`, `purged`, `submitted`, `published`, `superseded`.
    pub action: String,
    /// To what: `venue`, `level`, `configuration`, `picture`, `version`, `survey`.
    pub subject: String,
    /// Its identifier; of a version and its survey SCAN/NUMBER.
    pub subject_id: String,
    /// Names of the changed fields.
    pub fields: Vec<String>,
    /// What the person said about it.
    pub note: Option<String>,
    /// Who.
    pub by: Person,
    /// When.
    pub at: String,
}

/// Body of a purge, the second step of deleting.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purge {
    /// The name of what is deleted, typed again.
    pub name: String,
}
