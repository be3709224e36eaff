//! Records of the config as messages, laid out as an upstream would send them.

use crate::dns::message::answer::TtlLimits;
use crate::dns::message::rewrite::alias;
use crate::dns::message::{Malformed, Question, local};
use crate::dns::rtype;
use crate::policy::tables::local_zones::LocalName;

/// The config's own TTLs, and those that have been bounded, are neither raised nor lowered.
pub(super) const AS_WRITTEN: TtlLimits =
    TtlLimits { min: 0, max: u32::MAX, max_negative: u32::MAX };

/// The message that answers `question`, whose name has local data: with an alias alone where it
/// has one.
pub(super) fn link(name: &LocalName, question: &Question) -> Result<Vec<u8>, Malformed> {
    match &name.data.cname {
        Some(target) if question.qtype != rtype::CNAME => alias(question, name.ttl, target),
        _ => Ok(message(name, question)),
    }
}

/// The records of `name` that answer `question`.
pub(super) fn message(name: &LocalName, question: &Question) -> Vec<u8> {
    let alias = name.data.cname.as_ref().filter(|_| question.qtype == rtype::CNAME);
    let rdata: Vec<&[u8]> = if let Some(target) = alias {
        vec![target.as_wire()]
    } else {
        let of_type = name.data.records.iter().filter(|(rtype, _)| *rtype == question.qtype);
        of_type.map(|(_, rdata)| rdata.as_ref()).collect()
    };
    local::message(question, name.ttl, &rdata)
}
