//! The rehearsal of a program that is not installed: beside the running gateway, under the service's account.
//!
//! ```text
//! package ▶ unpacked aside ▶ `check` of the gateway's own config
//!                          ▶ `serve` on ports of loopback, with a copy of the state ▶ ready ▶ self-test
//! ```
//!
//! Laws: nothing of the rehearsal writes to the state of the gateway or is heard by its clients; what fails
//! with the installed program as well is no fault of the new one, and what the machine does to it is none either:
//! a full disk, a program that cannot be started, the kernel's kill where memory is short.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io::ErrorKind::{OutOfMemory, WouldBlock};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use toml::{Table, Value};

use super::host::{self, ServiceAccount};
use super::served::{FailedRows, failing, new_failures, ready};
use crate::staff::token::Token;
use crate::sys::command::deb::{self, PackageFault};
use crate::sys::command::{ended_within, last};
use crate::sys::read;

/// Time limit of a check, of a start and of a copy: a slow box compiles a million names.
const LIMIT: Duration = Duration::from_secs(600);
/// How often a start is tried: another program may have one of the ports.
const STARTS: u16 = 3;
/// The signal that no program can refuse (signal(7)).
const SIGKILL: i32 = 9;
/// Ports from which some are drawn.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// The derived config, beside the gateway's own: what that names is found from there.
const DERIVED: &str = ".lachan-upgrade.toml";

/// Why a rehearsal did not pass.
#[derive(Debug)]
pub(super) enum RehearsalFault {
    /// The new program is to blame.
    Program(String),
    /// The installed program fails in the same way.
    Both(String),
    /// The machine is to blame: its disk, its memory, its programs.
    Machine(String),
}

/// What is rehearsed.
pub(super) struct ProgramRehearsal<'a> {
    /// The package.
    pub package: &'a Path,
    /// The program that is installed.
    pub installed: &'a Path,
    /// The gateway's config.
    pub config: &'a Path,
    /// Its state directory.
    pub state: &'a Path,
    /// A directory for all of it.
    pub scratch: &'a Path,
    /// Admin address and token of the running gateway.
    pub running: (SocketAddr, &'a Path),
    /// Rows that fail in it.
    pub before: &'a FailedRows,
}

impl ProgramRehearsal<'_> {
    /// Rehearses; what it leaves is removed.
    pub(super) fn run(&self) -> Result<(), RehearsalFault> {
        let derived = self.config.with_file_name(DERIVED);
        let ended = self.run_in(&derived);
        let _ = fs::remove_file(&derived);
        let _ = fs::remove_dir_all(self.scratch);
        ended
    }

    fn run_in(&self, derived: &Path) -> Result<(), RehearsalFault> {
        let machine = |path: &Path, error: io::Error| {
            RehearsalFault::Machine(format!("{}: {error}", path.display()))
        };
        let of_scratch = |error| machine(self.scratch, error);
        let account = ServiceAccount::of(self.state).map_err(|error| machine(self.state, error))?;
        let (files, own) = (self.scratch.join("files"), self.scratch.join("own"));
        // What a run that was cut off has left.
        let _ = fs::remove_dir_all(self.scratch);
        for directory in [self.scratch, &files, &own] {
            fs::create_dir_all(directory).map_err(of_scratch)?;
            fs::set_permissions(directory, Permissions::from_mode(0o755)).map_err(of_scratch)?;
        }
        account.own(&own).map_err(of_scratch)?;
        deb::unpack(self.package, &files)?;
        let new = files.join("usr/bin/lachan");
        self.check_installed(account, self.config)?;
        self.check(account, &new, self.config)?;
        let state = own.join("state");
        self.copy_state(account, &state).map_err(RehearsalFault::Machine)?;
        let text = read::text(self.config).map_err(|error| machine(self.config, error))?;
        let mut why = String::new();
        for start in 0..STARTS {
            let first = PORTS.start + rand::random::<u16>() % (PORTS.end - PORTS.start) + start;
            let aside = aside(&text, &state, first).map_err(RehearsalFault::Machine)?;
            write_new(derived, &aside.text).map_err(|error| machine(derived, error))?;
            // What a derived config lacks is no fault of the new program either.
            self.check_installed(account, derived)?;
            match self.serve(account, &new, derived, aside.admin, &state) {
                Err(Served::Ended(text)) => why = text,
                Err(Served::Fault(fault)) => return Err(fault),
                Ok(()) => return Ok(()),
            }
        }
        Err(RehearsalFault::Program(why))
    }

    /// Runs `check` of the installed program: what fails there is no fault of the new one.
    fn check_installed(
        &self,
        account: ServiceAccount,
        config: &Path,
    ) -> Result<(), RehearsalFault> {
        self.check(account, self.installed, config).map_err(|fault| match fault {
            RehearsalFault::Program(why) => RehearsalFault::Both(why),
            fault => fault,
        })
    }

    /// Runs `check` of a program.
    fn check(
        &self,
        account: ServiceAccount,
        program: &Path,
        config: &Path,
    ) -> Result<(), RehearsalFault> {
        let log = self.scratch.join("check.log");
        let mut command = account.command(program);
        command.arg("check").arg(config).env("STATE_DIRECTORY", self.state);
        let failed = |why: &str| format!("`lachan check {}`: {why}", config.display());
        let system = |error: io::Error| RehearsalFault::Machine(failed(&error.to_string()));
        host::into_file(&mut command, &log).map_err(system)?;
        let mut child = command.spawn().map_err(|error| {
            // The package has no program, or one of another architecture.
            let is_its_own = !matches!(error.kind(), OutOfMemory | WouldBlock);
            let why = failed(&error.to_string());
            if is_its_own { RehearsalFault::Program(why) } else { RehearsalFault::Machine(why) }
        })?;
        match ended_within(&mut child, LIMIT).map_err(system)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(blamed(status, failed(&format!("{status}: {}", end_of(&log))))),
            None => Err(RehearsalFault::Program(failed("no end"))),
        }
    }

    /// Copies the state of the gateway, under its account: root follows no link of it.
    fn copy_state(&self, account: ServiceAccount, to: &Path) -> Result<(), String> {
        let mut command = account.command(Path::new("cp"));
        command.args(["--archive", "--reflink=auto", "--"]).arg(self.state).arg(to);
        let log = self.scratch.join("copy.log");
        let failed = |error: io::Error| format!("the copy of the state: {error}");
        host::into_file(&mut command, &log).map_err(failed)?;
        let mut child = command.spawn().map_err(failed)?;
        match ended_within(&mut child, LIMIT).map_err(failed)? {
            Some(status) if status.success() => Ok(()),
            _ => Err(format!("the copy of the state: {}", end_of(&log))),
        }
    }

    /// Serves aside, and lets the program ask itself.
    fn serve(
        &self,
        account: ServiceAccount,
        new: &Path,
        derived: &Path,
        admin: SocketAddr,
        state: &Path,
    ) -> Result<(), Served> {
        let machine = |why: String| Served::Fault(RehearsalFault::Machine(why));
        let program = |why: String| Served::Fault(RehearsalFault::Program(why));
        let log = self.scratch.join("serve.log");
        let mut command = account.command(new);
        command.arg("serve").arg("--config").arg(derived);
        host::into_file(&mut command, &log).map_err(|error| machine(error.to_string()))?;
        // It was started for its check a moment ago.
        let mut child = command.spawn().map_err(|error| machine(error.to_string()))?;
        let mut killed = None;
        let is_up = host::until(LIMIT, || match child.try_wait() {
            Ok(None) => Ok(ready(admin)),
            Ok(Some(status)) => {
                let why = format!("`lachan serve`: {status}: {}", end_of(&log));
                killed = is_killed(status).then(|| why.clone());
                Err(why)
            }
            Err(error) => {
                killed = Some(error.to_string());
                Err(error.to_string())
            }
        });
        let ended = match is_up {
            Err(why) if killed.is_some() => Err(machine(why)),
            Err(why) => Err(Served::Ended(why)),
            Ok(false) => Err(program(format!("it does not become ready: {}", end_of(&log)))),
            Ok(true) => match failing(admin, &state.join(Token::ADMIN)) {
                Ok(now) => self.compare(&now).map_err(Served::Fault),
                // Killed while it asked itself.
                Err(why) => match child.try_wait() {
                    Ok(Some(status)) => Err(Served::Fault(blamed(status, why))),
                    _ => Err(program(why)),
                },
            },
        };
        let _ = child.kill();
        let _ = child.wait();
        ended
    }

    /// Compares rows with those of the running gateway, which is asked again where some fail: a server
    /// upstream may have gone meanwhile.
    fn compare(&self, now: &FailedRows) -> Result<(), RehearsalFault> {
        let Some(why) = new_failures(now, self.before) else { return Ok(()) };
        let (admin, token) = self.running;
        let own = failing(admin, token).unwrap_or_default();
        let own = own.union(self.before).cloned().collect();
        match new_failures(now, &own) {
            Some(why) => Err(RehearsalFault::Program(why)),
            None => Err(RehearsalFault::Both(why)),
        }
    }
}

/// Why serving aside did not pass.
enum Served {
    /// The program ended before it was ready: another one may have a port.
    Ended(String),
    Fault(RehearsalFault),
}

/// Whether the kernel or a person killed a program: nothing of its own sends SIGKILL.
fn is_killed(status: ExitStatus) -> bool {
    status.signal() == Some(SIGKILL)
}

/// The fault of a program that ended.
fn blamed(status: ExitStatus, why: String) -> RehearsalFault {
    if is_killed(status) { RehearsalFault::Machine(why) } else { RehearsalFault::Program(why) }
}

impl From<PackageFault> for RehearsalFault {
    fn from(fault: PackageFault) -> Self {
        match fault {
            PackageFault::Machine(_) => Self::Machine(fault.to_string()),
            PackageFault::Unread(_) | PackageFault::Other { .. } => {
                Self::Program(fault.to_string())
            }
        }
    }
}

/// Writes a file that everybody may read, in the place of what has its name: a link is never followed.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_permissions(Permissions::from_mode(0o644))
}

fn end_of(log: &Path) -> String {
    last(&String::from_utf8_lossy(&fs::read(log).unwrap_or_default()))
}

/// A config that serves aside.
#[derive(Debug)]
struct AsideConfig {
    text: String,
    admin: SocketAddr,
}

/// The config of a gateway with other places: listeners on loopback from a port on, its state elsewhere, no
/// repository that is polled. What else it says stays, so that this policy is the gateway's own.
fn aside(text: &str, state: &Path, first: u16) -> Result<AsideConfig, String> {
    let mut config: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut ports = BTreeMap::new();
    let mut place = |given: &str| {
        let next = first.saturating_add(u16::try_from(ports.len()).unwrap_or(u16::MAX));
        let port = ports.entry(given.to_owned()).or_insert(next);
        SocketAddr::from(([127, 0, 0, 1], *port))
    };
    for (name, keys) in [("listen", &["dns", "dot", "doh"][..]), ("portal", &["listen"])] {
        let Some(table) = config.get_mut(name).and_then(Value::as_table_mut) else { continue };
        if name == "portal" && !table.contains_key("addresses") {
            let hosts = table.get("listen").and_then(Value::as_array).into_iter().flatten();
            let hosts = hosts.filter_map(|one| one.as_str()?.parse::<SocketAddr>().ok());
            let hosts = hosts.filter(|one| !one.ip().is_unspecified());
            let hosts: Vec<Value> = hosts.map(|one| one.ip().to_string().into()).collect();
            if !hosts.is_empty() {
                table.insert("addresses".into(), Value::Array(hosts));
            }
        }
        for key in keys {
            let Some(given) = table.get_mut(*key).and_then(Value::as_array_mut) else { continue };
            moved(given, &mut place);
        }
    }
    let groups = config.get_mut("group").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten().filter_map(Value::as_table_mut) {
        if let Some(given) = group.get_mut("listen").and_then(Value::as_array_mut) {
            moved(given, &mut place);
        }
    }
    // Without [listen] the gateway has the usual place of one without a config.
    if !config.get("listen").and_then(Value::as_table).is_some_and(|it| it.contains_key("dns")) {
        let own = place("dns").to_string();
        let listen = table(&mut config, "listen")?;
        listen.insert("dns".into(), Value::Array(vec![own.into()]));
    }
    let address = place("admin");
    let admin = table(&mut config, "admin")?;
    admin.insert("listen".into(), address.to_string().into());
    admin.remove("token");
    let own = PathBuf::from(state).display().to_string();
    table(&mut config, "state")?.insert("dir".into(), own.into());
    if let Some(update) = config.get_mut("update").and_then(Value::as_table_mut) {
        for key in ["urls", "directory", "nudge", "nudge_every"] {
            update.remove(key);
        }
    }
    let text = toml::to_string(&config).map_err(|error| error.to_string())?;
    Ok(AsideConfig { text, admin: address })
}

fn moved(given: &mut [Value], place: &mut impl FnMut(&str) -> SocketAddr) {
    for one in given {
        if let Some(text) = one.as_str() {
            *one = place(text).to_string().into();
        }
    }
}

fn table<'a>(config: &'a mut Table, name: &str) -> Result<&'a mut Table, String> {
    let value = config.entry(name).or_insert_with(|| Value::Table(Table::new()));
    value.as_table_mut().ok_or_else(|| format!("`{name}` is no table"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_text;

    #[test]
    fn all_listeners_are_on_loopback_and_groups_keep_theirs() {
        let text = "[school]\nid = \"a\"\n[listen]\ndns = [\"10.20.0.1:53\", \"10.20.0.2:53\"]\n\
            [admin]\nlisten = \"10.0.0.1:9153\"\ntoken = \"/etc/token\"\n[portal]\nlisten = [\"10.20.0.1:80\"]\n\
            [update]\nroot = \"/root.json\"\nurls = [\"https://a.example/\"]\n\
            [[group]]\nname = \"staff\"\nlevel = \"staff\"\nlisten = [\"10.20.0.2:53\"]\n";
        let made = aside(text, Path::new("/scratch/state"), 20_000).unwrap();
        let config = load_text(&made.text, "aside.toml", Path::new("/etc/lachan")).unwrap();
        let all: Vec<SocketAddr> = config
            .listen
            .all()
            .chain([config.admin.listen])
            .chain(config.portal.unwrap().listen)
            .collect();
        assert!(all.iter().all(|one| one.ip().is_loopback()), "{all:?}");
        let ports: std::collections::BTreeSet<u16> = all.iter().map(SocketAddr::port).collect();
        assert_eq!((ports.len(), all.len()), (4, 4), "{all:?}");
        assert_eq!(config.admin.listen, made.admin);
        assert!(config.admin.token.is_none() && config.update.urls.is_empty());
        assert_eq!(config.state.dir.as_deref(), Some(Path::new("/scratch/state")));
        let own = config.groups.iter().find(|group| group.name == "staff").unwrap();
        assert!(config.listen.dns.contains(&own.listeners[0]), "{:?}", own.listeners);
    }

    #[test]
    fn what_is_killed_from_outside_is_not_to_blame() {
        let ended =
            |script: &str| std::process::Command::new("sh").args(["-c", script]).status().unwrap();
        let fault = |script| blamed(ended(script), String::new());
        assert!(matches!(fault("kill -KILL $$"), RehearsalFault::Machine(_)));
        assert!(matches!(fault("kill -SEGV $$"), RehearsalFault::Program(_)));
        assert!(matches!(fault("exit 137"), RehearsalFault::Program(_)));
    }

    /// A rehearsal of a script in the place of the new program.
    fn rehearsed(script: &str) -> RehearsalFault {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let program = |name: &str, text: &str| {
            fs::write(at(name), format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(at(name), Permissions::from_mode(0o755)).unwrap();
            at(name)
        };
        fs::create_dir(at("scratch")).unwrap();
        fs::create_dir(at("state")).unwrap();
        fs::write(at("gateway.toml"), "").unwrap();
        let installed = program("installed", "exit 0");
        let new = program("new", script);
        let before = FailedRows::new();
        let rehearsal = ProgramRehearsal {
            package: &at("none"),
            installed: &installed,
            config: &at("gateway.toml"),
            state: &at("state"),
            scratch: &at("scratch"),
            running: (SocketAddr::from(([127, 0, 0, 1], 1)), &at("token")),
            before: &before,
        };
        let account = ServiceAccount::of(&at("state")).unwrap();
        rehearsal.check_installed(account, &at("gateway.toml")).unwrap();
        rehearsal.check(account, &new, &at("gateway.toml")).unwrap_err()
    }

    #[test]
    fn a_check_blames_the_program_the_kernel_or_the_disk() {
        assert!(matches!(rehearsed("exit 1"), RehearsalFault::Program(_)));
        assert!(matches!(rehearsed("kill -KILL $$"), RehearsalFault::Machine(_)));
    }
}
