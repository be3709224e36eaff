//! Modifiers: the part of an Adblock rule behind `$`.

use std::net::IpAddr;

use crate::blocklist::dnsmasq::address_record;
use crate::blocklist::local::ListRecord;
use crate::blocklist::reject::Reject;
use crate::dns::name::Name;
use crate::dns::rtype;
use crate::rule::{Action, QueryTypes};

/// The modifiers of one rule, all supported.
#[derive(Debug)]
pub(super) struct Modifiers<'a> {
    /// `important`.
    pub(super) is_important: bool,
    /// The names of `denyallow=`.
    pub(super) spared: Vec<&'a str>,
    /// The types of `dnstype=`.
    pub(super) types: QueryTypes,
    /// The answer of `dnsrewrite=`.
    pub(super) answer: Option<ModifierAnswer>,
}

/// The answer that a rule sets.
#[derive(Debug)]
pub(super) enum ModifierAnswer {
    /// Without records.
    Action(Action),
    /// A record.
    Local(ListRecord),
}

impl Default for Modifiers<'_> {
    fn default() -> Self {
        Self { is_important: false, spared: Vec::new(), types: QueryTypes::All, answer: None }
    }
}

impl<'a> Modifiers<'a> {
    /// Parses the modifiers of a rule.
    ///
    /// One unsupported modifier rejects the whole rule: each narrows it.
    pub(super) fn of(text: &'a str) -> Result<Self, Reject> {
        let mut modifiers = Self::default();
        for modifier in each(text) {
            match modifier.split_once('=').map_or((modifier, None), |(k, v)| (k, Some(v))) {
                ("important", None) => modifiers.is_important = true,
                ("all", None) => {}
                ("denyallow", Some(names)) if !names.is_empty() => {
                    modifiers.spared.extend(names.split('|'));
                }
                ("dnstype", Some(names)) => {
                    modifiers.types = types(names).ok_or(Reject::Modifier)?;
                }
                ("dnsrewrite", value) => {
                    modifiers.answer = Some(answer(value.unwrap_or("")).ok_or(Reject::Modifier)?);
                }
                _ => return Err(Reject::Modifier),
            }
        }
        Ok(modifiers)
    }
}

/// The modifiers, split at commas that have no backslash in front.
pub(super) fn each(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text
            .match_indices(',')
            .map(|(at, _)| at)
            .find(|&at| !text.get(..at).is_some_and(|before| before.ends_with('\\')));
        let (first, after) = match end {
            Some(at) => (text.get(..at).unwrap_or(text), text.get(at + 1..)),
            None => (text, None),
        };
        rest = after;
        Some(first.trim())
    })
}

/// The types of `dnstype=`: those that are named, else all but those with `~` in front.
///
/// AdGuard reads `~A|AAAA` as `AAAA`. One unknown name rejects the rule.
fn types(names: &str) -> Option<QueryTypes> {
    let (mut only, mut except) = (Vec::new(), Vec::new());
    for name in names.split('|') {
        match name.trim().strip_prefix('~') {
            Some(name) => except.push(rtype::from_name(name)?),
            None => only.push(rtype::from_name(name.trim())?),
        }
    }
    let in_order = |mut types: Vec<u16>| {
        types.sort_unstable();
        types.dedup();
        types.into_boxed_slice()
    };
    Some(if only.is_empty() {
        QueryTypes::Except(in_order(except))
    } else {
        QueryTypes::Only(in_order(only))
    })
}

/// The answer of `dnsrewrite=`: a keyword, an address, a name, or `RCODE;TYPE;VALUE`.
fn answer(value: &str) -> Option<ModifierAnswer> {
    let (code, record) = match value.split_once(';') {
        Some((code, record)) => (code, Some(record.split_once(';')?)),
        None => (value, None),
    };
    let action = match code {
        "" | "NOERROR" | "NODATA" => Some(Action::NoData),
        "NXDOMAIN" => Some(Action::NxDomain),
        "REFUSED" => Some(Action::Refused),
        _ => None,
    };
    match (record, action) {
        (None | Some(("", "")), Some(action)) => Some(ModifierAnswer::Action(action)),
        (Some((rtype, value)), Some(Action::NoData)) if code == "NOERROR" => {
            typed(rtype, value).map(ModifierAnswer::Local)
        }
        (Some(_), _) => None,
        (None, None) => match value.parse::<IpAddr>() {
            Ok(address) => Some(ModifierAnswer::Local(address_record(address))),
            // `SERVFAIL` and other codes are one label in capitals; names have two.
            Err(_) if !value.contains('.') => None,
            Err(_) => {
                Name::from_text(value).ok().map(|n| ModifierAnswer::Local(ListRecord::Cname(n)))
            }
        },
    }
}

fn typed(rtype: &str, value: &str) -> Option<ListRecord> {
    match rtype {
        "A" => value.parse().ok().map(|a| address_record(IpAddr::V4(a))),
        "AAAA" => value.parse().ok().map(|a| address_record(IpAddr::V6(a))),
        "CNAME" => Name::from_text(value).ok().map(ListRecord::Cname),
        "TXT" => {
            // Between modifiers a comma is the separator, so one in a value is escaped.
            let value = value.replace("\\,", ",");
            let length = u8::try_from(value.len()).ok()?;
            let rdata = [&[length], value.as_bytes()].concat();
            Some(ListRecord::Data(rtype::TXT, rdata.into()))
        }
        _ => None,
    }
}
