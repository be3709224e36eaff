//! Answers with the records of the config.
//!
//! They are laid out as an upstream would send them, and go through the same review: a record
//! is the origin of an answer, and no verdict.

use crate::cache::Entry;
use crate::dns::message::answer::{Answer, Form, TtlLimits};
use crate::dns::message::{Ede, Question, local};
use crate::dns::route::UpstreamId;
use crate::dns::rtype;
use crate::policy::Pass;
use crate::policy::tables::local_zones::LocalName;
use crate::resolve::context::QueryContext;
use crate::resolve::{AnswerSource, Done, Forward};

/// The config's own TTLs are neither raised nor lowered.
const AS_WRITTEN: TtlLimits = TtlLimits { min: 0, max: u32::MAX, max_negative: u32::MAX };

impl QueryContext<'_> {
    /// The reply with the records of the question's name.
    pub(super) fn with_records(&self, name: &LocalName, pass: Pass, out: &mut [u8]) -> Done {
        let question = self.query.question(self.name.name.to_name(), UpstreamId::MAIN);
        let answer = Answer::take(&message(name, &question), &question, &AS_WRITTEN);
        self.with_answer(answer.ok(), pass, out)
    }

    /// The reply with the records of the name in the upstream question of `forward`.
    pub(super) fn with_records_of(
        &self,
        name: &LocalName,
        forward: &Forward,
        pass: Pass,
        out: &mut [u8],
    ) -> Done {
        let message = message(name, forward.question());
        self.with_answer(forward.take(&message, &AS_WRITTEN).ok(), pass, out)
    }

    fn with_answer(&self, answer: Option<Answer>, pass: Pass, out: &mut [u8]) -> Done {
        let Some(answer) = answer else { return self.servfail(Ede::INVALID_DATA, out) };
        self.answer(&Entry::new(answer, 0), Form::aged(0), pass, AnswerSource::Local, out)
    }
}

/// The records of `name` that answer `question`.
fn message(name: &LocalName, question: &Question) -> Vec<u8> {
    let alias = name.data.cname.as_ref().filter(|_| question.qtype == rtype::CNAME);
    let rdata: Vec<&[u8]> = if let Some(target) = alias {
        vec![target.as_wire()]
    } else {
        let of_type = name.data.records.iter().filter(|(rtype, _)| *rtype == question.qtype);
        of_type.map(|(_, rdata)| rdata.as_ref()).collect()
    };
    local::message(question, name.ttl, &rdata)
}
