//! The line that a gateway says of itself: the User-Agent of its polls.
//!
//! ```text
//! lachan/0.1.0 school=thcs-a box=1 release=8 ring=tenth state=ok
//! lachan/0.1.0 school=thcs-a box=1 release=7 ring=tenth state=rejected:signature
//! ```
//!
//! Laws: it has the ids of a school and of a box, and nothing of any person. Anybody can send such a
//! line, so it is read strictly and shown as *reported*, never as evidence.

use std::fmt;

/// The most octets of a line that are read.
pub const MAX_OCTETS: usize = 512;
/// The most octets of one value.
const MAX_VALUE: usize = 64;
/// The program's name before its version.
const PROGRAM: &str = "lachan/";

/// The state of a gateway, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayReport {
    /// The version of the program.
    pub version: String,
    /// The id of the school.
    pub school: String,
    /// The id of the box at the school.
    pub box_id: String,
    /// The release in force; 0 where there is none.
    pub release: u64,
    /// The ring of the school; `-` where none is known.
    pub ring: String,
    /// The end of its last update.
    pub state: ReportedState,
}

/// The end of a gateway's last update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportedState {
    /// The release that is meant for it is in force.
    Ok,
    /// A release waits for a person.
    Held,
    /// A release was refused, with the reason (a word of a closed set).
    Rejected(String),
}

impl fmt::Display for ReportedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("ok"),
            Self::Held => f.write_str("held"),
            Self::Rejected(reason) => write!(f, "rejected:{reason}"),
        }
    }
}

impl fmt::Display for GatewayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, school, box_id, release, ring, state } = self;
        write!(
            f,
            "{PROGRAM}{version} school={school} box={box_id} release={release} ring={ring} state={state}"
        )
    }
}

impl GatewayReport {
    /// Reads a line; `None` where it is not exactly of the grammar.
    pub fn parse(line: &str) -> Option<Self> {
        if line.len() > MAX_OCTETS {
            return None;
        }
        let mut parts = line.split(' ');
        let version = value(parts.next()?.strip_prefix(PROGRAM)?)?;
        let mut field = |key: &str| parts.next()?.strip_prefix(key)?.strip_prefix('=');
        let school = value(field("school")?)?;
        let box_id = value(field("box")?)?;
        let release = number(field("release")?)?;
        let ring = value(field("ring")?)?;
        let state = match field("state")? {
            "ok" => ReportedState::Ok,
            "held" => ReportedState::Held,
            other => ReportedState::Rejected(value(other.strip_prefix("rejected:")?)?),
        };
        parts.next().is_none().then_some(Self { version, school, box_id, release, ring, state })
    }
}

/// A value: letters, digits and `.`, `_`, `-`.
fn value(text: &str) -> Option<String> {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    let is_value = (1..=MAX_VALUE).contains(&text.len()) && text.bytes().all(is_plain);
    is_value.then(|| text.to_owned())
}

/// A number in its one spelling.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_is_written() {
        for state in
            [ReportedState::Ok, ReportedState::Held, ReportedState::Rejected("hash".into())]
        {
            let report = GatewayReport {
                version: "0.1.0".into(),
                school: "thcs-a".into(),
                box_id: "1".into(),
                release: 8,
                ring: "tenth".into(),
                state,
            };
            assert_eq!(GatewayReport::parse(&report.to_string()), Some(report));
        }
    }

    #[test]
    fn a_line_that_differs_in_anything_is_none() {
        let right = "lachan/1 school=a box=1 release=8 ring=r state=ok";
        assert!(GatewayReport::parse(right).is_some());
        for wrong in [
            right.replace("lachan", "Lachan"),
            right.replace("school=a", "school="),
            right.replace("school=a", "school=a\u{1b}[2J"),
            right.replace("box=1 ", ""),
            right.replace("release=8", "release=08"),
            right.replace("release=8", "release=+8"),
            right.replace("release=8", "release=99999999999999999999"),
            right.replace("state=ok", "state=fine"),
            right.replace("state=ok", "state=rejected:"),
            right.replace(' ', "  "),
            format!("{right} "),
            format!("{right} more=1"),
            right.replace("ring=r", &format!("ring={}", "r".repeat(MAX_VALUE + 1))),
        ] {
            assert_eq!(GatewayReport::parse(&wrong), None, "{wrong}");
        }
    }
}
