//! The banner of a start without a config: addresses, blocked categories, two lines to try.

use std::io::Write as _;
use std::net::SocketAddr;

use crate::policy::Snapshot;

/// Prints the banner to stdout; `servers` are the upstream servers.
pub fn print(addresses: &[SocketAddr], admin: SocketAddr, servers: &[String], policy: &Snapshot) {
    // A closed stdout is no reason to end a gateway.
    let _ = write!(std::io::stdout(), "{}", text(addresses, admin, servers, policy));
}

fn text(
    addresses: &[SocketAddr],
    admin: SocketAddr,
    servers: &[String],
    snapshot: &Snapshot,
) -> String {
    let listen: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let blocked: Vec<&str> = snapshot
        .groups()
        .first()
        .into_iter()
        .flat_map(|group| group.ever_blocked().iter())
        .map(|category| snapshot.taxonomy().category(category).id.as_str())
        .collect();
    let first = addresses.first();
    let (ip, port) = first.map_or(("127.0.0.1".into(), 53), |a| (a.ip().to_string(), a.port()));
    format!(
        "lachan {version}, with the embedded config: a demonstration, not yet a school's filter.\n\
         \n\
         \x20 queries   {listen} (UDP and TCP)\n\
         \x20 admin     http://{admin}/metrics  /healthz  /readyz\n\
         \x20 upstream  {servers}\n\
         \x20 blocks    {names} starter names in: {blocked}\n\
         \n\
         Try, in another terminal:\n\
         \n\
         \x20 dig @{ip} -p {port} adult.test.lachan.example    # blocked: NXDOMAIN, EDE 15\n\
         \x20 dig @{ip} -p {port} example.com                  # allowed: what upstream says\n\
         \n\
         A config of your own: `lachan serve --config FILE`; every key is in config/gateway.toml.\n",
        version = env!("CARGO_PKG_VERSION"),
        listen = listen.join(", "),
        servers = if servers.is_empty() { "none yet".into() } else { servers.join(", ") },
        names = snapshot.lists().len(),
        blocked = blocked.join(" "),
    )
}
