//! Rewriting: the answer to one name becomes the answer to another, and answers are joined.
//!
//! Off the hot path: a rewritten answer is cached like any other, and a joined one is sent.

use crate::dns::message::compose::Composer;
use crate::dns::message::rdata::records;
use crate::dns::message::{Malformed, Question, Rcode};
use crate::dns::name::Name;
use crate::dns::rtype;

/// The longest TTL of a rewritten answer, in seconds: its target may change.
const MAX_TTL: u32 = 300;

/// Puts a CNAME from the name of `asked` in front of `message`, the answer for `target`.
///
/// All records get one TTL, the least of theirs and at most five minutes. The result claims
/// neither AD nor signatures: it is not the zone's own.
///
/// # Errors
///
/// [`Malformed`] if the message cannot be read.
pub fn rewrite(message: &[u8], asked: &Question, target: &Name) -> Result<Vec<u8>, Malformed> {
    let [mut answers, mut authorities] = records(message)?;
    let ttl = answers.iter().map(|record| record.ttl(message)).fold(MAX_TTL, u32::min);
    answers.retain(|record| record.rtype != rtype::RRSIG);
    authorities.retain(|record| record.rtype == rtype::SOA);
    let mut composer = Composer::new(asked);
    composer.alias(&asked.name, ttl, target)?;
    for record in &answers {
        composer.record(message, record, ttl)?;
    }
    for record in &authorities {
        composer.record(message, record, record.ttl(message))?;
    }
    Ok(composer.finish(rcode(message), false, answers.len() + 1, authorities.len()))
}

/// The message that answers `asked` with `links`: whole messages, each of which answers the name
/// that the one before ends in. It has the code and the proofs of the last.
///
/// # Errors
///
/// [`Malformed`] if a message cannot be read, and for more octets than a message may have.
pub fn join(asked: &Question, links: &[Vec<u8>]) -> Result<Vec<u8>, Malformed> {
    let mut composer = Composer::new(asked);
    let (mut answers, mut authorities) = (0, 0);
    for (number, message) in links.iter().enumerate() {
        let [in_answer, mut in_authority] = records(message)?;
        if number + 1 < links.len() {
            in_authority.clear();
        }
        answers += in_answer.len();
        authorities += in_authority.len();
        for record in in_answer.iter().chain(&in_authority) {
            composer.record(message, record, record.ttl(message))?;
        }
    }
    let is_authentic =
        links.iter().all(|message| message.get(3).is_some_and(|flags| flags & 0x20 != 0));
    let last = links.last().map_or(Rcode::NOERROR, |message| rcode(message));
    Ok(composer.finish(last, is_authentic, answers, authorities))
}

/// The message that answers `question` with an alias alone.
///
/// # Errors
///
/// [`Malformed`] for more octets than a message may have.
pub fn alias(question: &Question, ttl: u32, target: &Name) -> Result<Vec<u8>, Malformed> {
    let mut composer = Composer::new(question);
    composer.alias(&question.name, ttl, target)?;
    Ok(composer.finish(Rcode::NOERROR, false, 1, 0))
}

fn rcode(message: &[u8]) -> Rcode {
    Rcode(message.get(3).map_or(0, |low| u16::from(low & 0x0f)))
}
