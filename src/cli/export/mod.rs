//! `lachan export …`: configuration for other programs and for devices, made from the config.
//!
//! ```text
//! nftables   firewall rules of a gateway that is the router of its clients
//! routeros   what a MikroTik router is told, where it stays the router
//! dhcp, ra   which resolver a network hands out (RFC 9463)  ──┐
//! mdm        which resolver a managed device uses            ├─▶ announced: name, addresses, ports
//! ```
//!
//! What is printed says in a comment whether a program has read it here; nothing was seen on a device.

mod announced;
mod config;
mod dhcp;
mod mdm;
mod networks;
mod nftables;
mod ra;
mod routeros;
mod text;

use std::process::ExitCode;

use crate::cli::output::finish_or_invalid;

/// What to export.
#[derive(Debug, clap::Args)]
pub struct ExportArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Firewall rules against resolvers other than this one: `nft -f` loads them.
    Nftables(nftables::NftablesArguments),
    /// A script for a `MikroTik` router: the gateway as the only resolver, and no way to another one.
    #[command(name = "routeros")]
    RouterOs(routeros::RouterOsArguments),
    /// DHCP options that hand out the gateway, plain and encrypted, for a DHCP server.
    Dhcp(dhcp::DhcpArguments),
    /// Router advertisements that hand out the gateway, plain and encrypted.
    Ra(ra::RaArguments),
    /// Settings for managed devices of a group: encrypted DNS of the gateway.
    Mdm(mdm::MdmArguments),
}

/// Prints the export; exits 0, or 3 for a config that cannot be used or has nothing to export.
pub fn run(arguments: &ExportArguments) -> ExitCode {
    finish_or_invalid(match &arguments.what {
        What::Nftables(arguments) => nftables::exported(arguments),
        What::RouterOs(arguments) => routeros::exported(arguments),
        What::Dhcp(arguments) => dhcp::exported(arguments),
        What::Ra(arguments) => ra::exported(arguments),
        What::Mdm(arguments) => mdm::exported(arguments),
    })
}
