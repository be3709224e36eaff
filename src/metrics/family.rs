//! Metric families as types: a family fixes its kind and its labels, a [`Sample`] is one series.
//!
//! ```text
//! Family<CounterFamily, (Transport, AddressFamily)> ─ sample((Udp, V4), 7) ─▶ Sample ─▶ exposition
//! ```
//!
//! Law: a sample has exactly the labels of its family, in the family's order. The labels are a
//! tuple of types, so that a missing, additional or foreign label does not compile.

use std::marker::PhantomData;

/// One label of a family: its name, its values.
pub trait Label {
    /// The label's name.
    const NAME: &'static str;

    /// The values that it can have.
    fn values() -> LabelValues;

    /// The value as text.
    fn into_text(self) -> String;
}

/// The values that a label can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelValues {
    /// These.
    Closed(Vec<&'static str>),
    /// As many as the config or the program has of something; described here.
    Open(&'static str),
}

/// One label, for the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// Its name.
    pub name: &'static str,
    /// The values that it can have.
    pub values: LabelValues,
}

/// The labels of a family: a tuple of [`Label`]s.
pub trait LabelSet {
    /// Names and possible values, in order.
    fn rows() -> Vec<LabelRow>;

    /// Names and values, in order.
    fn into_pairs(self) -> Vec<(&'static str, String)>;
}

macro_rules! label_sets {
    ($(($($label:ident $value:ident),*);)*) => {$(
        impl<$($label: Label),*> LabelSet for ($($label,)*) {
            fn rows() -> Vec<LabelRow> {
                vec![$(LabelRow { name: $label::NAME, values: $label::values() }),*]
            }

            fn into_pairs(self) -> Vec<(&'static str, String)> {
                let ($($value,)*) = self;
                vec![$(($label::NAME, $value.into_text())),*]
            }
        }
    )*};
}

label_sets! {
    ();
    (A a);
    (A a, B b);
    (A a, B b, C c);
    (A a, B b, C c, D d);
}

/// What the numbers of a family mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// A count since the start, which never falls.
    Counter,
    /// A value of now.
    Gauge,
    /// Counts by upper bound, and a sum.
    Histogram,
}

impl MetricKind {
    /// The word of the exposition format.
    pub fn id(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A [`MetricKind`] as a type.
pub trait FamilyKind {
    /// Which.
    const KIND: MetricKind;
}

/// Families of counters.
#[derive(Debug, Clone, Copy)]
pub struct CounterFamily;
/// Families of gauges.
#[derive(Debug, Clone, Copy)]
pub struct GaugeFamily;
/// Families of histograms.
#[derive(Debug, Clone, Copy)]
pub struct HistogramFamily;

impl FamilyKind for CounterFamily {
    const KIND: MetricKind = MetricKind::Counter;
}

impl FamilyKind for GaugeFamily {
    const KIND: MetricKind = MetricKind::Gauge;
}

impl FamilyKind for HistogramFamily {
    const KIND: MetricKind = MetricKind::Histogram;
}

/// A family without its types: a row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct FamilyRow {
    /// The name, with the unit at its end.
    pub(super) name: &'static str,
    /// What its numbers mean.
    pub(super) kind: MetricKind,
    /// One sentence for people.
    pub(super) help: &'static str,
    /// Its labels.
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference is made of it"))]
    pub(super) labels: fn() -> Vec<LabelRow>,
}

/// A family of kind `K` with the labels `L`.
#[derive(Debug, Clone, Copy)]
pub struct Family<K, L> {
    row: FamilyRow,
    types: PhantomData<fn(K, L)>,
}

impl<K: FamilyKind, L: LabelSet> Family<K, L> {
    /// A family; only the table of families makes any.
    pub(super) const fn new(name: &'static str, help: &'static str) -> Self {
        Self { row: FamilyRow { name, kind: K::KIND, help, labels: L::rows }, types: PhantomData }
    }

    /// The family as a row of the table.
    pub(super) const fn row(&self) -> FamilyRow {
        self.row
    }

    fn with(&self, labels: L, value: SampleValue) -> Sample {
        Sample { family: self.row, labels: labels.into_pairs(), value }
    }
}

impl<L: LabelSet> Family<CounterFamily, L> {
    /// One series of the family.
    pub fn sample(&self, labels: L, count: u64) -> Sample {
        self.with(labels, SampleValue::Counter(count))
    }
}

impl<L: LabelSet> Family<GaugeFamily, L> {
    /// One series of the family.
    pub fn sample(&self, labels: L, value: f64) -> Sample {
        self.with(labels, SampleValue::Gauge(value))
    }

    /// One series that is 1 or 0.
    pub fn flag(&self, labels: L, is_so: bool) -> Sample {
        self.sample(labels, f64::from(u8::from(is_so)))
    }
}

impl<L: LabelSet> Family<HistogramFamily, L> {
    /// One series of the family.
    pub fn sample(&self, labels: L, distribution: Distribution) -> Sample {
        self.with(labels, SampleValue::Histogram(distribution))
    }
}

/// The value of a histogram.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    /// Upper bounds, and how many are at most each.
    pub cumulative: Vec<(f64, u64)>,
    /// How many there are.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

/// One series at one moment.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(super) family: FamilyRow,
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: SampleValue,
}

/// A number of each [`MetricKind`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SampleValue {
    Counter(u64),
    Gauge(f64),
    Histogram(Distribution),
}
