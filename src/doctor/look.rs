//! Reads the facts of a machine: `/proc`, leases, the disk, the clock. It writes one small file to
//! the state directory and removes it; nothing else is changed, and nothing is sent.
//!
//! `root` is `/`; a test has a folder of its own.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::doctor::facts::{DiskFacts, RtcFact, WriteTrial};
use crate::doctor::handed::{HandedOut, LeaseForm, lease, told};
use crate::doctor::kernel::{BoundSocket, SocketKind, inode, own_v4, own_v6, sockets};
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::acting::Acting;
use crate::sys::{os, read};

/// The longest table of the kernel that is read: some hundred thousand sockets.
const MAX_TABLE: u64 = 32 << 20;
/// The longest lease that is read.
const MAX_LEASE: u64 = 1 << 20;
/// The most processes that are looked through.
const MAX_PROCESSES: usize = 100_000;
/// The most entries of a directory of the state that are looked at, and how deep it goes.
const MAX_ENTRIES: usize = 10_000;
const DEEPEST: usize = 8;

/// Folders with leases: name of a file begins and ends so, and its form.
const LEASES: [(&str, &str, &str, LeaseForm); 4] = [
    ("run/systemd/netif/leases", "", "", LeaseForm::Keys),
    ("var/lib/NetworkManager", "internal-", ".lease", LeaseForm::Keys),
    ("var/lib/dhcp", "dhclient", ".leases", LeaseForm::Dhclient),
    ("var/lib/dhcpcd", "", ".lease", LeaseForm::Message),
];

/// Folders with what router advertisements said to this machine.
const LINKS: &str = "run/systemd/netif/links";

/// The sockets of this machine that wait, and why not all tables could be read.
pub fn waiting(root: &Path) -> (Vec<BoundSocket>, Option<String>) {
    let (mut found, mut unread) = (Vec::new(), None);
    for kind in [SocketKind::Udp, SocketKind::Tcp] {
        for table in kind.tables() {
            let path = root.join("proc/net").join(table);
            match read::octets(&path, MAX_TABLE) {
                Ok(octets) => found.extend(sockets(kind, &String::from_utf8_lossy(&octets))),
                // A kernel without IPv6 has no such table.
                Err(error) if error.kind() == ErrorKind::NotFound && table.ends_with('6') => {}
                Err(error) => unread = Some(format!("{}: {error}", path.display())),
            }
        }
    }
    (found, unread)
}

/// The processes that have these sockets, as far as this user may see: id and name by inode.
pub fn owners(root: &Path, sockets: &[BoundSocket]) -> BTreeMap<u64, Vec<(u32, String)>> {
    let mut found = BTreeMap::<u64, Vec<(u32, String)>>::new();
    let processes = fs::read_dir(root.join("proc")).into_iter().flatten().flatten();
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    for (process, path) in
        processes.filter_map(|entry| Some((number(&entry)?, entry.path()))).take(MAX_PROCESSES)
    {
        for descriptor in fs::read_dir(path.join("fd")).into_iter().flatten().flatten() {
            let link = fs::read_link(descriptor.path()).unwrap_or_default();
            let Some(inode) = link.to_str().and_then(inode) else { continue };
            if !sockets.iter().any(|socket| socket.inode == inode) {
                continue;
            }
            let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
            let owner = (process, name.trim_end().to_owned());
            let owners = found.entry(inode).or_default();
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
    }
    found
}

/// The addresses of this machine.
pub fn own_addresses(root: &Path) -> Vec<IpAddr> {
    let table = |name: &str| {
        let octets = read::octets(&root.join("proc/net").join(name), MAX_TABLE);
        String::from_utf8_lossy(&octets.unwrap_or_default()).into_owned()
    };
    let v4 = own_v4(&table("fib_trie")).into_iter().map(IpAddr::V4);
    v4.chain(own_v6(&table("if_inet6")).into_iter().map(IpAddr::V6)).collect()
}

/// The clock that runs without power.
pub fn rtc(root: &Path) -> RtcFact {
    let clocks = root.join("sys/class/rtc");
    let first = fs::read_dir(&clocks).into_iter().flatten().flatten().next();
    let Some(first) = first else { return RtcFact::Absent };
    match fs::read_to_string(first.path().join("since_epoch")) {
        Ok(text) => text.trim().parse().map_or(RtcFact::Invalid, RtcFact::Seconds),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => RtcFact::Unread,
        // The kernel reads no time from a clock that has none: EINVAL, or an error of its bus.
        Err(_) => RtcFact::Invalid,
    }
}

/// The disk of a state directory; a directory that is not there has that of the next one above it.
pub fn disk(path: &Path) -> DiskFacts {
    let there = path.ancestors().find(|path| path.is_dir());
    let space = there.map_or_else(|| Err(ErrorKind::NotFound.into()), os::file_system);
    let writing = if path.is_dir() { trial(path) } else { WriteTrial::Failed(missing(path)) };
    let owner = fs::metadata(path).map(|directory| directory.uid());
    DiskFacts {
        path: path.to_owned(),
        space: space.map_err(|error: io::Error| error.to_string()),
        writing,
        foreign: owner.ok().and_then(|owner| foreign(path, owner, DEEPEST)),
    }
}

/// The first thing below a directory that is not of the user `owner`. A link is looked at itself; what cannot
/// be looked into is left out.
fn foreign(directory: &Path, owner: u32, deep: usize) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?.take(MAX_ENTRIES).flatten();
    let mut all: Vec<_> = entries.map(|entry| entry.path()).collect();
    all.sort();
    // Where a file system begins, its own checks have a directory of root's.
    all.into_iter().filter(|path| !path.ends_with("lost+found")).find_map(|path| {
        let found = fs::symlink_metadata(&path).ok()?;
        match found.uid() == owner {
            false => Some(path),
            true if found.is_dir() && deep > 0 => foreign(&path, owner, deep - 1),
            true => None,
        }
    })
}

fn missing(path: &Path) -> String {
    fs::metadata(path).err().map_or_else(|| "not a directory".to_owned(), |error| error.to_string())
}

/// Writes a file and removes it.
fn trial(directory: &Path) -> WriteTrial {
    // The gateway refuses it.
    if let Ok(Some(mode)) = StateDir::open_to_others(directory) {
        return WriteTrial::OpenToOthers(mode);
    }
    let path = directory.join(format!(".doctor.{}", std::process::id()));
    let write = || {
        // Root may have blocks of a full disk, and rights, that the gateway has not.
        let _acting = Acting::as_owner_of(directory)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let written = file.write_all(b"lachan doctor\n").and_then(|()| file.sync_all());
        written.and(fs::remove_file(&path))
    };
    match write() {
        Ok(()) => WriteTrial::Done,
        Err(error) => match error.kind() {
            ErrorKind::ReadOnlyFilesystem => WriteTrial::ReadOnly,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => WriteTrial::Full,
            // Root has been told more than that it may not.
            ErrorKind::PermissionDenied if os::own_account() != 0 => WriteTrial::Denied,
            _ => WriteTrial::Failed(error.to_string()),
        },
    }
}

/// The leases of this machine as a client, and the paths that this user may not read.
pub fn leases(root: &Path) -> (Vec<HandedOut>, Vec<PathBuf>) {
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for (folder, begin, end, form) in LEASES {
        let folder = root.join(folder);
        let files = match read::directory(&folder) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                unread.push(folder);
                continue;
            }
            Err(_) => continue,
        };
        for (path, metadata) in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !metadata.is_file() || !name.starts_with(begin) || !name.ends_with(end) {
                continue;
            }
            match read::octets(&path, MAX_LEASE) {
                Ok(octets) => found.extend(lease(&path, form, &octets)),
                Err(_) => unread.push(path),
            }
        }
    }
    (found, unread)
}

/// The resolvers that this machine is told to ask: its resolv.conf, and what systemd-networkd heard.
pub fn resolvers(root: &Path) -> Vec<(PathBuf, Vec<IpAddr>)> {
    let links = read::directory(&root.join(LINKS)).unwrap_or_default();
    let links = links.into_iter().map(|(path, _)| path);
    // Behind the stub of systemd-resolved stands what it was told.
    let files = ["etc/resolv.conf", "run/systemd/resolve/resolv.conf"].map(|name| root.join(name));
    let read = |path: PathBuf| {
        let text = read::octets(&path, MAX_LEASE).ok()?;
        let found = told(&String::from_utf8_lossy(&text));
        (!found.is_empty()).then_some((path, found))
    };
    files.into_iter().chain(links).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn what_a_machine_has_is_found_below_its_root() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(rtc(root.path()), RtcFact::Absent);
        assert_eq!((leases(root.path()), resolvers(root.path())), (Default::default(), vec![]));
        put("sys/class/rtc/rtc0/since_epoch", "1800000000\n");
        put("run/systemd/netif/leases/2", "ADDRESS=192.168.1.5\nDNS=192.168.1.1\n");
        put("var/lib/dhcp/dhclient.eth0.leases", "lease {\n  fixed-address 10.0.0.2;\n}\n");
        put("var/lib/dhcp/dhcpd.leases", "lease 10.0.0.9 {\n}\n");
        put("etc/resolv.conf", "nameserver 192.168.1.1\n");
        put("run/systemd/netif/links/2", "DNS=fe80::1\n");
        assert_eq!(rtc(root.path()), RtcFact::Seconds(1_800_000_000));
        put("sys/class/rtc/rtc0/since_epoch", "\n");
        assert_eq!(rtc(root.path()), RtcFact::Invalid);
        // As where its time is none: a read that fails though everybody may read it.
        fs::remove_file(root.path().join("sys/class/rtc/rtc0/since_epoch")).unwrap();
        put("sys/class/rtc/rtc0/since_epoch/directory", "");
        assert_eq!(rtc(root.path()), RtcFact::Invalid);
        let (found, unread) = leases(root.path());
        let addresses: Vec<_> = found.iter().filter_map(|one| one.address).collect();
        assert_eq!(addresses, [[192_u8, 168, 1, 5], [10, 0, 0, 2]].map(IpAddr::from));
        assert!(unread.is_empty());
        assert_eq!(resolvers(root.path()).len(), 2);
    }

    #[test]
    fn sockets_of_this_process_are_its_own() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (found, unread) = waiting(Path::new("/"));
        assert_eq!(unread, None);
        let ours: Vec<_> = found.into_iter().filter(|one| one.address == address).collect();
        assert_eq!(ours.len(), 1, "{ours:?}");
        let owners = owners(Path::new("/"), &ours);
        assert!(owners[&ours[0].inode].iter().any(|(process, _)| *process == std::process::id()));
    }

    #[test]
    fn what_belongs_to_another_account_is_found_at_any_depth() {
        let state = tempfile::tempdir().unwrap();
        let below = state.path().join("kept/today");
        fs::create_dir_all(&below).unwrap();
        fs::create_dir(state.path().join("lost+found")).unwrap();
        fs::write(below.join("list"), "").unwrap();
        assert_eq!(disk(state.path()).foreign, None);
        if let Err(error) = chown(below.join("list"), Some(12_345), None) {
            eprintln!("skipped: only root can give a file away: {error}");
            return;
        }
        chown(state.path().join("lost+found"), Some(12_345), None).unwrap();
        assert_eq!(disk(state.path()).foreign, Some(below.join("list")));
    }

    #[test]
    fn a_trial_leaves_nothing_behind() {
        let state = tempfile::tempdir().unwrap();
        let found = disk(state.path());
        assert_eq!(found.writing, WriteTrial::Done);
        assert!(found.space.unwrap().free > 0);
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
        let gone = disk(&state.path().join("deep/state"));
        assert!(gone.space.is_ok() && matches!(gone.writing, WriteTrial::Failed(_)), "{gone:?}");
    }
}
