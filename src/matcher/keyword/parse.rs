//! Parser of the rule file: one rule a line, all mistakes reported at once.
//!
//! ```text
//! block   gambling  ^cado#     tier, category, pattern
//! shield  essex                a hit that starts inside this word is dropped
//! tld     block adult xxx      the last label equals this
//! protect gov.vn               no rule applies here or below
//! ```
//!
//! A pattern is an edge, a literal of `[a-z0-9-]`, an edge. `#` is an edge too,
//! so a comment stands on its own line or after a whole rule.

use std::ops::Range;

use super::edge::Edge;
use super::fold;
use super::rule::{KeywordRule, LiteralUse, Tier};
use crate::category::{CategoryId, Taxonomy};
use crate::diagnostic::{Diagnostic, nearest};
use crate::dns::name::{MAX_LABEL, Name};
use crate::lang::{Message, messages};
use crate::matcher::extend;

/// Mistakes after which the parser stops: it is another kind of file.
const MAX_MISTAKES: usize = 100;

const FIRST_WORDS: [&str; 5] = ["block", "observe", "shield", "tld", "protect"];

/// A rule file as read, without a mistake.
#[derive(Debug, Clone, Default)]
pub struct KeywordRules {
    pub(super) rules: Vec<KeywordRule>,
    /// Each literal with its conditions and rule.
    pub(super) literals: Vec<(Box<[u8]>, LiteralUse)>,
    pub(super) shields: Vec<Box<[u8]>>,
    /// Top-level domains and their rules.
    pub(super) tlds: Vec<(Box<[u8]>, u32)>,
    pub(super) protected: Vec<Name>,
}

impl KeywordRules {
    /// Reads the text of a rule file.
    ///
    /// # Errors
    ///
    /// Every mistake, first to last; the parser stops after 100.
    pub fn parse(text: &str, taxonomy: &Taxonomy) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { taxonomy, rules: Self::default(), line: 0 };
        let mut mistakes = Vec::new();
        let mut offset = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        for line in text.get(offset..).unwrap_or("").split_inclusive('\n') {
            reader.line += 1;
            if let Err(mistake) = reader.line(Words { line, offset }) {
                mistakes.push(mistake);
            }
            offset += line.len();
            if mistakes.len() == MAX_MISTAKES {
                let message = format!("{MAX_MISTAKES} mistakes; the rest was not read");
                let message = Message::english(message);
                let hint = Message::english("check that this is a file of keyword rules");
                mistakes.push(Diagnostic::new(offset..offset, message).hint(hint));
                break;
            }
        }
        if mistakes.is_empty() { Ok(reader.rules) } else { Err(mistakes) }
    }

    /// Number of rules; shields and protected suffixes are not rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// As [`Keywords::digest`](super::Keywords::digest).
    pub(super) fn digest(&self) -> u64 {
        let rules = self.rules.iter().map(|rule| {
            let KeywordRule { tier, category, pattern, .. } = rule;
            format!("{} {} {pattern}", tier.id(), category.index()).into_bytes()
        });
        let shields = self.shields.iter().map(|word| [b"shield ", &**word].concat());
        let protected = self.protected.iter().map(|name| [b"protect ", name.as_wire()].concat());
        let mut lines: Vec<Vec<u8>> = rules.chain(shields).chain(protected).collect();
        lines.sort();
        lines.dedup();
        lines.iter().fold(0, |digest, line| extend(digest, line))
    }
}

/// The words of one line with their spans in the text.
struct Words<'a> {
    /// The unread rest.
    line: &'a str,
    /// Offset of `line` in the text.
    offset: usize,
}

#[derive(Debug, Clone)]
struct Word<'a> {
    text: &'a str,
    span: Range<usize>,
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let trimmed = self.line.trim_start();
        let start = self.offset + self.line.len() - trimmed.len();
        let length = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
        let (text, rest) = trimmed.split_at(length);
        self.line = rest;
        self.offset = start + length;
        (length > 0).then_some(Word { text, span: start..start + length })
    }
}

impl<'a> Words<'a> {
    /// The next word of the rule; `form` is the form of the rule, for the hint.
    fn expect(&mut self, form: &str) -> Result<Word<'a>, Diagnostic> {
        self.next().ok_or_else(|| {
            let end = self.offset;
            let message = Message::english("the rule stops here, too early");
            Diagnostic::new(end.saturating_sub(1)..end, message).hint(messages::write(form))
        })
    }

    /// Checks that only a comment follows.
    fn end(&mut self) -> Result<(), Diagnostic> {
        match self.next() {
            Some(word) if !word.text.starts_with('#') => Err(word
                .mistake(format!("`{}` stands after the end of the rule", word.text))
                .hint(Message::english("put each rule on its own line, and `#` before a comment"))),
            _ => Ok(()),
        }
    }
}

impl Word<'_> {
    fn mistake(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.span.clone(), Message::english(message))
    }
}

struct Reader<'t> {
    taxonomy: &'t Taxonomy,
    rules: KeywordRules,
    line: u32,
}

impl Reader<'_> {
    fn line(&mut self, mut words: Words<'_>) -> Result<(), Diagnostic> {
        let Some(first) = words.next().filter(|word| !word.text.starts_with('#')) else {
            return Ok(());
        };
        match first.text {
            "block" => self.keyword(Tier::Block, &mut words)?,
            "observe" => self.keyword(Tier::Observe, &mut words)?,
            "tld" => self.tld(&mut words)?,
            "shield" => {
                let word = words.expect("shield WORD")?;
                let literal = literal(&word, word.text, 0)?;
                self.rules.shields.push(literal);
            }
            "protect" => {
                let word = words.expect("protect SUFFIX")?;
                let name = Name::from_text(word.text).map_err(|error| {
                    word.mistake(format!("`{}` is not a name: {error}", word.text))
                })?;
                self.rules.protected.push(name);
            }
            other => {
                let allowed = "a line starts with block, observe, shield, tld or protect";
                let mistake = first.mistake(format!("unknown rule `{other}`; {allowed}"));
                return Err(suggest(mistake, other, FIRST_WORDS));
            }
        }
        words.end()
    }

    fn keyword(&mut self, tier: Tier, words: &mut Words<'_>) -> Result<(), Diagnostic> {
        let form = format!("{} CATEGORY PATTERN", tier.id());
        let category = self.category(&words.expect(&form)?)?;
        let word = words.expect(&form)?;
        let (left, literal, right) = pattern(&word)?;
        let rule = self.add(tier, category, word.text);
        self.rules.literals.push((literal, LiteralUse { left, right, rule }));
        Ok(())
    }

    fn tld(&mut self, words: &mut Words<'_>) -> Result<(), Diagnostic> {
        let form = "tld TIER CATEGORY DOMAIN";
        let word = words.expect(form)?;
        let tier = match word.text {
            "block" => Tier::Block,
            "observe" => Tier::Observe,
            other => {
                let message = format!("unknown tier `{other}`; a tier is block or observe");
                return Err(suggest(word.mistake(message), other, ["block", "observe"]));
            }
        };
        let category = self.category(&words.expect(form)?)?;
        let word = words.expect(form)?;
        if word.text.contains('.') {
            let message = format!("`{}` has a dot; `tld` takes the last label alone", word.text);
            let bare = word.text.trim_matches('.');
            let last = bare.rsplit('.').next().unwrap_or(bare);
            return Err(word.mistake(message).hint(messages::write(last)));
        }
        let label = literal(&word, word.text, 0)?;
        let rule = self.add(tier, category, &format!("tld {}", word.text));
        self.rules.tlds.push((label, rule));
        Ok(())
    }

    fn category(&self, word: &Word<'_>) -> Result<CategoryId, Diagnostic> {
        let Some(id) = self.taxonomy.find(word.text) else {
            let rows = self.taxonomy.iter().filter(|(_, row)| !row.is_positive);
            let ids: Vec<&str> = rows.map(|(_, row)| row.id.as_str()).collect();
            let allowed = ids.join(", ");
            let mistake =
                word.mistake(format!("unknown category `{}`; one of {allowed}", word.text));
            return Err(suggest(mistake, word.text, ids));
        };
        if self.taxonomy.category(id).is_positive {
            let message = format!("`{}` is a category of good names and never blocks", word.text);
            return Err(word
                .mistake(message)
                .hint(Message::english("keep names from keywords with `protect SUFFIX`")));
        }
        Ok(id)
    }

    /// Adds a rule and returns its place.
    fn add(&mut self, tier: Tier, category: CategoryId, pattern: &str) -> u32 {
        let place = self.rules.rules.len() as u32;
        self.rules.rules.push(KeywordRule {
            tier,
            category,
            pattern: pattern.into(),
            line: self.line,
        });
        place
    }
}

/// Reads `<edge><literal><edge>`.
fn pattern(word: &Word<'_>) -> Result<(Edge, Box<[u8]>, Edge), Diagnostic> {
    let mut inner = word.text.chars();
    let (first, last) = (inner.next(), inner.next_back());
    let left = first.and_then(Edge::left);
    let right = last.and_then(Edge::right);
    let (side, signs) = match (left, right, last) {
        (Some(left), Some(right), _) => {
            return Ok((left, literal(word, inner.as_str(), 1)?, right));
        }
        // One sign alone is a left edge.
        (None, _, _) => ("left", "`^`, `|`, `#` or `*`"),
        (Some(_), ..) => ("right", "`$`, `|`, `#` or `*`"),
    };
    let bare = word.text.trim_matches(|sign| matches!(sign, '^' | '$' | '|' | '#' | '*'));
    let mistake = word.mistake(format!("`{}` has no {side} edge, {signs}", word.text));
    Err(if bare.is_empty() {
        mistake.hint(Message::english("write a word between two edges, as in `*nhacai*`"))
    } else {
        mistake.hint(Message::english(format!(
            "write `*{bare}*` for anywhere in a label, `|{bare}|` for a whole word"
        )))
    })
}

/// The octets of a literal that starts `before` octets into `word`.
fn literal(word: &Word<'_>, text: &str, before: usize) -> Result<Box<[u8]>, Diagnostic> {
    if text.is_empty() {
        return Err(word.mistake(format!("`{}` has no word between its edges", word.text)).hint(
            Message::english("write a word of letters a to z, digits and `-`, as in `*nhacai*`"),
        ));
    }
    if let Some((at, wrong)) =
        text.char_indices().find(|(_, c)| !u8::try_from(*c).is_ok_and(fold::is_literal_octet))
    {
        let start = word.span.start + before + at;
        let message = format!("`{wrong}` cannot stand in a keyword; a to z, 0 to 9 and `-` can");
        let span = start..start + wrong.len_utf8();
        let mistake = Diagnostic::new(span, Message::english(message));
        let plain = fold::text(text)
            .filter(|plain| !plain.is_empty() && plain.bytes().all(fold::is_literal_octet));
        return Err(match plain {
            Some(plain) => mistake.hint(Message::english(format!(
                "write `{plain}`; names are compared in lower case and without accents"
            ))),
            None => mistake,
        });
    }
    if text.len() > MAX_LABEL {
        let message =
            format!("{} characters fit in no label, which has up to {MAX_LABEL}", text.len());
        return Err(word.mistake(message).hint(Message::english("shorten it")));
    }
    Ok(text.as_bytes().into())
}

/// The mistake, with the nearest allowed word as a hint.
fn suggest<'a>(
    mistake: Diagnostic,
    found: &str,
    allowed: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match nearest(found, allowed) {
        Some(near) => mistake.hint(messages::did_you_mean(near)),
        None => mistake,
    }
}
