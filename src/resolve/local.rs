//! Answers with the records of the config.
//!
//! They are laid out as an upstream would send them, and go through the same review: a record
//! is the origin of an answer, and no verdict.

use crate::cache::Entry;
use crate::dns::message::Ede;
use crate::dns::message::answer::{Answer, Form};
use crate::dns::route::UpstreamId;
use crate::policy::Pass;
use crate::policy::tables::local_zones::LocalName;
use crate::resolve::context::QueryContext;
use crate::resolve::records::{AS_WRITTEN, message};
use crate::resolve::{AnswerSource, Done, Forward};

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
