//! What devices are told of the gateway: its name, its addresses, and where it speaks encrypted DNS.
//!
//! [`Announced::of`] is the one place that knows where each of them comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::cli::output::complain;
use crate::config::{CertificateFiles, Config};
use crate::dns::designated::{DOH_PATH, DOH_PORT, EncryptedService};
use crate::dns::name::Name;
use crate::lang::{Message, messages};
use crate::sys::certificate::{CertificateFacts, MAX_OCTETS, read_facts};
use crate::sys::read;

/// The port that an address in DHCP means: no option has another.
const DNS_PORT: u16 = 53;

/// Arguments of every export that announces the gateway.
#[derive(Debug, clap::Args)]
pub(super) struct AnnouncedArguments {
    /// The config file.
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// The gateway's name in its certificate; by default that of the group, of `[listen] names`, or of a
    /// certificate that is for one name alone.
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    name: Option<Name>,
    /// An address of the gateway that devices reach; may be given many times. By default those of
    /// `[listen] dns` with port 53.
    #[arg(long = "address", value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,
    /// The port of DNS over TLS; by default that of `[listen] dot`.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    dot_port: Option<u16>,
    /// The port of DNS over HTTPS; by default that of `[listen] doh`.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    doh_port: Option<u16>,
}

/// The gateway, as devices are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announced {
    /// The name that its certificate is checked for; there is one where it speaks encrypted DNS.
    pub(super) name: Option<Name>,
    pub(super) v4: Vec<Ipv4Addr>,
    pub(super) v6: Vec<Ipv6Addr>,
    /// The port of DNS over TLS, where it is on.
    pub(super) dot: Option<u16>,
    /// The port of DNS over HTTPS, where it is on.
    pub(super) doh: Option<u16>,
}

impl Announced {
    /// The gateway of a config. `server_names` are those of the group it is announced to, if there
    /// is one; the first stands for the name of the certificate.
    pub(super) fn of(
        config: &Config,
        arguments: &AnnouncedArguments,
        server_names: &[Name],
    ) -> Result<Self, Message> {
        let name = arguments.name.as_ref().or(server_names.first()).cloned();
        let name = name.or_else(|| own_name(config));
        let name = name.ok_or_else(|| messages::export_no_name("--name"))?;
        let (dot, doh) = ports(config, arguments);
        if dot.is_none() && doh.is_none() {
            let refused = messages::export_no_encryption("--dot-port 853", "--doh-port 443");
            return Err(refused);
        }
        Self::at(config, arguments, (Some(name), dot, doh))
    }

    /// As [`Announced::of`]; a gateway that speaks no encrypted DNS has its addresses alone, unless a name is given
    /// for it.
    pub(super) fn plain_too(
        config: &Config,
        arguments: &AnnouncedArguments,
    ) -> Result<Self, Message> {
        if arguments.name.is_none() && ports(config, arguments) == (None, None) {
            return Self::at(config, arguments, (None, None, None));
        }
        Self::of(config, arguments, &[])
    }

    fn at(
        config: &Config,
        arguments: &AnnouncedArguments,
        (name, dot, doh): (Option<Name>, Option<u16>, Option<u16>),
    ) -> Result<Self, Message> {
        let addresses = addresses(config, &arguments.addresses, |ip| speaks_encrypted(config, ip))?;
        let v4 = addresses
            .iter()
            .filter_map(|ip| if let IpAddr::V4(v4) = ip { Some(*v4) } else { None });
        let v6 = addresses
            .iter()
            .filter_map(|ip| if let IpAddr::V6(v6) = ip { Some(*v6) } else { None });
        Ok(Self { name, v4: v4.collect(), v6: v6.collect(), dot, doh })
    }

    /// Tells on stderr why devices would refuse the certificate for the name: what is exported is right all
    /// the same where another certificate comes before it is handed out.
    pub(super) fn warn(&self, config: &Config, arguments: &AnnouncedArguments) {
        for doubt in self.doubts(&config.listen.tls) {
            let file = arguments.config.display();
            complain(&format!("{file}: {}", doubt.in_lang(config.school.lang)));
        }
    }

    /// Why devices would refuse the certificate for the name; nothing where one covers it.
    fn doubts(&self, certificates: &[CertificateFiles]) -> Vec<Message> {
        if self.name.is_none() {
            return Vec::new();
        }
        let name = self.host();
        if certificates.is_empty() {
            return vec![messages::export_certificate_elsewhere(name, "[[listen.tls]]")];
        }
        let (mut unread, mut is_known) = (Vec::new(), false);
        for path in certificates.iter().map(|files| &files.certificate) {
            match facts_of(path) {
                Ok(facts) if facts.covers_name(&name) => return Vec::new(),
                Ok(_) => is_known = true,
                Err(why) => unread.push(messages::certificate_file(path.display(), why)),
            }
        }
        unread.push(if is_known {
            messages::export_uncovered(&name, format!("lachan certs self --name {name}"))
        } else {
            messages::export_no_certificate(&name)
        });
        unread
    }

    /// The name as people write it; without one, its first address.
    pub(super) fn host(&self) -> String {
        let address = || self.addresses().first().map(IpAddr::to_string);
        let name = self.name.as_ref().map(|name| name.to_string().trim_end_matches('.').to_owned());
        name.or_else(address).unwrap_or_default()
    }

    /// All addresses, IPv4 first.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let v4 = self.v4.iter().copied().map(IpAddr::V4);
        v4.chain(self.v6.iter().copied().map(IpAddr::V6)).collect()
    }

    /// The URL of DNS over HTTPS, with a group's token behind its path; none where it is off.
    pub(super) fn url(&self, token: Option<&str>) -> Option<String> {
        let port = self.doh?;
        let port = if port == DOH_PORT { String::new() } else { format!(":{port}") };
        let token = token.map_or(String::new(), |token| format!("/{token}"));
        Some(format!("https://{}{port}{DOH_PATH}{token}", self.host()))
    }

    /// What options of RFC 9463 announce.
    pub(super) fn services(&self) -> Vec<EncryptedService> {
        EncryptedService::of(self.dot, self.doh, &format!("{DOH_PATH}{{?dns}}"))
    }

    /// Its protocols with their ports, for people.
    pub(super) fn shown_protocols(&self) -> String {
        let dot = self.dot.map(|port| format!("DNS over TLS {port}"));
        let doh = self.doh.map(|port| format!("DNS over HTTPS {port}"));
        let each: Vec<String> = [dot, doh].into_iter().flatten().collect();
        format!("{}, {}", self.host(), each.join(", "))
    }
}

/// The gateway's own name: the first that the config has, or that of its certificate if it is for one
/// alone.
fn own_name(config: &Config) -> Option<Name> {
    let of_certificate = || {
        let facts = facts_of(&config.listen.tls.first()?.certificate).ok()?;
        let [only] = facts.names.as_slice() else { return None };
        Name::from_text(only).ok().filter(|_| !only.starts_with('*'))
    };
    config.listen.names.first().cloned().or_else(of_certificate)
}

/// What the first certificate of a file says, or why that is not known.
fn facts_of(path: &Path) -> Result<CertificateFacts, Message> {
    let octets = read::octets(path, MAX_OCTETS).map_err(messages::certificate_unread)?;
    read_facts(&octets).map_err(|error| error.message())
}

/// The ports of DNS over TLS and over HTTPS.
fn ports(config: &Config, arguments: &AnnouncedArguments) -> (Option<u16>, Option<u16>) {
    let first = |listeners: &[SocketAddr]| {
        listeners.iter().find(|listener| !listener.ip().is_loopback()).map(SocketAddr::port)
    };
    let (dot, doh) = (first(&config.listen.dot), first(&config.listen.doh));
    (arguments.dot_port.or(dot), arguments.doh_port.or(doh))
}

/// The addresses that devices reach: those given, or the listeners' with the usual port for which `speaks`
/// is true.
pub(super) fn addresses(
    config: &Config,
    given: &[IpAddr],
    speaks: impl Fn(IpAddr) -> bool,
) -> Result<Vec<IpAddr>, Message> {
    let is_host = |ip: IpAddr| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast();
    let wrong = given.iter().find(|ip| !is_host(**ip));
    if let Some(wrong) = wrong {
        return Err(messages::export_no_host(wrong));
    }
    let mut addresses: Vec<IpAddr> = Vec::new();
    let is_link_local = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let usual = config.listen.dns.iter().filter(|listener| listener.port() == DNS_PORT);
    let usual = usual.map(SocketAddr::ip).filter(|ip| is_host(*ip) && !is_link_local(*ip));
    let usual: Vec<IpAddr> = usual.filter(|ip| speaks(*ip)).collect();
    for address in if given.is_empty() { &usual } else { given } {
        if !addresses.contains(address) {
            addresses.push(*address);
        }
    }
    if addresses.is_empty() {
        return Err(messages::export_no_address("[listen] dns", "--address"));
    }
    Ok(addresses)
}

/// Whether encrypted DNS is spoken at an address, as far as the config says where.
fn speaks_encrypted(config: &Config, ip: IpAddr) -> bool {
    let is_there = |own: &SocketAddr| {
        own.ip() == ip || own.ip().is_unspecified() && own.is_ipv4() == ip.is_ipv4()
    };
    let speaks = |listeners: &[SocketAddr]| listeners.is_empty() || listeners.iter().any(is_there);
    speaks(&config.listen.dot) && speaks(&config.listen.doh)
}

/// Reads a name of a certificate: the root is none.
fn parse_name(text: &str) -> Result<Name, String> {
    let name = Name::from_text(text).map_err(|error| error.to_string())?;
    if name.label_count() < 2 { Err("a host name has a dot".to_owned()) } else { Ok(name) }
}

#[cfg(test)]
pub(super) mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::load_text;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: AnnouncedArguments,
    }

    /// The gateway of a config and of flags.
    fn announced(text: &str, flags: &[&str]) -> Result<Announced, String> {
        let config = load_text(text, "gateway.toml", Path::new("")).unwrap();
        let line = [&["export", "--config", "gateway.toml"], flags].concat();
        let line = Line::try_parse_from(line).map_err(|error| error.to_string())?;
        let made = Announced::of(&config, &line.arguments, &[]);
        made.map_err(|refused| refused.in_lang(crate::lang::Lang::En))
    }

    /// A gateway with both protocols and both families.
    pub(in crate::cli::export) fn school() -> Announced {
        let text = "[listen]\ndns = [\"10.20.0.1:53\", \"[fd20::1]:53\"]\n";
        let flags = ["--name", "dns.school.example", "--dot-port", "853", "--doh-port", "443"];
        announced(text, &flags).unwrap()
    }

    #[test]
    fn addresses_are_those_that_a_device_reaches_at_port_53() {
        let text = "[listen]\ndns = [\"127.0.0.1:53\", \"10.20.0.1:53\", \"10.20.0.2:5300\"]\n";
        let flags = ["--name", "dns.school.example", "--dot-port", "853"];
        let found = announced(text, &flags).unwrap();
        assert_eq!((found.v4, found.v6), (vec![[10, 20, 0, 1].into()], Vec::new()));
        let given = [&flags[..], &["--address", "fd20::1"]].concat();
        assert_eq!(announced(text, &given).unwrap().addresses().len(), 1);
    }

    #[test]
    fn listeners_of_the_config_say_where_it_is() {
        let text = "[listen]\ndns = [\"10.20.0.1:53\", \"10.30.0.1:53\"]\ndot = [\"10.20.0.1:853\"]\n\
                    doh = [\"127.0.0.1:8443\", \"0.0.0.0:4443\"]\n\
                    [[listen.tls]]\ncertificate = \"dns.crt\"\nkey = \"dns.key\"\n";
        let found = announced(text, &["--name", "dns.school.example"]).unwrap();
        assert_eq!((found.dot, found.doh), (Some(853), Some(4443)));
        // The other address speaks no DNS over TLS.
        assert_eq!(found.v4, [Ipv4Addr::from([10, 20, 0, 1])]);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let text = "[listen]\ndns = [\"0.0.0.0:53\"]\n";
        let name = ["--name", "dns.school.example"];
        let dot = ["--dot-port", "853"];
        for (flags, expected) in [
            (&[][..], "the name in the gateway's certificate is not known"),
            (&name, "neither DNS over TLS nor DNS over HTTPS is on"),
            (&[name, dot].concat(), "`[listen] dns` has no address with port 53"),
            (&[&name[..], &dot, &["--address", "127.0.0.1"]].concat(), "`127.0.0.1` is no address"),
            (&["--name", "localhost"], "a host name has a dot"),
        ] {
            let refused = announced(text, flags).unwrap_err();
            assert!(refused.contains(expected), "{flags:?}: {refused}");
        }
    }

    #[test]
    fn a_gateway_without_encrypted_dns_is_its_addresses() {
        let config = "[listen]\ndns = [\"10.20.0.1:53\", \"[fd20::1]:53\"]\n";
        let config = load_text(config, "gateway.toml", Path::new("")).unwrap();
        let line = Line::try_parse_from(["export", "--config", "gateway.toml"]).unwrap();
        let plain = Announced::plain_too(&config, &line.arguments).unwrap();
        assert_eq!((plain.host(), plain.addresses().len()), ("10.20.0.1".to_owned(), 2));
        assert!(plain.services().is_empty() && plain.doubts(&config.listen.tls).is_empty());
        // One that has ports is to have a name.
        let line = ["export", "--config", "gateway.toml", "--dot-port", "853"];
        let line = Line::try_parse_from(line).unwrap();
        assert!(Announced::plain_too(&config, &line.arguments).is_err());
    }

    #[test]
    fn a_url_has_the_port_where_it_is_not_the_usual_one() {
        let school = school();
        assert_eq!(school.url(None).unwrap(), "https://dns.school.example/dns-query");
        let other = Announced { doh: Some(8443), ..school };
        assert_eq!(other.url(Some("T")).unwrap(), "https://dns.school.example:8443/dns-query/T");
        assert_eq!(Announced { doh: None, ..other }.url(None), None);
    }
}
