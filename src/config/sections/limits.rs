//! `[cache]` and `[limits]`: bounds of the answer cache, and of one client.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use toml::Spanned;

use crate::cache::RetentionRules;
use crate::config::file::quantity::show_duration;
use crate::config::file::report::Report;
use crate::config::file::shape::{CacheFile, LimitsFile};
use crate::dns::message::answer::TtlLimits;
use crate::lang::messages;

/// Bounds of the answer cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheLimits {
    /// Most octets of all answers.
    pub octets: u64,
    /// Minimum TTL of an answer.
    pub min_ttl: Duration,
    /// Maximum TTL of an answer.
    pub max_ttl: Duration,
    /// Maximum TTL of a negative answer (RFC 2308 §5).
    pub max_negative_ttl: Duration,
    /// How long after its TTL a stale answer may be served while upstream fails (RFC 8767).
    pub stale: Duration,
    /// How long a query waits for upstream before it is answered stale.
    pub stale_after: Duration,
    /// Whether an answer in use is refreshed before its TTL ends.
    pub prefetch: bool,
    /// TTL of a first resolution failure (RFC 9520).
    pub failure_ttl: Duration,
    /// Maximum TTL of repeated failures.
    pub max_failure_ttl: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            octets: 64 << 20,
            min_ttl: Duration::ZERO,
            max_ttl: Duration::from_secs(86_400),
            max_negative_ttl: Duration::from_secs(3 * 3600),
            stale: Duration::from_secs(86_400),
            stale_after: Duration::from_millis(1800),
            prefetch: true,
            failure_ttl: Duration::from_secs(1),
            max_failure_ttl: Duration::from_secs(30),
        }
    }
}

impl CacheLimits {
    /// The bounds of TTLs, in the unit of DNS.
    pub fn ttls(&self) -> TtlLimits {
        TtlLimits {
            min: seconds(self.min_ttl),
            max: seconds(self.max_ttl),
            max_negative: seconds(self.max_negative_ttl),
        }
    }

    /// The rules for answers beyond their TTL.
    pub fn retention(&self) -> RetentionRules {
        RetentionRules {
            stale: seconds(self.stale),
            prefetch: self.prefetch,
            failure: seconds(self.failure_ttl),
            max_failure: seconds(self.max_failure_ttl),
        }
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Bounds of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most queries a second over UDP, for each worker; 0 is no limit.
    pub client_rate: usize,
    /// Most queries in a burst.
    pub client_burst: usize,
    /// Most queries of one client that wait for upstream at one time.
    pub client_in_flight: usize,
    /// Networks without limits.
    pub exempt: Vec<IpNet>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            client_rate: 2000,
            client_burst: 10_000,
            client_in_flight: 1024,
            exempt: vec![
                IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
                IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
            ],
        }
    }
}

impl Report<'_> {
    /// Checks `[cache]`.
    pub(crate) fn cache(&mut self, file: &CacheFile) -> CacheLimits {
        let mut cache = CacheLimits::default();
        let day = 86_400;
        self.size("size", file.size.as_ref(), 64 << 10..=4 << 30, &mut cache.octets);
        self.ttl("min_ttl", file.min_ttl.as_ref(), 0..=3600, &mut cache.min_ttl);
        self.ttl("max_ttl", file.max_ttl.as_ref(), 1..=7 * day, &mut cache.max_ttl);
        self.ttl(
            "max_negative_ttl",
            file.max_negative_ttl.as_ref(),
            1..=day,
            &mut cache.max_negative_ttl,
        );
        for (key, most, span) in [
            ("max_ttl", cache.max_ttl, file.max_ttl.as_ref()),
            ("max_negative_ttl", cache.max_negative_ttl, file.max_negative_ttl.as_ref()),
        ] {
            let span = file.min_ttl.as_ref().or(span).map_or(0..0, Spanned::span);
            if cache.min_ttl > most {
                self.mistake(
                    span,
                    messages::more_than(
                        "min_ttl",
                        show_duration(cache.min_ttl),
                        key,
                        show_duration(most),
                    ),
                )
                .hint = Some(messages::lower_or_raise("min_ttl", key));
            }
        }
        self.stale(file, &mut cache);
        cache
    }

    /// Stale answers, and failures.
    fn stale(&mut self, file: &CacheFile, cache: &mut CacheLimits) {
        self.ttl("stale", file.stale.as_ref(), 0..=7 * 86_400, &mut cache.stale);
        self.duration(
            "stale_after",
            file.stale_after.as_ref(),
            Duration::ZERO..=Duration::from_secs(10),
            &mut cache.stale_after,
        );
        cache.prefetch = file.prefetch.unwrap_or(cache.prefetch);
        self.ttl("failure_ttl", file.failure_ttl.as_ref(), 1..=300, &mut cache.failure_ttl);
        self.ttl(
            "max_failure_ttl",
            file.max_failure_ttl.as_ref(),
            1..=300,
            &mut cache.max_failure_ttl,
        );
        if cache.failure_ttl > cache.max_failure_ttl {
            let given = file.failure_ttl.as_ref().or(file.max_failure_ttl.as_ref());
            self.mistake(
                given.map_or(0..0, Spanned::span),
                messages::more_than(
                    "failure_ttl",
                    show_duration(cache.failure_ttl),
                    "max_failure_ttl",
                    show_duration(cache.max_failure_ttl),
                ),
            )
            .hint = Some(messages::lower_or_raise("failure_ttl", "max_failure_ttl"));
        }
    }

    /// Checks `[limits]`.
    pub(crate) fn limits(&mut self, file: &LimitsFile) -> Limits {
        let mut limits = Limits::default();
        self.number("client_rate", &file.client_rate, 0..=1_000_000, &mut limits.client_rate);
        self.number("client_burst", &file.client_burst, 1..=1_000_000, &mut limits.client_burst);
        self.number(
            "client_in_flight",
            &file.client_in_flight,
            1..=65_536,
            &mut limits.client_in_flight,
        );
        if let Some(exempt) = &file.exempt {
            limits.exempt = self.networks("exempt", exempt);
        }
        limits
    }
}
