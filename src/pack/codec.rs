//! Codec of the small sections: sequences of numbers and strings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::category::CategoryId;
use crate::dns::name::{Folded, Name};
use crate::pack::notes::{ListedNet, TargetedRule};
use crate::rule::{Action, Effect, LocalData, QueryTypes, Rule, Scope, Subject, Target};

/// Reader of numbers and strings from the front of a section; `None` at its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SectionReader<'a>(pub(crate) &'a [u8]);

impl<'a> SectionReader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(*self.take(2)?.first_chunk()?))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.take(8)?.first_chunk()?))
    }

    /// Octets with a length prefix of 16 bits.
    pub(crate) fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// All items of a section that begins with their number; trailing octets are refused.
    pub(crate) fn items<T>(mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(one(&mut self)?);
        }
        self.0.is_empty().then_some(items)
    }
}

/// Writes a section that begins with the number of its items.
pub(crate) fn items<T>(items: &[T], one: impl Fn(&T, &mut Vec<u8>)) -> Vec<u8> {
    let mut octets = (items.len() as u32).to_le_bytes().to_vec();
    for item in items {
        one(item, &mut octets);
    }
    octets
}

pub(crate) fn put_short(text: &[u8], octets: &mut Vec<u8>) {
    let text = text.get(..usize::from(u16::MAX)).unwrap_or(text);
    octets.extend((text.len() as u16).to_le_bytes());
    octets.extend(text);
}

const SCOPES: [Scope; 3] = [Scope::Exact, Scope::Subtree, Scope::Below];
const EFFECTS: [Effect; 5] =
    [Effect::Add, Effect::AddImportant, Effect::Clear, Effect::ClearImportant, Effect::Rpz];
/// All actions but local data, which has number 8.
const ACTIONS: [Action; 8] = [
    Action::Default,
    Action::NxDomain,
    Action::NoData,
    Action::Refused,
    Action::Passthru,
    Action::PassthruAll,
    Action::Drop,
    Action::TcpOnly,
];

fn put_action(action: Action, octets: &mut Vec<u8>) {
    let (kind, number) = match action {
        Action::Local(number) => (ACTIONS.len(), number),
        other => (ACTIONS.iter().position(|action| *action == other).unwrap_or(0), 0),
    };
    octets.push(kind as u8);
    octets.extend(number.to_le_bytes());
}

fn action(reader: &mut SectionReader<'_>) -> Option<Action> {
    let (kind, number) = (reader.u8()?, reader.u16()?);
    match ACTIONS.get(usize::from(kind)) {
        Some(action) if number == 0 => Some(*action),
        None if usize::from(kind) == ACTIONS.len() => Some(Action::Local(number)),
        _ => None,
    }
}

pub(crate) fn put_rule(rule: &Rule, octets: &mut Vec<u8>) {
    octets.push(rule.category.index() as u8);
    octets.push(place(&SCOPES, rule.scope) | place(&EFFECTS, rule.effect) << 4);
    put_action(rule.action, octets);
    octets.push(0);
    octets.extend(rule.source.to_le_bytes());
}

pub(crate) fn rule(reader: &mut SectionReader<'_>) -> Option<Rule> {
    let category = CategoryId::new(reader.u8()?.into())?;
    let both = reader.u8()?;
    let scope = *SCOPES.get(usize::from(both & 15))?;
    let effect = *EFFECTS.get(usize::from(both >> 4))?;
    let action = action(reader)?;
    (reader.u8()? == 0).then_some(())?;
    Some(Rule { category, scope, effect, action, source: reader.u16()? })
}

pub(crate) fn put_local(data: &LocalData, octets: &mut Vec<u8>) {
    put_short(data.cname.as_ref().map_or(&[], Name::as_wire), octets);
    octets.extend((data.records.len() as u16).to_le_bytes());
    for (rtype, rdata) in &data.records {
        octets.extend(rtype.to_le_bytes());
        put_short(rdata, octets);
    }
}

pub(crate) fn local(reader: &mut SectionReader<'_>) -> Option<LocalData> {
    let wire = reader.short()?;
    let cname = if wire.is_empty() {
        None
    } else {
        let (name, taken) = Name::from_wire(wire).ok()?;
        (taken == wire.len()).then_some(())?;
        Some(name)
    };
    let count = reader.u16()?;
    let mut records = Vec::new();
    for _ in 0..count {
        records.push((reader.u16()?, reader.short()?.into()));
    }
    Some(LocalData { cname, records })
}

pub(crate) fn put_net(listed: &ListedNet, octets: &mut Vec<u8>) {
    octets.push(listed.category.index() as u8);
    octets.push(listed.net.prefix_len());
    match listed.net.addr() {
        IpAddr::V4(address) => put_short(&address.octets(), octets),
        IpAddr::V6(address) => put_short(&address.octets(), octets),
    }
    octets.push(place(&EFFECTS, listed.effect));
    put_action(listed.action, octets);
    octets.extend(listed.source.to_le_bytes());
}

/// The place of a value in its set.
fn place<T: PartialEq + Copy>(all: &[T], value: T) -> u8 {
    all.iter().position(|one| *one == value).unwrap_or(0) as u8
}

pub(crate) fn net(reader: &mut SectionReader<'_>) -> Option<ListedNet> {
    let category = CategoryId::new(reader.u8()?.into())?;
    let length = reader.u8()?;
    let address = match reader.short()? {
        v4 if v4.len() == 4 => IpAddr::V4(Ipv4Addr::from(*v4.first_chunk::<4>()?)),
        v6 if v6.len() == 16 => IpAddr::V6(Ipv6Addr::from(*v6.first_chunk::<16>()?)),
        _ => return None,
    };
    let net = IpNet::new(address, length).ok()?;
    let effect = *EFFECTS.get(usize::from(reader.u8()?))?;
    matches!(effect, Effect::Add | Effect::Rpz).then_some(())?;
    Some(ListedNet { net, category, effect, action: action(reader)?, source: reader.u16()? })
}

pub(crate) fn put_target(targeted: &TargetedRule, octets: &mut Vec<u8>) {
    let TargetedRule { target, rule } = targeted;
    put_rule(rule, octets);
    let (kind, subject): (u8, &[u8]) = match &target.subject {
        Subject::Name(wire) => (0, wire),
        Subject::Pattern(text) => (1, text.as_bytes()),
        Subject::All => (2, &[]),
    };
    octets.push(kind);
    put_short(subject, octets);
    let (kind, types): (u8, &[u16]) = match &target.types {
        QueryTypes::All => (0, &[]),
        QueryTypes::Only(types) => (1, types),
        QueryTypes::Except(types) => (2, types),
    };
    octets.push(kind);
    octets.extend((types.len() as u16).to_le_bytes());
    octets.extend(types.iter().flat_map(|rtype| rtype.to_le_bytes()));
    octets.extend((target.spared.len() as u16).to_le_bytes());
    for name in &target.spared {
        put_short(name, octets);
    }
}

pub(crate) fn target(reader: &mut SectionReader<'_>) -> Option<TargetedRule> {
    let rule = rule(reader)?;
    let subject = match (reader.u8()?, reader.short()?) {
        (0, octets) => Subject::Name(wire(octets)?),
        (1, octets) => Subject::Pattern(std::str::from_utf8(octets).ok()?.into()),
        (2, []) => Subject::All,
        _ => return None,
    };
    let (kind, count) = (reader.u8()?, reader.u16()?);
    let types: Box<[u16]> = (0..count).map(|_| reader.u16()).collect::<Option<_>>()?;
    let types = match kind {
        0 if types.is_empty() => QueryTypes::All,
        1 => QueryTypes::Only(types),
        2 => QueryTypes::Except(types),
        _ => return None,
    };
    let count = reader.u16()?;
    let spared: Box<[Box<[u8]>]> =
        (0..count).map(|_| wire(reader.short()?)).collect::<Option<_>>()?;
    // They are searched.
    let is_ordered = spared.is_sorted_by(|a, b| a < b);
    is_ordered.then_some(TargetedRule { target: Target { subject, types, spared }, rule })
}

/// A wire name in lower case, whole.
fn wire(octets: &[u8]) -> Option<Box<[u8]>> {
    let (name, taken) = Folded::from_wire(octets).ok()?;
    (taken == octets.len() && name.as_wire() == octets).then(|| octets.into())
}
