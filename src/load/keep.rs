//! What is in force → the kept generation.

use std::io;
use std::path::Path;

use tracing::{info, warn};

use crate::load::assemble::{Assembler, StandsIn};
use crate::load::in_force::InForce;
use crate::load::kept::held::absolute;
use crate::load::kept::{Kept, KeptSource, Origins};
use crate::load::sources::PolicySources;
use crate::sys::archive;
use crate::sys::state_dir::StateDir;

impl Assembler {
    /// Keeps what is in force, for files that are lost later and for the next start; the same
    /// fault is logged once. True where the next start finds all of it.
    ///
    /// A generation that was found again is replaced only when it was used.
    pub fn keep(&mut self, in_force: &InForce) -> bool {
        let keeps = self.stands_in != StandsIn::Never && !self.is_forgotten && !self.is_found_again;
        let Some(path) = self.path.clone().filter(|_| keeps) else { return false };
        let settings = &in_force.config().state;
        let state = StateDir::open(settings).map(|state| state.filter(|_| settings.keep));
        let (state, fault) = match state {
            Ok(state) => (state, String::new()),
            Err(error) => (None, error.to_string()),
        };
        let kept = keep(&mut self.kept, &path, in_force.sources(), state.as_ref());
        if let Some(state) = StateDir::place(settings).filter(|_| !settings.keep) {
            Kept::remove_from(&state);
        }
        let fault = kept.map_or_else(|error| error.to_string(), |()| fault);
        tell(&self.unkept, &fault, self.kept.is_on_disk());
        self.unkept = fault;
        self.kept.is_on_disk()
    }

    /// Drops what was kept: files that cannot be used are left out from now on.
    pub fn forget(&mut self) {
        self.kept.forget();
        self.is_forgotten = true;
    }
}

/// Keeps the sources of the policy in force, of the config at `path`.
///
/// # Errors
///
/// Why the next start will not find them.
fn keep(
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
        left_out: sources.left_out.iter().map(|one| absolute(&one.path)).collect(),
    };
    kept.keep(state, origins, texts_of)
}

/// Logs why the next start will not find what is in force, once, and the end of it; a fault is empty where nothing
/// stopped it.
fn tell(before: &str, fault: &str, is_on_disk: bool) {
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
