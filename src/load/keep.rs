//! What is in force → the kept generation.

use std::io;
use std::path::Path;

use tracing::{info, warn};

use crate::load::kept::{Kept, KeptSource, Origins};
use crate::load::sources::PolicySources;
use crate::sys::archive;
use crate::sys::state_dir::StateDir;

/// Keeps the sources of the policy in force, of the config at `path`.
///
/// # Errors
///
/// Why the next start will not find them.
pub(super) fn keep(
    kept: &mut Kept,
    path: &Path,
    sources: &PolicySources,
    state: Option<&StateDir>,
) -> io::Result<()> {
    let keywords = sources.lists.keyword_text.as_ref();
    let named = sources.named.iter().chain(keywords.map(|(path, text)| (path, text)));
    let named = named.map(|(path, text)| (path.as_path(), text.as_bytes()));
    let unenrolled = sources.left_out.iter().filter(|one| !one.is_enrolled);
    let origins = Origins {
        config: path,
        school: &sources.config.school.id,
        texts: std::iter::once((path, sources.own.as_bytes())).chain(named).collect(),
        sources: &sources.lists.to_keep,
        sealed: sources.sealed.to_keep.clone(),
        pack: sources.lists.pack.clone(),
        unenrolled: unenrolled.map(|one| one.path.clone()).collect(),
    };
    kept.keep(state, origins, texts_of)
}

/// Logs why the next start will not find what is in force, once, and the end of it; a fault is empty where nothing
/// stopped it.
pub(super) fn tell(before: &str, fault: &str, is_on_disk: bool) {
    match fault {
        fault if fault == before => {}
        "" if is_on_disk => info!("what is in force is kept on the disk again"),
        "" => {}
        fault => {
            warn!("what is in force is kept in memory only, and lost at the next start: {fault}");
        }
    }
}

/// Reads the texts of a source again.
fn texts_of(source: &KeptSource, take: &mut dyn FnMut(&[u8])) {
    for file in archive::files(&source.path).unwrap_or_default() {
        // A text that cannot be read any more is not kept, and the next look finds the reason.
        let _ = archive::each_text(&file, |_, text| take(&text));
    }
}
