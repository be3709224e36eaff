//! Reviews at the department: what schools forwarded, merged by name, and the answers of the next
//! release.
//!
//! Law: a file of a school is a stranger's text. What does not fit is refused with the file, and the
//! others are merged. What a file says is as its school reports it: nothing signs it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::config::data::answers::{self, ReviewAnswer};
use crate::config::data::released::ANSWERS;
use crate::publish::error::PublishError;
use crate::publish::ledger::{Consent, Ledger};
use crate::reviews::day::CivilDay;
use crate::reviews::forwarded::{ForwardedFile, ForwardedReview, MAX_OCTETS};
use crate::reviews::request::ReviewReason;
use crate::sys::read;

/// The most files that are read: two years of a large province.
const MAX_FILES: usize = 20_000;
/// The most names.
const MAX_NAMES: usize = 100_000;

/// One name over all schools.
#[derive(Debug, Default, Serialize)]
pub struct MergedReview {
    /// The name.
    pub name: String,
    /// Schools that forwarded it.
    pub schools: usize,
    /// Requests about it at all of them.
    pub count: u64,
    /// The same by reason.
    pub reasons: BTreeMap<ReviewReason, u64>,
    /// The same by level.
    pub levels: BTreeMap<String, u64>,
    /// The day of the first request.
    pub first: Option<CivilDay>,
    /// The day of the newest one.
    pub last: Option<CivilDay>,
    /// The categories that block it there, with the lists that have it.
    pub blocked: BTreeSet<String>,
    /// What was answered already.
    pub answer: Option<ReviewAnswer>,
}

/// A file that is not merged.
#[derive(Debug, Serialize)]
pub struct RefusedReviews {
    /// Its name.
    pub file: String,
    /// The reason.
    pub why: String,
}

/// All that schools forwarded.
#[derive(Debug, Serialize)]
pub struct MergedReviews {
    /// Files that were merged.
    pub files: usize,
    /// Schools that they are of.
    pub schools: usize,
    /// The names: those without an answer first, then those that most schools need.
    pub reviews: Vec<MergedReview>,
    /// Files that were not merged.
    pub refused: Vec<RefusedReviews>,
}

/// Merges the files of a directory.
///
/// A school that sends a name again has counted on: of its files the highest count stands.
///
/// # Errors
///
/// The directory cannot be read, or has too many files.
pub fn merge(directory: &Path, answers: &[ReviewAnswer]) -> io::Result<MergedReviews> {
    let mut found = read::directory(directory)?;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut refused, mut files, mut schools) = (Vec::new(), 0, BTreeSet::new());
    let mut newest: BTreeMap<String, BTreeMap<String, ForwardedReview>> = BTreeMap::new();
    for (path, metadata) in found {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || metadata.is_dir() {
            continue;
        }
        if files + refused.len() >= MAX_FILES {
            return Err(io::Error::other(format!("it has more than {MAX_FILES} files of reviews")));
        }
        let read = read::octets(&path, MAX_OCTETS).map_err(|error| error.to_string());
        let read = read
            .and_then(|octets| ForwardedFile::parse(&octets).map_err(|error| error.to_string()));
        match read {
            Err(why) => {
                refused.push(RefusedReviews { file: name.escape_debug().to_string(), why });
            }
            Ok(file) => {
                files += 1;
                for review in file.reviews {
                    if newest.len() >= MAX_NAMES && !newest.contains_key(&review.name) {
                        let why = format!("there are more than {MAX_NAMES} names");
                        return Err(io::Error::other(why));
                    }
                    let of_name = newest.entry(review.name.clone()).or_default();
                    match of_name.get(&file.school) {
                        Some(known) if known.count >= review.count => {}
                        _ => drop(of_name.insert(file.school.clone(), review)),
                    }
                }
                schools.insert(file.school);
            }
        }
    }
    let mut reviews: Vec<MergedReview> =
        newest.into_iter().map(|(name, of)| merged(name, of.into_values(), answers)).collect();
    reviews.sort_by(|a, b| {
        let key = |one: &MergedReview| (one.answer.is_some(), usize::MAX - one.schools);
        let count = |one: &MergedReview| u64::MAX - one.count;
        (key(a), count(a), &a.name).cmp(&(key(b), count(b), &b.name))
    });
    Ok(MergedReviews { files, schools: schools.len(), reviews, refused })
}

/// One name, of one review a school.
fn merged(
    name: String,
    of: impl Iterator<Item = ForwardedReview>,
    answers: &[ReviewAnswer],
) -> MergedReview {
    let answer = answers.iter().rev().find(|answer| answer.name == name).cloned();
    let mut sum = MergedReview { name, answer, ..MergedReview::default() };
    for review in of {
        sum.schools += 1;
        sum.count += u64::from(review.count);
        for (reason, count) in review.reasons {
            *sum.reasons.entry(reason).or_default() += u64::from(count);
        }
        for (level, count) in review.levels {
            *sum.levels.entry(level).or_default() += u64::from(count);
        }
        sum.first = [sum.first, review.first].into_iter().flatten().min();
        sum.last = sum.last.max(review.last);
        if let Some(why) = review.blocked {
            let category = why.category.unwrap_or(why.layer);
            let list = why.list.map_or_else(String::new, |list| format!(" ({list})"));
            sum.blocked.insert(category + &list);
        }
    }
    sum
}

/// The answers of a directory of tables, with the text of the file; none without the file.
///
/// # Errors
///
/// [`PublishError`] where the file cannot be used.
pub fn answers_in(tables: &Path) -> Result<(String, Vec<ReviewAnswer>), PublishError> {
    let path = tables.join(ANSWERS);
    let text = match read::text(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(PublishError::File { path, error }),
    };
    let answers = answers::parse(&text).map_err(|mistakes| {
        let place = path.display().to_string();
        let errors = crate::config::errors::ConfigErrors::new(&place, &text, mistakes);
        PublishError::Refused(errors.to_string())
    })?;
    Ok((text, answers))
}

/// Writes the answers that a release brings for the first time into its ledger.
pub fn record(
    ledger: &mut Ledger,
    (before, now): (Option<&[u8]>, Option<&[u8]>),
    (serial, seconds): (u64, u64),
) {
    // The tables of this release were judged before.
    let parse = |octets: Option<&[u8]>| {
        let text = octets.and_then(|octets| std::str::from_utf8(octets).ok());
        answers::parse(text.unwrap_or_default()).unwrap_or_default()
    };
    let before = parse(before);
    for answer in parse(now).into_iter().filter(|answer| !before.contains(answer)) {
        let verdict = match answer.verdict {
            answers::AnswerVerdict::Accepted => "accepted",
            answers::AnswerVerdict::Denied => "denied",
        };
        let finding = format!("review/{verdict}/{}", answer.name);
        let consent = Consent { finding, by: answer.by, reason: answer.reason, until: None };
        ledger.add(serial, seconds, &consent);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(school: &str, rows: &[(&str, u32)]) -> String {
        let rows = rows.iter().map(|(name, count)| {
            format!(
                r#"{{"name":"{name}","count":{count},"reasons":{{"lesson":{count}}},
                "levels":{{"primary":{count}}},"first":"2026-11-01","last":"2026-11-20",
                "state":"open","blocked":{{"layer":"category","category":"games","list":"ut1"}}}}"#
            )
        });
        let rows: Vec<String> = rows.collect();
        format!(
            r#"{{"format":1,"school":"{school}","day":"2026-11-20","release":3,"reviews":[{}]}}"#,
            rows.join(",")
        )
    }

    #[test]
    fn schools_are_counted_once_and_hostile_files_are_named() {
        let scratch = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &[u8]| fs::write(scratch.path().join(name), text).unwrap();
        put("a1.json", file("a", &[("x.example", 2), ("y.example", 9)]).as_bytes());
        put("a2.json", file("a", &[("x.example", 5)]).as_bytes());
        put("b.json", file("b", &[("x.example", 1), ("z.example", 500)]).as_bytes());
        put("torn.json", &file("c", &[("x.example", 1)]).as_bytes()[..80]);
        put("b\u{1b}[2J.json", b"\xff\xfe");
        put("huge.json", &vec![b' '; 2 << 20]);
        put(".hidden", b"nothing");
        fs::create_dir(scratch.path().join("directory")).unwrap();
        let answer = ReviewAnswer {
            name: "x.example".into(),
            verdict: answers::AnswerVerdict::Denied,
            day: "2026-11-29".into(),
            by: "Hà".into(),
            reason: "a game".into(),
        };
        let merged = merge(scratch.path(), &[]).unwrap();
        let shown: Vec<_> =
            merged.reviews.iter().map(|one| (one.name.as_str(), one.schools, one.count)).collect();
        assert_eq!(shown, [("x.example", 2, 6), ("z.example", 1, 500), ("y.example", 1, 9)]);
        assert_eq!((merged.files, merged.schools, merged.refused.len()), (3, 2, 3));
        assert!(merged.refused.iter().all(|one| !one.file.contains('\u{1b}')));
        assert_eq!(merged.reviews[0].blocked.first().unwrap(), "games (ut1)");
        let answered = merge(scratch.path(), &[answer]).unwrap();
        assert_eq!(answered.reviews.last().unwrap().name, "x.example");
    }

    #[test]
    fn a_new_answer_is_in_the_ledger_once() {
        let text = "[[answer]]\nname = \"x.example\"\nverdict = \"accepted\"\n\
                    day = \"2026-11-29\"\nby = \"Hà\"\nreason = \"CV 12\"\n";
        let mut ledger = Ledger::default();
        record(&mut ledger, (None, Some(text.as_bytes())), (4, 1000));
        record(&mut ledger, (Some(text.as_bytes()), Some(text.as_bytes())), (5, 2000));
        let lines: Vec<_> = ledger.lines().iter().map(|one| one.finding.as_str()).collect();
        assert_eq!(lines, ["review/accepted/x.example"]);
        assert!(Ledger::parse(ledger.octets()).is_ok());
    }
}
