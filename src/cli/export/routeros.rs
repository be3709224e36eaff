//! `lachan export routeros`: a script for a `MikroTik` router that stays the router of the school.
//!
//! ```text
//! dhcp-server network, nd     devices are told of the gateway alone
//! filter  forward, input ─jump─▶ chain lachan: to or from the gateway ▸ return
//!                                             ports 53, 853 · known DNS over HTTPS ▸ reject
//! nat     dstnat ────────jump─▶ chain lachan: the same return; port 53 ▸ the gateway   (--redirect)
//! ```
//!
//! What it made has the comment `lachan` and is removed before it is made anew: the script can be loaded
//! again. No `RouterOS` has read it here; the tests hold it to a grammar of our own.
//!
//! Absent on purpose: a redirect of IPv6, and a masquerade, which would hide devices from the gateway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use ipnet::IpNet;

use crate::cli::export::announced::addresses;
use crate::cli::export::config::from_config;
use crate::cli::export::dhcp::joined;
use crate::cli::export::networks::{clients, known_doh, shortest};
use crate::cli::export::text::{CommentStyle, CommentedLines};
use crate::config::Config;
use crate::lang::{Message, messages};

/// Name of the chains and comment of all that is made.
const MARK: &str = "lachan";

/// Arguments of `export routeros`.
#[derive(Debug, clap::Args)]
pub(super) struct RouterOsArguments {
    /// The config file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// An address of the gateway that devices reach; may be given many times. By default those of
    /// `[listen] dns` with port 53.
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,
    /// An interface of the router where devices are: the rules are for these then, whatever their addresses;
    /// may be given many times. By default they are for the networks of `[listen] allow`.
    #[arg(long = "interface", value_name = "NAME", value_parser = interface)]
    interfaces: Vec<String>,
    /// Let the gateway answer what devices ask other resolvers, over IPv4 and without encryption.
    #[arg(long)]
    redirect: bool,
}

/// The script.
pub(super) fn exported(arguments: &RouterOsArguments) -> Result<String, String> {
    from_config(&arguments.config, |config| script(config, arguments))
}

/// Checks the name of an interface: it stands between quotation marks, without what means something there.
fn interface(text: &str) -> Result<String, String> {
    let is_right = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._-/@+<>:".contains(&b));
    let allowed = "the name of an interface has 1 to 63 ASCII letters, digits, blanks and `._-/@+<>:`, such as `bridge`";
    if is_right { Ok(text.to_owned()) } else { Err(allowed.to_owned()) }
}

/// One family of addresses: its menu and what is in it.
struct Family {
    /// `/ip` or `/ipv6`.
    menu: &'static str,
    /// As people call it.
    name: &'static str,
    gateway: Vec<IpAddr>,
    clients: Vec<IpNet>,
    doh: Vec<IpNet>,
}

fn script(config: &Config, arguments: &RouterOsArguments) -> Result<String, Message> {
    let gateway = addresses(config, &arguments.addresses, |_| true)?;
    let doh = known_doh().map_err(Message::english)?;
    let families = [true, false].map(|is_v4| Family {
        menu: if is_v4 { "/ip" } else { "/ipv6" },
        name: if is_v4 { "IPv4" } else { "IPv6" },
        gateway: gateway.iter().copied().filter(|ip| ip.is_ipv4() == is_v4).collect(),
        clients: clients(config).filter(|net| net.addr().is_ipv4() == is_v4).collect(),
        doh: doh.iter().copied().filter(|net| net.addr().is_ipv4() == is_v4).collect(),
    });
    let mut out = CommentedLines::new(CommentStyle::Hash, config.school.lang);
    out.say(&messages::export_made("lachan export routeros", joined(&gateway, ", ")));
    out.say(&messages::export_unseen("RouterOS 7"));
    out.say(&messages::export_routeros_import("/import lachan.rsc", MARK));
    out.gap();
    handed_out(&mut out, &gateway);
    for family in &families {
        out.gap();
        out.say(&messages::export_routeros_closed(family.name));
        out.say(&messages::export_routeros_order());
        let is_public = |net: &IpNet| !is_local(net.addr());
        let has_public = family.name == "IPv4" || family.clients.iter().any(is_public);
        if arguments.interfaces.is_empty() && !has_public {
            out.say(&messages::export_routeros_public("[listen] allow"));
        }
        closed(&mut out, family, &arguments.interfaces);
    }
    out.gap();
    redirected(&mut out, &gateway, arguments);
    Ok(out.finish())
}

/// Whether an IPv6 address is good in a site alone.
fn is_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local())
}

/// DHCP and router advertisements.
fn handed_out(out: &mut CommentedLines, gateway: &[IpAddr]) {
    out.say(&messages::export_routeros_told());
    let v4: Vec<Ipv4Addr> = gateway.iter().filter_map(|ip| v4(*ip)).collect();
    let v6: Vec<Ipv6Addr> = gateway.iter().filter_map(|ip| v6(*ip)).collect();
    // Without a server of its own, DHCP hands out those that the carrier named.
    out.put(if v4.is_empty() {
        "/ip dhcp-server network set [find] dns-none=yes".to_owned()
    } else {
        format!("/ip dhcp-server network set [find] dns-server={}", joined(&v4, ","))
    });
    out.put(if v6.is_empty() {
        "/ipv6 nd set [find] advertise-dns=no".to_owned()
    } else {
        format!("/ipv6 nd set [find] advertise-dns=yes dns={}", joined(&v6, ","))
    });
}

fn v4(ip: IpAddr) -> Option<Ipv4Addr> {
    if let IpAddr::V4(v4) = ip { Some(v4) } else { None }
}

fn v6(ip: IpAddr) -> Option<Ipv6Addr> {
    if let IpAddr::V6(v6) = ip { Some(v6) } else { None }
}

/// Address lists and filter rules of a family.
fn closed(out: &mut CommentedLines, family: &Family, interfaces: &[String]) {
    let Family { menu, gateway, clients, doh, .. } = family;
    for what in ["filter", "address-list"] {
        out.put(format!("{menu} firewall {what} remove [find comment=\"{MARK}\"]"));
    }
    let mut lists: Vec<(&str, String)> = Vec::new();
    lists.extend(gateway.iter().map(|ip| ("gateway", ip.to_string())));
    if interfaces.is_empty() {
        lists.extend(clients.iter().map(|net| ("clients", shortest(net))));
    }
    lists.extend(doh.iter().map(|net| ("doh", shortest(net))));
    for (list, address) in lists {
        out.put(format!(
            "{menu} firewall address-list add list={MARK}-{list} address={address} comment=\"{MARK}\""
        ));
    }
    let add = |rule: &str| format!("{menu} firewall filter add {rule} comment=\"{MARK}\"");
    if !gateway.is_empty() {
        for side in ["src", "dst"] {
            let list = format!("{side}-address-list={MARK}-gateway");
            out.put(add(&format!("chain={MARK} action=return {list}")));
        }
    }
    let known = format!(" dst-address-list={MARK}-doh");
    for (ports, to) in [("53,853", ""), ("443", known.as_str())] {
        for (protocol, with) in [("tcp", "tcp-reset"), ("udp", "icmp-admin-prohibited")] {
            out.put(add(&format!(
                "chain={MARK} action=reject reject-with={with} protocol={protocol} dst-port={ports}{to}"
            )));
        }
    }
    for chain in ["forward", "input"] {
        for source in sources(interfaces) {
            out.put(add(&format!("chain={chain} action=jump jump-target={MARK} {source}")));
        }
    }
}

/// Matchers of the packets that go through a chain: those from interfaces, or from the clients' networks.
fn sources(interfaces: &[String]) -> Vec<String> {
    if interfaces.is_empty() {
        return vec![format!("src-address-list={MARK}-clients")];
    }
    interfaces.iter().map(|name| format!("in-interface=\"{name}\"")).collect()
}

/// Rules that send plain DNS over IPv4 to the gateway; without `--redirect` those of before are removed.
fn redirected(out: &mut CommentedLines, gateway: &[IpAddr], arguments: &RouterOsArguments) {
    let target = gateway.iter().find_map(|ip| v4(*ip)).filter(|_| arguments.redirect);
    if target.is_some() {
        out.say(&messages::export_routeros_redirect());
    }
    out.put(format!("/ip firewall nat remove [find comment=\"{MARK}\"]"));
    let Some(target) = target else { return };
    let add = |rule: &str| format!("/ip firewall nat add {rule} comment=\"{MARK}\"");
    for side in ["src", "dst"] {
        out.put(add(&format!("chain={MARK} action=return {side}-address-list={MARK}-gateway")));
    }
    for protocol in ["tcp", "udp"] {
        out.put(add(&format!(
            "chain={MARK} action=dst-nat protocol={protocol} dst-port=53 to-addresses={target} to-ports=53"
        )));
    }
    for source in sources(&arguments.interfaces) {
        out.put(add(&format!("chain=dstnat action=jump jump-target={MARK} {source}")));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use clap::Parser;
    use proptest::prelude::*;

    use super::*;
    use crate::config::load_text;
    use crate::lang::Lang;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: RouterOsArguments,
    }

    fn made(text: &str, flags: &[&str]) -> Result<String, String> {
        let config = load_text(text, "gateway.toml", Path::new("")).unwrap();
        let line = [&["export", "--config", "gateway.toml"], flags].concat();
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        script(&config, &line.arguments).map_err(|refused| refused.in_lang(Lang::En))
    }

    const BOTH: &str = "[listen]\ndns = [\"10.20.0.1:53\", \"[fd20::1]:53\", \"127.0.0.1:53\"]\n\
                        allow = [\"127.0.0.0/8\", \"10.20.0.0/16\", \"fd20::/64\"]\n";

    /// A command of the console: menu, verb, what it finds, and what it sets.
    #[derive(Debug)]
    struct Command<'a> {
        menu: &'a str,
        verb: &'a str,
        finds: Vec<(&'a str, &'a str)>,
        sets: Vec<(&'a str, &'a str)>,
    }

    impl Command<'_> {
        fn value(&self, key: &str) -> Option<&str> {
            self.sets.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
        }
    }

    /// Menus, with the keys that their manual has.
    const MENUS: [(&str, &str); 7] = [
        ("/ip dhcp-server network", "dns-server dns-none"),
        ("/ipv6 nd", "advertise-dns dns"),
        ("/ip firewall address-list", "list address comment"),
        ("/ipv6 firewall address-list", "list address comment"),
        (
            "/ip firewall filter",
            "chain action jump-target reject-with protocol dst-port src-address-list dst-address-list \
             in-interface comment",
        ),
        (
            "/ipv6 firewall filter",
            "chain action jump-target reject-with protocol dst-port src-address-list dst-address-list \
             in-interface comment",
        ),
        (
            "/ip firewall nat",
            "chain action jump-target protocol dst-port src-address-list dst-address-list in-interface \
             to-addresses to-ports comment",
        ),
    ];

    /// Reads a line by the grammar: `/menu verb [find key=value…] key=value…`, where a value is bare, of
    /// letters, digits and `.,:/-`, or quoted, without what means something between quotation marks.
    fn command(line: &str) -> Result<Command<'_>, String> {
        let fault = |what: &str| format!("{what}: {line}");
        let menu = MENUS
            .iter()
            .find(|(menu, _)| line.strip_prefix(menu).is_some_and(|rest| rest.starts_with(' ')));
        let (menu, keys) = menu.ok_or_else(|| fault("no menu"))?;
        let mut rest = line.strip_prefix(menu).unwrap().trim_start();
        let (verb, after) = rest.split_once(' ').ok_or_else(|| fault("no verb"))?;
        if !["add", "set", "remove"].contains(&verb) {
            return Err(fault("another verb"));
        }
        rest = after;
        let (mut finds, mut sets) = (Vec::new(), Vec::new());
        if verb != "add" {
            let inner = rest.strip_prefix("[find").ok_or_else(|| fault("nothing is found"))?;
            let (inner, after) = inner.split_once(']').ok_or_else(|| fault("no end of find"))?;
            rest = after.trim_start();
            let mut inner = inner.trim_start();
            while !inner.is_empty() {
                finds.push(pair(&mut inner).ok_or_else(|| fault("find"))?);
            }
        }
        while !rest.is_empty() {
            sets.push(pair(&mut rest).ok_or_else(|| fault("no key=value"))?);
        }
        let is_known = |(key, _): &(&str, &str)| keys.split_whitespace().any(|known| known == *key);
        let once: BTreeSet<&str> = sets.iter().map(|(key, _)| *key).collect();
        if !sets.iter().chain(&finds).all(is_known) || once.len() != sets.len() {
            return Err(fault("a key that is not in the menu, or twice"));
        }
        if sets.is_empty() != (verb == "remove") {
            return Err(fault("a verb without its values"));
        }
        Ok(Command { menu, verb, finds, sets })
    }

    /// Takes one `key=value` off a text.
    fn pair<'a>(rest: &mut &'a str) -> Option<(&'a str, &'a str)> {
        let (key, after) = rest.split_once('=')?;
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') {
            return None;
        }
        let (value, after) = if let Some(quoted) = after.strip_prefix('"') {
            let (value, after) = quoted.split_once('"')?;
            if value.contains(['\\', '$', '?']) || !value.is_ascii() {
                return None;
            }
            (value, after)
        } else {
            let end = after.find(' ').unwrap_or(after.len());
            let (value, after) = after.split_at(end);
            let is_bare = |b: u8| b.is_ascii_alphanumeric() || b".,:/-".contains(&b);
            if value.is_empty() || !value.bytes().all(is_bare) {
                return None;
            }
            (value, after)
        };
        *rest = after.strip_prefix(' ').or(after.is_empty().then_some(after))?;
        Some((key, value))
    }

    /// All commands of a script.
    fn commands(script: &str) -> Result<Vec<Command<'_>>, String> {
        let acting = script.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        acting.map(command).collect()
    }

    /// Laws of every script: what is used was made before; what is made can be removed.
    fn judge(script: &str) -> Result<(), String> {
        let commands = commands(script)?;
        for (place, command) in commands.iter().enumerate() {
            let before = &commands[..place];
            let fault = |what: &str| format!("{what}: {command:?}");
            if command.verb == "add" {
                if command.value("comment") != Some(MARK) {
                    return Err(fault("no mark"));
                }
                let is_cleared = |other: &Command<'_>| {
                    other.menu == command.menu
                        && other.verb == "remove"
                        && other.finds == [("comment", MARK)]
                };
                if !before.iter().any(is_cleared) {
                    return Err(fault("made twice when loaded twice"));
                }
            }
            if let Some(target) = command.value("jump-target") {
                let is_there = |other: &Command<'_>| {
                    other.menu == command.menu && other.value("chain") == Some(target)
                };
                if !before.iter().any(is_there) {
                    return Err(fault("a chain without rules"));
                }
            }
            let lists = ["src-address-list", "dst-address-list"].map(|key| command.value(key));
            for list in lists.into_iter().flatten() {
                let family = command.menu.split(' ').next().unwrap();
                let is_there = |other: &Command<'_>| {
                    other.value("list") == Some(list)
                        && other.menu.split(' ').next() == Some(family)
                };
                if !before.iter().any(is_there) {
                    return Err(fault("a list without addresses"));
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_script_for_both_families() {
        let script = made(BOTH, &["--redirect"]).unwrap();
        judge(&script).unwrap();
        let is_doh = |line: &&str| line.contains("list=lachan-doh address=");
        let doh = script.lines().filter(is_doh).count();
        assert_eq!(doh, known_doh().unwrap().len());
        let shown: Vec<&str> = script.lines().filter(|line| !is_doh(line)).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn without_an_address_of_a_family_nothing_of_it_is_handed_out() {
        let v4 = made("[listen]\ndns = [\"10.20.0.1:53\"]\n", &[]).unwrap();
        judge(&v4).unwrap();
        assert!(v4.contains("/ipv6 nd set [find] advertise-dns=no\n"), "{v4}");
        assert!(v4.contains("/ipv6 firewall filter add chain=lachan action=reject"), "{v4}");
        assert!(v4.contains("Devices with public IPv6 addresses"), "{v4}");
        assert!(!v4.contains("action=dst-nat"), "{v4}");
        let v6 = made("[listen]\ndns = [\"[fd20::1]:53\"]\n", &["--redirect"]).unwrap();
        judge(&v6).unwrap();
        assert!(v6.contains("network set [find] dns-none=yes\n"), "{v6}");
        assert!(!v6.contains("action=dst-nat"), "{v6}");
    }

    #[test]
    fn an_interface_stands_in_for_networks() {
        let script = made(BOTH, &["--interface", "bridge lan", "--interface", "vlan-20"]).unwrap();
        judge(&script).unwrap();
        assert!(!script.contains("lachan-clients"), "{script}");
        for line in [
            "/ip firewall filter add chain=input action=jump jump-target=lachan in-interface=\"bridge lan\" comment=\"lachan\"",
            "/ipv6 firewall filter add chain=forward action=jump jump-target=lachan in-interface=\"vlan-20\" comment=\"lachan\"",
        ] {
            assert!(script.lines().any(|other| other == line), "{line}\n{script}");
        }
        for wrong in ["", "a\"b", "a;b", "a$b", "a?", "[x]", "ếch"] {
            assert!(made(BOTH, &["--interface", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_gateway_without_an_address_is_refused() {
        let refused = made("[listen]\ndns = [\"0.0.0.0:53\"]\n", &[]).unwrap_err();
        assert!(refused.starts_with("`[listen] dns` has no address with port 53"), "{refused}");
        assert!(made("", &["--address", "10.20.0.1"]).is_ok());
    }

    #[test]
    fn the_grammar_refuses_what_is_none() {
        for wrong in [
            "/ip firewall filter add",
            "/ip firewall mangle add chain=a",
            "/ip firewall filter add chain=a chain=a",
            "/ip firewall filter add chain=a  action=b",
            "/ip firewall filter add chain=\"a",
            "/ip firewall filter add chain=a b",
            "/ip firewall filter add colour=red",
            "/ip firewall filter remove [find comment=\"lachan\"",
            "/ip firewall filter print [find]",
            "/ipv6 nd set advertise-dns=no",
        ] {
            assert!(command(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_script_is_of_commands_and_can_be_loaded_twice(
            v4 in prop::collection::vec(any::<u32>(), 0..3),
            v6 in prop::collection::vec(any::<u128>(), 0..3),
            interfaces in prop::collection::vec("[A-Za-z0-9 ._/@+<>:-]{1,63}", 0..3),
            redirect in any::<bool>(),
        ) {
            let v4 = v4.into_iter().map(|octets| Ipv4Addr::from(octets).to_string());
            let v6 = v6.into_iter().map(|octets| Ipv6Addr::from(octets).to_string());
            let mut flags: Vec<String> = v4.chain(v6).map(|ip| format!("--address={ip}")).collect();
            flags.extend(interfaces.iter().map(|name| format!("--interface={name}")));
            flags.extend(redirect.then(|| "--redirect".to_owned()));
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            if let Ok(script) = made(BOTH, &flags) {
                prop_assert_eq!(judge(&script), Ok(()));
            }
        }
    }
}
