//! Places that another account could replace: what root believes must not be in one.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::os;

/// The most links on the way to a directory, as Linux has it (`path_resolution`(7)).
const MAX_LINKS: usize = 40;

/// The first place on the way to a path, itself included, that an account other than this one and root made
/// or could replace; none where there is none, as far as the way is there. Links count, and where they lead.
///
/// A sticky directory such as /tmp may be on the way: others cannot replace what is not theirs in it.
///
/// # Errors
///
/// The error of the system, as where this account may not look.
pub fn exposed(path: &Path) -> io::Result<Option<PathBuf>> {
    exposed_on(&std::path::absolute(path)?, true, MAX_LINKS)
}

/// [`exposed`]; `is_end` where the path is not only on the way to another.
fn exposed_on(path: &Path, is_end: bool, links: usize) -> io::Result<Option<PathBuf>> {
    let way: Vec<&Path> = path.ancestors().collect();
    for place in way.into_iter().rev() {
        let found = match fs::symlink_metadata(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        if found.uid() != 0 && found.uid() != os::own_account() {
            return Ok(Some(place.to_owned()));
        }
        let is_last = is_end && place == path;
        if found.is_symlink() {
            let left = links.checked_sub(1).ok_or(io::ErrorKind::InvalidInput)?;
            let to = place.parent().unwrap_or(place).join(fs::read_link(place)?);
            if let Some(exposed) = exposed_on(&to, is_last, left)? {
                return Ok(Some(exposed));
            }
            continue;
        }
        let mode = found.permissions().mode();
        let is_sticky = mode & 0o1000 != 0 && !is_last;
        if mode & 0o022 != 0 && !is_sticky {
            return Ok(Some(place.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn a_way_that_others_could_change_is_exposed() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let mode = |name: &str, mode: u32| {
            fs::set_permissions(at(name), Permissions::from_mode(mode)).unwrap();
        };
        fs::create_dir_all(at("room/deep")).unwrap();
        let found = |name: &str| exposed(&at(name)).unwrap();
        mode("room", 0o755);
        mode("room/deep", 0o755);
        assert_eq!(found("room/deep"), None);
        assert_eq!(found("room/deep/not/there/yet"), None);
        mode("room", 0o775);
        assert_eq!(found("room/deep/not"), Some(at("room")));
        // Others may make files there, and replace none.
        mode("room", 0o1777);
        assert_eq!(found("room/deep"), None);
        assert_eq!(found("room"), Some(at("room")));
        std::os::unix::fs::symlink("room/deep", at("link")).unwrap();
        assert_eq!(found("link/file"), None);
        mode("room", 0o777);
        assert_eq!(found("link/file"), Some(at("room")));
        mode("room", 0o755);
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        assert!(exposed(&at("loop")).is_err());
        if os::own_account() != 0 {
            eprintln!("skipped: only root can give a directory away");
            return;
        }
        std::os::unix::fs::chown(at("room/deep"), Some(65_534), None).unwrap();
        assert_eq!(found("room/deep/file"), Some(at("room/deep")));
        assert_eq!(found("link/file"), Some(at("room/deep")));
        std::os::unix::fs::lchown(at("link"), Some(65_534), None).unwrap();
        assert_eq!(found("link/file"), Some(at("link")));
    }
}
