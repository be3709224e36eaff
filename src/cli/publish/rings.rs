//! Rings as a person writes them: arguments, and the file `rings.toml`.

use std::path::Path;

use serde::Deserialize;

use crate::release::rollout::Ring;
use crate::sys::read;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The file of a department's rings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingsFile {
    ring: Vec<RingShape>,
}

/// One ring of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RingShape {
    name: String,
    /// Days after the publication.
    after_days: u64,
    #[serde(default)]
    schools: Vec<String>,
    #[serde(default)]
    percent: u32,
    program: Option<String>,
}

/// Rings of a file.
///
/// # Errors
///
/// What is wrong with it, with its place.
pub(super) fn of_file(path: &Path, now: u64) -> Result<Vec<Ring>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = read::text(path).map_err(|error| wrong(&error))?;
    let file: RingsFile = toml::from_str(&text).map_err(|error| wrong(&error))?;
    let ring = |ring: RingShape| Ring {
        name: ring.name,
        from: now.saturating_add(ring.after_days.saturating_mul(DAY)),
        schools: ring.schools,
        percent: ring.percent,
        program: ring.program,
    };
    Ok(file.ring.into_iter().map(ring).collect())
}

/// The rings of a department that names none: a tenth after two days, all after four.
pub(super) fn usual(now: u64) -> Vec<Ring> {
    let ring = |name: &str, days: u64, percent| Ring {
        name: name.into(),
        from: now.saturating_add(days * DAY),
        schools: Vec::new(),
        percent,
        program: None,
    };
    vec![ring("lab", 0, 0), ring("volunteers", 1, 0), ring("tenth", 2, 10), ring("all", 4, 100)]
}

/// One ring, `NAME=DATE:SCHOOLS` or `NAME=DATE:PERCENT%`.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn of_argument(text: &str, now: u64) -> Result<Ring, String> {
    let wrong = || {
        format!(
            "--ring {text}: a ring is NAME=DATE:SCHOOL,SCHOOL or NAME=DATE:PERCENT%, with a DATE \
             such as `now`, `+2d` or `2026-12-01`"
        )
    };
    let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (date, members) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let from = moment(date, now).ok_or_else(wrong)?;
    let (schools, percent) = match members.strip_suffix('%') {
        Some(share) => (Vec::new(), share.parse().map_err(|_| wrong())?),
        None => (members.split(',').map(|id| id.trim().to_owned()).collect(), 0),
    };
    if schools.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok(Ring { name: name.into(), from, schools, percent, program: None })
}

/// A moment: `now`, days from now, a date (its beginning, in UTC), or RFC 3339.
fn moment(text: &str, now: u64) -> Option<u64> {
    if text == "now" {
        return Some(now);
    }
    if let Some(days) = text.strip_prefix('+').and_then(|text| text.strip_suffix('d')) {
        return now.checked_add(days.parse::<u64>().ok()?.checked_mul(DAY)?);
    }
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let at: jiff::Timestamp = full.parse().ok()?;
    u64::try_from(at.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_schools_or_a_share_from_a_moment() {
        let ring = |text| of_argument(text, 1000).unwrap();
        assert_eq!(ring("lab=now:a,b").schools, ["a", "b"]);
        assert_eq!((ring("all=+2d:100%").from, ring("all=+2d:100%").percent), (173_800, 100));
        assert_eq!(ring("x=1970-01-02:1%").from, DAY);
        assert_eq!(ring("x=1970-01-02T07:00:00+07:00:1%").from, DAY);
        for wrong in ["x", "x=now", "x=now:", "x=now:a,,b", "x=soon:1%", "x=now:x%", "x=-1d:1%"] {
            assert!(of_argument(wrong, 1000).is_err(), "{wrong}");
        }
    }
}
