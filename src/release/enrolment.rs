//! Enrolment: the one small file that makes a gateway follow a department, and the box's reply.
//!
//! ```text
//! department ─ enrolment (TOML: school, box, URLs, root) ─▶ gateway
//! department ◀─ reply (JSON: school, box, public key) ───── gateway
//! ```
//!
//! Nothing in it is secret, and nothing but the root's fingerprint needs to be true: it is compared
//! with what came another way, such as the department's letter.

use serde::{Deserialize, Serialize};

/// The format of both documents.
const FORMAT: u32 = 1;
/// The most octets of a document.
pub const MAX_OCTETS: u64 = 1 << 20;
/// Characters of a fingerprint: SHA-256 in hexadecimal.
const FINGERPRINT: usize = 64;

/// What a gateway is told of its department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// [`FORMAT`].
    format: u32,
    /// The school, as `[school] id` has it.
    pub school: String,
    /// The box at this school: a second one has another id.
    #[serde(rename = "box")]
    pub unit: String,
    /// One or two URLs of the repository.
    pub urls: Vec<String>,
    /// The ring that the department means the school to be in; empty for that of its hash.
    #[serde(default)]
    pub ring: String,
    /// The name whose TXT says that something is new; empty for none.
    #[serde(default)]
    pub nudge: String,
    /// SHA-256 of the root document, in hexadecimal.
    pub fingerprint: String,
    /// The root document.
    pub root: String,
}

/// What a box answers: a key that only it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentReply {
    /// [`FORMAT`].
    format: u32,
    /// The school.
    pub school: String,
    /// The box.
    #[serde(rename = "box")]
    pub unit: String,
    /// The fingerprint of the root that it is enrolled with.
    pub fingerprint: String,
    /// Its public key: Ed25519, in hexadecimal.
    pub key: String,
}

/// A document that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnrolmentError {
    /// Its text is none.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Another format.
    #[error("format {0}; this program reads format {FORMAT}: update the program")]
    Format(u32),
    /// A field has a value that it cannot have.
    #[error("`{0}` cannot be `{1}`")]
    Field(&'static str, String),
    /// The root is another one.
    #[error("the root has the fingerprint {found}, not {wanted}")]
    Fingerprint {
        /// What was expected.
        wanted: String,
        /// What the root has.
        found: String,
    },
}

/// Whether a text is an id of a school or a box.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// A fingerprint as people type it: with spaces, colons or in capitals; none where it is none.
pub fn fingerprint(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && !":-".contains(*c)).collect();
    let is_hex = plain.len() == FINGERPRINT && plain.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| plain.to_ascii_lowercase())
}

impl Enrolment {
    /// An enrolment of a box with a root of this fingerprint.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::Field`].
    pub fn new(
        (school, unit): (&str, &str),
        urls: Vec<String>,
        (ring, nudge): (&str, &str),
        (root, fingerprint): (String, String),
    ) -> Result<Self, EnrolmentError> {
        let (school, unit) = (school.to_owned(), unit.to_owned());
        let (ring, nudge) = (ring.to_owned(), nudge.to_owned());
        let made = Self { format: FORMAT, school, unit, urls, ring, nudge, fingerprint, root };
        made.proven()
    }

    /// Reads an enrolment.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError`].
    pub fn parse(text: &str) -> Result<Self, EnrolmentError> {
        let malformed = |error: toml::de::Error| EnrolmentError::Malformed(error.to_string());
        let Head { format } = toml::from_str(text).map_err(malformed)?;
        if format != FORMAT {
            return Err(EnrolmentError::Format(format));
        }
        toml::from_str::<Self>(text).map_err(malformed)?.proven()
    }

    /// Its text.
    pub fn text(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    fn proven(self) -> Result<Self, EnrolmentError> {
        let wrong = |field, text: &str| Err(EnrolmentError::Field(field, shown(text)));
        let is_url = |url: &String| {
            let is_one = url.starts_with("https://") || url.starts_with("http://");
            is_one && url.len() <= 2048 && !url.contains(char::is_whitespace) && !url.contains('"')
        };
        if !is_id(&self.school) {
            return wrong("school", &self.school);
        }
        if !is_id(&self.unit) {
            return wrong("box", &self.unit);
        }
        if !(1..=2).contains(&self.urls.len()) || !self.urls.iter().all(is_url) {
            return wrong("urls", &self.urls.join(" "));
        }
        if !self.ring.is_empty() && !is_id(&self.ring) {
            return wrong("ring", &self.ring);
        }
        if !self.nudge.is_empty() && crate::dns::name::Name::from_text(&self.nudge).is_err() {
            return wrong("nudge", &self.nudge);
        }
        match fingerprint(&self.fingerprint) {
            Some(fingerprint) => Ok(Self { fingerprint, ..self }),
            None => wrong("fingerprint", &self.fingerprint),
        }
    }

    /// Compares the fingerprint of the root, worked out as `found`, with the one in the document and
    /// with the one that came another way.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::Fingerprint`].
    pub fn judge_root(&self, found: &str, told: Option<&str>) -> Result<(), EnrolmentError> {
        let other = [Some(self.fingerprint.as_str()), told].into_iter().flatten();
        match other.into_iter().find(|wanted| *wanted != found) {
            None => Ok(()),
            Some(wanted) => Err(EnrolmentError::Fingerprint {
                wanted: wanted.to_owned(),
                found: found.to_owned(),
            }),
        }
    }
}

impl EnrolmentReply {
    /// The reply of a box with this key.
    pub fn new(to: &Enrolment, key: String) -> Self {
        let Enrolment { school, unit, fingerprint, .. } = to.clone();
        Self { format: FORMAT, school, unit, fingerprint, key }
    }

    /// Reads a reply.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError`].
    pub fn parse(octets: &[u8]) -> Result<Self, EnrolmentError> {
        let malformed = |error: serde_json::Error| EnrolmentError::Malformed(error.to_string());
        let Head { format } = serde_json::from_slice(octets).map_err(malformed)?;
        if format != FORMAT {
            return Err(EnrolmentError::Format(format));
        }
        let reply: Self = serde_json::from_slice(octets).map_err(malformed)?;
        let wrong = |field, text: &str| Err(EnrolmentError::Field(field, shown(text)));
        match &reply {
            one if !is_id(&one.school) => wrong("school", &one.school),
            one if !is_id(&one.unit) => wrong("box", &one.unit),
            one if fingerprint(&one.key).as_ref() != Some(&one.key) => wrong("key", &one.key),
            one if fingerprint(&one.fingerprint).as_ref() != Some(&one.fingerprint) => {
                wrong("fingerprint", &one.fingerprint)
            }
            _ => Ok(reply),
        }
    }

    /// Its text.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The part that every format has; other fields may be those of another one.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// A value of a stranger for a message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrolment() -> Enrolment {
        let urls = vec!["https://a.example/".to_owned()];
        let root = ("{\"signed\": \"\"}\n".to_owned(), "ab".repeat(32));
        Enrolment::new(("thcs-a", "1"), urls, ("lab", "new.example"), root).unwrap()
    }

    #[test]
    fn documents_are_read_as_they_were_written() {
        let made = enrolment();
        assert_eq!(Enrolment::parse(&made.text()), Ok(made.clone()));
        let reply = EnrolmentReply::new(&made, "cd".repeat(32));
        assert_eq!(EnrolmentReply::parse(reply.text().as_bytes()), Ok(reply));
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_field() {
        let text = enrolment().text();
        for (from, to, field) in [
            ("thcs-a", "a b", "`school`"),
            ("box = \"1\"", "box = \"\"", "`box`"),
            ("https://a.example/", "ftp://a", "`urls`"),
            ("lab", "a\\u001b", "`ring` cannot be `a?`"),
            ("new.example", "..", "`nudge`"),
            ("abab", "xx", "`fingerprint`"),
            ("format = 1", "format = 2", "format 2"),
            ("format = 1", "form = 1", "malformed"),
            ("ring =", "rang =", "malformed"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Enrolment::parse(&text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(field), "{field}: {error}");
        }
        let reply = EnrolmentReply::new(&enrolment(), "cd".repeat(32)).text();
        for (from, to) in [("cdcd", "CDCD"), ("thcs-a", ""), ("\"format\": 1", "\"format\": 3")] {
            assert!(EnrolmentReply::parse(reply.replace(from, to).as_bytes()).is_err(), "{from}");
        }
    }

    #[test]
    fn a_fingerprint_is_compared_however_it_is_typed() {
        let typed = "AB:AB ab-ab".to_owned() + &"ab".repeat(28);
        assert_eq!(fingerprint(&typed), Some("ab".repeat(32)));
        assert_eq!(fingerprint("abab"), None);
        let made = enrolment();
        let own = "ab".repeat(32);
        assert_eq!(made.judge_root(&own, None), Ok(()));
        assert_eq!(made.judge_root(&own, Some(&own)), Ok(()));
        assert!(made.judge_root(&own, Some(&"cd".repeat(32))).is_err());
        assert!(made.judge_root(&"cd".repeat(32), None).is_err());
    }
}
