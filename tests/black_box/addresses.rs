//! A gateway with several addresses answers from the one that was asked.
//!
//! IPv4 has many addresses on loopback as it is. For IPv6, and for addresses as a school has
//! them, the test runs itself again in a network namespace of its own, where that is allowed.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::support::namespace::{in_a_namespace, ip};
use crate::support::{Ask, Gateway, TWO_GROUPS, TWO_PROFILES, Upstream};

/// A gateway that listens everywhere, for everybody.
fn gateway(listen: &str, upstream: &Upstream) -> Gateway {
    let config = format!("{TWO_GROUPS}{TWO_PROFILES}").replace(
        "dns = [\"127.0.0.1:{dns}\"]",
        &format!("dns = [{listen}]\nallow = [\"0.0.0.0/0\", \"::/0\"]"),
    );
    Gateway::plan(&config).upstream(upstream).start()
}

/// Asks each address by UDP and TCP, from an address that may be another.
///
/// The client's socket is connected: a reply from another address never reaches it.
fn ask_all(gateway: &Gateway, addresses: &[(&str, &str)]) {
    for (number, (from, to)) in addresses.iter().enumerate() {
        let to = SocketAddr::new(to.parse().unwrap(), gateway.dns.port());
        // A miss, whose reply leaves later; a hit, whose reply leaves with the batch; an own one.
        let missed = format!("n{number}.example");
        for name in [missed.as_str(), missed.as_str(), "localhost"] {
            for ask in [Ask::new(name, "A"), Ask::new(name, "A").tcp()] {
                assert_eq!(
                    ask.from(from).expect(to).rcode(),
                    "NOERROR",
                    "{name} from {from} at {to}"
                );
            }
        }
    }
}

#[test]
fn replies_leave_from_the_ipv4_address_that_was_asked() {
    let upstream = Upstream::start();
    let gateway = gateway("\"0.0.0.0:{dns}\"", &upstream);
    let asked = ["127.0.0.1", "127.0.0.2", "127.55.0.3"].map(|to| ("127.0.10.5", to));
    ask_all(&gateway, &asked);
    // Not connected: where the reply comes from is seen.
    let client = UdpSocket::bind("127.0.10.6:0").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let to = SocketAddr::new(IpAddr::from([127, 0, 0, 2]), gateway.dns.port());
    client.send_to(&Ask::new("localhost", "A").to_wire(), to).unwrap();
    assert_eq!(client.recv_from(&mut [0; 512]).unwrap().1, to);
}

#[test]
fn replies_leave_from_the_address_that_was_asked_in_a_namespace() {
    in_a_namespace(
        "addresses::replies_leave_from_the_address_that_was_asked_in_a_namespace",
        inside,
    );
}

/// Two addresses of each family, none of them loopback's own.
fn inside() {
    for line in [
        "address add 10.20.0.1/32 dev lo",
        "address add 10.30.0.1/32 dev lo",
        "-6 address add fd00:20::1/128 dev lo nodad",
        "-6 address add fd00:30::1/128 dev lo nodad",
    ] {
        ip(line);
    }
    let upstream = Upstream::start();
    let gateway = gateway("\"0.0.0.0:{dns}\", \"[::]:{dns}\"", &upstream);
    ask_all(
        &gateway,
        &[
            ("10.20.0.1", "10.20.0.1"),
            ("10.20.0.1", "10.30.0.1"),
            ("10.30.0.1", "10.20.0.1"),
            ("fd00:20::1", "fd00:20::1"),
            ("fd00:20::1", "fd00:30::1"),
            ("fd00:30::1", "fd00:20::1"),
            ("::1", "::1"),
        ],
    );
    let ipv6 = [("proto", "udp"), ("family", "ipv6")];
    gateway.expect_metric("lachan_queries_total", &ipv6, 12.0);
}
