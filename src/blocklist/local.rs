//! Local data of a list: records of one name joined, equal data stored once.

use std::collections::HashMap;

use ipnet::IpNet;

use super::parsed::{AddressRule, ListRule, ListTarget, Parsed};
use super::reject::Reject;
use crate::dns::name::Name;
use crate::rule::{Action, Effect, LocalData, Scope, Target};

/// The most records of one name: more do not fit a message.
const MAX_RECORDS: usize = 1024;

/// The name or addresses of local data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum RecordPlace {
    /// A name in wire form.
    Name(Box<[u8]>, Scope, Effect),
    /// Addresses in an answer.
    Net(IpNet, Effect),
    /// More than a name.
    Target(Box<Target>, Scope, Effect),
}

/// One record of local data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListRecord {
    /// Another name to resolve instead; it displaces all other records.
    Cname(Name),
    /// A record type and its RDATA.
    Data(u16, Box<[u8]>),
}

/// The local data of one source while it is read.
#[derive(Debug, Default)]
pub(super) struct Locals {
    places: HashMap<RecordPlace, usize>,
    found: Vec<(RecordPlace, u32, LocalData)>,
}

impl Locals {
    /// Adds a record; records of one place are joined.
    pub(super) fn add(
        &mut self,
        spot: RecordPlace,
        line: u32,
        record: ListRecord,
    ) -> Result<(), Reject> {
        let place = *self.places.entry(spot.clone()).or_insert_with(|| {
            self.found.push((spot, line, LocalData::default()));
            self.found.len() - 1
        });
        let Some((_, _, data)) = self.found.get_mut(place) else { return Ok(()) };
        match record {
            ListRecord::Cname(target) => {
                data.cname.get_or_insert(target);
                data.records.clear();
            }
            ListRecord::Data(rtype, rdata) => {
                let record = (rtype, rdata);
                if data.records.len() == MAX_RECORDS {
                    return Err(Reject::TooMuchData);
                }
                if data.cname.is_none() && !data.records.contains(&record) {
                    data.records.push(record);
                }
            }
        }
        Ok(())
    }

    /// Numbers distinct local data and adds its rules.
    pub(super) fn finish(self, parsed: &mut Parsed) {
        let mut numbers: HashMap<_, u16> = HashMap::new();
        for (spot, line, data) in self.found {
            let key = (data.cname.clone(), data.records.clone());
            let number = if let Some(&number) = numbers.get(&key) {
                number
            } else if let Ok(number) = u16::try_from(parsed.data.len()) {
                numbers.insert(key, number);
                parsed.data.push(data);
                number
            } else {
                parsed.reject(line, "", Reject::TooMuchData);
                continue;
            };
            let action = Action::Local(number);
            match spot {
                RecordPlace::Name(name, scope, effect) => {
                    parsed.push(ListRule { name: &name, scope, effect, action, line });
                }
                RecordPlace::Net(net, effect) => {
                    parsed.addresses.push(AddressRule { net, effect, action, line });
                }
                RecordPlace::Target(target, scope, effect) => {
                    parsed.targets.push(ListTarget {
                        target: *target,
                        scope,
                        effect,
                        action,
                        line,
                    });
                }
            }
        }
    }
}
