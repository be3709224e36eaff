//! Sources that can be read, and are not what they were: held like those that cannot.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::config::{Config, ListSource};
use crate::load::kept::held::absolute;
use crate::load::kept::{Kept, KeptSource};
use crate::load::lists::list_error::ListError;
use crate::load::lists::plan::{Plan, PlannedSource, proven};
use crate::pack::{FileNote, SourceNote};

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

/// Downloads whose copies are not what was downloaded.
pub(super) fn fragments(config: &Config, plan: &Plan) -> Vec<(u16, ListError)> {
    let planned = config.lists.sources.iter().zip(&plan.sources);
    let own = planned.filter(|(_, one)| !one.is_held && !one.identity.is_empty());
    own.filter_map(|(source, one)| Some((one.place, proven(source).err()?))).collect()
}

/// The most rules that a list loses without anybody being asked.
const FEW: u64 = 20;

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
