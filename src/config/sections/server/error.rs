//! Why some text is not an upstream server.

use std::net::IpAddr;

use crate::lang::{Message, messages};

/// Why some text is not an upstream server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Nothing is written.
    #[error("the server is empty; write an address, such as `udp://192.0.2.1`")]
    Empty,
    /// An unknown word before `://`.
    #[error("`{0}://` is not known; `udp://`, `tcp://`, `tls://` and `https://` are")]
    Scheme(String),
    /// A host name where the address belongs.
    #[error(
        "`{0}` is a host name; write the server's IP address \
         (its certificate's name goes after `#`, as in `tls://192.0.2.1#dns.example`)"
    )]
    HostName(String),
    /// Neither address nor host name.
    #[error("`{0}` is not an IP address; write one, such as `192.0.2.1` or `[2001:db8::1]`")]
    Address(String),
    /// An IPv6 address without brackets, where a port may follow.
    #[error("`{0}` is an IPv6 address without brackets; write `[{0}]`")]
    Brackets(String),
    /// An address that no server has.
    #[error("`{0}` is no server's address; write the address it answers on")]
    Unspecified(IpAddr),
    /// A link-local address without its interface.
    #[error(
        "`{0}` is a link-local address, which means another machine on each link; \
         write the interface behind it, as in `[{0}%eth0]`"
    )]
    LinkLocal(IpAddr),
    /// An interface behind an address that needs none.
    #[error("`%{1}` names an interface, and `{0}` is no link-local address; leave it out")]
    InterfaceNotUsed(IpAddr, String),
    /// Something that no interface is called.
    #[error("`%{0}` is not an interface; write its name or number, as in `[fe80::1%eth0]`")]
    Interface(String),
    /// A port that is not a number from 1 to 65535.
    #[error("`{0}` is not a port; write a number from 1 to 65535, or leave it out")]
    Port(String),
    /// A path where there is no HTTP.
    #[error("`{0}` follows the address, and `{1}://` has no path; leave it out, or use `https://`")]
    Path(String, &'static str),
    /// Octets that an HTTP path does not have.
    #[error(
        "`{0}` is not an HTTP path; write printable ASCII without spaces, such as `/dns-query`"
    )]
    PathCharacter(String),
    /// A name where there is no certificate.
    #[error("`#{0}` names a certificate, and `{1}://` has none; leave it out, or use `tls://`")]
    NameNotUsed(String, &'static str),
    /// Something that no certificate is for.
    #[error(
        "`#{0}` is not a host name; write the name in the server's certificate, or leave it out"
    )]
    Name(String),
}

impl ServerError {
    /// The reason as a message.
    pub(crate) fn message(&self) -> Message {
        match self {
            Self::Empty => messages::server_empty(),
            Self::Scheme(scheme) => messages::server_scheme(scheme),
            Self::HostName(host) => messages::server_host_name(host),
            Self::Address(text) => messages::server_address(text),
            Self::Brackets(address) => messages::server_brackets(address),
            Self::Unspecified(address) => messages::server_unspecified(address),
            Self::LinkLocal(address) => messages::server_link_local(address),
            Self::InterfaceNotUsed(address, interface) => {
                messages::server_interface_unused(address, interface)
            }
            Self::Interface(interface) => messages::server_interface(interface),
            Self::Port(port) => messages::server_port(port),
            Self::Path(path, scheme) => messages::server_path(path, scheme),
            Self::PathCharacter(path) => messages::server_path_character(path),
            Self::NameNotUsed(name, scheme) => messages::server_name_unused(name, scheme),
            Self::Name(name) => messages::server_name(name),
        }
    }
}
