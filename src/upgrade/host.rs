//! Programs of this machine: dpkg, apt-get, systemctl, and the account of the service.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::release::program::own_architecture;
use crate::sys::read;

/// The package.
pub(super) const PACKAGE: &str = "lachan";
/// Its unit.
const UNIT: &str = "lachan.service";
/// The most characters of a program's complaint that are told.
const MOST_SAID: usize = 600;
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

/// Runs a program; what it wrote, or why it failed.
fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8");
    let ended = command.output().map_err(|error| format!("{program}: {error}"))?;
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    if ended.status.success() {
        return Ok(text(&ended.stdout));
    }
    let all = text(&ended.stderr);
    Err(format!("{program} {}: {}: {}", arguments.join(" "), ended.status, last(&all)))
}

/// The end of a text.
pub(super) fn last(text: &str) -> String {
    let text = text.trim();
    let many = text.chars().count().saturating_sub(MOST_SAID);
    text.chars().skip(many).map(|one| if one == '\n' { ' ' } else { one }).collect()
}

/// What is installed; `None` where dpkg does not know the package.
pub(super) fn installed() -> Result<Option<DpkgState>, String> {
    let format = "--showformat=${db:Status-Abbrev}|${Version}";
    let Ok(text) = said("dpkg-query", &["--show", format, PACKAGE]) else {
        // That it is not installed is told by its exit code, as is that it is not there.
        return said("dpkg-query", &["--version"]).map(|_| None);
    };
    let (status, version) = text.split_once('|').unwrap_or_default();
    let state = DpkgState { version: version.trim().into(), is_whole: status.trim() == "ii" };
    // Removed, with its config left.
    let is_there = !state.version.is_empty() && !status.starts_with("rc");
    Ok(is_there.then_some(state))
}

/// One version against another, by Debian's rules.
pub(super) fn compare(one: &str, other: &str) -> Result<Ordering, String> {
    let is = |relation| {
        let status =
            Command::new("dpkg").args(["--compare-versions", one, relation, other]).status();
        status.map(|status| status.success()).map_err(|error| format!("dpkg: {error}"))
    };
    Ok(match () {
        () if one == other || is("eq")? => Ordering::Equal,
        () if is("gt")? => Ordering::Greater,
        () => Ordering::Less,
    })
}

/// Installs a package: the config of the administrator stays, and nobody is asked.
pub(super) fn install(package: &Path) -> Result<(), String> {
    let path = package.display().to_string();
    said("dpkg", &["--force-confdef", "--force-confold", "--install", &path]).map(drop)
}

/// Ends what dpkg was interrupted in.
pub(super) fn configure() -> Result<(), String> {
    said("dpkg", &["--force-confdef", "--force-confold", "--configure", "-a"]).map(drop)
}

/// Refuses a package that is not of this name, version and architecture by its own words.
pub(super) fn refuse_other(package: &Path, version: &str) -> Result<(), String> {
    let path = package.display().to_string();
    let fields = ["Package", "Version", "Architecture"];
    let text =
        said("dpkg-deb", &["--show", "--showformat=${Package} ${Version} ${Architecture}", &path])?;
    let wanted = format!("{PACKAGE} {version} {}", own_architecture());
    if text.trim() == wanted {
        return Ok(());
    }
    Err(format!("it says {} `{}`, not `{wanted}`", fields.join(", "), text.trim()))
}

/// Unpacks the files of a package to a directory.
pub(super) fn unpack(package: &Path, to: &Path) -> Result<(), String> {
    let (package, to) = (package.display().to_string(), to.display().to_string());
    said("dpkg-deb", &["--extract", &package, &to]).map(drop)
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
    said("apt-get", &update)?;
    let wanted = format!("{PACKAGE}={version}");
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "download", &wanted]).current_dir(to).stdin(Stdio::null());
    let ended = command.output().map_err(|error| format!("apt-get: {error}"))?;
    if !ended.status.success() {
        return Err(format!("apt-get download: {}", last(&String::from_utf8_lossy(&ended.stderr))));
    }
    let found = read::directory(to).map_err(failed)?.into_iter().map(|(path, _)| path);
    let mut found = found.filter(|path| path.extension().is_some_and(|end| end == "deb"));
    found.next().ok_or_else(|| "apt-get download brought no package".to_owned())
}

/// A property of the service.
fn property(name: &str) -> Result<String, String> {
    let text = said("systemctl", &["show", "--property", name, "--value", UNIT])?;
    Ok(text.trim().to_owned())
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
    said("systemctl", &["restart", UNIT]).map(drop)
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

/// Whether this process may install.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Sends what a command writes to a file.
pub(super) fn into_file(command: &mut Command, log: &Path) -> io::Result<()> {
    let file = File::create(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    Ok(())
}

/// The end of a child, or of its time: then it is killed.
#[expect(clippy::disallowed_methods, reason = "how long a program takes, not what time it is")]
pub(super) fn ended_within(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
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
