//! Tokens: of the admin address, of the technician and of the inspector; the permissions of its file
//! are the access control.
//!
//! A file that only its owner can read, created at start if it does not exist. To have another
//! token made, remove the file and start again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use tracing::warn;

use crate::config::AdminSettings;
use crate::digest::hex;
use crate::staff::hash::is_same;
use crate::sys::read;
use crate::sys::state_dir::acting::Acting;
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

    /// The token of a gateway: of the file in the config, or of the state directory. Without one
    /// nothing can be changed over the admin address, and the log says why.
    pub fn of(settings: &AdminSettings, state: Option<&StateDir>) -> Option<Self> {
        let path = settings.token.clone().or_else(|| Some(state?.join(Self::ADMIN)))?;
        let opened = Self::open(&path);
        opened.map_err(|error| warn!(%error, path = %path.display(), "no admin token")).ok()
    }

    /// The token in a file, created if it does not exist.
    ///
    /// # Errors
    ///
    /// The error of the system; or others can read the file, or it is not a token.
    pub fn open(path: &Path) -> io::Result<Self> {
        let _acting = Acting::as_owner_of(folder(path))?;
        match Self::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read,
        }
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
    /// As [`Token::open`].
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

/// The directory of a file.
fn folder(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join(Token::ADMIN);
        let made = Token::open(&path).unwrap();
        assert!(made.is(Token::open(&path).unwrap().text()));
        assert!(!made.is("") && !made.is(&"0".repeat(64)));
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        mode(0o644).unwrap();
        assert!(Token::open(&path).is_err());
        mode(0o600).unwrap();
        std::fs::write(&path, "short").unwrap();
        assert!(Token::open(&path).is_err());
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    }
}
