//! Single values: read, or reported with what is allowed.
//!
//! One way to check each kind of value, so that the same mistake is said in the
//! same words under every key.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use toml::Spanned;

use crate::category::{CategoryId, Level, Taxonomy};
use crate::config::data::safesearch::SafeSearch;
use crate::config::external::Externals;
use crate::config::file::quantity::{self, QuantityError, show_duration, show_size};
use crate::config::file::shape::{Number, Quoted, Size, SpannedText, SpannedTexts, Time};
use crate::config::file::syntax::listed;
use crate::config::layers::schedule::Schedule;
use crate::diagnostic::{Diagnostic, nearest};
use crate::dns::name::Name;

/// What checking needs, and what it has found so far.
pub(crate) struct Checker<'a> {
    base_dir: &'a Path,
    /// The categories there are.
    pub(crate) taxonomy: &'a Taxonomy,
    /// The search engines there are.
    pub(crate) safesearch: &'a SafeSearch,
    /// What other files say.
    pub(in crate::config) externals: Externals,
    /// The schedules, once they are read.
    pub(crate) schedules: Vec<Schedule>,
    /// Names that belong together, by name.
    pub(crate) bundles: BTreeMap<String, Vec<Name>>,
    mistakes: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    /// Nothing found so far.
    pub(crate) fn new(
        base_dir: &'a Path,
        taxonomy: &'a Taxonomy,
        safesearch: &'a SafeSearch,
    ) -> Self {
        Self {
            base_dir,
            taxonomy,
            safesearch,
            externals: Externals::default(),
            schedules: Vec::new(),
            bundles: BTreeMap::new(),
            mistakes: Vec::new(),
        }
    }

    /// What was found, in the order of the text.
    pub(crate) fn into_mistakes(mut self) -> Vec<Diagnostic> {
        self.mistakes.sort_by(|a, b| (a.span.start, &a.message).cmp(&(b.span.start, &b.message)));
        // Two groups that share a profile report its locked categories twice.
        self.mistakes.dedup();
        self.mistakes
    }

    /// Leaves a mistake.
    pub(crate) fn push(&mut self, mistake: Diagnostic) {
        self.mistakes.push(mistake);
    }

    /// Leaves a mistake, to which the caller may add a hint.
    pub(crate) fn report(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.mistakes.push(Diagnostic::new(span, message));
        let last = self.mistakes.len() - 1;
        &mut self.mistakes[last]
    }

    /// Reports a key that a table cannot do without.
    pub(crate) fn missing<T>(&mut self, span: Range<usize>, table: &str, key: &str) -> Option<T> {
        self.report(span, format!("this `{table}` has no `{key}`")).hint =
            Some(format!("add `{key} = \"…\"`"));
        None
    }

    /// One of a closed set of words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        what: &str,
        given: &Spanned<String>,
        all: &[T],
        id: fn(T) -> &'static str,
    ) -> Option<T> {
        let word = given.get_ref().as_str();
        let found = all.iter().copied().find(|&one| id(one) == word);
        if found.is_none() {
            self.unknown(what, given, all.iter().map(|&one| id(one)));
        }
        found
    }

    /// Reports a word that is none of `known`.
    pub(crate) fn unknown<'w>(
        &mut self,
        what: &str,
        given: &Spanned<String>,
        known: impl IntoIterator<Item = &'w str>,
    ) {
        let word = given.get_ref();
        let known: Vec<&str> = known.into_iter().collect();
        let allowed = match known.as_slice() {
            [] => "this file defines none".to_owned(),
            known => format!("known are {}", listed(known.iter().copied())),
        };
        let hint = nearest(word, known).map(|meant| format!("did you mean `{meant}`?"));
        self.report(given.span(), format!("unknown {what} `{word}`; {allowed}")).hint = hint;
    }

    pub(crate) fn level(&mut self, given: &SpannedText) -> Option<Level> {
        self.choice("level", given.as_ref()?, &Level::ALL, Level::id)
    }

    pub(crate) fn category(&mut self, given: &Spanned<String>) -> Option<CategoryId> {
        let taxonomy = self.taxonomy;
        let found = taxonomy.find(given.get_ref());
        if found.is_none() {
            self.unknown("category", given, taxonomy.iter().map(|(_, row)| row.id.as_str()));
        }
        found
    }

    pub(crate) fn text(
        &mut self,
        given: &SpannedText,
        is_right: impl Fn(&str) -> bool,
        wrong: &str,
        to: &mut String,
    ) {
        let Some(given) = given else { return };
        if is_right(given.get_ref()) {
            to.clone_from(given.get_ref());
        } else {
            self.report(given.span(), format!("{:?} {wrong}", given.get_ref()));
        }
    }

    pub(crate) fn path(&mut self, key: &str, given: &Spanned<String>) -> Option<PathBuf> {
        if given.get_ref().is_empty() || given.get_ref().contains('\0') {
            self.report(given.span(), format!("`{key}` is not a path"));
            return None;
        }
        Some(self.base_dir.join(given.get_ref()))
    }

    pub(crate) fn number(
        &mut self,
        key: &str,
        given: &Number,
        range: RangeInclusive<usize>,
        to: &mut usize,
    ) {
        let Some(given) = given else { return };
        match usize::try_from(*given.get_ref()) {
            Ok(number) if range.contains(&number) => *to = number,
            _ => {
                let (least, most) = range.into_inner();
                let found = given.get_ref();
                self.report(
                    given.span(),
                    format!("`{key}` is {found}; it must be {least} to {most}"),
                );
            }
        }
    }

    pub(crate) fn duration(
        &mut self,
        key: &str,
        given: Option<&Spanned<Quoted<Time>>>,
        range: RangeInclusive<Duration>,
        to: &mut Duration,
    ) {
        let Some(given) = given else { return };
        let text = &given.get_ref().text;
        match quantity::duration(text) {
            Ok(duration) if range.contains(&duration) => *to = duration,
            Ok(_) => {
                let (least, most) = (show_duration(*range.start()), show_duration(*range.end()));
                self.report(
                    given.span(),
                    format!("`{key}` is {text}; it must be {least} to {most}"),
                );
            }
            Err(error) => self.no_amount(given.span(), key, "a duration", text, error),
        }
    }

    /// A duration in the unit of DNS: whole seconds.
    pub(crate) fn ttl(
        &mut self,
        key: &str,
        given: Option<&Spanned<Quoted<Time>>>,
        seconds: RangeInclusive<u64>,
        to: &mut Duration,
    ) {
        let (least, most) = seconds.into_inner();
        let mut read = *to;
        self.duration(
            key,
            given,
            Duration::from_secs(least)..=Duration::from_secs(most),
            &mut read,
        );
        if read.subsec_nanos() == 0 {
            *to = read;
        } else if let Some(given) = given {
            let text = &given.get_ref().text;
            self.report(given.span(), format!("`{key}` is {text}; it must be whole seconds"));
        }
    }

    pub(crate) fn size(
        &mut self,
        key: &str,
        given: Option<&Spanned<Quoted<Size>>>,
        range: RangeInclusive<u64>,
        to: &mut u64,
    ) {
        let Some(given) = given else { return };
        let text = &given.get_ref().text;
        match quantity::size(text) {
            Ok(octets) if range.contains(&octets) => *to = octets,
            Ok(_) => {
                let (least, most) = (show_size(*range.start()), show_size(*range.end()));
                self.report(
                    given.span(),
                    format!("`{key}` is {text}; it must be {least} to {most}"),
                );
            }
            Err(error) => self.no_amount(given.span(), key, "a size", text, error),
        }
    }

    fn no_amount(
        &mut self,
        span: Range<usize>,
        key: &str,
        what: &str,
        text: &str,
        error: QuantityError,
    ) {
        let mistake = self.report(span, format!("`{key}` is {text:?}, not {what}: {error}"));
        if let QuantityError::Unit { suggestion: Some(meant), .. } = error {
            mistake.hint = Some(format!("did you mean `{meant}`?"));
        }
    }

    pub(crate) fn address(&mut self, given: &Spanned<String>, port: u16) -> Option<SocketAddr> {
        let text = given.get_ref();
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let (message, hint) = match text.parse::<IpAddr>() {
            Ok(address) => (
                format!("`{text}` has no port"),
                format!("did you mean `{}`?", SocketAddr::new(address, port)),
            ),
            Err(_) => (
                format!("`{text}` is not an address with a port; names are not looked up here"),
                format!("write `127.0.0.1:{port}`, `0.0.0.0:{port}` or `[::]:{port}`"),
            ),
        };
        self.report(given.span(), message).hint = Some(hint);
        None
    }

    /// A network in CIDR form, or a single address.
    pub(crate) fn network(&mut self, given: &Spanned<String>) -> Option<IpNet> {
        let text = given.get_ref().as_str();
        let (message, hint) = match read_network(text) {
            Ok(network) => return Some(network),
            Err(mistake) => mistake,
        };
        self.report(given.span(), message).hint = Some(hint);
        None
    }
}

impl Checker<'_> {
    /// A network, or the networks that a range of addresses, `10.0.0.5-10.0.0.20`, comes to.
    pub(crate) fn network_or_range(&mut self, given: &Spanned<String>) -> Vec<IpNet> {
        let Some((first, last)) = given.get_ref().split_once('-') else {
            return self.network(given).into_iter().collect();
        };
        let address = |text: &str| text.trim().parse::<IpAddr>().ok();
        match (address(first), address(last)) {
            (Some(IpAddr::V4(first)), Some(IpAddr::V4(last))) if first <= last => {
                Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect()
            }
            (Some(IpAddr::V6(first)), Some(IpAddr::V6(last))) if first <= last => {
                Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect()
            }
            (Some(first), Some(last)) if first.is_ipv4() == last.is_ipv4() => {
                let message = format!("`{}` ends before it begins", given.get_ref());
                self.report(given.span(), message).hint = Some(format!("write `{last}-{first}`"));
                Vec::new()
            }
            _ => {
                let message = format!("`{}` is not a range of addresses", given.get_ref());
                self.report(given.span(), message).hint =
                    Some("write `10.20.0.5-10.20.0.20`".into());
                Vec::new()
            }
        }
    }

    /// Networks, no two alike.
    pub(crate) fn networks(
        &mut self,
        key: &str,
        given: &Spanned<Vec<Spanned<String>>>,
    ) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for text in given.get_ref() {
            let Some(network) = self.network(text) else { continue };
            if networks.contains(&network) {
                self.report(text.span(), format!("`{network}` stands twice in `{key}`")).hint =
                    Some("remove one of the two".into());
            }
            networks.push(network);
        }
        networks
    }
}

/// Reads a network; else says what is wrong and what to write instead.
fn read_network(text: &str) -> Result<IpNet, (String, String)> {
    let example = || "write `10.20.0.0/16`, `2001:db8:20::/48` or a single address".to_owned();
    let Some((address, length)) = text.split_once('/') else {
        return text
            .parse::<IpAddr>()
            .map_err(|_| (format!("`{text}` is not a network or an address"), example()))
            .and_then(|address| unmapped(IpNet::from(address)));
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err((format!("`{text}` is not a network or an address"), example()));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let mask = length.parse::<IpAddr>().ok().and_then(|mask| ipnet::ip_mask_to_prefix(mask).ok());
    let network = length.parse().ok().and_then(|length| IpNet::new(address, length).ok());
    match (network, mask.and_then(|length| IpNet::new(address, length).ok())) {
        (Some(network), _) if network.trunc() != network => Err((
            format!("`{text}` has bits set behind its prefix of {}", network.prefix_len()),
            format!("write the network, `{}`, or the single address, `{address}`", network.trunc()),
        )),
        (Some(network), _) => unmapped(network),
        (None, Some(network)) => Err((
            format!("`{text}` has a mask where the length of a prefix is asked for"),
            format!("write `{}`", network.trunc()),
        )),
        (None, None) => {
            Err((format!("`{text}` has no right prefix length; it must be 0 to {most}"), example()))
        }
    }
}

/// Refuses IPv4 written as IPv6: clients are seen by their IPv4 address, so it would match none.
fn unmapped(network: IpNet) -> Result<IpNet, (String, String)> {
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.network().to_ipv4_mapped(),
        IpNet::V6(_) | IpNet::V4(_) => None,
    };
    match mapped.and_then(|v4| IpNet::new(v4.into(), network.prefix_len() - 96).ok()) {
        Some(v4) => Err((
            format!("`{network}` is IPv4 written as IPv6, and would match no client"),
            format!("write `{v4}`"),
        )),
        None => Ok(network),
    }
}

/// The place of a key, or of its table where the key is absent.
pub(crate) fn place_of<T, U>(key: Option<&Spanned<T>>, table: &Spanned<U>) -> Range<usize> {
    key.map_or_else(|| table.span(), Spanned::span)
}

/// The texts of a list that may be absent.
pub(crate) fn each(texts: &SpannedTexts) -> impl Iterator<Item = &Spanned<String>> {
    texts.iter().flat_map(Spanned::get_ref)
}
