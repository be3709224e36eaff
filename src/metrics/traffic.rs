//! Queries and answers: what came, what was sent, what waited, what did not fit.

use crate::dns::message::Rcode;
use crate::metrics::counters::{BUCKETS, Event, RCODES, Totals};
use crate::metrics::families as family;
use crate::metrics::family::{Distribution, Sample};
use crate::metrics::labels::{AddressFamily, ConnectionEnd, QueueBound, RequestRefusal};
use crate::policy::CanaryKind;
use crate::resolve::{AnswerSource, DropReason, Transport};

/// Codes and sources that occur in ordinary work: exported from 0.
const USUAL: [(Rcode, AnswerSource); 17] = [
    (Rcode::NOERROR, AnswerSource::Cache),
    (Rcode::NOERROR, AnswerSource::Stale),
    (Rcode::NOERROR, AnswerSource::Upstream),
    (Rcode::NOERROR, AnswerSource::Local),
    (Rcode::NOERROR, AnswerSource::Blocked),
    (Rcode::NOERROR, AnswerSource::Limited),
    (Rcode::NXDOMAIN, AnswerSource::Cache),
    (Rcode::NXDOMAIN, AnswerSource::Upstream),
    (Rcode::NXDOMAIN, AnswerSource::Local),
    (Rcode::NXDOMAIN, AnswerSource::Blocked),
    (Rcode::REFUSED, AnswerSource::Blocked),
    (Rcode::REFUSED, AnswerSource::Refused),
    (Rcode::SERVFAIL, AnswerSource::Cache),
    (Rcode::SERVFAIL, AnswerSource::Upstream),
    (Rcode::SERVFAIL, AnswerSource::Error),
    (Rcode::FORMERR, AnswerSource::Error),
    (Rcode::NOTIMP, AnswerSource::Error),
];

/// The sources whose durations are exported.
const TIMED: [AnswerSource; 4] =
    [AnswerSource::Cache, AnswerSource::Upstream, AnswerSource::Local, AnswerSource::Blocked];

/// Queries and answers, answers by duration, queries without an answer.
pub(super) fn samples(totals: &Totals) -> Vec<Sample> {
    let mut samples = Vec::new();
    for transport in Transport::ALL {
        for version in AddressFamily::ALL {
            let count = totals.queries(transport, version.index());
            samples.push(family::QUERIES.sample((transport, version), count));
        }
    }
    for (number, rcode) in RCODES.into_iter().enumerate() {
        for source in AnswerSource::ALL {
            let count = totals.responses(number, source);
            if count > 0 || USUAL.contains(&(rcode, source)) {
                samples.push(family::RESPONSES.sample((rcode, source), count));
            }
        }
    }
    samples.extend(TIMED.map(|source| {
        let durations = totals.durations(source);
        let distribution = Distribution {
            cumulative: BUCKETS.into_iter().zip(durations.cumulative).collect(),
            count: durations.count,
            sum: durations.sum,
        };
        family::RESPONSE_DURATION.sample((source,), distribution)
    }));
    samples.extend(
        DropReason::ALL.map(|reason| family::DROPPED.sample((reason,), totals.dropped(reason))),
    );
    samples.extend(
        CanaryKind::ALL.map(|kind| family::CANARY_HITS.sample((kind,), totals.canaries(kind))),
    );
    samples.extend(waiting(totals));
    samples
}

/// Queries that wait, and what does not fit.
fn waiting(totals: &Totals) -> Vec<Sample> {
    let bounds = [
        (QueueBound::All, Event::OverAll),
        (QueueBound::Client, Event::OverClient),
        (QueueBound::Question, Event::OverQuestion),
        (QueueBound::Upstream, Event::OverUpstream),
    ];
    let overflow =
        bounds.map(|(bound, event)| family::OVERFLOW.sample((bound,), totals.events(event)));
    let ends = [
        (ConnectionEnd::Evicted, Event::ConnectionEvicted),
        (ConnectionEnd::Refused, Event::ConnectionRefused),
        (ConnectionEnd::Idle, Event::ConnectionIdle),
        (ConnectionEnd::Stalled, Event::ConnectionStalled),
        (ConnectionEnd::HandshakeFailed, Event::HandshakeFailed),
        (ConnectionEnd::HandshakeTimeout, Event::HandshakeTimeout),
    ];
    let ended =
        ends.map(|(end, event)| family::CONNECTIONS_ENDED.sample((end,), totals.events(event)));
    let refusals = [
        (RequestRefusal::Path, Event::DohPath),
        (RequestRefusal::Token, Event::TokenRefused),
        (RequestRefusal::Method, Event::DohMethod),
        (RequestRefusal::MediaType, Event::DohMediaType),
        (RequestRefusal::Malformed, Event::DohMalformed),
        (RequestRefusal::TooLong, Event::DohTooLong),
        (RequestRefusal::Timeout, Event::DohTimeout),
    ];
    let refused = refusals
        .map(|(refusal, event)| family::DOH_REFUSED.sample((refusal,), totals.events(event)));
    let mut samples = vec![
        family::COALESCED.sample((), totals.events(Event::Coalesced)),
        family::PREFETCHES.sample((), totals.events(Event::CacheRefresh)),
        family::UDP_SEND_FAILURES.sample((), totals.events(Event::NotSent)),
    ];
    samples.extend(overflow);
    samples.extend(ended);
    samples.extend(refused);
    samples
}
