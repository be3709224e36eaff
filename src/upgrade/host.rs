//! Programs of this machine: dpkg, apt-get, systemctl, and the account of the service.
//!
//! Law: all but dpkg at work have a limit, or a dead proxy would hold the lock of upgrades for ever.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::directory::is_root;
use crate::release::program::PACKAGE;
use crate::sys::command::{CommandFault, LONG, SHORT, SystemCommand};
use crate::sys::read;

/// The unit of the service.
const UNIT: &str = "lachan.service";
/// Time limit of apt-get: an index and a package over a slow line, not a dead proxy.
const APT: Duration = Duration::from_secs(1200);
/// The pause between two looks at a child.
const PAUSE: Duration = Duration::from_millis(200);
/// The apt source of the department, of which alone an index is asked for.
const SOURCE: &str = "sources.list.d/lachan.sources";

/// What dpkg knows of the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DpkgState {
    /// The version.
    pub version: String,
    /// Whether it is unpacked and configured.
    pub is_whole: bool,
}

/// What dpkg has installed; `None` where it does not know the package.
pub(super) fn installed() -> Result<Option<DpkgState>, String> {
    let format = "--showformat=${db:Status-Abbrev}|${Version}";
    match dpkg("dpkg-query", &["--show", format, PACKAGE]) {
        Ok(text) => Ok(state_of(&text)),
        // It knows no such package (dpkg-query(1), exit status).
        Err(CommandFault::Failed { status, .. }) if status.code() == Some(1) => Ok(None),
        Err(fault) => Err(fault.to_string()),
    }
}

/// The state in `WANTED STATUS ERROR|VERSION`, a letter each; what an administrator wants of the package, as to hold
/// it, says nothing of its files (dpkg-query(1), `db:Status-Abbrev`).
fn state_of(text: &str) -> Option<DpkgState> {
    let (letters, version) = text.split_once('|')?;
    let mut letters = letters.chars().skip(1);
    let (status, error) = (letters.next()?, letters.next().unwrap_or(' '));
    // Not installed, or removed with its config left.
    let is_there = !version.trim().is_empty() && !matches!(status, 'n' | 'c');
    let is_whole = status == 'i' && error == ' ';
    is_there.then(|| DpkgState { version: version.trim().into(), is_whole })
}

/// Asks dpkg's programs.
fn dpkg(program: &str, arguments: &[&str]) -> Result<String, CommandFault> {
    SystemCommand::new(program, SHORT).args(arguments).text()
}

/// One version against another, by Debian's rules.
pub(super) fn compare(one: &str, other: &str) -> Result<Ordering, String> {
    let is = |relation| match dpkg("dpkg", &["--compare-versions", one, relation, other]) {
        Ok(_) => Ok(true),
        Err(CommandFault::Failed { status, .. }) if status.code() == Some(1) => Ok(false),
        Err(fault) => Err(fault.to_string()),
    };
    Ok(match () {
        () if one == other || is("eq")? => Ordering::Equal,
        () if is("gt")? => Ordering::Greater,
        () => Ordering::Less,
    })
}

/// Changes what is installed, without a limit: dpkg that is ended in the middle leaves half a package.
fn change(arguments: &[&str]) -> Result<(), CommandFault> {
    let keep = ["--force-confdef", "--force-confold"];
    SystemCommand::without_limit("dpkg").args(keep).args(arguments).output().map(drop)
}

/// Whether dpkg that failed could not work at all, as where another package manager has its lock: it ends with 1
/// where a package fails, and with 2 where the system does (dpkg(1), exit status).
pub(super) fn is_of_machine(fault: &CommandFault) -> bool {
    !matches!(fault, CommandFault::Failed { status, .. } if status.code() == Some(1))
}

/// Installs a package: the config of the administrator stays, and nobody is asked.
pub(super) fn install(package: &Path) -> Result<(), CommandFault> {
    change(&["--install", &package.display().to_string()])
}

/// Ends what dpkg was interrupted in.
pub(super) fn configure() -> Result<(), String> {
    change(&["--configure", "-a"]).map_err(|fault| fault.to_string())
}

/// Downloads a version by apt to an empty directory; the file. Nothing is believed of it.
pub(super) fn by_apt(version: &str, to: &Path) -> Result<PathBuf, String> {
    let failed = |error: io::Error| format!("{}: {error}", to.display());
    let mut update = vec!["--quiet", "update"];
    let source = format!("Dir::Etc::sourcelist={SOURCE}");
    if Path::new("/etc/apt").join(SOURCE).exists() {
        let only =
            ["-o", &source, "-o", "Dir::Etc::sourceparts=-", "-o", "APT::Get::List-Cleanup=0"];
        update.extend(only);
    }
    let apt_get = || SystemCommand::new("apt-get", APT).in_directory(to);
    let failed_by = |fault: CommandFault| fault.to_string();
    apt_get().args(update).output().map_err(failed_by)?;
    let wanted = format!("{PACKAGE}={version}");
    apt_get().args(["--quiet", "download", &wanted]).output().map_err(failed_by)?;
    let found = read::directory(to).map_err(failed)?.into_iter().map(|(path, _)| path);
    let mut found = found.filter(|path| path.extension().is_some_and(|end| end == "deb"));
    found.next().ok_or_else(|| "apt-get download brought no package".to_owned())
}

/// A property of the service.
fn property(name: &str) -> Result<String, String> {
    let arguments = ["show", "--property", name, "--value", UNIT];
    let shown = SystemCommand::new("systemctl", SHORT).args(arguments).text();
    shown.map(|text| text.trim().to_owned()).map_err(|fault| fault.to_string())
}

/// The state of the service, in systemd's word.
pub(super) fn service_state() -> Result<String, String> {
    property("ActiveState")
}

/// How often the service was started anew by itself, and its process.
pub(super) fn lives() -> Result<(u64, u64), String> {
    let number = |text: String| text.parse().unwrap_or(0);
    Ok((number(property("NRestarts")?), number(property("MainPID")?)))
}

/// Starts the service anew.
pub(super) fn restart() -> Result<(), String> {
    let ended = SystemCommand::new("systemctl", LONG).args(["restart", UNIT]).output();
    ended.map(drop).map_err(|fault| fault.to_string())
}

/// The end of the kernel's name of a file that is not there any more.
const GONE: &str = " (deleted)";

/// The program that is installed: the file of this process, or the one in its place since.
pub(super) fn own_program() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let replaced = own.to_str().and_then(|name| name.strip_suffix(GONE)).map(PathBuf::from);
    Ok(replaced.unwrap_or(own))
}

/// Whether a process runs a file that is not there any more.
pub(super) fn runs_old_file(process: u64) -> bool {
    let link = fs::read_link(format!("/proc/{process}/exe"));
    link.is_ok_and(|file| file.to_string_lossy().ends_with(GONE))
}

/// The account that the service has: the owner of its state directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceAccount {
    user: u32,
    group: u32,
    is_root: bool,
}

impl ServiceAccount {
    /// The owner of a directory.
    pub(super) fn of(state: &Path) -> io::Result<Self> {
        let owner = fs::metadata(state)?;
        let (user, group) = (owner.uid(), owner.gid());
        Ok(Self { user, group, is_root: is_root() })
    }

    /// Gives a directory to it.
    pub(super) fn own(self, directory: &Path) -> io::Result<()> {
        if !self.is_root {
            return Ok(());
        }
        std::os::unix::fs::chown(directory, Some(self.user), Some(self.group))
    }

    /// A command under it, with nothing of this process's environment but what it needs to find files.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = if self.is_root && self.user != 0 {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={}", self.user)).arg(format!("--regid={}", self.group));
            command.args(["--init-groups", "--no-new-privs", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.env_clear().stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
    }
}

/// Sends what a command writes to a file.
pub(super) fn into_file(command: &mut Command, log: &Path) -> io::Result<()> {
    let file = File::create(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    Ok(())
}

/// Waits until something is so, or the time is over; an error ends the wait.
#[expect(clippy::disallowed_methods, reason = "how long a program takes, not what time it is")]
pub(super) fn until(
    limit: Duration,
    mut is_so: impl FnMut() -> Result<bool, String>,
) -> Result<bool, String> {
    let begun = Instant::now();
    loop {
        if is_so()? {
            return Ok(true);
        }
        if begun.elapsed() > limit {
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_package_is_whole_and_one_that_was_cut_off_is_not() {
        let is_whole = |text| state_of(text).map(|state| state.is_whole);
        for whole in ["ii |1", "hi |1", "ri |1", "pi |1"] {
            assert_eq!(is_whole(whole), Some(true), "{whole}");
        }
        for cut in ["iU |1", "iF |1", "iH |1", "hU |1", "iiR|1", "it |1", "iW |1"] {
            assert_eq!(is_whole(cut), Some(false), "{cut}");
        }
        for gone in ["rc |1", "pc |1", "hc |1", "un |", "in |", ""] {
            assert_eq!(is_whole(gone), None, "{gone}");
        }
        assert_eq!(state_of("hi |0.1.0-1\n").unwrap().version, "0.1.0-1");
    }

    #[test]
    fn a_lock_of_another_package_manager_is_no_fault_of_the_package() {
        let of_machine = |script| {
            let ended = SystemCommand::new("sh", SHORT).args(["-c", script]).output();
            is_of_machine(&ended.unwrap_err())
        };
        assert!(of_machine("echo 'dpkg frontend lock was locked by another process' >&2; exit 2"));
        assert!(of_machine("kill -KILL $$"));
        assert!(!of_machine("echo 'installed lachan package pre-installation script' >&2; exit 1"));
    }
}
