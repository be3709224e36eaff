//! The system's resolvers while the gateway runs: another uplink, another lease, a link that is late.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use crate::config::Config;
use crate::serve::gateway::Gateway;
use crate::upstream::{SystemServers, Upstreams};

/// The interval of looks at the file. It is read, not watched: a file that is mounted over the name
/// (containers) or behind links in directories that come late has no event where it is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Follows resolv.conf, where the config names no servers: at each change and at SIGHUP.
///
/// # Errors
///
/// The error of the signal handler.
pub(super) async fn follow(gateway: Arc<Gateway>, config: Config) -> io::Result<()> {
    let Some(mut system) = SystemServers::of(&config) else { return Ok(()) };
    report(&gateway.upstreams.load());
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        let is_asked = tokio::select! {
            _ = hangup.recv() => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        let looked = tokio::task::spawn_blocking(move || {
            let servers = system.look(is_asked);
            (system, servers)
        });
        let Ok((looked, servers)) = looked.await else {
            error!("the look at the system's resolvers panicked; please report it");
            return Ok(());
        };
        system = looked;
        let Some(servers) = servers else { continue };
        let current = gateway.upstreams.load();
        if current.are(&servers) {
            continue;
        }
        match current.followed_by(&servers) {
            Ok(next) => {
                report(&next);
                gateway.upstreams.store(Arc::new(next));
            }
            Err(error) => warn!("the upstream servers stay as they are: {error}"),
        }
    }
}

fn report(upstreams: &Upstreams) {
    let labels: Vec<&str> = upstreams.servers().iter().map(|server| server.label()).collect();
    if labels.is_empty() {
        warn!("the system names no resolver yet: names that need one get SERVFAIL until it does");
    } else {
        info!(servers = labels.join(", "), "the system's resolvers are asked");
    }
}
