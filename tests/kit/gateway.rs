//! The shell around a policy, without listeners.

use std::net::SocketAddr;

use lachan::config::Config;
use lachan::policy::Snapshot;
use lachan::serve::gateway::Gateway;
use lachan::sys::clock::Clock;
use lachan::upstream::zones::Zones;
use lachan::upstream::{Options, Upstreams};
use tokio::runtime::Runtime;

/// A gateway in a runtime that asks one server over UDP.
pub(crate) fn gateway(
    runtime: &Runtime,
    upstream: SocketAddr,
    options: Options,
    policy: Snapshot,
) -> Gateway {
    let _inside = runtime.enter();
    let server = format!("udp://{upstream}").parse().unwrap();
    let zones = Zones::new(&options);
    let upstreams = Upstreams::new(&[server], options).unwrap();
    let handle = runtime.handle().clone();
    Gateway::new(&Config::embedded(), policy, upstreams, zones, Clock::start(), handle)
}
