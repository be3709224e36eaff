//! The account under which a thread opens and makes files.
//!
//! Law: what root does in a directory of another account, it does as that account. Whatever link or name the
//! account puts there, and at whatever moment, root then reaches nothing that the account could not reach
//! itself; and what root makes there belongs to the account.

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::process::{Gid, Uid, getegid, geteuid, getgroups};
#[cfg(target_os = "linux")]
use rustix::thread;

use crate::sys::read;

/// An account: user and group, as files have them.
pub(super) type FileOwner = (u32, u32);

/// While it lives, this thread and those that it starts open and make files as another account.
#[derive(Debug)]
#[must_use]
pub struct Acting {
    /// The groups before; none where nothing was changed.
    before: Option<(Gid, Vec<Gid>)>,
    /// The account is the thread's: this must not move to another.
    thread: PhantomData<*const ()>,
}

impl Acting {
    /// Acts as the owner of the directory at `path`, where this is root and the directory another account's. One
    /// that is not there belongs to whoever makes it.
    ///
    /// # Errors
    ///
    /// The error of the system, as where this process may not change its account (capabilities(7),
    /// `CAP_SETUID`, `CAP_SETGID`).
    pub fn as_owner_of(path: &Path) -> io::Result<Self> {
        Self::of(read::within(path, owner)?, path)
    }

    /// Acts as the account that `path` belongs to, where there is one and this is root. A thread that acts as an
    /// account already stays that account: what it put somewhere leads nowhere further.
    ///
    /// # Errors
    ///
    /// As [`Acting::as_owner_of`].
    pub(super) fn of(owner: Option<FileOwner>, path: &Path) -> io::Result<Self> {
        let mut acting = Self { before: None, thread: PhantomData };
        if let Some((user, group)) = owner.filter(|_| geteuid().is_root()) {
            // From here on a failure takes back what was done.
            acting.before = Some((getegid(), getgroups()?));
            let group = Gid::from_raw(group);
            let done = change(&[group], group, Uid::from_raw(user));
            done.map_err(|error| {
                told(&error, path, user, "this process cannot act as that account")
            })?;
            match fs::metadata(path) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    let what = "a directory above it is closed to that account";
                    return Err(told(&error, path, user, what));
                }
                _ => {}
            }
        }
        Ok(acting)
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        let Some((group, groups)) = &self.before else { return };
        if let Err(error) = change_back(groups, *group) {
            tracing::warn!(%error, "a thread has less rights than before");
        }
    }
}

/// An error with what is wrong.
fn told(error: &io::Error, path: &Path, user: u32, what: &str) -> io::Error {
    let path = path.display();
    io::Error::new(error.kind(), format!("{path} belongs to user {user}, and {what}: {error}"))
}

/// Changes groups and account of this thread alone: the functions of the C library would change those of all.
#[cfg(target_os = "linux")]
fn change(groups: &[Gid], group: Gid, user: Uid) -> io::Result<()> {
    thread::set_thread_groups(groups)?;
    thread::set_thread_res_gid(None, group, None)?;
    // Root's rights end with the effective user; the saved one brings them back.
    Ok(thread::set_thread_res_uid(None, user, None)?)
}

/// The reverse: the user first, as only root may change the rest.
#[cfg(target_os = "linux")]
fn change_back(groups: &[Gid], group: Gid) -> io::Result<()> {
    thread::set_thread_res_uid(None, Uid::ROOT, None)?;
    thread::set_thread_res_gid(None, group, None)?;
    Ok(thread::set_thread_groups(groups)?)
}

/// Other systems have no account of a thread alone: there root cannot work for another account.
#[cfg(not(target_os = "linux"))]
fn change(_groups: &[Gid], _group: Gid, _user: Uid) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing was changed.
#[cfg(not(target_os = "linux"))]
fn change_back(_groups: &[Gid], _group: Gid) -> io::Result<()> {
    Ok(())
}

/// The owner of a directory; none for root's, or where nothing is.
pub(super) fn owner(path: &Path) -> io::Result<Option<FileOwner>> {
    match fs::metadata(path) {
        Ok(found) => Ok((found.uid() != 0).then_some((found.uid(), found.gid()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    #[test]
    fn root_acts_as_the_owner_of_a_directory_and_as_itself_afterwards() {
        let scratch = tempfile::tempdir().unwrap();
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        open(scratch.path(), 0o755).unwrap();
        let (given, secret) = (scratch.path().join("given"), scratch.path().join("secret"));
        fs::create_dir(&given).unwrap();
        fs::write(&secret, "root's").unwrap();
        open(&secret, 0o640).unwrap();
        if chown(&given, Some(12_345), Some(23_456)).is_err() {
            eprintln!("skipped: only root can give a directory away");
            return;
        }
        let link = given.join("link");
        std::os::unix::fs::symlink(&secret, &link).unwrap();
        {
            let _acting = Acting::as_owner_of(&given).unwrap();
            assert_eq!(fs::read(&link).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            assert!(fs::write(scratch.path().join("beside"), "").is_err());
            // A directory of root's gives no right back.
            let _nested = Acting::as_owner_of(scratch.path()).unwrap();
            fs::write(given.join("made"), "").unwrap();
            let path = given.join("by a thread");
            std::thread::spawn(move || fs::write(path, "").unwrap()).join().unwrap();
        }
        for name in ["made", "by a thread"] {
            let made = fs::metadata(given.join(name)).unwrap();
            assert_eq!((made.uid(), made.gid()), (12_345, 23_456), "{name}");
        }
        assert_eq!(fs::read(&link).unwrap(), b"root's");
        let _own = Acting::as_owner_of(scratch.path()).unwrap();
        let _none = Acting::as_owner_of(&scratch.path().join("none")).unwrap();
        // What the account cannot reach is told with its place.
        open(scratch.path(), 0o700).unwrap();
        let closed = Acting::as_owner_of(&given).unwrap_err().to_string();
        assert!(closed.contains("given belongs to user 12345, and a directory above"), "{closed}");
        fs::write(scratch.path().join("beside"), "").unwrap();
        assert_eq!(fs::metadata(scratch.path().join("beside")).unwrap().uid(), 0);
    }
}
