//! `lachan lists add NAME`: a list of the catalogue → a source at the end of the config.
//!
//! Lines are only added: what the administrator wrote, comments included, must never change.
//! The new text is checked first, and replaces the file whole or not at all.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::output::{CommandFailure, finish};
use crate::config::data::catalogue::{Advice, Catalogue, CatalogueEntry};
use crate::config::load;
use crate::diagnostic::nearest;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// Arguments of `lists add`.
#[derive(Debug, clap::Args)]
pub struct AddArguments {
    /// Names of the catalogue.
    #[arg(required = true)]
    names: Vec<String>,
    /// The config file to add to.
    #[arg(long, value_name = "FILE", default_value = "gateway.toml")]
    config: PathBuf,
    /// Print the lines, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Adds sources; exits 0, 1 when nothing could be written, 2 for a name that cannot be added,
/// or 3 for a config with mistakes.
pub fn run(arguments: &AddArguments) -> ExitCode {
    finish(add(arguments))
}

/// Adds the sources, and returns the message for people.
fn add(arguments: &AddArguments) -> Result<String, CommandFailure> {
    let catalogue = Catalogue::embedded();
    let listings = arguments.names.iter().map(|name| find(&catalogue, name));
    let listings = listings.collect::<Result<Vec<&CatalogueEntry>, CommandFailure>>()?;
    let path = &arguments.config;
    let shown = path.display().to_string();
    let unread = |error: io::Error| (1, format!("{shown}: cannot be read: {error}"));
    let old = read::text(path).map_err(unread)?;
    let base = path.parent().unwrap_or(Path::new("."));
    let load = |text: &str| load(text, &shown, base, Some(&|path| read::text(path)));
    let config = load(&old).map_err(|mistakes| (3, format!("{mistakes}\nnothing was added")))?;
    for listing in &listings {
        let is_same = |url: &str| url == listing.url;
        if config.lists.sources.iter().any(|s| s.fetch.as_ref().is_some_and(|f| is_same(&f.url))) {
            return Err((2, format!("`{}` is a source of {shown} already", listing.name)));
        }
    }
    let added: Vec<String> = listings.iter().map(|listing| listing.source()).collect();
    let added = added.join("\n");
    let gap = if old.is_empty() || old.ends_with("\n\n") { "" } else { "\n" };
    let end = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    let new = format!("{old}{end}{gap}{added}");
    load(&new).map_err(|mistakes| (3, format!("{mistakes}\nnothing was added")))?;
    if arguments.dry_run {
        return Ok(added);
    }
    replace(path, &new).map_err(|error| (1, format!("{shown}: cannot be written: {error}")))?;
    let mut text = format!("{shown}: added\n\n{added}");
    for listing in listings.iter().filter(|listing| listing.advice == Advice::Care) {
        let why = listing.leave_out.as_ref().or(listing.note.as_ref());
        // Writing to a string cannot fail.
        let _ = write!(text, "\ntake care with {}: {}", listing.name, why.map_or("", |why| why));
    }
    if StateDir::place(&config.state).is_none() {
        text += "\nset `dir` in [state]: downloads are kept there";
    }
    Ok(text
        + "\na gateway that runs with this config takes it up by itself; \
               `lachan lists fetch` downloads now")
}

/// A list of the catalogue by its name.
fn find<'a>(catalogue: &'a Catalogue, name: &str) -> Result<&'a CatalogueEntry, CommandFailure> {
    if let Some(why) = catalogue.refusal(name) {
        return Err((2, format!("`{name}` is no list to block by: {why}")));
    }
    catalogue.find(name).ok_or_else(|| {
        let meant = nearest(name, catalogue.names());
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
        (2, format!("`{name}` is not in the catalogue{meant}; `lachan lists catalogue` shows it"))
    })
}

/// Replaces the text of a file; owner and mode stay as they are.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A symbolic link is followed: its target is the config.
    let path = fs::canonicalize(path)?;
    let old = fs::metadata(&path)?;
    let parent = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = parent.join(format!(".{name}.new"));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(old.mode() & 0o7777)
        .open(&beside)
        .and_then(|mut file| {
            file.set_permissions(old.permissions())?;
            if file.metadata()?.uid() != old.uid() || file.metadata()?.gid() != old.gid() {
                fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, &path));
    if let Err(error) = written {
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = fs::remove_file(&beside);
        }
        return Err(error);
    }
    File::open(parent)?.sync_all()
}
