//! Rule sink: the output of the readers of all formats.

use std::net::IpAddr;

use ipnet::IpNet;

use super::format::ScopeChoice;
use super::local::{ListRecord, Locals, RecordPlace};
use super::parsed::{AddressRule, ListRule, ListTarget, Parsed};
use super::reject::Reject;
use crate::dns::name::{Labels, MAX_OCTETS, text_to_wire};
use crate::dns::public_suffix::is_top_level;
use crate::rule::{Action, EVERY_NAME, Effect, Scope, Target};

/// Scope, effect and action of a rule, without its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleBody {
    pub(super) scope: Scope,
    pub(super) effect: Effect,
    pub(super) action: Action,
}

impl RuleBody {
    /// Lists a name, with the answer of the group.
    pub(super) fn add(scope: Scope) -> Self {
        Self { scope, effect: Effect::Add, action: Action::Default }
    }
}

/// A name in wire form, in place.
#[derive(Debug)]
pub(super) struct Wire {
    octets: [u8; MAX_OCTETS],
    length: usize,
}

impl Wire {
    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or(&[0])
    }

    /// The stand-in of the root, below which a rule covers every name: a name is never the root here,
    /// and `*` as a name is covered by such a rule as all others are.
    pub(super) fn every() -> Self {
        let mut octets = [0; MAX_OCTETS];
        octets[..3].copy_from_slice(EVERY_NAME);
        Self { octets, length: EVERY_NAME.len() }
    }

    /// Parses a name of a zone file, with its escapes (RFC 1035 §5.1): `\.`, `\032`.
    pub(super) fn escaped(text: &str) -> Result<Self, Reject> {
        if !text.contains('\\') {
            return Self::of(text);
        }
        let mut wire = Self { octets: [0; MAX_OCTETS], length: 0 };
        let (mut label, mut rest) = (Vec::new(), text.bytes());
        loop {
            let octet = rest.next();
            match octet {
                None | Some(b'.') => {
                    wire.close(&label)?;
                    label.clear();
                    if octet.is_none() {
                        break;
                    }
                }
                Some(b'\\') => label.push(escape(&mut rest)?.to_ascii_lowercase()),
                Some(octet) => label.push(octet.to_ascii_lowercase()),
            }
        }
        // The root.
        wire.length += 1;
        Ok(wire)
    }

    /// Adds a label; the last octet is reserved for the root.
    fn close(&mut self, label: &[u8]) -> Result<(), Reject> {
        let (start, end) = (self.length, self.length + 1 + label.len());
        let to = self.octets.get_mut(start..end).filter(|_| end < MAX_OCTETS);
        let to = to.filter(|_| (1..=63).contains(&label.len())).ok_or(Reject::BadName)?;
        if let Some((length, octets)) = to.split_first_mut() {
            *length = label.len() as u8;
            octets.copy_from_slice(label);
        }
        self.length = end;
        Ok(())
    }

    /// Parses a name of any number of labels.
    pub(super) fn of(text: &str) -> Result<Self, Reject> {
        let mut wire = Self { octets: [0; MAX_OCTETS], length: 0 };
        wire.length = text_to_wire(text, &mut wire.octets)?;
        let last = Labels(wire.octets()).last().unwrap_or(&[]);
        if last.iter().all(u8::is_ascii_digit) {
            // No top-level domain is all digits (RFC 3696 §2): an address, or part of one.
            return Err(Reject::Address);
        }
        Ok(wire)
    }

    /// Parses a name of two labels or more, or a top-level domain of the registry.
    ///
    /// One below which schools have what they need, as `com`, is void where lists are put in force,
    /// with a finding.
    pub(super) fn of_zone(text: &str) -> Result<Self, Reject> {
        Self::of_host(text).or_else(|reject| {
            let wire = Self::of(text)?;
            let label = Labels(wire.octets()).next().unwrap_or(&[]);
            if is_top_level(label) { Ok(wire) } else { Err(reject) }
        })
    }

    /// Parses a name of two labels or more.
    pub(super) fn of_host(text: &str) -> Result<Self, Reject> {
        let wire = Self::of(text)?;
        match Labels(wire.octets()).nth(1) {
            Some(_) => Ok(wire),
            None => Err(Reject::SingleLabel),
        }
    }
}

/// The octet behind a backslash.
fn escape(rest: &mut std::str::Bytes<'_>) -> Result<u8, Reject> {
    let first = rest.next().ok_or(Reject::BadName)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let digits = [Some(first), rest.next(), rest.next()];
    let digit = |octet: Option<u8>| char::from(octet?).to_digit(10);
    digits
        .into_iter()
        .try_fold(0, |number, octet| Some(number * 10 + digit(octet)?))
        .and_then(|number| u8::try_from(number).ok())
        .ok_or(Reject::BadName)
}

/// The sink for the rules of one source.
pub(super) struct RuleSink<'a> {
    parsed: &'a mut Parsed,
    choice: ScopeChoice,
    locals: Locals,
}

impl<'a> RuleSink<'a> {
    pub(super) fn new(parsed: &'a mut Parsed, choice: ScopeChoice) -> Self {
        Self { parsed, choice, locals: Locals::default() }
    }

    /// Advances to the next line.
    pub(super) fn next_line(&mut self) {
        self.parsed.lines = self.parsed.lines.saturating_add(1);
    }

    /// The number of the current line.
    pub(super) fn line(&self) -> u32 {
        self.parsed.lines
    }

    /// Adds a rule of a bare host name; a port behind it is dropped.
    ///
    /// Lists of hosts are extracted from lists of URLs, and ports remain. A host with a path is
    /// rejected.
    pub(super) fn host(&mut self, text: &str, body: RuleBody) {
        let wire = match Wire::of_host(text) {
            Ok(wire) => Ok(wire),
            Err(reject) => without_port(text).map_or(Err(reject), Wire::of_host),
        };
        match wire {
            Ok(wire) => self.wire(&wire, body),
            Err(reject) => self.reject(text, kind_of(text, reject)),
        }
    }

    /// Adds a rule of a name as written.
    pub(super) fn name(&mut self, text: &str, body: RuleBody) {
        match Wire::of_zone(text) {
            Ok(wire) => self.wire(&wire, body),
            Err(reject) => self.reject(text, kind_of(text, reject)),
        }
    }

    /// Adds a rule of a parsed name.
    pub(super) fn wire(&mut self, wire: &Wire, body: RuleBody) {
        let scope = self.scope(body);
        let line = self.line();
        let RuleBody { effect, action, .. } = body;
        self.parsed.push(ListRule { name: wire.octets(), scope, effect, action, line });
    }

    /// Adds one record of local data for a name; records of one name are joined.
    pub(super) fn local(&mut self, wire: &Wire, body: RuleBody, record: ListRecord) {
        let spot = RecordPlace::Name(wire.octets().into(), self.scope(body), body.effect);
        self.record(spot, record);
    }

    /// Adds a rule that is about more than a name.
    pub(super) fn target(&mut self, target: Target, body: RuleBody, record: Option<ListRecord>) {
        let (scope, line) = (self.scope(body), self.line());
        let RuleBody { effect, action, .. } = body;
        match record {
            Some(record) => {
                self.record(RecordPlace::Target(Box::new(target), scope, effect), record);
            }
            None => self.parsed.targets.push(ListTarget { target, scope, effect, action, line }),
        }
    }

    /// Adds a rule of addresses in answers.
    pub(super) fn address(&mut self, net: IpNet, effect: Effect, action: Action) {
        let line = self.line();
        self.parsed.addresses.push(AddressRule { net, effect, action, line });
    }

    /// Adds one record of local data for names that resolve to these addresses.
    pub(super) fn local_address(&mut self, net: IpNet, effect: Effect, record: ListRecord) {
        self.record(RecordPlace::Net(net, effect), record);
    }

    fn record(&mut self, spot: RecordPlace, record: ListRecord) {
        if let Err(reject) = self.locals.add(spot, self.line(), record) {
            self.reject("", reject);
        }
    }

    pub(super) fn reject(&mut self, text: &str, reject: Reject) {
        self.parsed.reject(self.parsed.lines, text, reject);
    }

    /// The result so far.
    pub(super) fn parsed(&mut self) -> &mut Parsed {
        self.parsed
    }

    pub(super) fn finish(self) {
        self.locals.finish(self.parsed);
        self.parsed.shrink();
    }

    /// The scope by choice, which widens rules that list a name and never exceptions.
    fn scope(&self, body: RuleBody) -> Scope {
        let lists = match body.effect {
            Effect::Add | Effect::AddImportant => true,
            Effect::Rpz => !body.action.is_pass(),
            Effect::Clear | Effect::ClearImportant => false,
        };
        if lists && self.choice == ScopeChoice::Subtree { Scope::Subtree } else { body.scope }
    }
}

/// The reason to reject `text`, which is no name.
pub(super) fn kind_of(text: &str, reject: Reject) -> Reject {
    if reject == Reject::SingleLabel {
        return reject;
    }
    let address = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if address.parse::<IpAddr>().is_ok() || address.parse::<IpNet>().is_ok() {
        Reject::Address
    } else if text.contains(['/', '?']) {
        Reject::PathRule
    } else if text.contains('*') {
        Reject::Wildcard
    } else {
        reject
    }
}

/// `host` of `host:port`.
fn without_port(text: &str) -> Option<&str> {
    let (host, port) = text.split_once(':')?;
    let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    is_port.then_some(host)
}
