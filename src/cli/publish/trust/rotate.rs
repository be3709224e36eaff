//! `lachan publish rotate DIR`: other keys, or the same for another two years.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tough::schema::key::Key;
use tough::schema::{Root, Signed};

use crate::cli::output::{CommandFailure, finish};
use crate::cli::publish::wait::{failure, now, wait_for};
use crate::publish::error::PublishError;
use crate::publish::trust::keys::{self, SigningKey};
use crate::publish::trust::repository::Repository;
use crate::publish::trust::rotate::{self, NewHolders, RootSignatures};
use crate::release::layout;
use crate::sys::read;
use crate::update::carrier::Directory;
use crate::update::trust::{self, HighWater};

/// The most octets of a root.
const MAX_ROOT: u64 = 1 << 20;

/// Arguments of `publish rotate`.
#[derive(Debug, clap::Args)]
pub(in crate::cli::publish) struct RotateArguments {
    /// The directory of the repository.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// All root keys from now on, as .pub files; those of today without it.
    #[arg(long = "new-root", value_name = "FILE")]
    root: Vec<PathBuf>,
    /// All officers from now on, as .pub files; those of today without it.
    #[arg(long = "new-officer", value_name = "FILE")]
    officers: Vec<PathBuf>,
    /// The key of the publishing host from now on, as a .pub file; that of today without it.
    #[arg(long = "new-online", value_name = "FILE")]
    new_online: Option<PathBuf>,
    /// A root key that signs: two of those of today, and two of those from now on.
    #[arg(long = "sign", value_name = "FILE", required = true)]
    sign: Vec<PathBuf>,
    /// A root that another person left: it is what is signed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["root", "officers", "new_online"])]
    staged: Option<PathBuf>,
    /// Where the new root is left for the next person.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The private key of an officer, of those from now on.
    #[arg(long, value_name = "FILE")]
    officer: Option<PathBuf>,
    /// The private key of the publishing host, the one from now on.
    #[arg(long, value_name = "FILE")]
    online: Option<PathBuf>,
    /// Do all of it in a copy, ask as a gateway that was enrolled first, and leave all as it was.
    #[arg(long)]
    rehearse: bool,
}

/// Rotates keys.
pub(in crate::cli::publish) fn run(arguments: &RotateArguments) -> ExitCode {
    finish(change(arguments))
}

fn change(arguments: &RotateArguments) -> Result<String, CommandFailure> {
    let failed = |error| failure(&error);
    let now = now()?;
    let repository = Repository::open_to_publish(&arguments.directory).map_err(failed)?;
    let read = |path: &PathBuf| SigningKey::read(path).map_err(|error| failure(&error.into()));
    let signers = arguments.sign.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let root = match &arguments.staged {
        Some(path) => rotate::staged(&repository, path),
        None => new_holders(arguments).and_then(|new| rotate::stage(&repository, new, now)),
    };
    let root = root.map_err(failed)?;
    let version = root.signed.version;
    let (root, signatures) = wait_for(rotate::add_signatures(&repository, root, &signers))?;
    if !signatures.are_enough() {
        return left(arguments, &signatures, &root).map_err(failed);
    }
    let (Some(officer), Some(online)) = (&arguments.officer, &arguments.online) else {
        return Err((
            2,
            "root has its signatures; give --officer and --online too, the keys from now on".into(),
        ));
    };
    let (officer, online) = (read(officer)?, read(online)?);
    if !arguments.rehearse {
        wait_for(rotate::enact(&repository, &root, (&officer, &online), now))?;
        return Ok(format!(
            "root {version} is in force; gateways take it at their next poll. Refresh the second \
             copy, and keep the old sticks until every gateway has asked"
        ));
    }
    let scratch = std::env::temp_dir().join(format!("lachan-rotate-{}", std::process::id()));
    let ended = rehearsed(&repository, &root, (&officer, &online), &scratch);
    let _ = fs::remove_dir_all(&scratch);
    let seen = ended?;
    Ok(format!(
        "rehearsed: a gateway that was enrolled with root 1 would follow to root {seen}; nothing \
         was changed. The same without --rehearse does it"
    ))
}

/// Does all of it in a copy; the root that a gateway comes to.
fn rehearsed(
    repository: &Repository,
    root: &Signed<Root>,
    keys: (&SigningKey, &SigningKey),
    scratch: &Path,
) -> Result<u64, CommandFailure> {
    let memory = scratch.join("memory");
    let made = fs::create_dir(scratch).and_then(|()| fs::create_dir(&memory));
    made.map_err(|error| (1, format!("{}: {error}", scratch.display())))?;
    let copy = rotate::copy_of(repository, &scratch.join("repository"));
    let copy = copy.map_err(|error| failure(&error))?;
    wait_for(rotate::enact(&copy, root, keys, now()?))?;
    wait_for(follow(&copy, &memory))
}

/// The root that a gateway comes to that was enrolled with the first one.
async fn follow(repository: &Repository, memory: &Path) -> Result<u64, PublishError> {
    let path = repository.path();
    let enrolled = path.join(layout::metadata("root", 1));
    let root = read::octets(&enrolled, MAX_ROOT)
        .map_err(|error| PublishError::File { path: enrolled, error })?;
    let carrier = Directory(path.to_owned());
    let trusted = trust::load(carrier, &root, memory, &HighWater::default(), true).await;
    let trusted = trusted.map_err(|error| {
        PublishError::Refused(format!("rehearsed, and a gateway would refuse it: {error}"))
    })?;
    Ok(trusted.repository.root().signed.version.get())
}

/// The keys that are given.
fn new_holders(arguments: &RotateArguments) -> Result<NewHolders, PublishError> {
    let public = |path: &PathBuf| keys::public(path);
    let all = |paths: &[PathBuf]| -> Result<Option<Vec<Key>>, PublishError> {
        let keys = paths.iter().map(public).collect::<Result<Vec<_>, _>>()?;
        Ok((!keys.is_empty()).then_some(keys))
    };
    Ok(NewHolders {
        root: all(&arguments.root)?,
        officers: all(&arguments.officers)?,
        online: arguments.new_online.as_ref().map(public).transpose()?,
    })
}

/// Leaves a root for the next person.
fn left(
    arguments: &RotateArguments,
    signatures: &RootSignatures,
    root: &Signed<Root>,
) -> Result<String, PublishError> {
    let RootSignatures { old, new } = signatures;
    let counted = format!(
        "signatures of the root keys in use: {} of {}; of the new ones: {} of {}",
        old.0, old.1, new.0, new.1
    );
    let path: &Path = match (&arguments.out, &arguments.staged) {
        (Some(path), _) | (None, Some(path)) => path,
        (None, None) => {
            return Err(PublishError::Refused(format!(
                "{counted}; give more keys with --sign, or --out FILE for the next person"
            )));
        }
    };
    rotate::write_staged(root, path, arguments.out.is_none())?;
    Ok(format!(
        "{counted}\nnext: lachan publish rotate {} --staged {} --sign KEY",
        arguments.directory.display(),
        path.display()
    ))
}
