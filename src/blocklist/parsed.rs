//! A parsed source: its rules, its rejected lines, and the verdict on it.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;

use super::format::Format;
use super::reject::{Example, Reject};
use crate::lang::{Lang, messages};
use crate::rule::{Action, Effect, LocalData, Scope, Target};

/// Number of rejected lines in examples.
const EXAMPLES: usize = 3;
/// Bad lines that a source of any size may have.
const FREE_REJECTS: u32 = 20;
/// Past that, one bad line in this many refuses the source.
const REJECT_SHARE: u32 = 10;

/// A parsed source: its rules and rejected lines.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The syntax used.
    pub format: Format,
    /// Lines in the text.
    pub lines: u32,
    /// Rejected lines and names, by reason.
    pub rejects: BTreeMap<Reject, u32>,
    /// The first few that count against the source.
    pub examples: Vec<Example>,
    /// The first few that do not.
    pub ignored_examples: Vec<Example>,
    /// The local data behind [`Action::Local`] of the rules.
    pub data: Vec<LocalData>,
    /// Rules of addresses in answers.
    pub addresses: Vec<AddressRule>,
    /// Rules that are about more than a name: patterns, query types, spared names.
    pub targets: Vec<ListTarget>,
    /// The refusal of a text that is no list.
    pub refusal: Option<ListRefusal>,
    rows: Vec<Row>,
    names: Vec<u8>,
    /// Number of rules of names in pieces passed on.
    taken: usize,
}

/// A rule without its name; the offset in `names` is the sum of the lengths before it.
#[derive(Debug)]
struct Row {
    line: u32,
    action: Action,
    length: u8,
    scope: Scope,
    effect: Effect,
}

/// One rule of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRule<'a> {
    /// The name in wire form, lower case.
    pub name: &'a [u8],
    /// The part of the tree that it covers.
    pub scope: Scope,
    /// Its effect.
    pub effect: Effect,
    /// The answer to the name.
    pub action: Action,
    /// Its line, from 1.
    pub line: u32,
}

/// One rule of addresses in answers (response-IP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRule {
    /// The addresses it covers.
    pub net: IpNet,
    /// [`Effect::Rpz`] of a response policy zone, else [`Effect::Add`].
    pub effect: Effect,
    /// The answer to a name that resolves to one of them.
    pub action: Action,
    /// Its line, from 1.
    pub line: u32,
}

/// One rule that is about more than a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTarget {
    /// What it is about.
    pub target: Target,
    /// The part of the tree that it covers, of a name.
    pub scope: Scope,
    /// Its effect.
    pub effect: Effect,
    /// The answer to the name.
    pub action: Action,
    /// Its line, from 1.
    pub line: u32,
}

/// Refusal of a whole source; the previous version stays in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListRefusal {
    /// A web page.
    Html,
    /// Text in UTF-16.
    Utf16,
    /// A text without a rule.
    Empty {
        /// Lines in the text.
        lines: u32,
        /// The syntax used.
        format: Format,
        /// The first rejected lines.
        examples: Vec<Example>,
    },
    /// More lines and names that gave no rule than rules; the rest is used.
    MostIsLost {
        /// Lines and names that gave no rule, those apart that are no matter of DNS.
        lost: u32,
        /// Rules.
        rules: usize,
        /// The syntax used.
        format: Format,
        /// The first rejected lines.
        examples: Vec<Example>,
    },
    /// Too many lines that are not of its format.
    BadLines {
        /// Lines and names that count against it.
        bad: u32,
        /// Lines in the text.
        lines: u32,
        /// The syntax used.
        format: Format,
        /// The first of them.
        examples: Vec<Example>,
    },
}

impl ListRefusal {
    /// What is wrong, and what to do, in a language; a line more for each example.
    pub fn in_lang(&self, lang: Lang) -> String {
        let (message, examples) = match self {
            Self::Html => (messages::list_page(), &[][..]),
            Self::Utf16 => (messages::list_utf16(), &[][..]),
            Self::Empty { lines: 0, .. } => (messages::list_empty(), &[][..]),
            Self::Empty { lines, format, examples } => {
                (messages::list_without_rule(lines, format.id()), &examples[..])
            }
            Self::MostIsLost { lost, rules, format, examples } => {
                (messages::list_most_lost(lost, rules, format.id()), &examples[..])
            }
            Self::BadLines { bad, lines, format, examples } => {
                (messages::list_bad_lines(bad, lines, format.id()), &examples[..])
            }
        };
        let mut text = message.in_lang(lang);
        for Example { line, text: found, reject } in examples {
            text += "\n  ";
            text += &messages::list_example(line, found, reject.message()).in_lang(lang);
        }
        text
    }
}

impl fmt::Display for ListRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_lang(Lang::En))
    }
}

impl std::error::Error for ListRefusal {}

impl Parsed {
    /// Number of rules about names, those included that were taken away.
    pub fn len(&self) -> usize {
        self.taken + self.rows.len()
    }

    /// Number of rules of any kind.
    pub fn rule_count(&self) -> usize {
        self.len() + self.addresses.len() + self.targets.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rule_count() == 0
    }

    /// Passes the rules of names on as a piece, and drops them, but counts them. All other rules
    /// stay for the last piece.
    pub(super) fn pass_on(&mut self, take: &mut dyn FnMut(&Self)) {
        let addresses = std::mem::take(&mut self.addresses);
        let targets = std::mem::take(&mut self.targets);
        take(self);
        (self.addresses, self.targets) = (addresses, targets);
        self.taken += self.rows.len();
        self.rows.clear();
        self.names.clear();
    }

    /// Number of rules of names in the current piece.
    pub(super) fn pending(&self) -> usize {
        self.rows.len()
    }

    /// Number of rejected lines and names.
    pub fn rejected(&self) -> u32 {
        self.rejects.values().sum()
    }

    /// Number of rejected lines and names that count against the source.
    pub fn bad(&self) -> u32 {
        let bad = self.rejects.iter().filter(|(reject, _)| reject.counts_against_source());
        bad.map(|(_, count)| count).sum()
    }

    /// Whether the source is usable.
    ///
    /// # Errors
    ///
    /// [`ListRefusal`] for another kind of text, an empty list, or more than 20 bad lines that are
    /// also more than one in ten.
    pub fn verdict(&self) -> Result<(), ListRefusal> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        let (bad, lines, format) = (self.bad(), self.lines, self.format);
        if bad > FREE_REJECTS && bad > lines / REJECT_SHARE {
            return Err(ListRefusal::BadLines {
                bad,
                lines,
                format,
                examples: self.examples.clone(),
            });
        }
        if self.is_empty() {
            let both = self.examples.iter().chain(&self.ignored_examples);
            let examples = both.take(EXAMPLES).cloned().collect();
            return Err(ListRefusal::Empty { lines, format, examples });
        }
        Ok(())
    }

    /// Number of rules with answers of their own. Local data comes with the last piece, which is
    /// still here.
    pub fn answers(&self) -> u64 {
        let is_answer = |action: Action| matches!(action, Action::Local(_));
        let names = self.rows.iter().filter(|row| is_answer(row.action)).count();
        let addresses = self.addresses.iter().filter(|rule| is_answer(rule.action)).count();
        let targets = self.targets.iter().filter(|rule| is_answer(rule.action)).count();
        (names + addresses + targets) as u64
    }

    /// A list of which most is lost, whatever its size: a mistake, though its rules are used.
    ///
    /// Rules about pages, which lists for browsers have by design, are not lost.
    pub fn loss(&self) -> Option<ListRefusal> {
        let is_by_design = |reject: &Reject| matches!(reject, Reject::Cosmetic | Reject::Disabled);
        let lost = self.rejects.iter().filter(|(reject, _)| !is_by_design(reject));
        let lost: u32 = lost.map(|(_, count)| count).sum();
        let rules = self.rule_count();
        let both = self.examples.iter().chain(&self.ignored_examples);
        (lost as usize > rules).then(|| ListRefusal::MostIsLost {
            lost,
            rules,
            format: self.format,
            examples: both.take(EXAMPLES).cloned().collect(),
        })
    }

    /// The rules of names, mostly in the order of the text.
    pub fn rules(&self) -> impl Iterator<Item = ListRule<'_>> {
        let mut rest = self.names.as_slice();
        self.rows.iter().map(move |row| {
            let (name, after) =
                rest.split_at_checked(usize::from(row.length)).unwrap_or((&[0], &[]));
            rest = after;
            let Row { line, action, scope, effect, .. } = *row;
            ListRule { name, scope, effect, action, line }
        })
    }

    /// Reserves room for the rules of a text of `octets`.
    pub(super) fn reserve(&mut self, octets: usize) {
        self.names.reserve(octets);
    }

    /// Releases unused room.
    pub(super) fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.rows.shrink_to_fit();
    }

    pub(super) fn push(&mut self, rule: ListRule<'_>) {
        let ListRule { name, scope, effect, action, line } = rule;
        self.names.extend_from_slice(name);
        self.rows.push(Row { line, action, length: name.len() as u8, scope, effect });
    }

    pub(super) fn reject(&mut self, line: u32, text: &str, reject: Reject) {
        *self.rejects.entry(reject).or_default() += 1;
        let examples = if reject.counts_against_source() {
            &mut self.examples
        } else {
            &mut self.ignored_examples
        };
        if examples.len() < EXAMPLES {
            let shown = text.trim().chars().take(80).flat_map(char::escape_debug).collect();
            examples.push(Example { line, text: shown, reject });
        }
    }
}
