//! The service manager: what it is told of this life (`sd_notify(3)`), and the sockets that it stores over
//! a restart (`FileDescriptorStoreMax=` of systemd.service(5)).
//!
//! ```text
//! start    LISTEN_FDS ▸ the sockets of the life before, by name ▸ those of the config are taken
//! ready    FDSTORE=1 for each that is new ▸ READY=1
//! reload   RELOADING=1 ▸ READY=1
//! alive    WATCHDOG=1, thrice in the time that the manager waits for it
//! end      STOPPING=1
//! ```
//!
//! Laws: a stored socket that no config names must be given up before another is opened, since it would
//! take queries that nobody reads; without a manager (`NOTIFY_SOCKET`) nothing is told and nothing is
//! stored. A message that cannot be sent is no reason to stop answering: the manager's own limits tell.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr as LocalAddr, UnixDatagram};
use std::time::Duration;

use tracing::warn;

use crate::sys::os;

/// A turn of this life that the manager waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Queries are answered by the policy in force: after a start, and after each reload.
    Ready,
    /// Config and lists are being read again.
    Reloading,
    /// The threads that answer have made a turn since the last message.
    Alive,
    /// The end has begun.
    Stopping,
}

impl Turn {
    fn message(self) -> &'static [u8] {
        match self {
            Self::Ready => b"READY=1",
            Self::Reloading => b"RELOADING=1",
            Self::Alive => b"WATCHDOG=1",
            Self::Stopping => b"STOPPING=1",
        }
    }
}

/// The manager that started this process; none outside a service of `Type=notify`.
#[derive(Debug, Default)]
pub struct ServiceManager {
    socket: Option<UnixDatagram>,
    patience: Option<Duration>,
}

impl ServiceManager {
    /// The manager that the environment names.
    pub fn of_environment() -> Self {
        let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Self::default() };
        let socket = connected(&path).inspect_err(|error| {
            warn!(%error, "the service manager cannot be told anything: see RestrictAddressFamilies");
        });
        Self { socket: socket.ok(), patience: patience(own("WATCHDOG_PID", "WATCHDOG_USEC")) }
    }

    /// Tells a turn.
    pub fn tell(&self, turn: Turn) {
        if let Some(socket) = &self.socket {
            let _ = socket.send(turn.message());
        }
    }

    /// The time after which a silent process is ended; none without a watchdog.
    pub fn patience(&self) -> Option<Duration> {
        self.socket.as_ref().and(self.patience)
    }
}

/// A socket that leads to the manager: a path, or an abstract name behind `@` (unix(7)).
fn connected(path: &OsStr) -> io::Result<UnixDatagram> {
    let address = match path.as_bytes() {
        [b'@', name @ ..] => LocalAddr::from_abstract_name(name)?,
        _ => LocalAddr::from_pathname(path)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

/// A variable that is meant for the process with the id of another one, where there is one.
fn own(id: &str, name: &str) -> Option<String> {
    let id = std::env::var(id).ok();
    let is_ours = id.is_none_or(|id| id.parse() == Ok(std::process::id()));
    is_ours.then(|| std::env::var(name).ok()).flatten()
}

/// The watchdog's time, of microseconds as text.
fn patience(text: Option<String>) -> Option<Duration> {
    let micros: u64 = text?.parse().ok()?;
    (micros > 0).then(|| Duration::from_micros(micros))
}

/// The sockets that the manager has stored, by name, and those that it is to store.
#[derive(Debug, Default)]
pub struct SocketStore {
    passed: BTreeMap<String, OwnedFd>,
    opened: Vec<(String, OwnedFd)>,
    is_open: bool,
}

impl SocketStore {
    /// What the environment says was passed. Must be called once, at the start: it owns the
    /// descriptors from then on.
    pub fn of_environment(manager: &ServiceManager) -> Self {
        let is_open = manager.socket.is_some();
        let variable =
            |name| std::env::var("LISTEN_PID").ok().and_then(|_| own("LISTEN_PID", name));
        let count = variable("LISTEN_FDS").and_then(|text| text.parse().ok()).unwrap_or(0);
        let names = variable("LISTEN_FDNAMES").unwrap_or_default();
        let passed = os::passed_descriptors(count).into_iter();
        let named = names.split(':').map(str::to_owned).zip(passed).collect();
        Self { passed: named, opened: Vec::new(), is_open }
    }

    /// Closes what was passed and is not wanted, and has the manager forget it.
    pub fn leave(&mut self, manager: &ServiceManager, wanted: &[String]) {
        let (kept, left) = std::mem::take(&mut self.passed)
            .into_iter()
            .partition(|(name, _)| wanted.contains(name));
        self.passed = kept;
        let left: BTreeMap<_, _> = left;
        for name in left.keys() {
            forget(manager, name);
        }
    }

    /// The socket of a name, which the manager goes on storing.
    pub fn take(&mut self, name: &str) -> Option<OwnedFd> {
        self.passed.remove(name)
    }

    /// Notes a socket that was opened in this life.
    pub fn note(&mut self, name: String, socket: &impl AsFd) {
        if self.is_open
            && let Ok(copy) = socket.as_fd().try_clone_to_owned()
        {
            self.opened.push((name, copy));
        }
    }

    /// Has the manager store what was opened.
    pub fn store(self, manager: &ServiceManager) {
        let Some(socket) = &manager.socket else { return };
        for (name, opened) in self.opened {
            // FDPOLL=0: an ICMP error is no reason to give a socket up.
            let message = format!("FDSTORE=1\nFDNAME={name}\nFDPOLL=0");
            if let Err(error) = os::send_with_descriptor(socket, message.as_bytes(), opened.as_fd())
            {
                warn!(%error, "a restart may lose queries: a socket is not stored");
            }
        }
    }
}

/// Has the manager forget the socket of a name.
fn forget(manager: &ServiceManager, name: &str) {
    if let Some(socket) = &manager.socket {
        let _ = socket.send(format!("FDSTOREREMOVE=1\nFDNAME={name}").as_bytes());
    }
}

/// The name of a stored socket: what it answers, its address, its number there. None where the system
/// chooses the port: then no two lives have the same address.
pub fn stored_name(kind: &str, address: SocketAddr, number: usize) -> Option<String> {
    // A name has no colon (sd_pid_notify_with_fds(3)).
    let name = || format!("{kind}-{address}-{number}").replace(':', "_");
    (address.port() != 0).then(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager() -> (UnixDatagram, ServiceManager) {
        let (theirs, ours) = UnixDatagram::pair().unwrap();
        (theirs, ServiceManager { socket: Some(ours), patience: None })
    }

    fn heard(theirs: &UnixDatagram) -> String {
        let mut octets = [0; 512];
        let length = theirs.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    }

    #[test]
    fn names_are_of_one_socket_and_have_no_colon() {
        let name = |kind, address: &str| stored_name(kind, address.parse().unwrap(), 1);
        assert_eq!(name("udp", "10.20.0.1:53").unwrap(), "udp-10.20.0.1_53-1");
        assert_eq!(name("dot", "[fd20::1]:853").unwrap(), "dot-[fd20__1]_853-1");
        assert_eq!(name("udp", "127.0.0.1:0"), None);
    }

    #[test]
    fn a_watchdog_needs_a_time() {
        assert_eq!(patience(Some("30000000".into())), Some(Duration::from_secs(30)));
        for text in ["0", "", "-1", "soon"] {
            assert_eq!(patience(Some(text.into())), None, "{text}");
        }
        assert_eq!(ServiceManager { socket: None, patience: Some(Duration::MAX) }.patience(), None);
    }

    #[test]
    fn what_no_config_names_is_given_up_and_the_rest_is_taken() {
        let (theirs, manager) = manager();
        let mut store = SocketStore { is_open: true, ..SocketStore::default() };
        for name in ["kept", "left"] {
            let socket = UnixDatagram::unbound().unwrap();
            store.passed.insert(name.to_owned(), socket.into());
        }
        store.leave(&manager, &["kept".to_owned(), "new".to_owned()]);
        assert_eq!(heard(&theirs), "FDSTOREREMOVE=1\nFDNAME=left");
        assert!(store.take("left").is_none() && store.take("new").is_none());
        assert!(store.take("kept").is_some());
        store.note("new".to_owned(), &theirs);
        store.store(&manager);
        assert_eq!(heard(&theirs), "FDSTORE=1\nFDNAME=new\nFDPOLL=0");
    }

    #[test]
    fn an_abstract_name_is_reached() {
        let name = format!("lachan-test-{}", std::process::id());
        let address = LocalAddr::from_abstract_name(&name).unwrap();
        let theirs = UnixDatagram::bind_addr(&address).unwrap();
        let socket = connected(OsStr::new(&format!("@{name}"))).unwrap();
        ServiceManager { socket: Some(socket), patience: None }.tell(Turn::Reloading);
        assert_eq!(heard(&theirs), "RELOADING=1");
    }
}
