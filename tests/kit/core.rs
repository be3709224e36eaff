//! The core under one policy: octets in, octets out, at a time that the test gives.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use lachan::cache::AnswerCache;
use lachan::dns::message::answer::TtlLimits;
use lachan::policy::Snapshot;
use lachan::resolve::{
    Answered, Begin, Done, Finish, Forward, Now, Origin, Outcome, Transport, Trust, begin,
};

/// The limits of a gateway without a config.
pub(crate) const LIMITS: TtlLimits = TtlLimits { min: 0, max: 86_400, max_negative: 10_800 };

/// The listener that clients ask.
pub(crate) fn listener() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 53))
}

/// A query's origin: this client, by UDP.
pub(crate) fn origin(client: impl Into<IpAddr>) -> Origin {
    Origin::plain(client.into(), listener(), Transport::Udp)
}

/// A civil time of a synchronised clock; the monotonic one shows the same.
pub(crate) fn synced(civil: u64) -> Now {
    Now { mono: civil, civil, trust: Trust::Synced }
}

/// Policy and answer cache of a gateway.
pub(crate) struct Core {
    /// The policy in force.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Upstream's answers.
    pub(crate) cache: AnswerCache,
}

/// What left for the client.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The message.
    pub(crate) octets: Vec<u8>,
    /// What is counted.
    pub(crate) outcome: Outcome,
    /// Whether the entry is to be fetched anew behind the reply.
    pub(crate) is_refreshed: bool,
}

impl Core {
    /// A core with an empty cache.
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self { snapshot: Arc::new(snapshot), cache: AnswerCache::new(1 << 20) }
    }

    /// Begins a query; the reply, if there is one, is in `out`.
    pub(crate) fn begin(&self, query: &[u8], client: Ipv4Addr, now: Now, out: &mut [u8]) -> Begin {
        begin(query, &origin(client), &self.snapshot, &self.cache, now, out)
    }

    /// Begins a query that must miss.
    pub(crate) fn forward(&self, query: &[u8], client: Ipv4Addr, now: Now) -> Forward {
        match self.begin(query, client, now, &mut room()) {
            Begin::Forward(forward) => *forward,
            other => panic!("answered at once: {other:?}"),
        }
    }

    /// Ends a query with an answer from upstream, which must give a reply.
    pub(crate) fn finish(&self, forward: Forward, upstream: &[u8], now: Now) -> Reply {
        let mut out = room();
        let step = forward.finish(answered(upstream, now), &self.cache, &LIMITS, now, &mut out);
        let Finish::Done(Done::Reply(length, outcome)) = step else { panic!("no reply: {step:?}") };
        out.truncate(length);
        Reply { octets: out, outcome, is_refreshed: false }
    }

    /// Puts upstream's answer to `query`, which must miss, into the cache.
    pub(crate) fn learn(&self, query: &[u8], client: Ipv4Addr, now: Now, upstream: &[u8]) {
        self.finish(self.forward(query, client, now), upstream, now);
    }

    /// The reply to a query; `upstream` answers where it misses, each link of a chain.
    pub(crate) fn resolve(
        &self,
        query: &[u8],
        client: Ipv4Addr,
        now: Now,
        upstream: impl Fn(&Forward) -> Vec<u8>,
    ) -> Reply {
        self.resolve_from(query, &origin(client), now, upstream)
    }

    /// The same for a device that may claim a group.
    pub(crate) fn resolve_from(
        &self,
        query: &[u8],
        origin: &Origin,
        now: Now,
        upstream: impl Fn(&Forward) -> Vec<u8>,
    ) -> Reply {
        let mut out = room();
        let begun = begin(query, origin, &self.snapshot, &self.cache, now, &mut out);
        let (done, is_refreshed) = match begun {
            Begin::Forward(mut forward) => loop {
                let message = upstream(&forward);
                let said = answered(&message, now);
                match forward.finish(said, &self.cache, &LIMITS, now, &mut out) {
                    Finish::Done(done) => break (done, false),
                    Finish::Next(next) => forward = next,
                }
            },
            Begin::Done(done) => (done, false),
            Begin::Refresh(done, _) => (done, true),
        };
        let Done::Reply(length, outcome) = done else { panic!("no reply: {done:?}") };
        out.truncate(length);
        Reply { octets: out, outcome, is_refreshed }
    }
}

/// Upstream's message for a question that is sent and answered `now`.
pub(crate) fn answered(message: &[u8], now: Now) -> Answered<'_> {
    Answered { message: Ok(message), asked: now.mono * 1_000_000 }
}

/// Room for the longest reply.
fn room() -> Vec<u8> {
    vec![0; 65_535]
}
