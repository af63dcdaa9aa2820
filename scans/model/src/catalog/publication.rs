//! The way of a version from draft to published, and what people know about how it was captured.

use serde::{Deserialize, Serialize};

use super::figures::{Figures, Note};
use super::named::named;
use super::venue::Signature;

named! {
    /// Publication state of a version.
    #[derive(Default)]
    Publication {
        /// Nobody has looked at it yet.
        #[default]
        Draft = "draft", "Draft";
        /// Waits for a review.
        InReview = "in_review", "In review";
        /// The scan's version to use; a scan has at most one.
        Published = "published", "Published";
        /// Was published before a newer one.
        Superseded = "superseded", "Superseded";
        /// Not to be used.
        Withdrawn = "withdrawn", "Withdrawn";
    }
}

named! {
    /// What changes a publication state.
    PublicationAction {
        /// Ask for a review.
        Submit = "submit", "Submit for review";
        /// End the review.
        Publish = "publish", "Publish";
        /// Take out of use. Also ends a review that found something wrong.
        Withdraw = "withdraw", "Withdraw";
        /// Another version of the scan is published. Nobody asks for this one by itself.
        Supersede = "supersede", "Supersede";
    }
}

/// Every allowed transition: state, action, next state. Anything else is refused.
pub const TRANSITIONS: &[(Publication, PublicationAction, Publication)] = {
    use Publication as P;
    use PublicationAction as A;
    &[
        (P::Draft, A::Submit, P::InReview),
        (P::InReview, A::Publish, P::Published),
        (P::Published, A::Supersede, P::Superseded),
        (P::Draft, A::Withdraw, P::Withdrawn),
        (P::InReview, A::Withdraw, P::Withdrawn),
        (P::Published, A::Withdraw, P::Withdrawn),
        (P::Superseded, A::Withdraw, P::Withdrawn),
        // Back into use: only by another review.
        (P::Superseded, A::Submit, P::InReview),
        (P::Withdrawn, A::Submit, P::InReview),
    ]
};

impl Publication {
    /// The state that an action leads to, if it is allowed.
    pub fn after(self, action: PublicationAction) -> Option<Self> {
        TRANSITIONS.iter().find(|(from, by, _)| *from == self && *by == action).map(|(_, _, to)| *to)
    }

    /// Whether all fields of the survey may be changed; else only `reverify_on`.
    pub fn is_survey_open(self) -> bool {
        matches!(self, Self::Draft | Self::Withdrawn)
    }
}

impl PublicationAction {
    /// The action as history names it.
    pub fn done(self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Publish => "published",
            Self::Withdraw => "withdrawn",
            Self::Supersede => "superseded",
        }
    }
}

/// Body of submit, publish and withdraw; may be left out.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublicationNote {
    /// Why, or what was looked at; kept in the history.
    pub note: Option<String>,
}

/// What people know about how a version was captured. May be changed while the version is a draft or withdrawn; `reverify_on` always.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SurveyFields {
    /// Day of the survey, YYYY-MM-DD.
    pub captured_on: Option<String>,
    /// Person or company.
    pub captured_by: Option<String>,
    /// Scanner.
    pub instrument: Option<String>,
    /// Method, such as "terrestrial, 42 setups" or "handheld SLAM".
    pub method: Option<String>,
    /// Stated accuracy of positions, metres.
    pub accuracy_m: Option<f64>,
    /// What was captured, and what was not.
    pub coverage: Option<String>,
    /// Day from which the scan counts as old until somebody has compared it with the venue, YYYY-MM-DD.
    pub reverify_on: Option<String>,
    /// Anything else.
    pub notes: Option<String>,
}

/// The survey of a version.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// What people may change.
    #[serde(flatten)]
    pub fields: SurveyFields,
    /// Counts its changes; 0 where nobody has entered anything.
    #[serde(default)]
    pub revision: i32,
    /// The last change.
    #[serde(default)]
    pub updated: Option<Signature>,
}

/// A file that a version was made of.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the uploaded file.
    pub file_name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// One side of a comparison of two versions.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedVersion {
    /// 1, 2, 3…
    pub version: u32,
    /// Publication state.
    pub publication: Publication,
    /// Points.
    pub points: u64,
    /// Bounds in the scan frame, metres, `[minx, miny, minz, maxx, maxy, maxz]`.
    pub bounds: Option<[f64; 6]>,
    /// Coverage, density and noise.
    pub figures: Option<Figures>,
    /// Number of levels found.
    pub levels: u32,
    /// Unit of the files.
    pub unit: Option<String>,
    /// `EPSG:n`, or WKT, or nothing.
    pub crs: Option<String>,
    /// The files that it was made of.
    pub sources: Vec<Source>,
    /// What people know about how it was captured.
    pub survey: SurveyFields,
}

/// A field that differs between two versions.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Name of the field.
    pub field: String,
    /// In the first version, as text.
    pub from: Option<String>,
    /// In the second version, as text.
    pub to: Option<String>,
}

/// `GET /api/scans/{id}/compare`: what changed from one version to another.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The scan.
    pub scan: String,
    /// The first version.
    pub from: ComparedVersion,
    /// The second one.
    pub to: ComparedVersion,
    /// Points of the second less those of the first.
    pub points: i64,
    /// Bounds of the second less those of the first, metres. `null` where the two are not in the same coordinate system.
    pub bounds_m: Option<[f64; 6]>,
    /// Area seen from above, of the second less that of the first, square metres.
    pub coverage_m2: Option<f64>,
    /// Warnings that only the first has.
    pub warnings_gone: Vec<Note>,
    /// Warnings that only the second has.
    pub warnings_new: Vec<Note>,
    /// Warnings of both.
    pub warnings_kept: Vec<Note>,
    /// Everything else that differs: unit, coordinate system, levels, files, survey.
    pub differences: Vec<Difference>,
    /// Whether both were made of files with the same content.
    pub same_files: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_state_and_action_is_allowed_or_refused_as_the_table_says() {
        let mut allowed = 0;
        for &state in Publication::ALL {
            for &action in PublicationAction::ALL {
                let expected = match (state.name(), action.name()) {
                    ("draft" | "superseded" | "withdrawn", "submit") => Some(Publication::InReview),
                    ("in_review", "publish") => Some(Publication::Published),
                    ("published", "supersede") => Some(Publication::Superseded),
                    ("draft" | "in_review" | "published" | "superseded", "withdraw") => Some(Publication::Withdrawn),
                    _ => None,
                };
                assert_eq!(state.after(action), expected, "{state:?} {action:?}");
                allowed += usize::from(expected.is_some());
            }
        }
        assert_eq!(allowed, TRANSITIONS.len(), "no transition is listed twice");
        for &value in Publication::ALL {
            assert_eq!(Publication::by_name(value.name()), Some(value));
            assert_eq!(serde_json::json!(value), value.name());
        }
    }
}
