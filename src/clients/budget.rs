//! Per-client rate limit of one worker. Law: no client may crowd out the others.
//!
//! Each worker has a table of its own, so no worker waits for another: a client whose queries
//! arrive at several workers has its budget at each. The table has a fixed size. Where a line of
//! it is full, the client with the least spent is evicted, and starts again with a whole budget.
//!
//! A client is an IPv4 address or an IPv6 network of 64 bits. A whole classroom behind one IPv4
//! address is one client, and so is one behind one IPv6 network: a device may take any address
//! in it, and as many as it likes. A link-local address is a client of its own.
//!
//! ```text
//! spent:  0 ───────────── burst ── burst + slip ─▶
//!           answered     │ answered with TC │ nothing
//! ```
//!
//! The budget refills at `rate` a second. Over the burst a reply has TC set: a real stub retries
//! over TCP, and is answered there; software that floods does not.

use std::net::IpAddr;

use crate::clients::client_id::ClientId;
use crate::config::Limits;
use crate::policy::tables::client::PrefixTable;

/// Lines of the table; each fills one cache line (64 octets).
const LINES: usize = 2048;
/// Clients of a line: four accounts of 16 octets fill it.
const WAYS: usize = 4;

/// The rate limit of a client, in nanoseconds of budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The cost of a query.
    step: u64,
    /// The budget of a burst.
    burst: u64,
    /// The budget beyond the burst, for replies with TC.
    slip: u64,
}

impl Rate {
    /// `rate` queries a second and `burst` at once; none if `rate` is 0, which is no limit.
    pub fn new(rate: u64, burst: u64) -> Option<Self> {
        let step = 1_000_000_000_u64.checked_div(rate)?.max(1);
        let burst = burst.max(1).saturating_mul(step);
        Some(Self { step, burst, slip: burst / 10 + step })
    }
}

/// The decision on a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateDecision {
    /// It is answered.
    Pass,
    /// Its reply has TC, so that the client retries over TCP.
    Slip,
    /// It gets no reply.
    Drop,
}

/// The limits of a client, as configured.
#[derive(Debug)]
pub struct ClientLimits {
    /// Its rate limit; none is no limit.
    pub rate: Option<Rate>,
    /// Queries of it that may wait for upstream.
    pub in_flight: usize,
    /// Networks without these limits.
    pub exempt: PrefixTable<()>,
}

impl ClientLimits {
    /// The limits of a config.
    pub fn of(limits: &Limits) -> Self {
        Self {
            rate: Rate::new(limits.client_rate as u64, limits.client_burst as u64),
            in_flight: limits.client_in_flight,
            exempt: PrefixTable::new(limits.exempt.iter().map(|&network| (network, ()))),
        }
    }

    /// Whether a client is exempt from all limits.
    #[inline]
    pub fn is_exempt(&self, address: IpAddr) -> bool {
        self.exempt.get(address).is_some()
    }
}

/// A client's account. One that was never opened belongs to no client.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    client: u64,
    /// The time at which the budget is whole again, in nanoseconds.
    whole_at: u64,
}

#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line([Account; WAYS]);

/// One worker's accounts.
#[derive(Debug)]
pub struct Budget {
    lines: Box<[Line]>,
    /// Keys the hash, so that no client can choose its line.
    seed: u64,
}

impl Budget {
    /// A budget of which nothing is spent. `seed` is a random number.
    pub fn new(seed: u64) -> Self {
        Self { lines: vec![Line::default(); LINES].into(), seed: seed | 1 }
    }

    /// Charges a client for a query at `micros`.
    #[inline]
    pub fn charge(&mut self, client: ClientId, micros: u64, rate: Rate) -> RateDecision {
        let now = micros.saturating_mul(1000);
        let hash = client.number().wrapping_mul(self.seed) ^ self.seed.rotate_left(32);
        let place = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % LINES;
        let Some(Line(line)) = self.lines.get_mut(place) else { return RateDecision::Pass };
        let known = line.iter().position(|account| account.client == client.number());
        let way = known.unwrap_or_else(|| {
            let least = line.iter().enumerate().min_by_key(|(_, account)| account.whole_at);
            least.map_or(0, |(way, _)| way)
        });
        let Some(account) = line.get_mut(way) else { return RateDecision::Pass };
        if known.is_none() {
            *account = Account { client: client.number(), whole_at: 0 };
        }
        let whole_at = account.whole_at.max(now) + rate.step;
        let spent = whole_at - now;
        if spent > rate.burst + rate.slip {
            return RateDecision::Drop;
        }
        account.whole_at = whole_at;
        if spent > rate.burst { RateDecision::Slip } else { RateDecision::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(address: &str) -> ClientId {
        ClientId::of(address.parse().unwrap())
    }

    fn charge(budget: &mut Budget, client: ClientId, micros: u64, count: usize) -> [usize; 3] {
        let rate = Rate::new(1000, 100).unwrap();
        let mut seen = [0; 3];
        for _ in 0..count {
            seen[budget.charge(client, micros, rate) as usize] += 1;
        }
        seen
    }

    #[test]
    fn a_burst_passes_then_slips_then_nothing_and_it_comes_back() {
        let (mut budget, client) = (Budget::new(7), id("10.0.0.1"));
        assert_eq!(charge(&mut budget, client, 5_000_000, 200), [100, 11, 89]);
        // A neighbour is not concerned.
        assert_eq!(charge(&mut budget, id("10.0.0.2"), 5_000_000, 10), [10, 0, 0]);
        // Ten milliseconds bring ten back; but the slips are paid off first.
        assert_eq!(charge(&mut budget, client, 5_010_000, 20), [0, 10, 10]);
        assert_eq!(charge(&mut budget, client, 5_200_000, 300), [100, 11, 189]);
    }

    #[test]
    fn who_stays_within_the_rate_is_never_limited() {
        let (mut budget, client) = (Budget::new(7), id("2001:db8:1:2::3"));
        for query in 0..10_000_u64 {
            assert_eq!(charge(&mut budget, client, query * 1000, 1), [1, 0, 0]);
        }
    }

    #[test]
    fn a_flood_of_addresses_takes_no_more_memory_and_nothing_from_the_one_who_spent() {
        let (mut budget, client) = (Budget::new(7), id("10.0.0.1"));
        assert_eq!(charge(&mut budget, client, 5_000_000, 200), [100, 11, 89]);
        for number in 0..200_000_u32 {
            let stranger = ClientId::of(IpAddr::V4((0xc000_0000 + number).into()));
            charge(&mut budget, stranger, 5_000_000, 1);
        }
        // The client that has spent most is evicted last.
        assert_eq!(charge(&mut budget, client, 5_000_000, 5), [0, 0, 5]);
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert_eq!(Rate::new(0, 100), None);
        assert_eq!(Rate::new(u64::MAX, 0).map(|rate| rate.step), Some(1));
    }
}
