//! Keys of the department: one file a key, on a stick that is in a safe but for some minutes.
//!
//! A private key is PKCS#8 in PEM, as openssl reads and writes it; its public half is a JSON file
//! with `.pub` behind the name, which is no secret and stays on the publishing host. Law: a private
//! key that others can read, or that lies inside a repository, is refused; it is neither logged nor
//! copied.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use futures_util::FutureExt as _;
use tough::schema::key::Key;
use tough::sign::{Sign, parse_keypair};
use zeroize::Zeroizing;

use crate::digest::hex;
use crate::release::layout;
use crate::sys::read;
use crate::sys::state_dir::whole;

/// The most octets of a key file.
const MAX_OCTETS: u64 = 16 << 10;
/// The label of PKCS#8 in PEM (RFC 7468 §10).
const TAG: &str = "PRIVATE KEY";
/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It does not sign.
    #[error("the key does not sign")]
    Sign,
    /// The file cannot be read.
    #[error("{path}: the key cannot be read: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("{path}: the key cannot be written: {error}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// Others than the owner can read it.
    #[error(
        "{path}: a private key must be for its owner alone, but its mode is {mode:04o}; `chmod 600` \
         it (a FAT stick must be mounted with umask=077), and make a new key if somebody may have \
         read it"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It lies where a web server or a mirror carries it.
    #[error(
        "{path}: a private key must not be inside the repository {repository}, which everybody can \
         read; move it to a stick, and make a new key if the repository was on a web server"
    )]
    Published {
        /// The file.
        path: PathBuf,
        /// The directory of the repository.
        repository: PathBuf,
    },
    /// Its content is no key.
    #[error("{path}: not a key in PEM (PKCS#8, Ed25519); make one with `lachan publish key`")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
}

/// A private key, for signing.
pub struct SigningKey(Box<dyn Sign>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").field(&key_id(&self.public())).finish()
    }
}

impl SigningKey {
    /// Makes a key at `path`, and its public half beside it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Write`]; also where a file is there already.
    pub fn make(path: &Path) -> Result<Self, KeyError> {
        let failed = |error| KeyError::Write { path: path.to_owned(), error };
        refuse_published(path)?;
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| failed(io::Error::other("the system gives no random octets")))?;
        let pem = Zeroizing::new(pem::encode(&pem::Pem::new(TAG, pkcs8.as_ref())));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        let key = Self::read(path)?;
        let public = serde_json::to_vec_pretty(&key.public()).map_err(|e| failed(e.into()))?;
        whole::replace(&public_path(path), 0o666, &public).map_err(failed)?;
        Ok(key)
    }

    /// Reads the private key at `path`.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unread = |error| KeyError::Read { path: path.to_owned(), error };
        refuse_published(path)?;
        let mode = fs::metadata(path).map_err(unread)?.mode() & 0o7777;
        if mode & OTHERS != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let pem = Zeroizing::new(read::octets(path, MAX_OCTETS).map_err(unread)?);
        let no_key = || KeyError::NoKey { path: path.to_owned() };
        let der = pem::parse(&pem).map_err(|_| no_key())?;
        let key = parse_keypair(der.contents()).map_err(|_| no_key())?;
        Ok(Self(Box::new(key)))
    }

    /// The signature over octets.
    ///
    /// # Errors
    ///
    /// [`KeyError::Sign`].
    pub fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, KeyError> {
        // A key in memory signs at once.
        let signed = self.0.sign(octets, &SystemRandom::new()).now_or_never();
        signed.and_then(Result::ok).ok_or(KeyError::Sign)
    }

    /// Its public half.
    pub fn public(&self) -> Key {
        self.0.tuf_key()
    }

    pub(in crate::publish) fn signer(&self) -> &dyn Sign {
        self.0.as_ref()
    }
}

/// Refuses a private key in any directory that has a repository, or below one: what carries a
/// repository carries all that is in it. The path as given counts, and the one that links lead to.
fn refuse_published(path: &Path) -> Result<(), KeyError> {
    let given = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parent = given.parent().unwrap_or(Path::new("/"));
    let file = fs::canonicalize(&given).unwrap_or_else(|_| given.clone());
    let directory = fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
    let above = file.ancestors().skip(1).chain(directory.ancestors());
    let mut above = above.chain(parent.ancestors());
    let root = layout::metadata("root", 1);
    match above.find(|directory| directory.join(&root).is_file()) {
        Some(repository) => {
            Err(KeyError::Published { path: path.to_owned(), repository: repository.to_owned() })
        }
        None => Ok(()),
    }
}

/// Refuses a private key inside a directory that is about to become a repository.
///
/// # Errors
///
/// [`KeyError::Published`].
pub fn refuse_inside(path: &Path, repository: &Path) -> Result<(), KeyError> {
    let real = |path: &Path| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        fs::canonicalize(&path).unwrap_or(path)
    };
    if real(path).starts_with(real(repository)) {
        let (path, repository) = (path.to_owned(), repository.to_owned());
        return Err(KeyError::Published { path, repository });
    }
    Ok(())
}

/// Reads a public key: a `.pub` file, or the public half of a private key.
///
/// # Errors
///
/// [`KeyError`].
pub fn public(path: &Path) -> Result<Key, KeyError> {
    if path.extension().is_none_or(|end| end != "pub") {
        return SigningKey::read(path).map(|key| key.public());
    }
    let text = read::octets(path, MAX_OCTETS)
        .map_err(|error| KeyError::Read { path: path.to_owned(), error })?;
    serde_json::from_slice(&text).map_err(|_| KeyError::NoKey { path: path.to_owned() })
}

/// The identity of a key as TUF has it: SHA-256 of its canonical form, in hexadecimal.
pub fn key_id(key: &Key) -> String {
    key.key_id().map(|id| hex(&id)).unwrap_or_default()
}

/// The place of the public half of a key.
pub fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}
