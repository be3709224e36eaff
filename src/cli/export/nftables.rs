//! `lachan export nftables`: firewall rules against resolvers other than this one.
//!
//! A table of its own for a gateway that is the router of its clients. It redirects port 53 of
//! every other resolver to the gateway, and rejects DNS over TLS and QUIC to others and known
//! addresses of DNS over HTTPS. Loading replaces it whole; no other table is changed.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::cli::export::config::from_config;
use crate::cli::export::networks::{clients, known_doh, shortest};
use crate::config::Config;
use crate::lang::Message;

/// Arguments of `export nftables`.
#[derive(Debug, clap::Args)]
pub(super) struct NftablesArguments {
    /// The config file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The interface of the clients; may be given many times. By default any.
    #[arg(long = "interface", value_name = "NAME", value_parser = interface)]
    interfaces: Vec<String>,
}

/// The rules.
pub(super) fn exported(arguments: &NftablesArguments) -> Result<String, String> {
    from_config(&arguments.config, |config| {
        nftables(config, &arguments.interfaces).map_err(Message::english)
    })
}

/// Checks the name of an interface: it is written into the rules as it is.
fn interface(text: &str) -> Result<String, String> {
    let is_right = (1..=15).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b));
    let allowed =
        "the name of an interface has 1 to 15 ASCII letters, digits and `._-@`, such as `eth0`";
    if is_right { Ok(text.to_owned()) } else { Err(allowed.to_owned()) }
}

/// The addresses of one family.
struct Family {
    /// `ip` or `ip6`.
    word: &'static str,
    /// The type of a set of them.
    kind: &'static str,
    /// Suffix of the names of its sets.
    suffix: &'static str,
    clients: Vec<IpNet>,
    doh: Vec<IpNet>,
    listener: Option<SocketAddr>,
}

/// The table; or a message where no client could reach a listener.
fn nftables(config: &Config, interfaces: &[String]) -> Result<String, String> {
    let doh = known_doh()?;
    let families = [true, false].map(|is_v4| Family {
        word: if is_v4 { "ip" } else { "ip6" },
        kind: if is_v4 { "ipv4_addr" } else { "ipv6_addr" },
        suffix: if is_v4 { "4" } else { "6" },
        clients: clients(config).filter(|net| net.addr().is_ipv4() == is_v4).collect(),
        doh: doh.iter().copied().filter(|net| net.addr().is_ipv4() == is_v4).collect(),
        listener: listener(config, is_v4),
    });
    if families.iter().all(|family| family.listener.is_none()) {
        return Err("`[listen] dns` has loopback addresses only, where no client can be sent; \
                    add the gateway's address in its network, or `0.0.0.0:53`"
            .into());
    }
    let mut out = String::from(
        "#!/usr/sbin/nft -f\n\
         # Made by `lachan export nftables`; for a gateway that is the router of its clients.\n\
         # Loading it again replaces it whole. Known addresses of DNS over HTTPS: 2026-11-25.\n\n\
         table inet lachan\n\
         delete table inet lachan\n\n\
         table inet lachan {\n",
    );
    for family in &families {
        out += &set(&format!("clients{}", family.suffix), family.kind, &family.clients);
        out += &set(&format!("doh{}", family.suffix), family.kind, &family.doh);
    }
    let from = match interfaces {
        [] => String::new(),
        [one] => format!("iifname \"{one}\" "),
        many => format!("iifname {{ \"{}\" }} ", many.join("\", \"")),
    };
    out += "    # What clients ask anybody comes here.\n    chain asked_elsewhere {\n        \
            type nat hook prerouting priority dstnat; policy accept;\n";
    for family in families.iter().filter(|family| !family.clients.is_empty()) {
        let Some(listener) = family.listener else { continue };
        let Family { word, suffix, .. } = family;
        let action = match (listener.ip().is_unspecified(), listener) {
            (true, _) => format!("redirect to :{}", listener.port()),
            (false, SocketAddr::V4(address)) => format!("dnat ip to {address}"),
            (false, SocketAddr::V6(address)) => format!("dnat ip6 to {address}"),
        };
        for proto in ["udp", "tcp"] {
            let _ = writeln!(
                out,
                "        {from}{word} saddr @clients{suffix} {proto} dport 53 {action}"
            );
        }
    }
    out += "    }\n\n    # DNS over TLS and QUIC, and known DNS over HTTPS, to anybody else.\n    \
            chain gone_round {\n        type filter hook forward priority filter - 10; policy accept;\n";
    for Family { word, suffix, clients, .. } in &families {
        if clients.is_empty() {
            continue;
        }
        let whom = format!("        {from}{word} saddr @clients{suffix}");
        let _ = writeln!(out, "{whom} tcp dport {{ 53, 853 }} reject with tcp reset");
        let _ = writeln!(out, "{whom} udp dport {{ 53, 853 }} reject");
        let _ =
            writeln!(out, "{whom} {word} daddr @doh{suffix} tcp dport 443 reject with tcp reset");
        let _ = writeln!(out, "{whom} {word} daddr @doh{suffix} udp dport 443 reject");
    }
    Ok(out + "    }\n}\n")
}

/// The listener that clients of a family can reach.
fn listener(config: &Config, is_v4: bool) -> Option<SocketAddr> {
    let is_reachable =
        |address: &&SocketAddr| !address.ip().is_loopback() && address.is_ipv4() == is_v4;
    config.listen.dns.iter().find(is_reachable).copied()
}

/// A named set; it may be empty.
fn set(name: &str, kind: &str, networks: &[IpNet]) -> String {
    let mut out = format!(
        "    set {name} {{\n        type {kind}\n        flags interval\n        auto-merge\n"
    );
    if !networks.is_empty() {
        let each: Vec<String> = networks.iter().map(shortest).collect();
        let lines: Vec<String> = each.chunks(4).map(|four| four.join(", ")).collect();
        let _ =
            writeln!(out, "        elements = {{ {} }}", lines.join(",\n                     "));
    }
    out + "    }\n\n"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::load_text;

    fn rules_of(text: &str, interfaces: &[&str]) -> Result<String, String> {
        let config = load_text(text, "gateway.toml", Path::new("")).unwrap();
        let interfaces: Vec<String> = interfaces.iter().map(|&name| name.to_owned()).collect();
        nftables(&config, &interfaces)
    }

    #[test]
    fn rules_follow_the_listeners_and_the_networks() {
        let text = "[listen]\ndns = [\"0.0.0.0:53\", \"[fd00:20::1]:5300\"]\n\
                    allow = [\"127.0.0.0/8\", \"10.20.0.0/16\", \"192.168.1.9\", \"fd00:20::/64\"]\n";
        let rules = rules_of(text, &["lan0", "wlan0"]).unwrap();
        let shown: Vec<&str> = rules.lines().filter(|line| !line.contains("elements")).collect();
        for expected in [
            "        iifname { \"lan0\", \"wlan0\" } ip saddr @clients4 udp dport 53 redirect to :53",
            "        iifname { \"lan0\", \"wlan0\" } ip6 saddr @clients6 tcp dport 53 dnat ip6 to [fd00:20::1]:5300",
        ] {
            assert!(shown.contains(&expected), "{rules}");
        }
        assert!(rules.contains("elements = { 10.20.0.0/16, 192.168.1.9 }"), "{rules}");
        assert!(rules.contains("1.1.1.1") && rules.contains("2606:4700:4700::1111"), "{rules}");
        assert!(!rules.contains("127.0.0.0"), "{rules}");
    }

    #[test]
    fn a_gateway_on_loopback_only_cannot_be_redirected_to() {
        let mistake = rules_of("", &[]).unwrap_err();
        assert!(mistake.starts_with("`[listen] dns` has loopback addresses only"), "{mistake}");
        // IPv6 clients are rejected elsewhere all the same.
        let rules = rules_of("[listen]\ndns = [\"10.0.0.1:53\"]\n", &["lan0"]).unwrap();
        assert!(
            rules.contains(
                "iifname \"lan0\" ip saddr @clients4 udp dport 53 dnat ip to 10.0.0.1:53"
            )
        );
        assert!(!rules.contains("ip6 saddr @clients6 udp dport 53 redirect"), "{rules}");
        assert!(rules.contains("ip6 saddr @clients6 udp dport { 53, 853 } reject"), "{rules}");
    }

    #[test]
    fn names_of_interfaces_are_checked() {
        assert!(interface("eth0.20").is_ok());
        for wrong in ["", "a\"b", "x y", "0123456789abcdef"] {
            assert!(interface(wrong).is_err(), "{wrong}");
        }
    }
}
