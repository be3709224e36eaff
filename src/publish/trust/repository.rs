//! A repository: the directory that a web server, a mirror or a stick carries.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tough::schema::{Role, Root, Signed, Snapshot, Target, Targets, Timestamp};

use super::signed;
use crate::digest::{hex, sha256};
use crate::publish::error::PublishError;
use crate::release::layout;
use crate::sys::{os, read};

/// The most octets of a metadata file.
const MAX_METADATA: u64 = 10 << 20;

/// The interval at which is looked whether another publication has ended.
const LOOK: Duration = Duration::from_millis(50);
/// The most looks: five minutes.
const LOOKS: u32 = 6000;

/// Dates a file a second or more behind the one that it replaces.
///
/// Web servers make an entity tag of the second and the length. Both are the same where a rollout follows
/// a release within a second, and whoever asked between them would get 304 until the next day.
fn date_behind(replaced: &Path, file: &File) -> io::Result<()> {
    let Ok(before) = fs::metadata(replaced).and_then(|found| found.modified()) else {
        return Ok(());
    };
    let second = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if second(file.metadata()?.modified()?) > second(before) {
        return Ok(());
    }
    file.set_modified(before + Duration::from_secs(1))
}

/// Waits until no other publication is at work in a directory.
fn locked(path: &Path) -> Result<File, PublishError> {
    let failed = |error| PublishError::File { path: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    for _ in 0..LOOKS {
        if os::try_lock(&file).map_err(failed)? {
            return Ok(file);
        }
        thread::sleep(LOOK);
    }
    let text = "another publication is at work; try again when it has ended";
    Err(PublishError::Place(format!("{}: {text}", path.display())))
}

/// Gives a file or directory of the repository the mode with which web servers read it.
fn readable(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn parsed<T: DeserializeOwned>(path: PathBuf, octets: &[u8]) -> Result<T, PublishError> {
    serde_json::from_slice(octets).map_err(|error| {
        let why = format!("{error}; copy it from the second copy");
        PublishError::Malformed { path, why }
    })
}

/// A directory with a repository in it.
#[derive(Debug)]
pub struct Repository {
    path: PathBuf,
    /// Held while something is published: two publications would use a version twice.
    _lock: Option<File>,
}

impl Repository {
    /// The repository in a directory.
    ///
    /// # Errors
    ///
    /// [`PublishError::Place`] where there is none.
    pub fn open(path: &Path) -> Result<Self, PublishError> {
        if path.join(layout::metadata("root", 1)).is_file() {
            return Ok(Self { path: path.to_owned(), _lock: None });
        }
        let text = "no repository; make one with `lachan publish init`";
        Err(PublishError::Place(format!("{}: {text}", path.display())))
    }

    /// The same for a publication; waits while another one is at work.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; also where another one works for minutes.
    pub fn open_to_publish(path: &Path) -> Result<Self, PublishError> {
        let opened = Self { _lock: Some(locked(path)?), ..Self::open(path)? };
        opened.sweep();
        Ok(opened)
    }

    /// A directory for a new repository.
    ///
    /// # Errors
    ///
    /// [`PublishError::Place`] where there is one; [`PublishError::File`].
    pub fn new(path: &Path) -> Result<Self, PublishError> {
        if path.join(layout::metadata("root", 1)).exists() {
            let text =
                "has a repository already; its keys are changed with `lachan publish rotate`";
            return Err(PublishError::Place(format!("{}: {text}", path.display())));
        }
        let file = |error| PublishError::File { path: path.to_owned(), error };
        fs::create_dir_all(path).map_err(file)?;
        if fs::read_dir(path).map_err(file)?.next().is_some() {
            let text =
                "is not empty; was a `publish init` interrupted here? Remove it, and begin again";
            return Err(PublishError::Place(format!("{}: {text}", path.display())));
        }
        readable(path, 0o755).map_err(file)?;
        Ok(Self { path: path.to_owned(), _lock: Some(locked(path)?) })
    }

    /// Removes what publications left that were killed.
    fn sweep(&self) {
        let mut directories = vec![self.path.clone()];
        let targets = self.path.join(layout::TARGETS);
        directories
            .extend(fs::read_dir(&targets).into_iter().flatten().flatten().map(|one| one.path()));
        for entry in directories.iter().filter_map(|one| fs::read_dir(one).ok()).flatten().flatten()
        {
            let name = entry.file_name();
            let is_left = |name: &str| {
                let number = name.strip_prefix('.').and_then(|name| name.rsplit_once('.'));
                number.is_some_and(|(_, number)| number.parse::<u32>().is_ok())
            };
            if name.to_str().is_some_and(is_left) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest version of a role; `None` where it has none.
    pub fn version(&self, role: &str) -> Result<Option<NonZeroU64>, PublishError> {
        let error = |error| PublishError::File { path: self.path.clone(), error };
        let end = format!(".{role}.json");
        let mut newest = None;
        for entry in fs::read_dir(&self.path).map_err(error)? {
            let name = entry.map_err(error)?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(&end));
            let number = number.and_then(|number| number.parse::<NonZeroU64>().ok());
            newest = newest.max(number);
        }
        match self.published(role) {
            Some(published) if newest < Some(published) => Err(PublishError::Refused(format!(
                "{}: {role} {published} is published, and its file is not here; copy it from the \
                 second copy, for a version is never used twice",
                self.path.display()
            ))),
            _ => Ok(newest),
        }
    }

    /// The version of a role that the timestamp leads to; `None` where it leads nowhere.
    fn published(&self, role: &str) -> Option<NonZeroU64> {
        let timestamp: Signed<Timestamp> = self.document(layout::TIMESTAMP).ok()?;
        let snapshot = timestamp.signed.meta.get("snapshot.json")?.version;
        if role == "snapshot" {
            return Some(snapshot);
        }
        let place = layout::metadata("snapshot", snapshot.get());
        let snapshot: Signed<Snapshot> = self.document(&place).ok()?;
        Some(snapshot.signed.meta.get(&format!("{role}.json"))?.version)
    }

    /// A document by its file.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; also where there is none.
    pub(in crate::publish) fn document<T: Role + DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Signed<T>, PublishError> {
        self.octets_of(name).and_then(|(path, octets)| parsed(path, &octets))
    }

    fn octets_of(&self, name: &str) -> Result<(PathBuf, Vec<u8>), PublishError> {
        let path = self.path.join(name);
        match read::octets(&path, MAX_METADATA) {
            Ok(octets) => Ok((path, octets)),
            Err(error) => Err(PublishError::File { path, error }),
        }
    }

    /// The newest document of a role, and its octets.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; also where there is none.
    pub fn newest<T: Role + DeserializeOwned>(
        &self,
        role: &str,
    ) -> Result<(Signed<T>, Vec<u8>), PublishError> {
        let version = self.version(role)?.map_or(0, NonZeroU64::get);
        let (path, octets) = self.octets_of(&layout::metadata(role, version))?;
        Ok((parsed(path, &octets)?, octets))
    }

    /// The newest root.
    ///
    /// # Errors
    ///
    /// [`PublishError`].
    pub fn root(&self) -> Result<Root, PublishError> {
        self.newest::<Root>("root").map(|(root, _)| root.signed)
    }

    /// The octets of a target of a role, which are what its entry says; `None` where the role has
    /// no such target.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; also where the file is missing or damaged.
    pub fn target(&self, role: &str, name: &str) -> Result<Option<Vec<u8>>, PublishError> {
        let (document, _) = self.newest::<Targets>(role)?;
        let entry = document.signed.targets.iter().find(|(found, _)| found.raw() == name);
        let Some((_, entry)) = entry else { return Ok(None) };
        let digest = hex(&entry.hashes.sha256);
        let path = self.path.join(layout::place(name, &digest));
        let octets = read::octets(&path, entry.length)
            .map_err(|error| PublishError::File { path: path.clone(), error })?;
        if octets.len() as u64 == entry.length && sha256(&octets) == digest {
            return Ok(Some(octets));
        }
        let why = "it is not the file that was signed; copy it again from the second copy".into();
        Err(PublishError::Malformed { path, why })
    }

    /// Writes a document of a role as its next immutable file.
    pub(in crate::publish) fn put<T: Role + Serialize>(
        &self,
        role: &str,
        document: &Signed<T>,
    ) -> Result<(), PublishError> {
        let version = document.signed.version().get();
        self.write(&layout::metadata(role, version), &signed::octets(document)?, false)
    }

    /// Writes the file of a target, and returns its entry.
    pub(in crate::publish) fn put_target(
        &self,
        name: &str,
        octets: &[u8],
    ) -> Result<Target, PublishError> {
        let place = layout::place(name, &sha256(octets));
        self.write(&place, octets, true)?;
        Ok(signed::target(octets))
    }

    /// Writes the one file that is replaced.
    pub(in crate::publish) fn put_timestamp(&self, octets: &[u8]) -> Result<(), PublishError> {
        self.write(layout::TIMESTAMP, octets, true)
    }

    /// Writes a file, whole or not at all; it may be there already if `is_replaced`.
    fn write(&self, name: &str, octets: &[u8], is_replaced: bool) -> Result<(), PublishError> {
        let path = self.path.join(name);
        let failed = |error| PublishError::File { path: path.clone(), error };
        if !is_replaced && path.exists() {
            return Err(failed(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a version is never written twice; is a second publication running?",
            )));
        }
        let directory = path.parent().unwrap_or(&self.path);
        if !directory.is_dir() {
            fs::create_dir_all(directory).map_err(failed)?;
            for made in directory.ancestors().take_while(|one| *one != self.path) {
                readable(made, 0o755).map_err(failed)?;
            }
        }
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = directory.join(format!(".{file_name}.{}", std::process::id()));
        let written = File::create(&beside)
            .and_then(|mut file| {
                file.write_all(octets)?;
                // Web servers read it, whatever the mask of the officer's shell is.
                readable(&beside, 0o644)?;
                date_behind(&path, &file)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, &path))
            .and_then(|()| File::open(directory)?.sync_all());
        written.map_err(|error| {
            let _ = fs::remove_file(&beside);
            failed(error)
        })
    }
}
