//! Pack → canonical list.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::text::{
    EFFECTS, HEAD, SCOPES, SEVERAL, action_text, escaped, put_hex, put_name, word_of,
};
use crate::pack::{ListedNet, Pack, TargetedRule};
use crate::rule::{Action, Effect, LocalData, QueryTypes, Rule, SEVERAL_SOURCES, Scope, Subject};

/// Writes every rule of `pack` as text.
///
/// # Errors
///
/// The error of `out`; also for more than 4 GiB of names.
pub fn write(pack: &Pack, out: &mut impl Write) -> io::Result<()> {
    let words = Words::of(pack);
    writeln!(out, "{HEAD}")?;
    for category in &words.categories {
        writeln!(out, "@category {category}")?;
    }
    for (place, id) in words.sources.iter().enumerate() {
        let note = pack.sources().get(place);
        let category = escaped(note.map_or("", |note| &note.category));
        let name = escaped(note.map_or("", |note| &note.name));
        let licence = escaped(note.and_then(|note| note.licence.as_deref()).unwrap_or(""));
        writeln!(out, "@source {id} {category} {name} {licence}")?;
    }
    for data in pack.local() {
        writeln!(out, "@local{}", local(data))?;
    }
    for listed in pack.addresses() {
        writeln!(out, "@net {}", words.net(listed))?;
    }
    for targeted in pack.targets() {
        writeln!(out, "@target {}", words.target(targeted))?;
    }
    if !pack.keywords().is_empty() {
        for line in pack.keywords().split('\n') {
            writeln!(out, "@keyword {line}")?;
        }
    }
    names(pack, &words, out)
}

/// Writes the names in groups of the same rules.
fn names(pack: &Pack, words: &Words, out: &mut impl Write) -> io::Result<()> {
    let mut groups: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for set in 0..pack.set_count() {
        let number = set as u16;
        let (_, rules) = pack.set(number);
        let mut rules: Vec<String> = rules.map(|rule| words.rule(rule)).collect();
        // Names without a rule are in no pack of a compiler.
        if rules.is_empty() {
            continue;
        }
        // The order of numbers in a pack depends on sources that this set does not have.
        rules.sort_unstable();
        rules.dedup();
        groups.entry(rules.join(" ")).or_default().push(number);
    }
    let mut group_of: Vec<Option<u16>> = vec![None; pack.set_count()];
    for (group, sets) in groups.values().enumerate() {
        for set in sets {
            if let Some(slot) = group_of.get_mut(usize::from(*set)) {
                *slot = Some(group as u16);
            }
        }
    }
    let mut sorted = NameRows { rows: Vec::with_capacity(pack.len()), texts: Vec::new() };
    pack.each_name(|wire, set| {
        if let Some(group) = group_of.get(usize::from(set)).copied().flatten() {
            sorted.push(group, wire);
        }
    });
    if u32::try_from(sorted.texts.len()).is_err() {
        return Err(io::Error::other("there are more than 4 GiB of names"));
    }
    sorted.sort();
    let mut rows = sorted.rows.iter().peekable();
    for (group, rules) in groups.keys().enumerate() {
        if rows.peek().is_none_or(|row| usize::from(row.group) != group) {
            continue;
        }
        writeln!(out, "@rules {rules}")?;
        while let Some(row) = rows.next_if(|row| usize::from(row.group) == group) {
            out.write_all(sorted.text(row))?;
            out.write_all(b"\n")?;
        }
    }
    writeln!(out, "@total {}", sorted.rows.len())?;
    out.flush()
}

/// Names with their groups, in one buffer: there are millions.
struct NameRows {
    rows: Vec<NameRow>,
    texts: Vec<u8>,
}

struct NameRow {
    at: u32,
    length: u16,
    group: u16,
}

impl NameRows {
    fn push(&mut self, group: u16, wire: &[u8]) {
        let at = self.texts.len();
        put_name(wire, &mut self.texts);
        let length = (self.texts.len() - at) as u16;
        self.rows.push(NameRow { at: at as u32, length, group });
    }

    fn sort(&mut self) {
        let texts = &self.texts;
        self.rows
            .sort_unstable_by(|a, b| (a.group, text(texts, a)).cmp(&(b.group, text(texts, b))));
    }

    fn text(&self, row: &NameRow) -> &[u8] {
        text(&self.texts, row)
    }
}

fn text<'a>(texts: &'a [u8], row: &NameRow) -> &'a [u8] {
    let at = row.at as usize;
    texts.get(at..at + usize::from(row.length)).unwrap_or(&[])
}

/// The words of categories and sources, by their numbers in the pack.
struct Words {
    categories: Vec<String>,
    sources: Vec<String>,
}

impl Words {
    fn of(pack: &Pack) -> Self {
        let of_names = pack.rules().iter().map(|rule| rule.source);
        let beside = pack.addresses().iter().map(|listed| listed.source);
        let targeted = pack.targets().iter().map(|one| one.rule.source);
        let used = of_names.chain(beside).chain(targeted).filter(|one| *one != SEVERAL_SOURCES);
        let count = used.map(|one| usize::from(one) + 1).max().unwrap_or(0);
        let count = count.max(pack.sources().len());
        let name = |place: usize| pack.sources().get(place).map_or("", |note| &*note.name);
        let mut names: BTreeMap<&str, u32> = BTreeMap::new();
        for place in 0..count {
            *names.entry(name(place)).or_default() += 1;
        }
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let sources = (0..count).map(|place| {
            let mut id = escaped(name(place));
            if names.get(name(place)).is_some_and(|count| *count > 1) {
                let category = pack.sources().get(place).map_or("", |note| &*note.category);
                id = format!("{id}@{}", escaped(category));
            }
            let number = seen.entry(id.clone()).or_default();
            *number += 1;
            if *number > 1 { format!("{id}@{number}") } else { id }
        });
        let sources = sources.collect();
        Self { categories: pack.categories().iter().map(|id| escaped(id)).collect(), sources }
    }

    fn category(&self, number: usize) -> &str {
        self.categories.get(number).map_or("", |id| id)
    }

    fn source(&self, number: u16) -> &str {
        self.sources.get(usize::from(number)).map_or(SEVERAL, |id| id)
    }

    /// `CATEGORY/SCOPE/EFFECT/ACTION/SOURCE`.
    fn parts(
        &self,
        category: usize,
        scope: Scope,
        effect: Effect,
        action: Action,
        source: u16,
    ) -> String {
        let (scope, effect) = (word_of(&SCOPES, &scope), word_of(&EFFECTS, &effect));
        let (category, source) = (self.category(category), self.source(source));
        format!("{category}/{scope}/{effect}/{}/{source}", action_text(action))
    }

    fn rule(&self, rule: &Rule) -> String {
        self.parts(rule.category.index(), rule.scope, rule.effect, rule.action, rule.source)
    }

    fn net(&self, listed: &ListedNet) -> String {
        let ListedNet { net, category, effect, action, source } = listed;
        let rule = self.parts(category.index(), Scope::Exact, *effect, *action, *source);
        format!("{net} {rule}")
    }

    /// `RULE SUBJECT TYPES SPARED`.
    fn target(&self, targeted: &TargetedRule) -> String {
        let TargetedRule { target, rule } = targeted;
        let subject = match &target.subject {
            Subject::Name(wire) => format!("name:{}", name_text(wire)),
            Subject::Pattern(text) => format!("pattern:{}", escaped(text)),
            Subject::All => "all".to_owned(),
        };
        let listed = |types: &[u16]| {
            let types: Vec<String> = types.iter().map(ToString::to_string).collect();
            types.join(",")
        };
        let types = match &target.types {
            QueryTypes::All => "all".to_owned(),
            QueryTypes::Only(types) => format!("only:{}", listed(types)),
            QueryTypes::Except(types) => format!("except:{}", listed(types)),
        };
        let spared: Vec<String> = target.spared.iter().map(|wire| name_text(wire)).collect();
        format!("{} {subject} {types} spared:{}", self.rule(rule), spared.join(","))
    }
}

/// ` cname:NAME` and ` TYPE:HEX` of each record.
fn local(data: &LocalData) -> String {
    let mut text = String::new();
    if let Some(name) = &data.cname {
        let _ = write!(text, " cname:{}", name_text(name.as_wire()));
    }
    for (rtype, rdata) in &data.records {
        let _ = write!(text, " {rtype}:");
        put_hex(rdata, &mut text);
    }
    text
}

fn name_text(wire: &[u8]) -> String {
    let mut text = Vec::new();
    put_name(wire, &mut text);
    String::from_utf8(text).unwrap_or_default()
}
