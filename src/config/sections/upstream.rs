//! `[upstream]`: servers for names without a zone of their own.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::file::quantity::show_duration;
use crate::config::file::report::Report;
use crate::config::file::server_entry::{ServerEntry, Servers, entries};
use crate::config::file::shape::UpstreamFile;
use crate::config::sections::listen::Listen;
use crate::config::sections::server::Server;
use crate::lang::{Message, messages};

/// Clients give up after two seconds or so.
const DEADLINE: Duration = Duration::from_millis(1900);

/// Upstream servers and their bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Servers in order of preference; empty stands for the system's own.
    pub servers: Vec<Server>,
    /// Whether names are sent in letters of random case (0x20), where a server has no key of its
    /// own.
    pub mixes_case: bool,
    /// The file that names the system's servers.
    pub resolv_conf: PathBuf,
    /// Timeout of one exchange with one server.
    pub timeout: Duration,
    /// Time for which a query waits for upstream; not less than `timeout` by default.
    pub deadline: Duration,
    /// Most queries that wait for upstream at one time.
    pub in_flight: usize,
    /// Most queries that wait for one server at one time.
    pub server_in_flight: usize,
    /// PEM file of certificate authorities beside the built-in ones.
    pub tls_roots: Option<PathBuf>,
    /// The content of that file, read and proven with the config; none where no file was read.
    pub roots: Option<Vec<u8>>,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            mixes_case: true,
            resolv_conf: PathBuf::from("/etc/resolv.conf"),
            timeout: Duration::from_millis(1500),
            deadline: DEADLINE,
            in_flight: 4096,
            server_in_flight: 2048,
            tls_roots: None,
            roots: None,
        }
    }
}

impl Upstream {
    /// Keys that contradict each other, and are no mistake.
    pub fn contradiction(&self) -> Option<Message> {
        let (deadline, timeout) = (self.deadline, self.timeout);
        (deadline < timeout).then(|| {
            messages::deadline_below_timeout(show_duration(deadline), show_duration(timeout))
        })
    }
}

impl Report<'_> {
    /// Checks `[upstream]`.
    pub(in crate::config) fn upstream(&mut self, file: &UpstreamFile, listen: &Listen) -> Upstream {
        let mixes_case = file.case_randomisation.unwrap_or(true);
        let servers = self.servers(&file.servers, mixes_case, listen);
        let mut upstream = Upstream { servers, mixes_case, ..Upstream::default() };
        if let Some(text) = &file.resolv_conf {
            upstream.resolv_conf = self.path("resolv_conf", text).unwrap_or_default();
        }
        self.duration(
            "timeout",
            file.timeout.as_ref(),
            Duration::from_millis(50)..=Duration::from_secs(30),
            &mut upstream.timeout,
        );
        upstream.deadline = DEADLINE.max(upstream.timeout);
        self.duration(
            "deadline",
            file.deadline.as_ref(),
            Duration::from_millis(50)..=Duration::from_secs(30),
            &mut upstream.deadline,
        );
        self.number("in_flight", &file.in_flight, 1..=65_536, &mut upstream.in_flight);
        self.number(
            "server_in_flight",
            &file.server_in_flight,
            1..=65_536,
            &mut upstream.server_in_flight,
        );
        upstream.tls_roots = file.tls_roots.as_ref().and_then(|text| self.path("tls_roots", text));
        upstream
    }

    /// Servers in order of preference, no two alike.
    pub(in crate::config) fn servers(
        &mut self,
        given: &Servers,
        mixes_case: bool,
        listen: &Listen,
    ) -> Vec<Server> {
        let mut servers: Vec<Server> = Vec::new();
        for entry in entries(given) {
            let ServerEntry { server: text, case_randomisation } = entry.get_ref();
            let Some(mut server) = self.server(entry.span(), text, listen) else { continue };
            server.mixes_case = case_randomisation.unwrap_or(mixes_case);
            if servers.iter().any(|other| is_same(other, &server)) {
                self.mistake(entry.span(), messages::stands_twice(text, "servers")).hint =
                    Some(messages::remove_one());
            }
            servers.push(server);
        }
        servers
    }

    /// One server. A query must never return to this gateway, so its own listeners are refused.
    fn server(&mut self, span: Range<usize>, text: &str, listen: &Listen) -> Option<Server> {
        let server: Server = match text.parse() {
            Ok(server) => server,
            Err(error) => {
                self.mistake(span, messages::no_server(text, error.message())).hint =
                    Some(messages::write_server());
                return None;
            }
        };
        if server.transport.has_certificate()
            && let Err(name) = server.certificate()
        {
            self.mistake(span, messages::no_certificate_for(text, name)).hint =
                Some(messages::name_certificate("https://192.0.2.1#dns.example"));
            return None;
        }
        if let Some(own) = listen.all().find(|own| server.is_at(*own, |at| at.ip().is_loopback())) {
            self.mistake(span, messages::own_server(text, own)).hint =
                Some(messages::name_another_server());
        }
        Some(server)
    }
}

/// Whether two texts name one server: label and default port do not matter.
fn is_same(one: &Server, other: &Server) -> bool {
    let place = |server: &Server| (server.transport, server.address);
    place(one) == place(other)
        && one.interface == other.interface
        && one.tls_name == other.tls_name
        && one.path == other.path
}
