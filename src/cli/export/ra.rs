//! `lachan export ra`: router advertisements that hand out the gateway (RFC 8106 §5.1, RFC 9463 §6).

use std::fmt::Write as _;

use crate::cli::export::announced::{Announced, AnnouncedArguments};
use crate::cli::export::config::from_config;
use crate::cli::export::dhcp::{colons, joined};
use crate::cli::export::text::{CommentStyle, CommentedLines};
use crate::dns::designated::{EncryptedService, advertised};
use crate::lang::{Lang, Message, messages};

/// Seconds for which a device may use what was announced: three times the longest pause between two
/// advertisements (RFC 9463 §6.1, RFC 4861 §6.2.1).
const LIFETIME: u32 = 1800;

/// Type of the option.
const DNR: u8 = 144;
/// The most octets of an option: 255 units of 8.
const MAX_OPTION: usize = 255 * 8;

/// Arguments of `export ra`.
#[derive(Debug, clap::Args)]
pub(super) struct RaArguments {
    #[command(flatten)]
    announced: AnnouncedArguments,
    /// The program that sends router advertisements.
    #[arg(long = "for", value_name = "PROGRAM")]
    program: RaProgram,
}

/// A sender of router advertisements whose words are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RaProgram {
    /// radvd.
    Radvd,
    /// dnsmasq.
    Dnsmasq,
    /// `MikroTik` `RouterOS`.
    #[value(name = "routeros")]
    RouterOs,
    /// `OPNsense`: what to write into its pages.
    #[value(name = "opnsense")]
    OpnSense,
}

/// The lines for the program.
pub(super) fn exported(arguments: &RaArguments) -> Result<String, String> {
    from_config(&arguments.announced.config, |config| {
        let announced = Announced::plain_too(config, &arguments.announced)?;
        let text = lines(arguments.program, &announced, config.school.lang)?;
        announced.warn(config, &arguments.announced);
        Ok(text)
    })
}

fn lines(program: RaProgram, announced: &Announced, lang: Lang) -> Result<String, Message> {
    if announced.v6.is_empty() {
        return Err(messages::export_no_ipv6("[listen] dns", "--address"));
    }
    let services = announced.services();
    let octets = |(service, name): (&EncryptedService, _)| {
        let option = advertised(service, name, &announced.v6, LIFETIME);
        option.ok_or_else(|| messages::export_too_long(DNR, MAX_OPTION))
    };
    let named = services.iter().zip(announced.name.iter().cycle());
    let options = named.map(octets).collect::<Result<Vec<_>, Message>>()?;
    let is_encrypted = !options.is_empty();
    let mut out = CommentedLines::new(CommentStyle::Hash, lang);
    out.say(&messages::export_made("lachan export ra", announced.host()));
    match program {
        RaProgram::Radvd => {
            out.say(&messages::export_read_by("radvd 2.19"));
            radvd(&mut out, announced, &services);
            return Ok(out.finish());
        }
        RaProgram::Dnsmasq => {
            out.say(&messages::export_read_by("dnsmasq 2.90"));
            out.say(&messages::export_ra_plain());
            let bracketed: Vec<_> = announced.v6.iter().map(|ip| format!("[{ip}]")).collect();
            out.put(format!("dhcp-option=option6:dns-server,{}", bracketed.join(",")));
            if is_encrypted {
                out.say(&messages::export_ra_cannot("dnsmasq"));
            }
        }
        RaProgram::RouterOs => {
            out.say(&messages::export_unseen("RouterOS 7"));
            out.say(&messages::export_ra_plain());
            let addresses = joined(&announced.v6, ",");
            out.put(format!("/ipv6 nd set [find default=yes] advertise-dns=yes dns={addresses}"));
            if is_encrypted {
                out.say(&messages::export_ra_cannot("RouterOS"));
            }
        }
        RaProgram::OpnSense => {
            out.say(&messages::export_unseen("OPNsense 25"));
            out.say(&messages::export_opnsense_ra(joined(&announced.v6, ", ")));
            if is_encrypted {
                out.say(&messages::export_ra_cannot("OPNsense"));
            }
        }
    }
    for option in &options {
        out.put_comment(&colons(option));
    }
    Ok(out.finish())
}

fn radvd(out: &mut CommentedLines, announced: &Announced, services: &[EncryptedService]) {
    out.say(&messages::export_interface());
    out.put("interface lan0 {");
    out.put("    AdvSendAdvert on;");
    out.say(&messages::export_ra_plain());
    let addresses = joined(&announced.v6, " ");
    out.put(format!("    RDNSS {addresses} {{ }};"));
    if !services.is_empty() {
        out.say(&messages::export_designated(DNR, announced.shown_protocols()));
        out.say(&messages::export_radvd_block());
    }
    for service in services {
        let mut block = format!("DNR {} {{\n", announced.host());
        let _ = writeln!(block, "    AdvDNRPriority {};", service.priority);
        let _ = writeln!(block, "    AdvDNRLifetime {LIFETIME};");
        for address in &announced.v6 {
            let _ = writeln!(block, "    AdvDNRAddr {address};");
        }
        let _ = writeln!(block, "    AdvDNRSvcAlpn \"{}\";", service.alpn.join(","));
        if let Some(port) = service.port {
            let _ = writeln!(block, "    AdvDNRSvcPort {port};");
        }
        if let Some(path) = &service.doh_path {
            let _ = writeln!(block, "    AdvDNRSvcDohpath \"{path}\";");
        }
        block.push_str("};");
        for line in block.lines() {
            out.put(format!("#   {line}"));
        }
    }
    out.put("};");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::export::announced::tests::school;

    #[test]
    fn lines_of_each_program() {
        let programs =
            [RaProgram::Radvd, RaProgram::Dnsmasq, RaProgram::RouterOs, RaProgram::OpnSense];
        let shown = programs.map(|program| lines(program, &school(), Lang::En).unwrap());
        insta::assert_snapshot!(shown.join("\n--------\n"));
    }

    #[test]
    fn a_gateway_without_encrypted_dns_is_advertised_by_its_addresses() {
        let plain = Announced { name: None, dot: None, doh: None, ..school() };
        let programs =
            [RaProgram::Radvd, RaProgram::Dnsmasq, RaProgram::RouterOs, RaProgram::OpnSense];
        let shown = programs.map(|program| lines(program, &plain, Lang::En).unwrap());
        insta::assert_snapshot!(shown.join("\n--------\n"));
    }

    #[test]
    fn without_an_ipv6_address_there_is_nothing_to_advertise() {
        let v4_only = Announced { v6: Vec::new(), ..school() };
        let refused = lines(RaProgram::Radvd, &v4_only, Lang::En).unwrap_err();
        assert!(refused.in_lang(Lang::En).starts_with("`[listen] dns` has no IPv6 address"));
    }
}
