//! The facts that a machine is judged by. Nothing here was judged, and nothing is read here.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Serialize;

use crate::config::Listen;
use crate::doctor::handed::HandedOut;
use crate::doctor::kernel::BoundSocket;
use crate::lang::{Message, messages};
use crate::policy::group::time::Trust;
use crate::status::{CertificateStatus, Status};
use crate::sys::os::FileSystem;

/// A part of the examination. The order is that in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExaminedPart {
    /// Whether the gateway runs and answers.
    Gateway,
    /// Ports, and the processes that have them.
    Ports,
    /// The clock, and the one that runs without power.
    Clock,
    /// The disk of the state directory.
    Disk,
    /// Upstream servers.
    Upstreams,
    /// Whether strangers are answered.
    Exposure,
    /// What DHCP and router advertisements hand out.
    SecondResolver,
    /// Resolvers over HTTPS elsewhere.
    Doh,
    /// The lists' ages.
    Lists,
    /// Certificates of encrypted DNS.
    Certificates,
}

impl ExaminedPart {
    /// All parts.
    pub const ALL: [Self; 10] = [
        Self::Gateway,
        Self::Ports,
        Self::Clock,
        Self::Disk,
        Self::Upstreams,
        Self::Exposure,
        Self::SecondResolver,
        Self::Doh,
        Self::Lists,
        Self::Certificates,
    ];

    /// It, for people.
    pub(super) fn message(self) -> Message {
        match self {
            Self::Gateway => messages::part_gateway(),
            Self::Ports => messages::part_ports(),
            Self::Clock => messages::part_clock(),
            Self::Disk => messages::part_disk(),
            Self::Upstreams => messages::part_upstreams(),
            Self::Exposure => messages::part_exposure(),
            Self::SecondResolver => messages::part_second_resolver(),
            Self::Doh => messages::part_doh(),
            Self::Lists => messages::part_lists(),
            Self::Certificates => messages::part_certificates(),
        }
    }
}

/// All facts of a machine.
#[derive(Debug)]
pub struct MachineFacts {
    /// The listeners of the config.
    pub listen: Listen,
    /// The addresses of the portal; none where it is off.
    pub portal: Vec<SocketAddr>,
    /// The admin address, and why no gateway answers there; none where one does.
    pub admin: (SocketAddr, Option<String>),
    /// The gateway's own state, where it was told.
    pub status: Option<Box<Status>>,
    /// Why the gateway does not tell its state though it answers.
    pub untold: Option<String>,
    /// The listen addresses of plain DNS, and whether each answers.
    pub answering: Vec<(SocketAddr, bool)>,
    /// Sockets of this machine that wait.
    pub sockets: Vec<BoundSocket>,
    /// Why not all tables of sockets could be read.
    pub sockets_unread: Option<String>,
    /// The processes of the sockets' inodes, as far as they could be seen: id and name.
    pub owners: BTreeMap<u64, Vec<(u32, String)>>,
    /// The clock.
    pub clock: ClockFacts,
    /// The disk of the state directory.
    pub disk: Option<DiskFacts>,
    /// Upstream servers, and why each has no answer; none where it has.
    pub upstreams: Vec<(String, Option<Message>)>,
    /// Why they cannot be asked at all.
    pub upstreams_unusable: Option<String>,
    /// Addresses of this machine.
    pub own: Vec<IpAddr>,
    /// Leases of this machine as a client.
    pub leases: Vec<HandedOut>,
    /// Files that could not be read for want of rights.
    pub leases_unread: Vec<PathBuf>,
    /// Resolvers that this machine is told to ask, with the file that says so.
    pub told: Vec<(PathBuf, Vec<IpAddr>)>,
    /// The addresses of the servers that the config names.
    pub upstream_addresses: Vec<IpAddr>,
    /// What groups reach of other resolvers.
    pub reach: Result<Vec<GroupReach>, String>,
    /// Lists with their ages in seconds: downloads and packs.
    pub lists: Vec<(String, u64)>,
    /// The certificates.
    pub certificates: Vec<CertificateStatus>,
    /// Server names of groups that no certificate covers.
    pub uncovered: Vec<String>,
    /// Keys of certificates that could not be read for want of rights.
    pub keys_unread: Vec<PathBuf>,
}

/// The clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockFacts {
    /// Civil seconds.
    pub civil: u64,
    /// How far they can be trusted.
    pub trust: Trust,
    /// The clock that runs without power.
    pub rtc: RtcFact,
}

/// The clock that runs without power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RtcFact {
    /// There is none.
    Absent,
    /// There is one, which this user may not read.
    Unread,
    /// There is one without a valid time: its battery is empty, or it was never set.
    Invalid,
    /// Its civil seconds.
    Seconds(u64),
}

/// The disk of the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskFacts {
    /// The directory.
    pub path: PathBuf,
    /// Its file system, or why that is not known.
    pub space: Result<FileSystem, String>,
    /// Whether a file could be written.
    pub writing: WriteTrial,
    /// What lies there, the first, and belongs to another account than the directory.
    pub foreign: Option<PathBuf>,
}

/// The end of a trial to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteTrial {
    /// It was written, and removed.
    Done,
    /// The file system is read-only.
    ReadOnly,
    /// The file system is full.
    Full,
    /// This user may not write there: nothing is known of the gateway's.
    Denied,
    /// Others can write there, with this mode: the gateway does not use it.
    OpenToOthers(u32),
    /// Another error.
    Failed(String),
}

/// What a group reaches of other resolvers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupReach {
    /// The group.
    pub name: String,
    /// Whether teachers are in it: they may use other resolvers.
    pub is_staff: bool,
    /// Canaries that are not answered negatively.
    pub canaries: Vec<String>,
    /// Resolvers over HTTPS that are not blocked.
    pub hosts: Vec<String>,
}
