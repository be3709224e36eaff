//! `answers.toml`: what the department answered to names that its schools forwarded.
//!
//! A release brings it; nothing is compiled in. It tells people, and decides nothing: what is accepted
//! leaves a list, or is allowed, by the same release.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::file::shape;
use crate::config::file::wire_error::name_error;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::messages;

/// The most answers of a table.
pub const MAX_ANSWERS: usize = 5000;
/// The most characters of a person's name, and of a reason.
const MAX_TEXT: usize = 300;

/// The department's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerVerdict {
    /// A release opens the name.
    Accepted,
    /// It stays blocked.
    Denied,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewAnswer {
    /// The name, in lower case and without the final dot.
    pub name: String,
    /// The word.
    pub verdict: AnswerVerdict,
    /// The day of the answer.
    pub day: String,
    /// The name of the person.
    pub by: String,
    /// The reason.
    pub reason: String,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AnswersFile {
    answer: Vec<Spanned<AnswerRow>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerRow {
    name: Spanned<String>,
    verdict: AnswerVerdict,
    day: Spanned<String>,
    by: Spanned<String>,
    reason: Spanned<String>,
}

/// Reads answers, in the order of the file; a later one about a name stands.
///
/// # Errors
///
/// The first mistake of shape, or every text that does not fit.
pub fn parse(text: &str) -> Result<Vec<ReviewAnswer>, Vec<Diagnostic>> {
    let file: AnswersFile = shape::parse(text).map_err(|mistake| vec![mistake])?;
    let mut mistakes = Vec::new();
    if let Some(over) = file.answer.get(MAX_ANSWERS) {
        mistakes.push(Diagnostic::new(over.span(), messages::too_many_answers(MAX_ANSWERS)));
    }
    let mut answers = Vec::new();
    for row in file.answer.into_iter().take(MAX_ANSWERS) {
        let row = row.into_inner();
        for text in [&row.day, &row.by, &row.reason] {
            if !is_text(text.get_ref()) {
                mistakes.push(Diagnostic::new(text.span(), messages::no_answer_text(MAX_TEXT)));
            }
        }
        let (span, given) = (row.name.span(), row.name.into_inner());
        match Name::from_text(&given) {
            Err(error) => {
                let why = messages::no_name(&given, name_error(&error));
                mistakes.push(Diagnostic::new(span, why));
            }
            Ok(name) => answers.push(ReviewAnswer {
                name: name.to_string().trim_end_matches('.').to_owned(),
                verdict: row.verdict,
                day: row.day.into_inner(),
                by: row.by.into_inner(),
                reason: row.reason.into_inner(),
            }),
        }
    }
    if mistakes.is_empty() { Ok(answers) } else { Err(mistakes) }
}

/// Whether a text may stand in an answer: it is shown at schools.
pub fn is_text(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// A text of answers with one more.
pub fn with(text: &str, answer: &ReviewAnswer) -> String {
    #[derive(Serialize)]
    struct One<'a> {
        answer: [&'a ReviewAnswer; 1],
    }
    // Texts without control characters can always be written.
    let row = toml::to_string(&One { answer: [answer] }).unwrap_or_default();
    let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
    format!("{text}{gap}{row}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_added_and_read_and_odd_ones_are_told() {
        let answer = |name: &str, reason: &str| ReviewAnswer {
            name: name.into(),
            verdict: AnswerVerdict::Denied,
            day: "2026-11-29".into(),
            by: "Lê Hà".into(),
            reason: reason.into(),
        };
        let (one, two) = (answer("a.example", "a \"game\""), answer("b.example", "x\\y"));
        let text = with(&with("# answers\n", &one), &two);
        assert_eq!(parse(&text).unwrap(), [one.clone(), two]);
        assert_eq!(parse("").unwrap(), []);
        for odd in [
            with("", &answer("a b.example", "x")),
            with("", &answer("a.example", "")),
            with("", &answer("a.example", "\u{1b}[2J")),
            with("", &answer("a.example", &"x".repeat(400))),
            "[[answer]]\nname = \"a.example\"\n".into(),
            "[[answers]]\n".into(),
            with("", &one).replace("denied", "perhaps"),
        ] {
            assert!(parse(&odd).is_err(), "{odd}");
        }
        let many = with("", &one).repeat(MAX_ANSWERS + 1);
        assert!(parse(&many).is_err());
    }
}
