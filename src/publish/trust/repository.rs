//! A repository: the directory that a web server, a mirror or a stick carries.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tough::schema::{Role, Root, Signed, Target, Targets};

use super::keys::hex_of;
use super::signed;
use crate::publish::error::PublishError;
use crate::release::layout;
use crate::sys::read;

/// The most octets of a metadata file.
const MAX_METADATA: u64 = 10 << 20;

/// A directory with a repository in it.
#[derive(Debug)]
pub struct Repository {
    path: PathBuf,
}

impl Repository {
    /// The repository in a directory.
    ///
    /// # Errors
    ///
    /// [`PublishError::Place`] where there is none.
    pub fn open(path: &Path) -> Result<Self, PublishError> {
        if path.join(layout::metadata("root", 1)).is_file() {
            return Ok(Self { path: path.to_owned() });
        }
        let text = "no repository; make one with `lachan publish init`";
        Err(PublishError::Place(format!("{}: {text}", path.display())))
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
        Ok(Self { path: path.to_owned() })
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
        Ok(newest)
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
        let path = self.path.join(layout::metadata(role, version));
        let octets = read::octets(&path, MAX_METADATA)
            .map_err(|error| PublishError::File { path: path.clone(), error })?;
        let document = serde_json::from_slice(&octets)
            .map_err(|error| PublishError::Malformed { path, why: error.to_string() })?;
        Ok((document, octets))
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
        let digest = hex_of(&entry.hashes.sha256);
        let path = self.path.join(layout::place(name, &digest));
        let octets = read::octets(&path, entry.length)
            .map_err(|error| PublishError::File { path: path.clone(), error })?;
        if octets.len() as u64 == entry.length && signed::sha256(&octets) == digest {
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
        let place = layout::place(name, &signed::sha256(octets));
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
        fs::create_dir_all(directory).map_err(failed)?;
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = directory.join(format!(".{file_name}.{}", std::process::id()));
        let written = File::create(&beside)
            .and_then(|mut file| {
                file.write_all(octets)?;
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
