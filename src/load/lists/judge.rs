//! Sources and packs that can be read, and are not what they were: held like those that cannot.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::config::{Config, ListSource};
use crate::lang::{Message, messages};
use crate::load::kept::held::absolute;
use crate::load::kept::{Kept, KeptSource};
use crate::load::lists::list_error::ListError;
use crate::load::lists::plan::{Plan, PlannedSource, proven};
use crate::pack::{FileNote, ListedNet, Pack, SourceNote};
use crate::rule::{Effect, Rule, Scope};

/// The sources in use with their rules and texts, which the notes of the pack have.
pub(super) fn to_keep(plan: &Plan, notes: &[SourceNote]) -> Vec<KeptSource> {
    let in_use = plan.sources.iter().filter(|source| !source.identity.is_empty());
    let source = |source: &PlannedSource| {
        if source.is_held {
            return source.kept.clone();
        }
        let files = notes.iter().filter(|note| note.place == source.place);
        let files: Vec<&FileNote> = files.flat_map(|note| &note.files).collect();
        KeptSource {
            path: absolute(&source.kept.path),
            rules: files.iter().map(|file| file.rules).sum(),
            texts: files.iter().map(|f| (PathBuf::from(&f.name), f.digest.clone())).collect(),
            ..source.kept.clone()
        }
    };
    in_use.map(source).collect()
}

/// Downloads with copies that are not what was downloaded.
pub(super) fn fragments(config: &Config, plan: &Plan) -> Vec<(u16, ListError)> {
    let planned = config.lists.sources.iter().zip(&plan.sources);
    let own = planned.filter(|(_, one)| !one.is_held && !one.identity.is_empty());
    own.filter_map(|(source, one)| Some((one.place, proven(source).err()?))).collect()
}

/// Octets of memory that are taken at most while one octet of text is read and built into a table: a
/// list of 3 million names of 36 octets takes 2.3, one of 480,000 names of 20 octets 3.3.
const PER_OCTET: u64 = 4;

/// Octets of memory for which nobody is refused: the allocator has reserved as much of the address space
/// for a thread, whatever a limit seems to leave.
const RESERVED: u64 = 64 << 20;

/// Sources that would not fit into `room` octets of memory: the largest ones, until the others fit. An
/// allocation that fails ends the process, and so the reading is not begun.
pub(super) fn unfitting(plan: &Plan, room: Option<u64>) -> Vec<(u16, ListError)> {
    let Some(room) = room.map(|room| room.max(RESERVED)) else { return Vec::new() };
    let mut needs: Vec<(u64, &PlannedSource)> = plan
        .sources
        .iter()
        .filter_map(|source| {
            let input = plan.inputs.iter().find(|input| input.place == source.place)?;
            Some((input.octets().saturating_mul(PER_OCTET), source))
        })
        .collect();
    needs.sort_by_key(|(needs, _)| *needs);
    let mut all: u64 = needs.iter().map(|(needs, _)| needs).sum();
    let mut refused = Vec::new();
    while all > room {
        let Some((needs, source)) = needs.pop() else { break };
        all -= needs;
        if !source.is_held && !source.identity.is_empty() {
            let path = source.kept.path.clone();
            let error = ListError::Unfitting { path, needs: needs >> 20, room: room >> 20 };
            refused.push((source.place, error));
        }
    }
    refused
}

/// The most rules that a list, or a category of a pack, loses without anybody being asked.
const FEW: u64 = 20;

/// What a delivered pack lost of the one before, if that is most of it or of one of its categories:
/// fewer than `min_percent` are left.
pub(super) fn loss(now: &Pack, before: &Pack, min_percent: u8) -> Option<Message> {
    let (names, by_category) = counts(now);
    let (names_before, categories) = counts(before);
    let is_short =
        |now: u64, before: u64| now * 100 < before * u64::from(min_percent) && before - now > FEW;
    if is_short(names, names_before) {
        return Some(messages::pack_short(names, names_before));
    }
    categories.iter().find_map(|(id, &before)| {
        let now = by_category.get(id).copied().unwrap_or(0);
        is_short(now, before).then(|| messages::pack_short_of(now, before, id))
    })
}

/// What a pack blocks: names, addresses and rules about more than a name; in all, and by category.
fn counts(pack: &Pack) -> (u64, BTreeMap<&str, u64>) {
    let mut by_category = BTreeMap::new();
    let mut all = 0;
    let mut add = |count: u64, rules: &mut dyn Iterator<Item = &Rule>| {
        let blocks = |rule: &&Rule| match rule.effect {
            Effect::Add | Effect::AddImportant => true,
            Effect::Rpz => !rule.action.is_pass(),
            Effect::Clear | Effect::ClearImportant => false,
        };
        let of: BTreeSet<usize> = rules.filter(blocks).map(|rule| rule.category.index()).collect();
        all += if of.is_empty() { 0 } else { count };
        for id in of.iter().filter_map(|index| pack.categories().get(*index)) {
            *by_category.entry(id.as_str()).or_default() += count;
        }
    };
    for number in 0..u16::try_from(pack.set_count()).unwrap_or(u16::MAX) {
        let (names, mut rules) = pack.set(number);
        add(names.into(), &mut rules);
    }
    for targeted in pack.targets() {
        add(1, &mut std::iter::once(&targeted.rule));
    }
    for listed in pack.addresses() {
        let ListedNet { category, effect, action, source, .. } = *listed;
        let rule = Rule { category, scope: Scope::Exact, effect, action, source };
        add(1, &mut std::iter::once(&rule));
    }
    (all, by_category)
}

/// Sources that lost most of their rules, of the kept copies: half a file, or a directory that lost
/// its files. `accepted` are the digests of those that are meant. A download is judged before it is
/// stored.
pub(super) fn shrunken(
    config: &Config,
    plan: &Plan,
    now: &[KeptSource],
    kept: &Kept,
    accepted: &BTreeSet<String>,
) -> Vec<(u16, ListError)> {
    let all = config.lists.sources.iter().zip(&plan.sources);
    let in_use = all.filter(|(_, source)| !source.identity.is_empty());
    let judged = in_use.zip(now).filter(|((_, source), _)| !source.is_held);
    let error = |((settings, source), now): ((&ListSource, &PlannedSource), &KeptSource)| {
        let path = source.kept.path.clone();
        let (rules, before) = (now.rules, kept.source(&path).map_or(0, |kept| kept.rules));
        let least = if settings.fetch.is_none() { u64::from(settings.min_percent) } else { 0 };
        let is_emptied = rules == 0 && before > 0 && (least > 0 || settings.fetch.is_some());
        let is_short = rules * 100 < before * least && before - rules > FEW;
        if !is_emptied && !is_short || accepted.contains(&now.digest()) {
            return None;
        }
        let error = if is_emptied {
            ListError::Emptied { path, before }
        } else {
            ListError::Shrunken { path, rules, before, name: settings.label.clone() }
        };
        Some((source.place, error))
    };
    judged.filter_map(error).collect()
}
