//! Tokens: of the admin address, of the technician and of the inspector; the permissions of its file
//! are the access control.
//!
//! A file that only its owner can read, created at start if it does not exist. To have another
//! token made, remove the file and start again. One that cannot be read at the start is read again; none is made then.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tracing::warn;

use crate::config::AdminSettings;
use crate::digest::hex;
use crate::staff::hash::is_same;
use crate::sys::read;
use crate::sys::read::MAX_TEXT;
use crate::sys::state_dir::acting::Acting;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};
use crate::sys::state_dir::{StateDir, wrote};

/// A token: 64 hexadecimal digits.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The file of the admin address's token, in the state directory.
    pub const ADMIN: &str = "admin-token";
    /// The file of the technician's.
    pub const TECHNICIAN: &str = "technician-token";
    /// The file of the inspector's.
    pub const INSPECTOR: &str = "inspector-token";

    /// What a file says, which is created if it does not exist; none is made in the place of one that cannot be read.
    fn open(path: &Path) -> KeptFile<Self> {
        use io::ErrorKind::{FileTooLarge, InvalidData, NotFound};
        match Self::read(path) {
            Ok(token) => KeptFile::Good(token),
            Err(error) if error.kind() == NotFound => Self::make(path)
                .map_or_else(|error| KeptFile::Bad(error.to_string()), KeptFile::Good),
            Err(error) if matches!(error.kind(), InvalidData | FileTooLarge) => {
                KeptFile::Bad(error.to_string())
            }
            Err(error) => KeptFile::Unread(Unread::of(path, MAX_TEXT, &error)),
        }
    }

    fn make(path: &Path) -> io::Result<Self> {
        let _acting = Acting::as_owner_of(folder(path))?;
        let token = hex(&rand::random::<[u8; 32]>());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}-0.new", std::process::id()));
        let made = Self::write(&token, &beside, path);
        let _ = std::fs::remove_file(&beside);
        made?;
        wrote(token.len() as u64 + 1);
        Ok(Self(token))
    }

    /// Makes a file of a token, whole or not at all; it never replaces one.
    fn write(token: &str, beside: &Path, path: &Path) -> io::Result<()> {
        let _ = std::fs::remove_file(beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside)?;
        writeln!(file, "{token}")?;
        file.sync_all()?;
        std::fs::hard_link(beside, path)?;
        File::open(folder(path))?.sync_all()
    }

    /// The token in a file.
    ///
    /// # Errors
    ///
    /// The error of the system; or others can read the file, or it is not a token.
    pub fn read(path: &Path) -> io::Result<Self> {
        // It is sent to somebody: nothing that another account's directory leads to.
        let _acting = Acting::as_owner_of(folder(path))?;
        let text = read::text(path)?;
        let mode = std::fs::metadata(path)?.mode() & 0o077;
        let refused = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why.to_owned()));
        if mode != 0 {
            return refused("others can read it; chmod 600, or remove it to have a new one made");
        }
        let token = text.trim();
        if token.len() != 64 || !token.bytes().all(|b| b.is_ascii_hexdigit()) {
            return refused("it is not a token; remove it to have a new one made");
        }
        Ok(Self(token.to_owned()))
    }

    /// True for the token. The comparison takes constant time for a given length.
    pub fn is(&self, given: &str) -> bool {
        is_same(&self.0, given)
    }

    /// The token as a client sends it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// The token of a gateway, in a file that may be readable later than the start.
#[derive(Default)]
pub struct TokenFile {
    path: Option<PathBuf>,
    token: OnceLock<Token>,
    is_unread: AtomicBool,
    /// What is to be read yet; taken while it is read.
    unread: Mutex<Option<Unread>>,
}

impl TokenFile {
    /// That of the admin address: the file in the config, or in the state directory. Without a token nothing can be
    /// changed over the admin address, and the log says why.
    pub fn of(settings: &AdminSettings, state: Option<&StateDir>) -> Self {
        let path = settings.token.clone();
        Self::open(path.or_else(|| Some(state?.join(Token::ADMIN))))
    }

    /// The token in a file, made where there is none.
    pub fn open(path: Option<PathBuf>) -> Self {
        let file = Self { path, ..Self::default() };
        file.look();
        file
    }

    /// The token; none where there is no file, a bad one, or one that cannot be read now.
    pub fn get(&self) -> Option<&Token> {
        self.token.get()
    }

    /// The name of a file that cannot be read now.
    pub fn unread(&self) -> Option<String> {
        let name = self.path.as_ref()?.file_name()?;
        self.is_unread.load(Ordering::Relaxed).then(|| name.to_string_lossy().into_owned())
    }

    /// Reads again what could not be read; true where nothing is left to read.
    pub fn read_again(&self) -> bool {
        let file = self.slot().take();
        let Some(file) = file else { return true };
        // Without a lock: a disk may take long to answer.
        match file.still() {
            Some(file) => *self.slot() = Some(file),
            None => self.look(),
        }
        self.unread().is_none()
    }

    fn look(&self) {
        let Some(path) = &self.path else { return };
        let unread = match Token::open(path) {
            KeptFile::Good(token) => {
                let _ = self.token.set(token);
                None
            }
            KeptFile::Bad(error) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                warn!(%error, path = %path.display(), "no {name}");
                None
            }
            KeptFile::Absent => None,
            KeptFile::Unread(file) => Some(file),
        };
        self.is_unread.store(unread.is_some(), Ordering::Relaxed);
        *self.slot() = unread;
    }

    fn slot(&self) -> MutexGuard<'_, Option<Unread>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The directory of a file.
fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::sys::state_dir::kept_file::unread;

    fn open(path: &Path) -> Option<Token> {
        TokenFile::open(Some(path.to_owned())).get().cloned()
    }

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join(Token::ADMIN);
        let made = open(&path).unwrap();
        assert!(made.is(open(&path).unwrap().text()));
        assert!(!made.is("") && !made.is(&"0".repeat(64)));
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        mode(0o644).unwrap();
        assert!(open(&path).is_none());
        mode(0o600).unwrap();
        std::fs::write(&path, "short").unwrap();
        let bad = TokenFile::open(Some(path));
        assert!(bad.get().is_none() && bad.unread().is_none() && bad.read_again());
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_cannot_be_read_is_read_again_and_none_is_made_in_its_place() {
        let scratch = tempfile::tempdir().unwrap();
        let (path, aside) = (scratch.path().join(Token::ADMIN), scratch.path().join("aside"));
        let made = open(&path).unwrap();
        std::fs::rename(&path, &aside).unwrap();
        std::fs::create_dir(&path).unwrap();
        let file = TokenFile::open(Some(path.clone()));
        assert!(file.get().is_none() && !file.read_again());
        assert_eq!(file.unread().as_deref(), Some(Token::ADMIN));
        assert!(unread().iter().any(|one| one.path == path));
        std::fs::remove_dir(&path).unwrap();
        std::fs::rename(&aside, &path).unwrap();
        assert!(file.read_again() && file.unread().is_none());
        assert!(file.get().unwrap().is(made.text()));
        assert!(!unread().iter().any(|one| one.path == path));
    }
}
