//! The exposition text: counters summed and the gateway's state described, at each scrape.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::{Registry, TextEncoder, proto};

use crate::metrics::counters::{Counters, Totals};
use crate::metrics::families as family;
use crate::metrics::family::{Distribution, MetricKind, Sample, SampleValue};
use crate::metrics::upstream::{UpstreamSample, ZoneSample};
use crate::metrics::{policy, traffic};
use crate::policy::Snapshot;

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
    /// Questions now waiting for upstream.
    pub in_flight: u64,
    /// Samples of the other rooms.
    pub samples: Vec<Sample>,
}

impl ScrapeState {
    fn into_samples(self) -> Vec<Sample> {
        let (entries, octets) = self.cache;
        let lists = self.snapshot.lists().octets();
        let mut samples = self.samples;
        samples.extend([
            family::CACHE_ENTRIES.sample((), entries as f64),
            family::CACHE_BYTES.sample((), octets as f64),
            family::IN_FLIGHT.sample((), self.in_flight as f64),
            family::LIST_BYTES.sample((), lists as f64),
        ]);
        samples.extend(self.upstreams.into_iter().flat_map(UpstreamSample::into_samples));
        samples.extend(self.zones.into_iter().flat_map(ZoneSample::into_samples));
        samples
    }
}

/// A programming error in the metrics: a text that cannot be written.
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
        let row = family::BUILD_INFO.row();
        let described = Desc::new(row.name.into(), row.help.into(), Vec::new(), HashMap::new())?;
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

    fn collect(&self) -> Vec<proto::MetricFamily> {
        let totals = Totals::of(self.blocks.iter().map(Arc::as_ref));
        let state = (self.state)();
        let mut samples = vec![family::BUILD_INFO.flag((env!("CARGO_PKG_VERSION").into(),), true)];
        samples.extend(traffic::samples(&totals));
        samples.extend(policy::samples(&totals, &state.snapshot));
        samples.extend(state.into_samples());
        collected(samples)
    }
}

/// Samples by family; the registry puts families and series in order.
fn collected(samples: Vec<Sample>) -> Vec<proto::MetricFamily> {
    let mut families: BTreeMap<&str, proto::MetricFamily> = BTreeMap::new();
    for sample in samples {
        let row = sample.family;
        let family = families.entry(row.name).or_insert_with(|| {
            let mut family = proto::MetricFamily::default();
            family.set_name(row.name.into());
            family.set_help(row.help.into());
            family.set_field_type(match row.kind {
                MetricKind::Counter => proto::MetricType::COUNTER,
                MetricKind::Gauge => proto::MetricType::GAUGE,
                MetricKind::Histogram => proto::MetricType::HISTOGRAM,
            });
            family
        });
        family.mut_metric().push(series(sample));
    }
    families.into_values().collect()
}

fn series(sample: Sample) -> proto::Metric {
    let pairs = sample.labels.into_iter().map(|(name, value)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name(name.into());
        pair.set_value(value);
        pair
    });
    let mut metric = proto::Metric::from_label(pairs.collect());
    match sample.value {
        SampleValue::Counter(count) => {
            let mut counter = proto::Counter::default();
            counter.set_value(count as f64);
            metric.set_counter(counter);
        }
        SampleValue::Gauge(value) => {
            let mut gauge = proto::Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        SampleValue::Histogram(distribution) => metric.set_histogram(histogram(&distribution)),
    }
    metric
}

fn histogram(distribution: &Distribution) -> proto::Histogram {
    let buckets = distribution.cumulative.iter().map(|&(bound, cumulative)| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(cumulative);
        bucket
    });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(distribution.count);
    histogram.set_sample_sum(distribution.sum);
    histogram
}
