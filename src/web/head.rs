//! The head of a request: headers that must occur once, the Host, the Origin.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, Uri, header};

/// The text of a header that occurs once.
pub fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next()?.to_str().ok()?;
    lines.next().is_none().then_some(first)
}

/// The Host of a request: there is exactly one, and a target with an authority names the same
/// (RFC 9112 §3.2.2).
pub fn host<'a>(headers: &'a HeaderMap, uri: &Uri) -> Option<&'a str> {
    let host = only(headers, &header::HOST)?;
    let is_other = uri.authority().is_some_and(|authority| authority.as_str() != host);
    (!is_other).then_some(host)
}

/// Whether a page of elsewhere acts through a browser: an Origin is there, and is not this server
/// as the browser sees it.
pub fn is_from_elsewhere(headers: &HeaderMap, scheme: &str, host: &str) -> bool {
    let is_own = |origin: &str| {
        let (own, authority) = origin.split_once("://").unwrap_or_default();
        own == scheme && authority.eq_ignore_ascii_case(host)
    };
    headers.contains_key(header::ORIGIN) && !only(headers, &header::ORIGIN).is_some_and(is_own)
}

/// A Host in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostParts<'a> {
    /// What it names.
    pub site: Site<'a>,
    /// The port with its colon, or nothing.
    pub port: &'a str,
}

/// What a Host names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site<'a> {
    /// An address.
    Address(IpAddr),
    /// A name or anything else, as written.
    Name(&'a str),
}

impl<'a> HostParts<'a> {
    /// Splits a Host; none where its port is no port, or brackets hold no address.
    pub fn of(host: &'a str) -> Option<Self> {
        let (site, rest) = if let Some(bracketed) = host.strip_prefix('[') {
            let (address, rest) = bracketed.split_once(']')?;
            (Site::Address(address.parse::<Ipv6Addr>().ok()?.into()), rest)
        } else {
            let (name, rest) = host.split_at(host.find(':').unwrap_or(host.len()));
            let address = name.parse::<Ipv4Addr>();
            (address.map_or(Site::Name(name), |address| Site::Address(address.into())), rest)
        };
        let is_port = |port: &str| {
            port.bytes().all(|octet| octet.is_ascii_digit()) && port.parse::<u16>().is_ok()
        };
        let is_right = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        is_right.then_some(Self { site, port: rest })
    }

    /// Whether it is an address or `localhost`.
    pub fn is_plain(&self) -> bool {
        matches!(self.site, Site::Address(_) | Site::Name("localhost"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address() {
        let is_plain = |host: &str| HostParts::of(host).is_some_and(|parts| parts.is_plain());
        for fine in ["127.0.0.1:9153", "127.0.0.1", "[::1]:9153", "localhost:9153"] {
            assert!(is_plain(fine), "{fine}");
        }
        for odd in [
            "",
            "filter.school:9153",
            "127.0.0.1.evil.example",
            "evil.example:80",
            "[::1]evil.example",
            "[::1].evil.example:80",
            "[::1]:80.evil.example",
            "[evil.example]",
            "[127.0.0.1]",
            "[::1",
            "::1",
            "127.0.0.1:",
            "127.0.0.1:+80",
            "127.0.0.1:70000",
            "127.0.0.1:80:80",
            "localhost:evil",
            "localhost.evil.example",
            "user@127.0.0.1",
            " 127.0.0.1",
            "127.0.0.1, evil.example",
        ] {
            assert!(!is_plain(odd), "{odd}");
        }
    }

    #[test]
    fn an_origin_is_this_server_or_elsewhere() {
        let elsewhere = |origins: &[&str]| {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append(header::ORIGIN, origin.parse().unwrap());
            }
            is_from_elsewhere(&headers, "http", "lachan.internal:8080")
        };
        assert!(!elsewhere(&[]) && !elsewhere(&["http://lachan.internal:8080"]));
        for odd in ["null", "http://evil.example", "http://lachan.internal", "lachan.internal:8080"]
        {
            assert!(elsewhere(&[odd]), "{odd}");
        }
        assert!(elsewhere(&["http://lachan.internal:8080", "http://lachan.internal:8080"]));
    }
}
