//! `lachan export dhcp`: the DHCP options that hand out the gateway (RFC 2132 §3.8, RFC 3646 §3,
//! RFC 9463 §4, §5), in the words of a DHCP server.

use std::fmt::Display;
use std::net::Ipv6Addr;

use crate::cli::export::announced::{Announced, AnnouncedArguments};
use crate::cli::export::config::from_config;
use crate::cli::export::text::{CommentStyle, CommentedLines};
use crate::digest::hex;
use crate::dns::designated::{MAX_DHCP4, dhcp4, dhcp6};
use crate::lang::{Lang, Message, messages};

/// Numbers of the options.
const DNS_V4: u8 = 6;
const DNS_V6: u8 = 23;
const DNR_V4: u8 = 162;
const DNR_V6: u8 = 144;

/// Arguments of `export dhcp`.
#[derive(Debug, clap::Args)]
pub(super) struct DhcpArguments {
    #[command(flatten)]
    announced: AnnouncedArguments,
    /// The DHCP server.
    #[arg(long = "for", value_name = "SERVER")]
    server: DhcpServer,
}

/// A DHCP server whose words are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum DhcpServer {
    /// dnsmasq, also that of `OpenWrt` and Pi-hole.
    Dnsmasq,
    /// ISC Kea.
    Kea,
    /// `MikroTik` `RouterOS`.
    #[value(name = "routeros")]
    RouterOs,
    /// `OPNsense`: what to write into its pages.
    #[value(name = "opnsense")]
    OpnSense,
}

/// The lines for the server.
pub(super) fn exported(arguments: &DhcpArguments) -> Result<String, String> {
    from_config(&arguments.announced.config, |config| {
        let announced = Announced::plain_too(config, &arguments.announced)?;
        let text = lines(arguments.server, &announced, config.school.lang)?;
        announced.warn(config, &arguments.announced);
        Ok(text)
    })
}

/// The encrypted resolver on the wire: data of the options, without their headers; none of a gateway without
/// encrypted DNS.
struct Octets {
    /// Option 162, with all instances; none without an IPv4 address.
    v4: Option<Vec<u8>>,
    /// Options 144, one an instance; none without an IPv6 address.
    v6: Vec<Vec<u8>>,
}

impl Octets {
    fn of(announced: &Announced) -> Result<Self, Message> {
        let Some(name) = &announced.name else { return Ok(Self { v4: None, v6: Vec::new() }) };
        let services = announced.services();
        let too_long = |option, most: usize| messages::export_too_long(option, most);
        let v4 = || {
            let data = dhcp4(&services, name, &announced.v4);
            data.ok_or_else(|| too_long(DNR_V4, MAX_DHCP4))
        };
        let v4 = if announced.v4.is_empty() { None } else { Some(v4()?) };
        let mut v6 = Vec::new();
        for service in services.iter().filter(|_| !announced.v6.is_empty()) {
            let data = dhcp6(service, name, &announced.v6);
            v6.push(data.ok_or_else(|| too_long(DNR_V6, usize::from(u16::MAX)))?);
        }
        Ok(Self { v4, v6 })
    }
}

fn lines(server: DhcpServer, announced: &Announced, lang: Lang) -> Result<String, Message> {
    let octets = Octets::of(announced)?;
    let style = if server == DhcpServer::Kea { CommentStyle::Slashes } else { CommentStyle::Hash };
    let mut out = CommentedLines::new(style, lang);
    out.say(&messages::export_made("lachan export dhcp", announced.host()));
    match server {
        DhcpServer::Dnsmasq => dnsmasq(&mut out, announced, &octets),
        DhcpServer::Kea => kea(&mut out, announced, &octets),
        DhcpServer::RouterOs => routeros(&mut out, announced, &octets),
        DhcpServer::OpnSense => opnsense(&mut out, announced, &octets),
    }
    Ok(out.finish())
}

/// The comment in front of an option of RFC 9463.
fn designated(announced: &Announced, option: u8) -> Message {
    messages::export_designated(option, announced.shown_protocols())
}

fn dnsmasq(out: &mut CommentedLines, announced: &Announced, octets: &Octets) {
    out.say(&messages::export_read_by("dnsmasq 2.90"));
    if !announced.v4.is_empty() {
        out.say(&messages::export_plain(DNS_V4));
        out.put(format!("dhcp-option=option:dns-server,{}", joined(&announced.v4, ",")));
    }
    if let Some(data) = &octets.v4 {
        out.say(&designated(announced, DNR_V4));
        out.put(format!("dhcp-option={DNR_V4},{}", colons(data)));
    }
    if !announced.v6.is_empty() {
        out.say(&messages::export_plain(DNS_V6));
        let bracketed = announced.v6.iter().map(|ip| format!("[{ip}]")).collect::<Vec<_>>();
        out.put(format!("dhcp-option=option6:dns-server,{}", bracketed.join(",")));
    }
    if let Some(data) = octets.v6.first() {
        out.say(&designated(announced, DNR_V6));
        if octets.v6.len() > 1 {
            out.say(&messages::export_first_only("dnsmasq"));
        }
        out.put(format!("dhcp-option=option6:{DNR_V6},{}", colons(data)));
    }
}

fn kea(out: &mut CommentedLines, announced: &Announced, octets: &Octets) {
    out.say(&messages::export_read_by("Kea 2.2"));
    if !announced.v4.is_empty() {
        out.gap();
        out.say(&messages::export_into("\"Dhcp4\""));
        out.put("\"option-data\": [");
        out.say(&messages::export_plain(DNS_V4));
        kea_plain(out, (DNS_V4, joined(&announced.v4, ", ")), octets.v4.is_some());
        if let Some(data) = &octets.v4 {
            out.say(&designated(announced, DNR_V4));
            out.put(kea_octets(DNR_V4, data));
        }
        out.put("]");
    }
    if !announced.v6.is_empty() {
        out.gap();
        out.say(&messages::export_into("\"Dhcp6\""));
        out.put("\"option-data\": [");
        out.say(&messages::export_plain(DNS_V6));
        kea_plain(out, (DNS_V6, joined(&announced.v6, ", ")), !octets.v6.is_empty());
        if !octets.v6.is_empty() {
            out.say(&designated(announced, DNR_V6));
            let each: Vec<String> = octets.v6.iter().map(|data| kea_octets(DNR_V6, data)).collect();
            out.put(each.join(",\n"));
        }
        out.put("]");
    }
}

/// An option of Kea in its own words, before another one or as the last.
fn kea_plain(out: &mut CommentedLines, (option, addresses): (u8, String), is_followed: bool) {
    let comma = if is_followed { "," } else { "" };
    out.put(format!("    {{ \"code\": {option}, \"data\": \"{addresses}\" }}{comma}"));
}

/// An option of Kea as octets: no definition is asked for then.
fn kea_octets(option: u8, data: &[u8]) -> String {
    let data = hex(data);
    format!("    {{ \"code\": {option}, \"csv-format\": false, \"data\": \"{data}\" }}")
}

fn routeros(out: &mut CommentedLines, announced: &Announced, octets: &Octets) {
    out.say(&messages::export_unseen("RouterOS 7"));
    if let Some(data) = &octets.v4 {
        out.say(&designated(announced, DNR_V4));
        out.put(format!(
            "/ip dhcp-server option add name=lachan-dnr code={DNR_V4} value=0x{}",
            hex(data)
        ));
    }
    if !announced.v4.is_empty() {
        out.say(&messages::export_plain(DNS_V4));
        out.say(&messages::export_router_network());
        let option = if octets.v4.is_some() { " dhcp-option=lachan-dnr" } else { "" };
        out.put_comment(&format!(
            "/ip dhcp-server network set [find] dns-server={}{option}",
            joined(&announced.v4, ",")
        ));
    }
    if !announced.v6.is_empty() {
        out.say(&messages::export_plain(DNS_V6));
        let plain: Vec<u8> = announced.v6.iter().flat_map(Ipv6Addr::octets).collect();
        out.put(format!(
            "/ipv6 dhcp-server option add name=lachan-dns6 code={DNS_V6} value=0x{}",
            hex(&plain)
        ));
        if !octets.v6.is_empty() {
            out.say(&designated(announced, DNR_V6));
        }
        let mut names = vec!["lachan-dns6".to_owned()];
        for (data, number) in octets.v6.iter().zip(1..) {
            let name = format!("lachan-dnr6-{number}");
            out.put(format!(
                "/ipv6 dhcp-server option add name={name} code={DNR_V6} value=0x{}",
                hex(data)
            ));
            names.push(name);
        }
        out.say(&messages::export_router_network());
        out.put_comment(&format!("/ipv6 dhcp-server set [find] dhcp-option={}", names.join(",")));
    }
}

fn opnsense(out: &mut CommentedLines, announced: &Announced, octets: &Octets) {
    out.say(&messages::export_unseen("OPNsense 25"));
    let colon = |data: &[u8]| colons(data);
    if !announced.v4.is_empty() {
        out.say(&messages::export_opnsense_dns(joined(&announced.v4, ", ")));
    }
    if let Some(data) = &octets.v4 {
        out.say(&messages::export_opnsense_option(DNR_V4, ""));
        out.put(colon(data));
    }
    if !announced.v6.is_empty() {
        out.say(&messages::export_opnsense_dns(joined(&announced.v6, ", ")));
        for data in &octets.v6 {
            out.say(&messages::export_opnsense_option(DNR_V6, ""));
            out.put(colon(data));
        }
    }
}

/// Octets in hexadecimal with colons between them.
pub(super) fn colons(octets: &[u8]) -> String {
    octets.iter().map(|octet| hex(&[*octet])).collect::<Vec<_>>().join(":")
}

/// Addresses with something between them.
pub(super) fn joined<T: Display>(addresses: &[T], between: &str) -> String {
    addresses.iter().map(T::to_string).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::export::announced::tests::school;

    #[test]
    fn lines_of_each_server() {
        let servers =
            [DhcpServer::Dnsmasq, DhcpServer::Kea, DhcpServer::RouterOs, DhcpServer::OpnSense];
        let shown = servers.map(|server| lines(server, &school(), Lang::En).unwrap());
        insta::assert_snapshot!(shown.join("\n--------\n"));
    }

    #[test]
    fn a_gateway_without_encrypted_dns_has_the_plain_options_alone() {
        let plain = Announced { name: None, dot: None, doh: None, ..school() };
        let servers =
            [DhcpServer::Dnsmasq, DhcpServer::Kea, DhcpServer::RouterOs, DhcpServer::OpnSense];
        let shown = servers.map(|server| lines(server, &plain, Lang::En).unwrap());
        insta::assert_snapshot!(shown.join("\n--------\n"));
    }

    #[test]
    fn a_family_without_an_address_has_no_line() {
        let v4_only = Announced { v6: Vec::new(), ..school() };
        let shown = lines(DhcpServer::Dnsmasq, &v4_only, Lang::En).unwrap();
        assert!(shown.contains("dhcp-option=162,") && !shown.contains("option6"), "{shown}");
        let v6_only = Announced { v4: Vec::new(), ..school() };
        let shown = lines(DhcpServer::Kea, &v6_only, Lang::En).unwrap();
        assert!(shown.contains("\"Dhcp6\"") && !shown.contains("\"Dhcp4\""), "{shown}");
    }

    #[test]
    fn dnsmasq_says_that_it_leaves_a_protocol_out() {
        let odd = Announced { dot: Some(8853), ..school() };
        let shown = lines(DhcpServer::Dnsmasq, &odd, Lang::En).unwrap();
        assert!(shown.contains("the second protocol is left out"), "{shown}");
        assert_eq!(
            lines(DhcpServer::Kea, &odd, Lang::En).unwrap().matches("\"code\": 144").count(),
            2
        );
    }

    #[test]
    fn too_many_addresses_for_an_option_are_refused() {
        let many = Announced { v4: vec![[10, 20, 0, 1].into(); 60], ..school() };
        let refused = lines(DhcpServer::Dnsmasq, &many, Lang::En).unwrap_err();
        assert!(refused.in_lang(Lang::En).starts_with("option 162 would be longer than 255"));
    }
}
