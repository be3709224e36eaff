//! `[upstream]`: servers for names without a zone of their own.

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use crate::config::file::report::Report;
use crate::config::file::shape::UpstreamFile;
use crate::config::file::value::each;
use crate::config::sections::listen::Listen;
use crate::config::sections::server::Server;
use crate::lang::messages;

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

impl Report<'_> {
    /// Checks `[upstream]`.
    pub(in crate::config) fn upstream(&mut self, file: &UpstreamFile, listen: &Listen) -> Upstream {
        let mut upstream = Upstream::default();
        for text in each(&file.servers) {
            if let Some(server) = self.server(text, listen) {
                if upstream.servers.iter().any(|other| is_same(other, &server)) {
                    self.mistake(text.span(), messages::stands_twice(text.get_ref(), "servers"))
                        .hint = Some(messages::remove_one());
                }
                upstream.servers.push(server);
            }
        }
        set_case(&mut upstream.servers, file.case_randomisation);
        upstream.mixes_case = file.case_randomisation.unwrap_or(true);
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

    /// One server. A query must never return to this gateway, so its own listeners are refused.
    pub(in crate::config) fn server(
        &mut self,
        text: &Spanned<String>,
        listen: &Listen,
    ) -> Option<Server> {
        let server: Server = match text.get_ref().parse() {
            Ok(server) => server,
            Err(error) => {
                self.mistake(text.span(), messages::no_server(text.get_ref(), error.message()))
                    .hint = Some(messages::write_server());
                return None;
            }
        };
        if server.transport.has_certificate()
            && let Err(name) = server.certificate()
        {
            self.mistake(text.span(), messages::no_certificate_for(text.get_ref(), name)).hint =
                Some(messages::name_certificate("https://192.0.2.1#dns.example"));
            return None;
        }
        if let Some(own) =
            listen.dns.iter().find(|own| server.is_at(**own, |at| at.ip().is_loopback()))
        {
            self.mistake(text.span(), messages::own_server(text.get_ref(), own)).hint =
                Some(messages::name_another_server());
        }
        Some(server)
    }
}

/// Applies `case_randomisation` to servers without a key of their own.
pub(in crate::config) fn set_case(servers: &mut [Server], key: Option<bool>) {
    for server in servers {
        server.mixes_case = key.unwrap_or(server.mixes_case);
    }
}

/// Whether two texts name one server: label and default port do not matter.
pub(in crate::config) fn is_same(one: &Server, other: &Server) -> bool {
    let place = |server: &Server| (server.transport, server.address);
    place(one) == place(other)
        && one.interface == other.interface
        && one.tls_name == other.tls_name
        && one.path == other.path
}
