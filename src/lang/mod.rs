//! The languages that the program speaks with school people.
//!
//! What is said is written in English where it is said; a language is a table of the same
//! sentences, with `{}` for what changes. There is nothing else to it: no keys, no files.

mod vi;

use std::borrow::Cow;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Vietnamese.
    Vi,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Vi];

    /// The id used in config and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Vi => "vi",
        }
    }
}

impl Lang {
    /// A sentence of the program in this language; as it is where the language has none.
    pub fn say(self, english: &str) -> Cow<'_, str> {
        let said = self.phrases().find_map(|(from, to)| Some((to, parts(from, english)?)));
        match said {
            None => Cow::Borrowed(english),
            Some((to, parts)) => Cow::Owned(self.filled(to, &parts)),
        }
    }

    /// Whether a sentence is said in this language.
    pub fn knows(self, english: &str) -> bool {
        self == Self::En || self.phrases().any(|(from, _)| parts(from, english).is_some())
    }

    /// The sentences of this language, each with its English.
    fn phrases(self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let tables: &[&[(&str, &str)]] = match self {
            Self::En => &[],
            Self::Vi => &[vi::PHRASES, vi::MISTAKES],
        };
        tables.iter().copied().flatten()
    }

    /// A pattern with its parts. Those in backticks are what somebody wrote; the others may be
    /// sentences themselves.
    fn filled(self, pattern: &str, parts: &[&str]) -> String {
        let mut parts = parts.iter();
        let mut literals = pattern.split("{}");
        let first = literals.next().unwrap_or_default().to_owned();
        literals.fold(first, |out, literal| {
            let part = parts.next().copied().unwrap_or_default();
            let part = if out.ends_with('`') { Cow::Borrowed(part) } else { self.say(part) };
            out + &part + literal
        })
    }
}

/// What stands for each `{}` of a pattern in a sentence, if it is that sentence.
fn parts<'s>(pattern: &str, sentence: &'s str) -> Option<Vec<&'s str>> {
    let mut literals = pattern.split("{}");
    let mut rest = sentence.strip_prefix(literals.next()?)?;
    let mut parts = Vec::new();
    let mut literals = literals.peekable();
    while let Some(literal) = literals.next() {
        let at = match (literals.peek(), literal) {
            (None, "") => rest.len(),
            (None, literal) => rest.len().checked_sub(literal.len())?,
            (Some(_), literal) => rest.find(literal)?,
        };
        let (part, after) = (rest.get(..at)?, rest.get(at..)?);
        parts.push(part);
        rest = after.strip_prefix(literal)?;
    }
    rest.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_said_in_vietnamese() {
        let say = |english| Lang::Vi.say(english).into_owned();
        assert_eq!(say("did you mean `adult`?"), "có phải ý bạn là `adult`?");
        assert_eq!(
            say("`games` cannot be let through: Sở locks it for level `primary` (CV 12)"),
            "`games` không thể mở: Sở khóa nhóm này với cấp `primary` (CV 12)"
        );
        assert_eq!(say("write `a`, `b` or a single address"), "viết `a`, `b` hoặc một địa chỉ");
        assert_eq!(say("no such sentence"), "no such sentence");
        // A reason inside is said too; what somebody wrote is not.
        assert_eq!(
            say("`a table` is no name: a label is empty; write single dots between labels"),
            "`a table` không phải là tên miền: có nhãn trống; giữa các nhãn chỉ viết một dấu chấm"
        );
        assert_eq!(Lang::En.say("did you mean `adult`?"), "did you mean `adult`?");
    }

    #[test]
    fn both_sides_of_a_phrase_have_the_same_gaps() {
        for (english, vietnamese) in Lang::Vi.phrases() {
            let gaps = |text: &str| text.matches("{}").count();
            assert_eq!(gaps(english), gaps(vietnamese), "{english}");
        }
    }
}
