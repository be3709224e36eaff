//! Packages as dpkg-deb reads them.

use std::fmt;
use std::path::Path;

use super::{CommandFault, LONG, SHORT, SystemCommand};
use crate::release::program::ProgramPackage;

/// Why a package is not the one that is wanted.
#[derive(Debug)]
pub enum PackageFault {
    /// Its control file has another name, version or architecture.
    Other {
        /// What is wanted.
        wanted: String,
        /// What it has.
        found: String,
    },
    /// dpkg-deb cannot read it.
    Unread(CommandFault),
    /// dpkg-deb cannot be run.
    Machine(CommandFault),
}

impl fmt::Display for PackageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { wanted, found } => {
                write!(f, "its control file has `{found}`, not `{wanted}`")
            }
            Self::Unread(fault) | Self::Machine(fault) => fault.fmt(f),
        }
    }
}

impl From<CommandFault> for PackageFault {
    fn from(fault: CommandFault) -> Self {
        match fault {
            CommandFault::Failed { .. } => Self::Unread(fault),
            CommandFault::System { .. } | CommandFault::Late { .. } => Self::Machine(fault),
        }
    }
}

/// Refuses a file that is not this package by its own control file.
///
/// # Errors
///
/// [`PackageFault`].
pub fn refuse_other(file: &Path, package: &ProgramPackage) -> Result<(), PackageFault> {
    let path = file.display().to_string();
    let format = "--showformat=${Package} ${Version} ${Architecture}";
    let found = SystemCommand::new("dpkg-deb", SHORT).args(["--show", format, &path]).text()?;
    let (found, wanted) = (found.trim().to_owned(), package.control());
    if found == wanted { Ok(()) } else { Err(PackageFault::Other { wanted, found }) }
}

/// Unpacks the files of a package to a directory.
///
/// # Errors
///
/// [`PackageFault`]: [`PackageFault::Unread`] only where the package itself is damaged, and not the disk full.
pub fn unpack(file: &Path, to: &Path) -> Result<(), PackageFault> {
    let (path, to) = (file.display().to_string(), to.display().to_string());
    let dpkg_deb = |arguments: &[&str]| SystemCommand::new("dpkg-deb", LONG).args(arguments);
    let Err(fault) = dpkg_deb(&["--extract", &path, &to]).output() else { return Ok(()) };
    // Decompressed to nowhere it needs no disk.
    match dpkg_deb(&["--fsys-tarfile", &path]).output() {
        Ok(_) => Err(PackageFault::Machine(fault)),
        Err(_) => Err(fault.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A package of one file; none on a machine without dpkg-deb.
    fn built(dir: &Path, version: &str) -> Option<std::path::PathBuf> {
        let tree = dir.join("tree");
        fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        fs::create_dir_all(tree.join("usr/bin")).unwrap();
        fs::write(tree.join("usr/bin/lachan"), "x".repeat(100_000)).unwrap();
        let control = format!(
            "Package: lachan\nVersion: {version}\nArchitecture: amd64\nMaintainer: a <a@b>\nDescription: a\n"
        );
        fs::write(tree.join("DEBIAN/control"), control).unwrap();
        let (tree, to) = (tree.display().to_string(), dir.join("one.deb"));
        let file = to.display().to_string();
        let arguments = ["--root-owner-group", "--build", &tree, &file];
        match SystemCommand::new("dpkg-deb", LONG).args(arguments).output() {
            Err(fault) if fault.is_absent() => None,
            built => built.map(|_| to).ok(),
        }
    }

    #[test]
    fn a_package_is_what_its_control_file_has() {
        let scratch = tempfile::tempdir().unwrap();
        let Some(file) = built(scratch.path(), "0.2.0-1") else {
            eprintln!("skipped: no dpkg-deb on this machine");
            return;
        };
        let package = |name: &str| ProgramPackage::of_file(name).unwrap();
        refuse_other(&file, &package("lachan_0.2.0-1_amd64.deb")).unwrap();
        for other in ["lachan_0.2.0-2_amd64.deb", "lachan_0.2.0-1_arm64.deb"] {
            let fault = refuse_other(&file, &package(other)).unwrap_err();
            assert!(matches!(fault, PackageFault::Other { .. }), "{fault}");
        }
        fs::write(&file, "no package").unwrap();
        let fault = refuse_other(&file, &package("lachan_0.2.0-1_amd64.deb")).unwrap_err();
        assert!(matches!(fault, PackageFault::Unread(_)), "{fault}");
    }

    #[test]
    fn a_full_disk_is_no_damage_of_the_package() {
        let scratch = tempfile::tempdir().unwrap();
        let Some(file) = built(scratch.path(), "0.2.0-1") else {
            eprintln!("skipped: no dpkg-deb on this machine");
            return;
        };
        unpack(&file, &scratch.path().join("to")).unwrap();
        assert!(scratch.path().join("to/usr/bin/lachan").exists());
        // A place where no file can be.
        let fault = unpack(&file, Path::new("/proc/self/fdinfo/to")).unwrap_err();
        assert!(matches!(fault, PackageFault::Machine(_)), "{fault}");
        let octets = fs::read(&file).unwrap();
        fs::write(&file, &octets[..octets.len() - 40]).unwrap();
        let fault = unpack(&file, &scratch.path().join("other")).unwrap_err();
        assert!(matches!(fault, PackageFault::Unread(_)), "{fault}");
    }
}
