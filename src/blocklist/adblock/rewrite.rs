//! `$dnsrewrite`: the answer that an Adblock rule sets, and the exceptions that take it back.
//!
//! ```text
//! value = keyword / address / name / rcode ";" type ";" data
//! ```
//!
//! Codes and types are in any case. A code that no block is answered with (`SERVFAIL`) blocks, with
//! the answer of the group.

use std::collections::HashMap;
use std::net::IpAddr;

use super::pattern::{self, Matched};
use crate::blocklist::dnsmasq::address_record;
use crate::blocklist::local::ListRecord;
use crate::blocklist::reject::Reject;
use crate::dns::message::local;
use crate::dns::name::{Labels, Name};
use crate::dns::rtype;
use crate::rule::{Action, Scope};

/// The most exceptions below one rule: more would cost more than they are worth.
const MAX_BELOW: usize = 1024;

/// Codes of answers that no block has.
const OTHER_CODES: [&str; 8] =
    ["FORMERR", "SERVFAIL", "NOTIMP", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"];

/// The answer that a rule sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RuleAnswer {
    /// Without records.
    Action(Action),
    /// A record.
    Local(ListRecord),
}

/// The answer of `dnsrewrite=`.
pub(super) fn answer(value: &str) -> Option<RuleAnswer> {
    let (code, record) = match value.split_once(';') {
        Some((code, record)) => (code, Some(record.split_once(';')?)),
        None => (value, None),
    };
    let action = match code.to_ascii_uppercase().as_str() {
        "" | "NOERROR" | "NODATA" => Some(Action::NoData),
        "NXDOMAIN" => Some(Action::NxDomain),
        "REFUSED" => Some(Action::Refused),
        other if OTHER_CODES.contains(&other) => Some(Action::Default),
        _ => None,
    };
    match (record, action) {
        (None | Some(("", "")), Some(action)) => Some(RuleAnswer::Action(action)),
        (Some((rtype, data)), Some(Action::NoData)) if code.eq_ignore_ascii_case("NOERROR") => {
            typed(rtype, data).map(RuleAnswer::Local)
        }
        // A code that is an error has no records, whatever is written behind it.
        (Some(_), Some(Action::NoData) | None) => None,
        (Some(_), Some(action)) => Some(RuleAnswer::Action(action)),
        (None, None) => match value.parse::<IpAddr>() {
            Ok(address) => Some(RuleAnswer::Local(address_record(address))),
            // `BADKEYWORD` is one label in capitals, and no name.
            Err(_) if !value.contains(|c: char| c == '.' || c.is_lowercase()) => None,
            Err(_) => target(value).map(|name| RuleAnswer::Local(ListRecord::Cname(name))),
        },
    }
}

/// The record of a type, as local records of a config are read.
fn typed(name: &str, data: &str) -> Option<ListRecord> {
    // Between modifiers a comma is the separator, so one in a value is escaped.
    let data = data.replace("\\,", ",");
    let place_of_name = match rtype::from_name(name)? {
        rtype::CNAME => return target(&data).map(ListRecord::Cname),
        rtype::TXT => {
            let rdata = [&[u8::try_from(data.len()).ok()?], data.as_bytes()].concat();
            return Some(ListRecord::Data(rtype::TXT, rdata.into()));
        }
        rtype::MX | rtype::SVCB | rtype::HTTPS => Some(1),
        rtype::SRV => Some(3),
        rtype::PTR => Some(0),
        _ => None,
    };
    if let Some(place) = place_of_name {
        let word = data.split_ascii_whitespace().nth(place)?;
        target(word.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(word))
            .map(drop)
            .or((word == ".").then_some(()))?;
    }
    let read = local::parse(&format!("owner.invalid {name} {data}")).ok()?;
    Some(ListRecord::Data(read.rtype, read.rdata))
}

/// A name that a rule leads to: letters, digits, `-`, `_` and dots.
fn target(text: &str) -> Option<Name> {
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!text.is_empty() && text.chars().all(is_host)).then(|| Name::from_text(text).ok())?
}

/// `@@||x^$dnsrewrite` of one list, by the name.
///
/// AdGuard: an exception takes back the answers of `$dnsrewrite` rules for its names, those of its
/// value or all, and no other rule. One without `$important` takes back none of a rule that has it.
#[derive(Debug, Default)]
pub(super) struct RewriteExceptions {
    at: HashMap<Box<[u8]>, Vec<RewriteException>>,
    /// The names of those with all below them, by the names above.
    below: HashMap<Box<[u8]>, Vec<Box<[u8]>>>,
}

#[derive(Debug, PartialEq, Eq)]
struct RewriteException {
    scope: Scope,
    is_important: bool,
    /// None for all.
    answer: Option<RuleAnswer>,
}

impl RewriteException {
    fn takes(&self, answer: &RuleAnswer, is_important: bool) -> bool {
        (self.is_important || !is_important) && self.answer.as_ref().is_none_or(|of| of == answer)
    }
}

impl RewriteExceptions {
    /// Adds a rule with `@@` and `$dnsrewrite`; those of patterns and with other modifiers are none.
    pub(super) fn add<'m>(
        &mut self,
        target: &str,
        modifiers: impl Iterator<Item = &'m str>,
    ) -> Result<(), Reject> {
        let (mut is_important, mut answer) = (false, None);
        for one in modifiers {
            match one.split_once('=').unwrap_or((one, "")) {
                ("important", "") => is_important = true,
                ("dnsrewrite", "") => {}
                ("dnsrewrite", value) => {
                    answer = Some(self::answer(value).ok_or(Reject::Modifier)?);
                }
                _ => return Err(Reject::Modifier),
            }
        }
        let Matched::Name(wire, scope) = pattern::matched(target, true)? else {
            return Err(Reject::Modifier);
        };
        let exception = RewriteException { scope, is_important, answer };
        let mut above = Labels(wire.octets());
        while scope == Scope::Subtree && above.next().is_some() {
            self.below.entry(above.0.into()).or_default().push(wire.octets().into());
        }
        self.at.entry(wire.octets().into()).or_default().push(exception);
        Ok(())
    }

    /// The names that are spared by a rule for a name; an error where the rule is taken back whole.
    pub(super) fn spared(
        &self,
        (wire, scope): (&[u8], Scope),
        answer: &RuleAnswer,
        is_important: bool,
    ) -> Result<Vec<Box<[u8]>>, Reject> {
        let takes = |name: &[u8], covers: &dyn Fn(Scope) -> bool| {
            let exceptions = self.at.get(name).map_or(&[][..], Vec::as_slice);
            exceptions.iter().any(|one| covers(one.scope) && one.takes(answer, is_important))
        };
        let mut above = Labels(wire);
        let at_name = |of: Scope| of == Scope::Subtree || of == scope;
        if takes(wire, &at_name) {
            return Err(Reject::Disabled);
        }
        while above.next().is_some() {
            if takes(above.0, &|of| of != Scope::Exact) {
                return Err(Reject::Disabled);
            }
        }
        let below = self.below.get(wire).filter(|_| scope != Scope::Exact);
        let below = below.map_or(&[][..], Vec::as_slice);
        if below.len() > MAX_BELOW {
            return Err(Reject::TooLarge);
        }
        let spares = |name: &[u8]| takes(name, &|of| of == Scope::Subtree);
        Ok(below.iter().filter(|name| spares(name)).cloned().collect())
    }
}
