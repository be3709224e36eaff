//! Every metric, in one table; the text that Prometheus reads.
//!
//! Counters live in per-worker blocks ([`counters`]) and are summed when
//! somebody scrapes; this file gives them names and labels. Labels come from
//! closed enums, category ids and configured names only. A name asked for or a
//! client's address is never a label: it has no bound, and it says what one
//! pupil looked up.
//!
//! Only pairs of group and category that the policy in force can produce are
//! exported, from 0. Categories that must not be told apart (csam, self-harm)
//! are all `protected`.

pub mod counters;
mod fail_mode;
mod flow;
mod safesearch;
mod zones;

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{Registry, TextEncoder};

pub use zones::ZoneSample;

use crate::category::{CategoryId, CategorySet, Taxonomy};
use crate::metrics::counters::{BUCKETS, Counters, FAMILIES, MAX_GROUPS, RCODES, Totals};
use crate::policy::{CanaryKind, Group, Snapshot};
use crate::resolve::{AnswerSource, BlockedBy, DropReason, Transport};

/// What protected categories are called.
pub const PROTECTED: &str = "protected";
/// The category of a name that only the school denies.
const NO_CATEGORY: &str = "none";

/// Codes and sources that occur in ordinary work: exported from 0.
const USUAL: [(&str, AnswerSource); 17] = [
    ("NOERROR", AnswerSource::Cache),
    ("NOERROR", AnswerSource::Stale),
    ("NOERROR", AnswerSource::Upstream),
    ("NOERROR", AnswerSource::Local),
    ("NOERROR", AnswerSource::Blocked),
    ("NOERROR", AnswerSource::Limited),
    ("NXDOMAIN", AnswerSource::Cache),
    ("NXDOMAIN", AnswerSource::Upstream),
    ("NXDOMAIN", AnswerSource::Local),
    ("NXDOMAIN", AnswerSource::Blocked),
    ("REFUSED", AnswerSource::Blocked),
    ("REFUSED", AnswerSource::Refused),
    ("SERVFAIL", AnswerSource::Cache),
    ("SERVFAIL", AnswerSource::Upstream),
    ("SERVFAIL", AnswerSource::Error),
    ("FORMERR", AnswerSource::Error),
    ("NOTIMP", AnswerSource::Error),
];

/// What one upstream server did.
#[derive(Debug, Clone, Default)]
pub struct UpstreamSample {
    /// The server as written in the config.
    pub label: String,
    /// Questions it was asked.
    pub queries: u64,
    /// Questions it failed, by reason.
    pub errors: Vec<(&'static str, u64)>,
    /// Bounds in seconds and answers up to each.
    pub buckets: Vec<(f64, u64)>,
    /// Answers in all, and the seconds they took.
    pub count: u64,
    /// Seconds in all.
    pub sum: f64,
    /// Whether it is asked first.
    pub is_up: bool,
}

/// What the gateway is at the moment of a scrape, beside the counters.
#[derive(Debug, Clone)]
pub struct ScrapeState {
    /// The policy in force.
    pub snapshot: Arc<Snapshot>,
    /// Entries and octets of the answer cache.
    pub cache: (u64, u64),
    /// The upstream servers.
    pub upstreams: Vec<UpstreamSample>,
    /// The forward zones.
    pub zones: Vec<ZoneSample>,
    /// Labels of `lachan_school_info`.
    pub school: Vec<(&'static str, String)>,
    /// Questions now waiting for upstream.
    pub in_flight: u64,
    /// Gauges that need no label, by name, with their help.
    pub gauges: Vec<(&'static str, &'static str, f64)>,
    /// Counters with one label, by name and help: label, then values.
    pub counts: Vec<LabelledCounts>,
    /// Gauges with one label, in the same form.
    pub marks: Vec<LabelledGauges>,
}

/// A family of counters with one label.
pub type LabelledCounts = (&'static str, &'static str, &'static str, Vec<(&'static str, u64)>);

/// A family of gauges with one label.
pub type LabelledGauges = (&'static str, &'static str, &'static str, Vec<(&'static str, f64)>);

/// A programming error in the metrics: two of one name, or a text that cannot be written.
pub type MetricsError = prometheus::Error;

/// Where the state comes from.
pub type StateSource = Box<dyn Fn() -> ScrapeState + Send + Sync>;

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Metrics that sum `blocks` and describe what `state` returns.
    ///
    /// # Errors
    ///
    /// A [`MetricsError`] if a name is registered twice: a programming error.
    pub fn new(blocks: Vec<Arc<Counters>>, state: StateSource) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let described = Desc::new(
            "lachan_build_info".into(),
            "Version of this program.".into(),
            Vec::new(),
            std::collections::HashMap::new(),
        )?;
        registry.register(Box::new(All { blocks, state, described }))?;
        Ok(Self { registry })
    }

    /// The exposition text.
    ///
    /// # Errors
    ///
    /// A [`MetricsError`] if the text cannot be written: a programming error.
    pub fn text(&self) -> Result<String, MetricsError> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// The one collector.
struct All {
    blocks: Vec<Arc<Counters>>,
    state: StateSource,
    described: Desc,
}

impl Collector for All {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.described]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let totals = Totals::of(self.blocks.iter().map(Arc::as_ref));
        let state = (self.state)();
        let mut families = vec![
            family(
                "lachan_build_info",
                "Version of this program.",
                MetricType::GAUGE,
                vec![gauge(&[("version", env!("CARGO_PKG_VERSION"))], 1.0)],
            ),
            school(&state),
        ];
        families.extend(traffic(&totals));
        families.extend(flow::families(&totals));
        families.extend(policy(&totals, &state.snapshot));
        families.push(safesearch::family(&totals, &state.snapshot));
        families.extend(fail_mode::families(&state.snapshot));
        families.extend(upstreams(&state.upstreams));
        families.extend(zones::families(&state.zones));
        families.extend(holdings(&state));
        families
    }
}

fn school(state: &ScrapeState) -> MetricFamily {
    let labels: Vec<(&str, &str)> = state.school.iter().map(|(n, v)| (*n, v.as_str())).collect();
    family(
        "lachan_school_info",
        "The school this gateway is configured for.",
        MetricType::GAUGE,
        vec![gauge(&labels, 1.0)],
    )
}

/// Queries and responses.
fn traffic(totals: &Totals) -> Vec<MetricFamily> {
    let mut queries = Vec::new();
    for (transport, proto) in [(Transport::Udp, "udp"), (Transport::Tcp, "tcp")] {
        for (number, name) in FAMILIES.into_iter().enumerate() {
            let labels = [("proto", proto), ("family", name)];
            queries.push(counter(&labels, totals.queries(transport, number)));
        }
    }
    let mut responses = Vec::new();
    for (number, rcode) in RCODES.into_iter().enumerate() {
        for source in AnswerSource::ALL {
            let count = totals.responses(number, source);
            if count > 0 || USUAL.contains(&(rcode.id(), source)) {
                let labels = [("rcode", rcode.id()), ("source", source.id())];
                responses.push(counter(&labels, count));
            }
        }
    }
    let durations =
        [AnswerSource::Cache, AnswerSource::Upstream, AnswerSource::Local, AnswerSource::Blocked]
            .into_iter()
            .map(|source| {
                let d = totals.durations(source);
                let buckets = BUCKETS.into_iter().zip(d.cumulative);
                histogram(&[("source", source.id())], buckets, d.count, d.sum)
            })
            .collect();
    let dropped = DropReason::ALL
        .into_iter()
        .map(|reason| counter(&[("reason", reason.id())], totals.dropped(reason)))
        .collect();
    let canaries = CanaryKind::ALL
        .into_iter()
        .map(|kind| counter(&[("kind", kind.id())], totals.canaries(kind)))
        .collect();
    vec![
        family("lachan_queries_total", "Queries received.", MetricType::COUNTER, queries),
        family(
            "lachan_responses_total",
            "Answers sent, by response code and where they came from.",
            MetricType::COUNTER,
            responses,
        ),
        family(
            "lachan_response_duration_seconds",
            "Time from receiving a query to handing its answer to the kernel.",
            MetricType::HISTOGRAM,
            durations,
        ),
        family(
            "lachan_dropped_total",
            "Datagrams and messages that got no answer, by reason.",
            MetricType::COUNTER,
            dropped,
        ),
        family(
            "lachan_canary_hits_total",
            "Questions by which software asks whether it may resolve elsewhere.",
            MetricType::COUNTER,
            canaries,
        ),
    ]
}

/// What policy did, by group and category.
fn policy(totals: &Totals, snapshot: &Snapshot) -> Vec<MetricFamily> {
    let taxonomy = snapshot.taxonomy();
    let mut blocked: BTreeMap<(String, &str, &str), u64> = BTreeMap::new();
    let mut observed: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for group in snapshot.groups() {
        let number = usize::from(group.counters.0) % MAX_GROUPS;
        let (ever_blocked, ever_observed) = (group.ever_blocked(), group.ever_observed());
        for (category, id) in categories(taxonomy, ever_blocked) {
            for by in BlockedBy::ALL {
                let count = totals.blocked(number, Some(category.index()), by);
                if count > 0 || by == BlockedBy::List {
                    *blocked.entry((group.name.clone(), id, by.id())).or_default() += count;
                }
            }
        }
        for by in BlockedBy::ALL {
            let count = totals.blocked(number, None, by);
            let can_be = match by {
                BlockedBy::School => denies(group),
                BlockedBy::AllowList => group.is_ever_allow_only(),
                BlockedBy::Rebinding => true,
                _ => false,
            };
            if count > 0 || can_be {
                blocked.insert((group.name.clone(), NO_CATEGORY, by.id()), count);
            }
        }
        for (category, id) in categories(taxonomy, ever_blocked.union(ever_observed)) {
            let count = totals.observed(number, category.index());
            // Keywords hint at blocked categories too; rarely, so only where they did.
            if count > 0 || ever_observed.contains(category) {
                *observed.entry((group.name.clone(), id)).or_default() += count;
            }
        }
    }
    let blocked = blocked
        .iter()
        .map(|((group, id, by), count)| {
            counter(&[("group", group.as_str()), ("category", id), ("source", by)], *count)
        })
        .collect();
    let observed = observed
        .iter()
        .map(|((group, id), count)| counter(&[("group", group.as_str()), ("category", id)], *count))
        .collect();
    let mut listed: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, row) in taxonomy.iter() {
        let name = if row.is_protected { PROTECTED } else { row.id.as_str() };
        *listed.entry(name).or_default() += snapshot.listed_in(id);
    }
    let listed =
        listed.iter().map(|(id, count)| gauge(&[("category", id)], *count as f64)).collect();
    vec![
        family(
            "lachan_blocked_total",
            "Queries answered as blocked, by group, category and what it was decided on.",
            MetricType::COUNTER,
            blocked,
        ),
        family(
            "lachan_observed_total",
            "Queries let through whose category the group only counts.",
            MetricType::COUNTER,
            observed,
        ),
        family("lachan_list_entries", "Names listed, by category.", MetricType::GAUGE, listed),
    ]
}

fn denies(group: &Group) -> bool {
    group.own.iter().any(|(_, _, own)| *own == crate::policy::Own::Deny)
}

/// The categories of a set with the names they are exported under.
fn categories(taxonomy: &Taxonomy, set: CategorySet) -> impl Iterator<Item = (CategoryId, &str)> {
    set.iter().map(|category| {
        let row = taxonomy.category(category);
        (category, if row.is_protected { PROTECTED } else { row.id.as_str() })
    })
}

fn upstreams(samples: &[UpstreamSample]) -> Vec<MetricFamily> {
    let each = |make: &dyn Fn(&UpstreamSample) -> Metric| samples.iter().map(make).collect();
    let errors = samples
        .iter()
        .flat_map(|s| {
            s.errors.iter().map(|(reason, count)| {
                counter(&[("upstream", &s.label), ("reason", reason)], *count)
            })
        })
        .collect();
    vec![
        family(
            "lachan_upstream_queries_total",
            "Questions sent to an upstream server.",
            MetricType::COUNTER,
            each(&|s| counter(&[("upstream", &s.label)], s.queries)),
        ),
        family(
            "lachan_upstream_errors_total",
            "Questions an upstream server failed, by reason.",
            MetricType::COUNTER,
            errors,
        ),
        family(
            "lachan_upstream_duration_seconds",
            "Time an upstream server took to answer.",
            MetricType::HISTOGRAM,
            each(&|s| {
                histogram(&[("upstream", &s.label)], s.buckets.iter().copied(), s.count, s.sum)
            }),
        ),
        family(
            "lachan_upstream_up",
            "Whether an upstream server is asked first (1) or only when others fail (0).",
            MetricType::GAUGE,
            each(&|s| gauge(&[("upstream", &s.label)], f64::from(u8::from(s.is_up)))),
        ),
    ]
}

/// What the gateway holds.
fn holdings(state: &ScrapeState) -> Vec<MetricFamily> {
    let single = |name, help, value| family(name, help, MetricType::GAUGE, vec![gauge(&[], value)]);
    let (entries, octets) = state.cache;
    let mut families = vec![
        single("lachan_cache_entries", "Answers in the cache.", entries as f64),
        single("lachan_cache_bytes", "Octets that the cache holds.", octets as f64),
        single("lachan_inflight", "Questions waiting for upstream.", state.in_flight as f64),
        single(
            "lachan_list_bytes",
            "Octets of the list table.",
            state.snapshot.lists().octets() as f64,
        ),
    ];
    families.extend(state.gauges.iter().map(|&(name, help, value)| single(name, help, value)));
    families.extend(state.marks.iter().map(|(name, help, label, values)| {
        let values = values.iter().map(|(value, is)| gauge(&[(label, value)], *is));
        family(name, help, MetricType::GAUGE, values.collect())
    }));
    families.extend(state.counts.iter().map(|(name, help, label, values)| {
        let values = values.iter().map(|(value, count)| counter(&[(label, value)], *count));
        family(name, help, MetricType::COUNTER, values.collect())
    }));
    families
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.into());
    family.set_help(help.into());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}

fn labelled(labels: &[(&str, &str)]) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).into());
        pair.set_value((*value).into());
        pair
    });
    Metric::from_label(pairs.collect())
}

fn counter(labels: &[(&str, &str)], value: u64) -> Metric {
    let mut metric = labelled(labels);
    let mut counter = Counter::default();
    counter.set_value(value as f64);
    metric.set_counter(counter);
    metric
}

fn gauge(labels: &[(&str, &str)], value: f64) -> Metric {
    let mut metric = labelled(labels);
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    metric.set_gauge(gauge);
    metric
}

fn histogram(
    labels: &[(&str, &str)],
    buckets: impl Iterator<Item = (f64, u64)>,
    count: u64,
    sum: f64,
) -> Metric {
    let mut metric = labelled(labels);
    let mut histogram = Histogram::default();
    let buckets = buckets.map(|(bound, cumulative)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(cumulative);
        bucket
    });
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    metric.set_histogram(histogram);
    metric
}
