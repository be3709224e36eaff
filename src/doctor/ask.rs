//! Questions of the examination: each upstream server by itself, and the gateway's own listeners,
//! by the code that the gateway asks upstream with.

use std::net::SocketAddr;
use std::time::Duration;

use crate::config::Config;
use crate::config::sections::server::{Server, ServerTransport};
use crate::dns::message::Question;
use crate::dns::name::Name;
use crate::dns::route::UpstreamId;
use crate::dns::rtype;
use crate::lang::{Message, messages};
use crate::sys::clock::Dates;
use crate::sys::presence::reachable;
use crate::upstream::{AskError, Options, Upstreams, system_servers};

/// The wait for one server: two tries of the usual length, and no longer for a person at a terminal.
const DEADLINE: Duration = Duration::from_secs(3);
/// A name that is always there (RFC 2606 §3): any server upstream has an answer.
const EVERYWHERE: &str = "example.com";
/// A name that a gateway answers itself, whatever is upstream (RFC 6761 §6.3).
const LOCAL: &str = "localhost";

/// The upstream servers of a config, or the system's, and why each has no answer.
///
/// # Errors
///
/// They cannot be used at all.
pub async fn upstreams(
    config: &Config,
    dates: Dates,
) -> Result<Vec<(String, Option<Message>)>, String> {
    let servers = match config.upstream.servers.as_slice() {
        [] => system_servers(config).map_err(|error| error.to_string())?,
        servers => servers.to_vec(),
    };
    let options = Options { deadline: DEADLINE, ..Options::of(&config.upstream, dates) };
    let mut tasks = Vec::new();
    for server in servers {
        let alone = Upstreams::new(std::slice::from_ref(&server), options.clone());
        let asked = async move {
            let alone = alone.map_err(|error| Message::english(error.to_string()))?;
            ask(&alone, EVERYWHERE).await.map_err(why)
        };
        tasks.push((server.label, tokio::spawn(asked)));
    }
    let mut found = Vec::new();
    for (label, task) in tasks {
        let end = task.await.unwrap_or_else(|error| Err(Message::english(error.to_string())));
        found.push((label, end.err()));
    }
    Ok(found)
}

/// The listen addresses of plain DNS, and whether each answers by UDP and by TCP.
pub async fn listeners(listen: &[SocketAddr]) -> Vec<(SocketAddr, bool)> {
    let mut tasks = Vec::new();
    for &address in listen {
        tasks.push((address, tokio::spawn(answers(address))));
    }
    let mut found = Vec::new();
    for (address, task) in tasks {
        found.push((address, task.await.unwrap_or(false)));
    }
    found
}

/// Whether a listener answers by UDP and by TCP. Refusing is an answer.
async fn answers(address: SocketAddr) -> bool {
    for transport in [ServerTransport::Udp, ServerTransport::Tcp] {
        let server = Server {
            label: address.to_string(),
            transport,
            address: reachable(address),
            interface: None,
            tls_name: None,
            path: String::new(),
            mixes_case: false,
        };
        let options = Options { deadline: DEADLINE, ..Options::default() };
        let Ok(alone) = Upstreams::new(&[server], options) else { return false };
        if !matches!(ask(&alone, LOCAL).await, Ok(()) | Err(AskError::Rejected)) {
            return false;
        }
    }
    true
}

async fn ask(servers: &Upstreams, name: &str) -> Result<(), AskError> {
    let Ok(name) = Name::from_text(name) else { return Err(AskError::Malformed) };
    let question = Question {
        name,
        qtype: rtype::A,
        dnssec_ok: false,
        checking_disabled: false,
        upstream: UpstreamId::MAIN,
    };
    servers.ask(&question).await.map(drop)
}

/// Why a server has no answer, for people.
fn why(error: AskError) -> Message {
    match error {
        AskError::Timeout => messages::server_no_answer(DEADLINE.as_secs()),
        AskError::Network => messages::server_not_reached(),
        AskError::Rejected => messages::server_rejects(),
        AskError::Malformed | AskError::Truncated => messages::server_malformed(),
        AskError::NoServer | AskError::Busy => Message::english(error.to_string()),
    }
}
