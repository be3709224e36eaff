//! Answers with the records of the config.
//!
//! They are put together as if an upstream had sent them, and go through the same review:
//! a record is where an answer comes from, and no verdict.

use crate::cache::Entry;
use crate::dns::message::answer::{Answer, Form, TtlLimits};
use crate::dns::message::{Ede, Question, local};
use crate::dns::rtype;
use crate::policy::Pass;
use crate::policy::tables::local_zones::LocalName;
use crate::resolve::context::QueryContext;
use crate::resolve::{AnswerSource, Forward, Step};

/// The config's own TTLs hold as they are.
const AS_WRITTEN: TtlLimits = TtlLimits { min: 0, max: u32::MAX, max_negative: u32::MAX };

impl QueryContext<'_> {
    /// Answers with the records of the question's name.
    pub(super) fn with_records(&self, name: &LocalName, pass: Pass, out: &mut [u8]) -> Step {
        let question = Question::of(self.query, self.query.name.to_name());
        let answer = Answer::take(&message(name, &question), &question, &AS_WRITTEN);
        self.with_answer(answer.ok(), pass, out)
    }

    /// Answers with the records of the name that `forward` would ask for.
    pub(super) fn with_records_of(
        &self,
        name: &LocalName,
        forward: &Forward,
        pass: Pass,
        out: &mut [u8],
    ) -> Step {
        let message = message(name, forward.question());
        self.with_answer(forward.take(&message, self.query, &AS_WRITTEN).ok(), pass, out)
    }

    fn with_answer(&self, answer: Option<Answer>, pass: Pass, out: &mut [u8]) -> Step {
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
