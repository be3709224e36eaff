//! The shell around a policy, without listeners.

use std::net::SocketAddr;
use std::sync::Arc;

use lachan::config::Config;
use lachan::config::sections::server::Server;
use lachan::load::in_force::Current;
use lachan::serve::gateway::Gateway;
use lachan::sys::clock::Clock;
use lachan::upstream::{Options, Upstreams};
use tokio::runtime::Runtime;

/// A gateway in a runtime that asks one server over UDP.
pub(crate) fn gateway(
    runtime: &Runtime,
    upstream: SocketAddr,
    options: Options,
    current: Current,
) -> Gateway {
    let _inside = runtime.enter();
    let server: Server = format!("udp://{upstream}").parse().unwrap();
    // Its answers are taken as they are: no second opinion on a negative one.
    let server = Server { mixes_case: false, ..server };
    let upstreams = Upstreams::new(&[server], options).unwrap();
    let handle = runtime.handle().clone();
    Gateway::new(&Config::embedded(), Arc::new(current), upstreams, Clock::start(), handle)
}
