//! Sources that can be read, and are not what they were: held like those that cannot.

use std::path::PathBuf;

use crate::config::Config;
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

/// Sources without a rule, whose kept copies have some: a directory that lost its files.
pub(super) fn emptied(plan: &Plan, now: &[KeptSource], kept: &Kept) -> Vec<(u16, ListError)> {
    let in_use = plan.sources.iter().filter(|source| !source.identity.is_empty());
    let lost = in_use.zip(now).filter(|(source, now)| {
        let before = kept.source(&source.kept.path).map_or(0, |kept| kept.rules);
        !source.is_held && now.rules == 0 && before > 0
    });
    let error = |(source, _): (&PlannedSource, &KeptSource)| {
        let before = kept.source(&source.kept.path).map_or(0, |kept| kept.rules);
        (source.place, ListError::Emptied { path: source.kept.path.clone(), before })
    };
    lost.map(error).collect()
}
