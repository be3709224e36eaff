//! Upstream servers: the choice of one, hedged tries at others, and the whole answer back.
//!
//! - [`Upstreams`] has the servers, and [`Upstreams::ask`] is all a resolver needs.
//! - [`ServerState`] is one server's counters and health, for the metrics.
//! - `race` is one question, `servers` one try, `habits` what a server cannot do.
//! - `message` is pure; `transport` has a file for each: `udp`, `stream` (TCP and TLS), `https`.
//!
//! The answer is the octets that the server sent: NXDOMAIN with its SOA, EDE, AD
//! and all. hickory's name server and pool would turn it into an error without
//! them, so this sits below both (`docs/decisions/0001-…`).

use std::sync::Arc;

use self::servers::Asked;
use self::transport::Hint;
use crate::config::Config;
use crate::config::sections::server::Server;
use crate::dns::message::Question;
use crate::sys::clock::Dates;

mod addresses;
mod error;
mod habits;
mod health;
mod message;
mod options;
mod place;
mod race;
mod servers;
mod system;
mod transport;
pub mod zones;

pub use addresses::{addresses, texts};
pub use error::{AskError, UpstreamError};
pub use health::{ExchangeDurations, Failure, ServerState};
#[doc(hidden)]
pub use message::heard_message;
pub use options::Options;
pub use servers::UpstreamAnswer;
pub use system::{SystemServers, refuse_own_servers, system_servers};

/// The servers, their connections and their health. Shared by `Arc`.
#[derive(Debug)]
pub struct Upstreams(Arc<servers::Inner>);

impl Upstreams {
    /// Sets the servers up; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`]; without a server too.
    pub fn new(servers: &[Server], options: Options) -> Result<Self, UpstreamError> {
        if servers.is_empty() {
            return Err(UpstreamError::NoServer("none is given".into()));
        }
        Ok(Self(Arc::new(servers::Inner::new(servers, options)?)))
    }

    /// The servers of a config, or else the system's resolvers: while it has none, every question
    /// is [`AskError::NoServer`].
    ///
    /// # Errors
    ///
    /// [`UpstreamError`], also for a server that is a listener of the config itself.
    pub fn of(config: &Config, dates: Dates) -> Result<Self, UpstreamError> {
        let servers = match config.upstream.servers.as_slice() {
            [] => match system_servers(config) {
                Err(UpstreamError::NoServer(_)) => Vec::new(),
                servers => servers?,
            },
            configured => {
                system::refuse_own(configured, &config.listen)?;
                configured.to_vec()
            }
        };
        let options = Options::of(&config.upstream, dates);
        Ok(Self(Arc::new(servers::Inner::new(&servers, options)?)))
    }

    /// Other servers in the place of these. Those that stay have their connections, counters and
    /// health.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`].
    pub fn followed_by(&self, servers: &[Server]) -> Result<Self, UpstreamError> {
        Ok(Self(Arc::new(self.0.followed_by(servers)?)))
    }

    /// Whether these are the servers, in this order.
    pub fn are(&self, servers: &[Server]) -> bool {
        self.0.servers == servers
    }

    /// The answer of the first server that gave a usable one.
    ///
    /// NOERROR and NXDOMAIN are usable; every other code sends the question to the next server.
    /// When all servers reply so, a SERVFAIL is the answer, since it may say why; other codes are
    /// [`AskError::Rejected`].
    pub async fn ask(&self, question: &Question) -> Result<UpstreamAnswer, AskError> {
        if self.0.states.is_empty() {
            return Err(AskError::NoServer);
        }
        let asked = Arc::new(Asked { question: question.clone(), hint: Hint::default() });
        let order = self.0.order();
        self.0.look_around(&order, &asked);
        race::Race::new(&self.0, asked, &order).run().await
    }

    /// The longest wait of a query for the answer.
    pub fn deadline(&self) -> std::time::Duration {
        self.0.options.deadline
    }

    /// Whether every server is put back for failing again and again.
    pub fn are_down(&self) -> bool {
        !self.0.states.iter().any(|state| state.is_up())
    }

    /// The servers, in the order of the config.
    pub fn servers(&self) -> &[Arc<ServerState>] {
        &self.0.states
    }
}
