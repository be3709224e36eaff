//! Blocklist sources: text in a known syntax → rules.
//!
//! A source is parsed whole before any of its rules acts. A bad line never
//! loses the good ones: it is counted by [`Reject`], the first three are kept as
//! examples, and past a budget the whole source is refused by its reader.
//! A line that DNS cannot honour is never widened into one it can.
//!
//! Each syntax has its own file; what all of them share (end of line, comments,
//! byte-order mark, what a line costs at most) is here.

pub mod domains;
pub mod hosts;

use std::collections::BTreeMap;

use crate::name::{MAX_OCTETS, NameError, text_to_wire};
use crate::rule::{Effect, Scope};

/// The longest line that is looked at, in octets; longer ones are rejected unread.
pub const MAX_LINE: usize = 4096;
/// Rejected lines that are kept as examples.
const EXAMPLES: usize = 3;

/// The syntax of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Found out from the text.
    #[default]
    Auto,
    /// One name a line: the name and all below it.
    Domains,
    /// hosts(5): an address and the names it is given, each exactly.
    Hosts,
}

impl Format {
    /// Every format, `auto` first.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Domains, Self::Hosts];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Domains => "domains",
            Self::Hosts => "hosts",
        }
    }
}

/// What a source's names stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScopeChoice {
    /// As the format means it: hosts(5) names exactly, domain lists with all below.
    #[default]
    AsFormat,
    /// Each name and all below it, whatever the format.
    Subtree,
}

impl ScopeChoice {
    /// Every choice, default first.
    pub const ALL: [Self; 2] = [Self::AsFormat, Self::Subtree];

    /// The id used in the config.
    pub fn id(self) -> &'static str {
        match self {
            Self::AsFormat => "as-format",
            Self::Subtree => "subtree",
        }
    }
}

/// Why a line, or a name on it, gave no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reject {
    /// Not UTF-8, or a NUL in it.
    NotText,
    /// Longer than [`MAX_LINE`].
    LineTooLong,
    /// Not the syntax of this format.
    Syntax,
    /// An address where a name belongs.
    Address,
    /// One label only: a top-level domain or a bare host.
    SingleLabel,
    /// A character, label or length that no name has.
    BadName,
    /// Text outside ASCII that has no A-label form.
    Idna,
}

impl Reject {
    /// What is wrong with the line, for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotText => "not UTF-8 text",
            Self::LineTooLong => "line longer than 4096 octets",
            Self::Syntax => "not the syntax of this format",
            Self::Address => "an address, not a name",
            Self::SingleLabel => "a single label",
            Self::BadName => "not a name",
            Self::Idna => "cannot be converted to ASCII (UTS-46)",
        }
    }
}

impl From<NameError> for Reject {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Idna => Self::Idna,
            _ => Self::BadName,
        }
    }
}

/// A rejected line that is shown to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Line number, from 1.
    pub line: u32,
    /// The start of the line.
    pub text: String,
    /// What is wrong with it.
    pub reject: Reject,
}

/// What a source said: its rules, and what could not be taken.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The syntax that was used.
    pub format: Format,
    /// Lines in the text.
    pub lines: u32,
    /// Lines and names without a rule, by reason.
    pub rejects: BTreeMap<Reject, u32>,
    /// The first few of them.
    pub examples: Vec<Example>,
    rows: Vec<Row>,
    names: Vec<u8>,
}

#[derive(Debug)]
struct Row {
    start: u32,
    length: u8,
    scope: Scope,
    effect: Effect,
}

/// One rule of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRule<'a> {
    /// The name in wire form, lower case.
    pub name: &'a [u8],
    /// How much of the tree it speaks of.
    pub scope: Scope,
    /// Whether it lists or frees.
    pub effect: Effect,
}

impl Parsed {
    /// Number of rules.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of rejected lines and names.
    pub fn rejected(&self) -> u32 {
        self.rejects.values().sum()
    }

    /// The rules in the order of the text.
    pub fn rules(&self) -> impl Iterator<Item = ListRule<'_>> {
        self.rows.iter().map(|row| {
            let start = row.start as usize;
            ListRule {
                name: self.names.get(start..start + usize::from(row.length)).unwrap_or(&[0]),
                scope: row.scope,
                effect: row.effect,
            }
        })
    }

    fn push(&mut self, wire: &[u8], scope: Scope, effect: Effect) -> Result<(), Reject> {
        let start = u32::try_from(self.names.len()).map_err(|_| Reject::BadName)?;
        self.names.extend_from_slice(wire);
        self.rows.push(Row { start, length: wire.len() as u8, scope, effect });
        Ok(())
    }

    fn reject(&mut self, line: u32, text: &str, reject: Reject) {
        *self.rejects.entry(reject).or_default() += 1;
        if self.examples.len() < EXAMPLES {
            let shown = text.trim().chars().take(80).flat_map(char::escape_debug).collect();
            self.examples.push(Example { line, text: shown, reject });
        }
    }
}

/// Parses a source.
///
/// Never fails: what cannot be taken is counted in the result.
pub fn parse(text: &[u8], format: Format, choice: ScopeChoice) -> Parsed {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let format = if format == Format::Auto { detect(text) } else { format };
    let lines = text.split(|&octet| octet == b'\n').count();
    let mut parsed = Parsed {
        format,
        lines: u32::try_from(lines).unwrap_or(u32::MAX),
        // A name in wire form is as long as its line; pages not written to cost nothing.
        names: Vec::with_capacity(text.len() + lines),
        rows: Vec::with_capacity(lines),
        ..Parsed::default()
    };
    let mut rules = RuleSink { parsed: &mut parsed, choice };
    for (number, line) in text.split(|&octet| octet == b'\n').enumerate() {
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        if line.len() > MAX_LINE {
            let start = String::from_utf8_lossy(line.get(..80).unwrap_or(line)).into_owned();
            rules.parsed.reject(number, &start, Reject::LineTooLong);
            continue;
        }
        let Some(line) = std::str::from_utf8(line).ok().filter(|line| !line.contains('\0')) else {
            rules.parsed.reject(number, &String::from_utf8_lossy(line), Reject::NotText);
            continue;
        };
        let line = line.trim();
        match format {
            Format::Domains | Format::Auto => domains::line(line, number, &mut rules),
            Format::Hosts => hosts::line(line, number, &mut rules),
        }
    }
    parsed
}

/// Where the parsers put what they find.
struct RuleSink<'a> {
    parsed: &'a mut Parsed,
    choice: ScopeChoice,
}

impl RuleSink<'_> {
    /// Takes the name `text`, found on a line, in the scope its format gives it.
    fn name(&mut self, line: u32, text: &str, scope: Scope, effect: Effect) {
        let scope = match self.choice {
            ScopeChoice::AsFormat => scope,
            ScopeChoice::Subtree => Scope::Subtree,
        };
        if let Err(reject) = self.try_name(text, scope, effect) {
            self.parsed.reject(line, text, reject);
        }
    }

    fn try_name(&mut self, text: &str, scope: Scope, effect: Effect) -> Result<(), Reject> {
        let mut wire = [0; MAX_OCTETS];
        let length = text_to_wire(text, &mut wire).map_err(|error| {
            if text.parse::<std::net::IpAddr>().is_ok() { Reject::Address } else { error.into() }
        })?;
        let wire = wire.get(..length).unwrap_or(&[0]);
        let last_is_numeric = crate::name::Labels(wire)
            .last()
            .is_some_and(|label| label.iter().all(u8::is_ascii_digit));
        if last_is_numeric {
            // No top-level domain is all digits (RFC 3696 §2): an address, or part of one.
            return Err(Reject::Address);
        }
        if crate::name::Labels(wire).nth(1).is_none() {
            return Err(Reject::SingleLabel);
        }
        self.parsed.push(wire, scope, effect)
    }

    fn reject(&mut self, line: u32, text: &str, reject: Reject) {
        self.parsed.reject(line, text, reject);
    }
}

/// A line without its comment: `#` starts one at the front or after a blank.
///
/// In `x.html#tel` it does not.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or("").trim_end();
        }
        before = character;
    }
    line
}

/// Guesses the syntax from the first lines that are not comments.
fn detect(text: &[u8]) -> Format {
    let lines =
        text.split(|&octet| octet == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let telling =
        lines.map(|line| without_comment(line.trim())).filter(|line| !line.is_empty()).take(50);
    let (mut hosts, mut others) = (0, 0);
    for line in telling {
        if hosts::looks_like(line) {
            hosts += 1;
        } else {
            others += 1;
        }
    }
    if hosts > others { Format::Hosts } else { Format::Domains }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use proptest::prelude::*;

    fn shown(parsed: &Parsed) -> Vec<String> {
        parsed
            .rules()
            .map(|rule| format!("{} {:?}", Name::from_wire(rule.name).unwrap().0, rule.scope))
            .collect()
    }

    #[test]
    fn good_lines_survive_bad_ones() {
        let long = format!("{}\n", "x".repeat(10_000));
        let text = [
            b"\xef\xbb\xbf# a list\r\nExample.COM.\r\n\r\n".as_slice(),
            b"bad name.example\n1.2.3.4\ncom\nfe80::1\nx.html#tel\n",
            b"ok.example # comment\n\xff\xfe\nnul\0.example\n",
            long.as_bytes(),
            "cốccốc.vn\n".as_bytes(),
            b"last.example",
        ]
        .concat();
        let parsed = parse(&text, Format::Auto, ScopeChoice::AsFormat);
        assert_eq!(parsed.format, Format::Domains);
        assert_eq!(
            shown(&parsed),
            [
                "example.com. Subtree",
                "ok.example. Subtree",
                "xn--cccc-0x5ac.vn. Subtree",
                "last.example. Subtree"
            ]
        );
        assert_eq!(parsed.rejected(), 8);
        insta::assert_debug_snapshot!(parsed.rejects, @r"
        {
            NotText: 2,
            LineTooLong: 1,
            Address: 2,
            SingleLabel: 1,
            BadName: 2,
        }
        ");
        assert_eq!(parsed.examples.first().map(|e| e.line), Some(4));
        assert_eq!(parsed.examples.len(), 3);
    }

    #[test]
    fn hosts_names_are_exact_unless_widened() {
        let text = b"# StevenBlack\n127.0.0.1 localhost\n::1 localhost ip6-loopback\n\
            0.0.0.0 0.0.0.0\n0.0.0.0 Ads.Example.com t.example.com # two\n127.0.0.7 a.b\n0.0.0.0 en\n";
        let parsed = parse(text, Format::Auto, ScopeChoice::AsFormat);
        assert_eq!(parsed.format, Format::Hosts);
        assert_eq!(
            shown(&parsed),
            ["ads.example.com. Exact", "t.example.com. Exact", "a.b. Exact"]
        );
        assert_eq!(parsed.rejects.get(&Reject::SingleLabel), Some(&1));
        let wide = parse(text, Format::Hosts, ScopeChoice::Subtree);
        assert!(shown(&wide).iter().all(|rule| rule.ends_with("Subtree")));
    }

    proptest! {
        #[test]
        fn no_text_panics_a_parser(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            for format in Format::ALL {
                let parsed = parse(&text, format, ScopeChoice::AsFormat);
                for rule in parsed.rules() {
                    prop_assert!(Name::from_wire(rule.name).is_ok());
                }
            }
        }
    }
}
