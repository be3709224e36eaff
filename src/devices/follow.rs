//! Follows where named devices are, while a group names any.
//!
//! ```text
//! neighbour table (netlink) ─┐
//! lease files (watched) ─────┴▸ Sightings ▸ DeviceTable, swapped
//! ```
//!
//! One task waits for all of it. What the kernel lost of its messages (the socket's buffer was full) is
//! asked for again as a whole; so is the table when leases change, for the wire wins over them.

use std::collections::HashSet;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tracing::warn;

use crate::config::Config;
use crate::devices::leases::{self, LeaseFault, Leases};
use crate::devices::neighbours::{NeighbourEvent, READ, events, request};
use crate::devices::sightings::Sightings;
use crate::devices::table::DeviceTable;
use crate::lang::{Lang, Message, messages};
use crate::metrics::{Sample, families};
use crate::policy::Mac;
use crate::sys::watch::Watch;
use crate::sys::{os, read};

/// The pause before the neighbour table is asked for again where that failed.
const PAUSE: Duration = Duration::from_secs(30);
/// The files that Kea has beside one while it cleans it up, the oldest first: what is in them is not in
/// the file yet. Where the first is there the others are in it.
const KEA_FILES: [&str; 3] = ["completed", "2", "1"];

/// What is looked for, and where.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    macs: HashSet<Mac>,
    neighbours: bool,
    leases: Vec<PathBuf>,
}

/// What does not work.
#[derive(Debug, Default)]
struct Faults {
    neighbours: Option<Message>,
    leases: Vec<(PathBuf, Message)>,
}

/// What does not work, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DeviceFaults {
    /// Why the neighbour table is not followed.
    pub neighbours: Option<String>,
    /// Lease files that cannot be used, and why.
    pub leases: Vec<(String, String)>,
}

/// Where the devices are that the config names.
#[derive(Debug, Default)]
pub struct Devices {
    table: ArcSwap<DeviceTable>,
    wanted: Mutex<Arc<Wanted>>,
    sightings: Mutex<Sightings>,
    faults: Mutex<Faults>,
    /// Another config is in force.
    changed: Notify,
    /// The neighbour table must be asked for again.
    ask_again: Notify,
}

impl Devices {
    /// Follows a config from now on.
    pub fn follow(&self, config: &Config) {
        let macs = config.groups.iter().flat_map(|group| group.claims.macs.iter().copied());
        let wanted = Wanted {
            macs: macs.collect(),
            neighbours: config.devices.neighbours,
            leases: config.devices.leases.clone(),
        };
        let mut before = lock(&self.wanted);
        if **before != wanted {
            *before = Arc::new(wanted);
            self.changed.notify_one();
        }
    }

    /// The table, which is replaced whole: a worker reads it by a cache of its own.
    pub fn table(&self) -> &ArcSwap<DeviceTable> {
        &self.table
    }

    /// The hardware address of a client, if a group names it and it was seen there.
    #[inline]
    pub fn mac_of(&self, client: IpAddr) -> Option<Mac> {
        self.table.load().mac_of(client)
    }

    /// What does not work, in a language.
    pub fn faults(&self, lang: Lang) -> DeviceFaults {
        let faults = lock(&self.faults);
        let leases = faults.leases.iter();
        DeviceFaults {
            neighbours: faults.neighbours.as_ref().map(|why| why.in_lang(lang)),
            leases: leases
                .map(|(path, why)| (path.display().to_string(), why.in_lang(lang)))
                .collect(),
        }
    }

    /// How many addresses of named devices are known.
    pub fn samples(&self) -> Vec<Sample> {
        vec![families::DEVICE_ADDRESSES.sample((), self.table.load().len() as f64)]
    }

    /// Follows the devices until it is aborted.
    pub async fn run(&self) {
        loop {
            let wanted = Arc::clone(&lock(&self.wanted));
            let is_wanted = |mac| wanted.macs.contains(&mac);
            lock(&self.sightings).restart(is_wanted, wanted.leases.len());
            *lock(&self.faults) = Faults::default();
            self.publish();
            if wanted.macs.is_empty() {
                self.changed.notified().await;
                continue;
            }
            tokio::select! {
                () = self.changed.notified() => {}
                never = self.follow_leases(&wanted), if !wanted.leases.is_empty() => match never {},
                never = self.follow_neighbours(&wanted), if wanted.neighbours => match never {},
            }
        }
    }

    fn publish(&self) {
        let table = lock(&self.sightings).table();
        if table.len() + self.table.load().len() > 0 {
            self.table.store(Arc::new(table));
        }
    }

    /// Reads the lease files at each change.
    async fn follow_leases(&self, wanted: &Arc<Wanted>) -> Infallible {
        let mut watch = Watch::start(&wanted.leases);
        loop {
            let asked = Arc::clone(wanted);
            let files = tokio::task::spawn_blocking(move || {
                let is_wanted = |mac| asked.macs.contains(&mac);
                let read = |path: &PathBuf| read_leases(path, &is_wanted);
                asked.leases.iter().map(read).collect::<Vec<_>>()
            });
            let (mut has_changed, mut faults) = (false, Vec::new());
            for (number, file) in files.await.unwrap_or_default().into_iter().enumerate() {
                match file {
                    Ok(found) => {
                        has_changed |= lock(&self.sightings).read_leases(number, found);
                    }
                    Err(why) => faults.push((wanted.leases[number].clone(), why)),
                }
            }
            self.note_leases(faults);
            if has_changed {
                self.publish();
                self.ask_again.notify_one();
            }
            watch.changed().await;
            watch.follow(&wanted.leases);
        }
    }

    /// Notes the files that cannot be used; each is logged once for a cause.
    fn note_leases(&self, found: Vec<(PathBuf, Message)>) {
        let mut faults = lock(&self.faults);
        for fault @ (path, why) in &found {
            if !faults.leases.contains(fault) {
                let why = why.in_lang(Lang::En);
                warn!("{}: the leases stay as they were: {why}", path.display());
            }
        }
        faults.leases = found;
    }

    /// Follows the neighbour table, again after a pause where that fails.
    async fn follow_neighbours(&self, wanted: &Wanted) -> Infallible {
        loop {
            let Err(error) = self.hear_neighbours(wanted).await;
            let why = messages::neighbours_unseen(&error);
            let before = lock(&self.faults).neighbours.replace(why.clone());
            if before.as_ref() != Some(&why) {
                warn!("{}", why.in_lang(Lang::En));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn hear_neighbours(&self, wanted: &Wanted) -> io::Result<Infallible> {
        let socket = os::awaited(os::neighbour_socket()?)?;
        let mut buffer = vec![0; READ];
        self.ask_again.notify_one();
        // The kernel tells the table to one request at a time.
        let mut is_asked = false;
        loop {
            let heard = tokio::select! {
                () = self.ask_again.notified(), if !is_asked => {
                    is_asked = true;
                    let _ = socket.get_ref().write(&request())?;
                    continue;
                }
                heard = hear(&socket, &mut buffer) => heard,
            };
            match heard {
                Ok(octets) => {
                    if self.see(wanted, &buffer[..octets], &mut is_asked)? {
                        self.publish();
                    }
                }
                // The buffer of the socket was full (netlink(7)).
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    is_asked = false;
                    self.ask_again.notify_one();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes what one read tells; whether something is other than before.
    fn see(&self, wanted: &Wanted, octets: &[u8], is_asked: &mut bool) -> io::Result<bool> {
        let mut has_changed = false;
        for event in events(octets) {
            match event {
                NeighbourEvent::Seen(address, mac) => {
                    let device = mac.filter(|mac| wanted.macs.contains(mac));
                    has_changed |= lock(&self.sightings).see(address, device);
                }
                NeighbourEvent::Lost => self.ask_again.notify_one(),
                NeighbourEvent::Done => *is_asked = false,
                // The dump before is not over: what was lost is told by it, or with its end.
                NeighbourEvent::Refused(libc::EBUSY) => *is_asked = true,
                NeighbourEvent::Refused(errno) => return Err(io::Error::from_raw_os_error(errno)),
            }
        }
        lock(&self.faults).neighbours = None;
        Ok(has_changed)
    }
}

/// One read.
async fn hear(socket: &AsyncFd<File>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        let mut ready = socket.readable().await?;
        // What is not ready after all is waited for again.
        if let Ok(read) = ready.try_io(|socket| socket.get_ref().read(buffer)) {
            return read;
        }
    }
}

/// The leases of a file, and of those that Kea has beside it.
fn read_leases(
    path: &Path,
    is_wanted: &dyn Fn(Mac) -> bool,
) -> Result<std::collections::HashMap<IpAddr, Mac>, Message> {
    let octets = |path: &Path| read::octets(path, read::MAX_TEXT);
    let unread = |error: io::Error| messages::leases_unread(error);
    let refused = |fault: LeaseFault| fault.message();
    let own = octets(path).map_err(unread)?;
    let mut leases = Leases::of(is_wanted);
    if own.starts_with(b"address,") {
        for end in KEA_FILES {
            let mut beside = path.to_owned().into_os_string();
            beside.push(".");
            beside.push(end);
            match octets(Path::new(&beside)) {
                Ok(octets) => leases::read(&octets, &mut leases).map_err(refused)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unread(error)),
            }
            if end == KEA_FILES[0] {
                break;
            }
        }
    }
    leases::read(&own, &mut leases).map_err(refused)?;
    Ok(leases.into_found())
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
