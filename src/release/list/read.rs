//! Canonical list → pack.

use std::collections::HashMap;
use std::io::{self, Read, Seek, Write};

use super::MAX_OCTETS;
use super::lines::{LineFault, LineStream};
use super::text::{
    EFFECTS, HEAD, SCOPES, SEVERAL, action_of, read_hex, read_name, unescaped, value_of,
};
use crate::category::{CategoryId, MAX_CATEGORIES};
use crate::dns::name::{MAX_OCTETS as MAX_NAME, Name};
use crate::pack::{BuildError, Compiler, ListedNet, SEED, SourceNote, TargetedRule};
use crate::rule::{Action, Effect, LocalData, QueryTypes, Rule, SEVERAL_SOURCES, Subject, Target};

/// The most listed addresses, and the most rules about more than a name.
const MAX_BESIDE: usize = 1 << 20;
/// The most rules of one name.
const MAX_RULES: usize = 4096;

/// A canonical list that is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalListError {
    /// It cannot be read, or is longer than its bound.
    #[error("the canonical list cannot be read: {0}")]
    Read(io::Error),
    /// A line that no writer writes.
    #[error("the canonical list is malformed in line {line}: {what}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// The fault.
        what: &'static str,
    },
    /// No pack can be made of it.
    #[error("no pack can be made of the canonical list: {0}")]
    Build(#[from] BuildError),
}

/// Compiles a canonical list of `most` octets at most; the pack is written to `out` from its start.
/// Returns `out` and the BLAKE3 digest of the text.
///
/// # Errors
///
/// Any [`CanonicalListError`]; what was written to `out` is no pack then.
pub fn compile<W: Write + Seek>(
    text: impl Read,
    most: u64,
    out: W,
) -> Result<(W, blake3::Hash), CanonicalListError> {
    compile_noted(text, most, &[], out)
}

/// The same, with what is known of its sources beside their rules, by category and name.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_noted<W: Write + Seek>(
    text: impl Read,
    most: u64,
    notes: &[SourceNote],
    out: W,
) -> Result<(W, blake3::Hash), CanonicalListError> {
    let mut lines = LineStream::new(text, most.min(MAX_OCTETS));
    let compiler = match read(&mut lines, notes) {
        Ok(compiler) => compiler,
        Err(Fault::Line(what)) => {
            return Err(CanonicalListError::Malformed { line: lines.number, what });
        }
        Err(Fault::Read(error)) => return Err(CanonicalListError::Read(error)),
        Err(Fault::Build(error)) => return Err(error.into()),
    };
    let digest = lines.digest();
    drop(lines);
    Ok((compiler.finish(out)?, digest))
}

/// A fault in the current line.
enum Fault {
    Line(&'static str),
    Read(io::Error),
    Build(BuildError),
}

impl From<LineFault> for Fault {
    fn from(fault: LineFault) -> Self {
        match fault {
            LineFault::Read(error) => Self::Read(error),
            LineFault::Line(what) => Self::Line(what),
        }
    }
}

impl From<BuildError> for Fault {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// The compiler with every rule of the text.
fn read(lines: &mut LineStream<impl Read>, notes: &[SourceNote]) -> Result<Compiler, Fault> {
    if !lines.advance()? || lines.line() != HEAD.as_bytes() {
        return Err(Fault::Line("it is no canonical list of format 1"));
    }
    let mut table = WordTable { notes: notes.to_vec(), ..WordTable::default() };
    while lines.advance()? {
        let Some(id) = lines.line().strip_prefix(b"@category ") else { break };
        table.category(text_of(id)?)?;
    }
    let mut compiler = Compiler::new(SEED, table.ids.iter().cloned());
    let kinds: [(&str, Take); 5] = [
        ("source", take_source),
        ("local", take_local),
        ("net", take_net),
        ("target", take_target),
        ("keyword", take_keyword),
    ];
    let mut is_open = true;
    for (kind, take) in kinds {
        let mut local = 0;
        while is_open {
            let line =
                lines.line().strip_prefix(b"@").and_then(|l| l.strip_prefix(kind.as_bytes()));
            let Some(rest) = line.filter(|l| l.first().is_none_or(|&octet| octet == b' ')) else {
                break;
            };
            local += 1;
            if local > MAX_BESIDE {
                return Err(Fault::Line("there are too many lines of this kind"));
            }
            take(text_of(rest)?, &mut table, &mut compiler)?;
            is_open = lines.advance()?;
        }
    }
    if !is_open {
        return Err(Fault::Line("it has no end"));
    }
    names(lines, &table, &mut compiler)?;
    // The numbers in rules are places in the text.
    compiler.add_local(table.local)?;
    Ok(compiler)
}

type Take = fn(&str, &mut WordTable, &mut Compiler) -> Result<(), Fault>;

/// Reads the groups of names up to the last line, which is the current one first.
fn names(
    lines: &mut LineStream<impl Read>,
    table: &WordTable,
    compiler: &mut Compiler,
) -> Result<(), Fault> {
    let mut rules: Vec<Rule> = Vec::new();
    let (mut before, mut wire) = (Vec::new(), Vec::with_capacity(MAX_NAME));
    let mut total = 0_u64;
    loop {
        let line = lines.line();
        if let Some(text) = line.strip_prefix(b"@rules ") {
            rules.clear();
            for word in text_of(text)?.split(' ') {
                rules.push(table.rule(word)?);
                if rules.len() > MAX_RULES {
                    return Err(Fault::Line("there are too many rules of one name"));
                }
            }
            before.clear();
        } else if let Some(count) = line.strip_prefix(b"@total ") {
            if text_of(count)?.parse() != Ok(total) {
                return Err(Fault::Line("the number of names is another"));
            }
            break;
        } else {
            if rules.is_empty() {
                return Err(Fault::Line("a name without rules, or an unknown word"));
            }
            if before.as_slice() >= line {
                return Err(Fault::Line("a name that is not in order"));
            }
            read_name(line, &mut wire).ok_or(Fault::Line("not a name in canonical form"))?;
            for rule in &rules {
                compiler.add(&wire, *rule)?;
            }
            before.clear();
            before.extend_from_slice(line);
            total += 1;
        }
        if !lines.advance()? {
            return Err(Fault::Line("it has no end"));
        }
    }
    if lines.advance()? { Err(Fault::Line("something follows its end")) } else { Ok(()) }
}

fn text_of(line: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(line).map_err(|_| Fault::Line("not UTF-8"))
}

/// The numbers of words.
#[derive(Default)]
struct WordTable {
    ids: Vec<String>,
    categories: HashMap<String, CategoryId>,
    sources: HashMap<String, u16>,
    local: Vec<LocalData>,
    has_keywords: bool,
    /// What is known of sources beside the text.
    notes: Vec<SourceNote>,
}

impl WordTable {
    /// What is known of a source.
    fn note(&self, category: String, name: String) -> SourceNote {
        let is_it = |note: &&SourceNote| note.category == category && note.name == name;
        let known = self.notes.iter().find(is_it).cloned().unwrap_or_default();
        SourceNote { name, category, ..known }
    }

    fn category(&mut self, word: &str) -> Result<(), Fault> {
        let id = unescaped(word).filter(|id| !id.is_empty());
        let id = id.ok_or(Fault::Line("not the id of a category"))?;
        let number = CategoryId::new(self.ids.len()).filter(|_| self.ids.len() < MAX_CATEGORIES);
        let number = number.ok_or(Fault::Line("there are more than 64 categories"))?;
        if self.categories.insert(word.to_owned(), number).is_some() {
            return Err(Fault::Line("a category twice"));
        }
        self.ids.push(id);
        Ok(())
    }

    /// A rule: `CATEGORY/SCOPE/EFFECT/ACTION/SOURCE`.
    fn rule(&self, text: &str) -> Result<Rule, Fault> {
        self.find_rule(text)
            .ok_or(Fault::Line("not a rule, or one of an unknown category or source"))
    }

    fn find_rule(&self, text: &str) -> Option<Rule> {
        let mut parts = text.split('/');
        let mut part = || parts.next();
        let category = *self.categories.get(part()?)?;
        let scope = value_of(&SCOPES, part()?)?;
        let effect = value_of(&EFFECTS, part()?)?;
        let action = action_of(part()?)?;
        let is_known = match action {
            Action::Local(number) => usize::from(number) < self.local.len(),
            _ => true,
        };
        let source = match part()? {
            SEVERAL => SEVERAL_SOURCES,
            id => *self.sources.get(id)?,
        };
        (is_known && part().is_none()).then_some(Rule { category, scope, effect, action, source })
    }
}

/// ` ID CATEGORY NAME LICENCE`.
fn take_source(text: &str, table: &mut WordTable, compiler: &mut Compiler) -> Result<(), Fault> {
    let wrong = || Fault::Line("not a source");
    let place = u16::try_from(table.sources.len()).ok().filter(|one| *one != SEVERAL_SOURCES);
    let place = place.ok_or(Fault::Line("there are too many sources"))?;
    let mut words = text.split(' ').skip(1);
    let mut word = || words.next();
    let id = word().filter(|id| !id.is_empty() && *id != SEVERAL && !id.contains('/'));
    let id = id.ok_or_else(wrong)?.to_owned();
    let mut text = || unescaped(word()?);
    let (category, name, licence) = (text(), text(), text());
    let note = SourceNote {
        place,
        licence: Some(licence.ok_or_else(wrong)?).filter(|licence| !licence.is_empty()),
        ..table.note(category.ok_or_else(wrong)?, name.ok_or_else(wrong)?)
    };
    if word().is_some() || table.sources.insert(id, place).is_some() {
        return Err(wrong());
    }
    compiler.note(note);
    Ok(())
}

/// ` cname:NAME` and ` TYPE:HEX`.
fn take_local(text: &str, table: &mut WordTable, _: &mut Compiler) -> Result<(), Fault> {
    let mut data = LocalData::default();
    for word in text.split(' ').skip(1) {
        let read = || {
            if let Some(name) = word.strip_prefix("cname:") {
                return Some((Some(name_of(name)?), None));
            }
            let (rtype, rdata) = word.split_once(':')?;
            let rdata = read_hex(rdata).filter(|rdata| u16::try_from(rdata.len()).is_ok())?;
            Some((None, Some((rtype.parse().ok()?, rdata.into_boxed_slice()))))
        };
        let (cname, record) = read().ok_or(Fault::Line("not local data"))?;
        if cname.is_some() {
            if data.cname.is_some() {
                return Err(Fault::Line("local data with two aliases"));
            }
            let cname = cname.and_then(|wire| Some(Name::from_wire(&wire).ok()?.0));
            data.cname = cname;
        }
        data.records.extend(record);
    }
    if table.local.len() >= usize::from(u16::MAX) || data.records.len() > usize::from(u16::MAX) {
        return Err(Fault::Line("there is too much local data"));
    }
    table.local.push(data);
    Ok(())
}

/// ` PREFIX RULE`.
fn take_net(text: &str, table: &mut WordTable, compiler: &mut Compiler) -> Result<(), Fault> {
    let wrong = || Fault::Line("not a listed prefix");
    let (net, rule) = text.trim_start().split_once(' ').ok_or_else(wrong)?;
    let rule = table.rule(rule)?;
    if !matches!(rule.effect, Effect::Add | Effect::Rpz) {
        return Err(wrong());
    }
    compiler.add_address(ListedNet {
        net: net.parse().map_err(|_| wrong())?,
        category: rule.category,
        effect: rule.effect,
        action: rule.action,
        source: rule.source,
    });
    Ok(())
}

/// ` RULE SUBJECT TYPES SPARED`.
fn take_target(text: &str, table: &mut WordTable, compiler: &mut Compiler) -> Result<(), Fault> {
    let mut words = text.split(' ').skip(1);
    let rule = table.rule(words.next().unwrap_or(""))?;
    let mut read = || {
        let subject = match words.next()? {
            "all" => Subject::All,
            word => match word.split_once(':')? {
                ("name", name) => Subject::Name(name_of(name)?),
                ("pattern", text) => Subject::Pattern(unescaped(text)?.into()),
                _ => return None,
            },
        };
        let numbers = |text: &str| -> Option<Box<[u16]>> {
            let words = text.split(',').filter(|word| !word.is_empty());
            words.map(|word| word.parse().ok()).collect()
        };
        let types = match words.next()? {
            "all" => QueryTypes::All,
            word => match word.split_once(':')? {
                ("only", types) => QueryTypes::Only(numbers(types)?),
                ("except", types) => QueryTypes::Except(numbers(types)?),
                _ => return None,
            },
        };
        let spared = words.next()?.strip_prefix("spared:")?;
        let spared = spared.split(',').filter(|name| !name.is_empty());
        let spared: Box<[Box<[u8]>]> = spared.map(name_of).collect::<Option<_>>()?;
        let fits = |count: usize| u16::try_from(count).is_ok();
        let counts = match &types {
            QueryTypes::All => 0,
            QueryTypes::Only(types) | QueryTypes::Except(types) => types.len(),
        };
        let is_ordered = spared.is_sorted_by(|a, b| a < b);
        let is_whole = words.next().is_none() && fits(counts) && fits(spared.len());
        (is_ordered && is_whole).then_some(Target { subject, types, spared })
    };
    let target = read().ok_or(Fault::Line("not a rule about more than a name"))?;
    compiler.add_target(TargetedRule { target, rule });
    Ok(())
}

/// ` TEXT`: a line of the text of keyword rules.
fn take_keyword(text: &str, table: &mut WordTable, compiler: &mut Compiler) -> Result<(), Fault> {
    let line = text.strip_prefix(' ').ok_or(Fault::Line("not a keyword rule"))?;
    if table.has_keywords {
        compiler.keywords("\n");
    }
    table.has_keywords = true;
    compiler.keywords(line);
    Ok(())
}

fn name_of(text: &str) -> Option<Box<[u8]>> {
    let mut wire = Vec::new();
    read_name(text.as_bytes(), &mut wire)?;
    Some(wire.into_boxed_slice())
}
