//! The lines of findings about a pack: a pack has no lines, so that its sources are read again where
//! they lie still as they were when it was built.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::blocklist::{Format, ScopeChoice, ZoneAction};
use crate::category::Taxonomy;
use crate::load::lists::compile_lists::{Input, ListTexts};
use crate::pack::{FileNote, Pack, SourceNote};
use crate::publish::lint::finding::{LintFinding, find_places};
use crate::rule::{Rule, Scope};
use crate::sys::archive;

/// Finds the lines of findings. A text that is gone, or another one by now, costs the lines and not
/// the findings.
pub fn read_again(findings: &mut [LintFinding], pack: &Pack, taxonomy: &Taxonomy) {
    for (place, note) in pack.sources().iter().enumerate() {
        if !findings.iter().any(|finding| finding.is_about_rules(&note.category)) {
            continue;
        }
        let scope = scope_of(pack, place);
        for path in files_of(note) {
            // A file that cannot be read: as one that is gone.
            let _ = archive::each_text(&path, |name, text| {
                let digest = blake3::hash(&text).to_hex();
                let known = note.files.iter().find(|file| file.digest == digest.as_str());
                if let Some(input) =
                    known.and_then(|file| input(note, file, (name, text), scope, taxonomy))
                {
                    find_places(findings, &[input]);
                }
            });
        }
    }
}

/// How the names of a source were taken: without a rule for one name alone, with all below each.
fn scope_of(pack: &Pack, source: usize) -> ScopeChoice {
    let is_exact = |rule: &Rule| usize::from(rule.source) == source && rule.scope == Scope::Exact;
    let has_exact = (0..pack.set_count() as u16).any(|set| pack.set(set).1.clone().any(is_exact));
    if has_exact { ScopeChoice::AsFormat } else { ScopeChoice::Subtree }
}

/// The files that hold the texts of a source: a text in an archive has a name below the archive's.
fn files_of(note: &SourceNote) -> BTreeSet<PathBuf> {
    let file = |one: &FileNote| {
        Path::new(&one.name).ancestors().find(|path| path.is_file()).map(Path::to_owned)
    };
    note.files.iter().filter_map(file).collect()
}

/// One text of a source as it was built.
fn input(
    note: &SourceNote,
    file: &FileNote,
    (name, text): (PathBuf, Vec<u8>),
    scope: ScopeChoice,
    taxonomy: &Taxonomy,
) -> Option<Input> {
    Some(Input {
        place: note.place,
        name: note.name.clone(),
        licence: None,
        category: (taxonomy.find(&note.category)?, note.category.clone()),
        format: Format::ALL.into_iter().find(|format| format.id() == file.format)?,
        scope,
        trusted: note.trusted,
        action: ZoneAction::Given,
        texts: ListTexts::Here(name, text),
    })
}
