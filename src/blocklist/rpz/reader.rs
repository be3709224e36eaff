//! Reader of a response policy zone, record by record.

use super::rdata;
use super::trigger::{self, EVERY, Trigger};
use super::zone::{self, Tokens, ZoneOrigin, ZoneRecord, field, record};
use crate::blocklist::local::ListRecord;
use crate::blocklist::reject::Reject;
use crate::blocklist::sink::{RuleBody, RuleSink, Wire};
use crate::dns::name::Name;
use crate::dns::rtype;
use crate::rule::{Action, EVERY_NAME, Effect, Scope};

/// Reader of one zone file.
#[derive(Debug, Default)]
pub(in crate::blocklist) struct RpzReader {
    origin: ZoneOrigin,
    /// The owner of the last record; a line with a leading blank repeats it.
    owner: Option<String>,
    /// A record that is not yet closed with `)`.
    open: Tokens,
    has_soa: bool,
}

/// The policy action of a record.
enum PolicyAction {
    Action(Action),
    Local(ListRecord),
}

impl RpzReader {
    /// Reads one line, untrimmed.
    pub(in crate::blocklist) fn line(&mut self, line: &str, rules: &mut RuleSink<'_>) {
        let mut tokens = std::mem::take(&mut self.open);
        if tokens.is_open() && zone::is_record(line) {
            // An unclosed `(` must not consume the rest of the file.
            rules.reject(&tokens.words.join(" "), Reject::Syntax);
            tokens = Tokens::default();
        }
        if let Err(reject) = tokens.extend(line) {
            rules.reject(line, reject);
            return;
        }
        if tokens.is_open() {
            self.open = tokens;
            return;
        }
        if tokens.words.is_empty() {
            return;
        }
        if let Err(reject) = self.entry(&tokens, rules) {
            rules.reject(&tokens.words.join(" "), reject);
        }
    }

    /// Rejects a record that is still open at the end.
    pub(in crate::blocklist) fn finish(self, rules: &mut RuleSink<'_>) {
        if self.open.is_open() {
            rules.reject(&self.open.words.join(" "), Reject::Syntax);
        }
    }

    fn entry(&mut self, tokens: &Tokens, rules: &mut RuleSink<'_>) -> Result<(), Reject> {
        let mut words = tokens.words.iter().map(String::as_str);
        let first = words.next().unwrap_or("");
        if first.starts_with('$') {
            return match (first.to_ascii_uppercase().as_str(), words.next()) {
                ("$ORIGIN", Some(origin)) => {
                    // A line that repeats the owner refers to it under the former origin.
                    let owner = self.owner.take();
                    let owner = owner.as_deref().and_then(|name| self.origin.absolute(name).ok());
                    self.owner = owner.map(|name| format!("{name}."));
                    self.origin.change(origin)
                }
                ("$TTL", Some(_)) => Ok(()),
                ("$INCLUDE" | "$GENERATE", Some(_)) => Err(Reject::Unsupported),
                _ => Err(Reject::Syntax),
            };
        }
        let fields = if tokens.starts_blank {
            tokens.words.as_slice()
        } else {
            self.owner = Some(first.to_owned());
            tokens.words.get(1..).unwrap_or(&[])
        };
        let Some(owner) = self.owner.clone() else { return Err(Reject::Syntax) };
        let record = record(fields)?;
        if record.rtype == rtype::SOA {
            if !self.has_soa {
                self.has_soa = true;
                self.origin.is_apex(&owner);
            }
            return Ok(());
        }
        let Some(relative) = self.origin.relative(&owner)? else { return Ok(()) };
        match trigger::of(&relative)? {
            Trigger::Name(name, scope) => self.name((&relative, name, scope), &record, rules),
            Trigger::Net(net) => match self.policy_action(&relative, &record)? {
                PolicyAction::Action(action) => {
                    rules.address(net, Effect::Rpz, action);
                    Ok(())
                }
                PolicyAction::Local(local) => {
                    rules.local_address(net, Effect::Rpz, local);
                    Ok(())
                }
            },
        }
    }

    fn name(
        &self,
        (owner, name, scope): (&str, &str, Scope),
        record: &ZoneRecord<'_>,
        rules: &mut RuleSink<'_>,
    ) -> Result<(), Reject> {
        let wire = if name == EVERY { Wire::every() } else { Wire::escaped(name)? };
        let body = |action| RuleBody { scope, effect: Effect::Rpz, action };
        match self.policy_action(owner, record)? {
            PolicyAction::Action(action) => rules.wire(&wire, body(action)),
            PolicyAction::Local(local) => rules.local(&wire, body(Action::Default), local),
        }
        Ok(())
    }

    fn policy_action(
        &self,
        trigger: &str,
        record: &ZoneRecord<'_>,
    ) -> Result<PolicyAction, Reject> {
        if record.rtype != rtype::CNAME {
            let rdata = rdata::read(record, &self.origin)?;
            return Ok(PolicyAction::Local(ListRecord::Data(record.rtype, rdata)));
        }
        let [target] = record.rdata else { return Err(Reject::Syntax) };
        let target = target.as_str();
        let action = match target {
            "." => Some(Action::NxDomain),
            "*." => Some(Action::NoData),
            _ if target.eq_ignore_ascii_case("rpz-passthru.") => Some(Action::Passthru),
            _ if target.eq_ignore_ascii_case("rpz-drop.") => Some(Action::Drop),
            _ if target.eq_ignore_ascii_case("rpz-tcp-only.") => Some(Action::TcpOnly),
            _ => None,
        };
        if let Some(action) = action {
            return Ok(PolicyAction::Action(action));
        }
        if field::is_reserved(target) {
            // An unknown action, which blocks at least, or one without its final dot.
            return if target.ends_with('.') {
                Ok(PolicyAction::Action(Action::Default))
            } else {
                Err(Reject::Syntax)
            };
        }
        let absolute = self.origin.absolute(target)?;
        if absolute.eq_ignore_ascii_case(trigger) {
            // The older form of PASSTHRU.
            return Ok(PolicyAction::Action(Action::Passthru));
        }
        Ok(PolicyAction::Local(ListRecord::Cname(target_of(&absolute)?)))
    }
}

/// The name of a target; `*.x` stands for the name asked for below x.
fn target_of(absolute: &str) -> Result<Name, Reject> {
    let Some(garden) = absolute.strip_prefix("*.") else { return Ok(Name::from_text(absolute)?) };
    let wire = [&EVERY_NAME[..2], Name::from_text(garden)?.as_wire()].concat();
    Name::from_wire(&wire).map(|(name, _)| name).map_err(|_| Reject::BadName)
}
