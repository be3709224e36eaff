//! A scenario's file: its keys, and what is there without them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) config: Option<String>,
    #[serde(default)]
    pub(super) extra: String,
    pub(super) pupils: Option<String>,
    pub(super) staff: Option<String>,
    pub(super) department: Option<String>,
    #[serde(default, rename = "file")]
    pub(super) files: Vec<Beside>,
    #[serde(default, rename = "override")]
    pub(super) overrides: Vec<Override>,
    #[serde(default, rename = "list")]
    pub(super) lists: Vec<List>,
    #[serde(default, rename = "upstream")]
    pub(super) upstreams: Vec<Programmed>,
    #[serde(rename = "step")]
    pub(super) steps: Vec<Step>,
    #[serde(default, rename = "metric")]
    pub(super) metrics: Vec<Metric>,
}

/// A file beside the config.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Beside {
    pub(super) name: String,
    pub(super) text: String,
}

/// What a teacher sets for an hour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    pub(super) kind: String,
    #[serde(default = "pupils")]
    pub(super) group: String,
    pub(super) what: Vec<String>,
}

/// A list source.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) category: String,
    pub(super) text: String,
    pub(super) format: Option<String>,
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) trusted: bool,
    pub(super) action: Option<String>,
}

/// A programmed answer of upstream 1 or 2.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Programmed {
    #[serde(default = "first")]
    pub(super) server: usize,
    pub(super) name: String,
    /// Every type where absent.
    pub(super) r#type: Option<String>,
    #[serde(default = "noerror")]
    pub(super) rcode: String,
    #[serde(default)]
    pub(super) answer: Vec<String>,
    #[serde(default)]
    pub(super) authority: Vec<String>,
    #[serde(default)]
    pub(super) delay_ms: u64,
    #[serde(default)]
    pub(super) silent: bool,
    #[serde(default)]
    pub(super) truncates_udp: bool,
    pub(super) ede: Option<u16>,
    #[serde(default)]
    pub(super) ede_text: String,
    #[serde(default)]
    pub(super) ad: bool,
    pub(super) times: Option<usize>,
}

/// One query, or the same for several types.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a key of the file each")]
pub(super) struct Step {
    /// `pupil`, `staff`, or an address.
    #[serde(default = "pupil")]
    pub(super) from: String,
    /// A name, or several.
    pub(super) ask: Names,
    #[serde(default = "type_a")]
    pub(super) types: Vec<String>,
    #[serde(default)]
    pub(super) tcp: bool,
    /// To `::1` instead of 127.0.0.1.
    #[serde(default)]
    pub(super) ipv6: bool,
    pub(super) edns: Option<u16>,
    pub(super) edns_version: Option<u8>,
    #[serde(default)]
    pub(super) r#do: bool,
    #[serde(default)]
    pub(super) ad: bool,
    #[serde(default)]
    pub(super) cd: bool,
    #[serde(default = "yes")]
    pub(super) rd: bool,
    #[serde(default = "class_in")]
    pub(super) class: u16,
    #[serde(default)]
    pub(super) opcode: u8,
    #[serde(default = "one")]
    pub(super) questions: u16,
    /// Waits before it asks: only where a TTL must be seen to age.
    #[serde(default)]
    pub(super) after_ms: u64,
    pub(super) expect: Expect,
}

/// One name or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    One(String),
    Several(Vec<String>),
}

/// What must come back. What is absent is not looked at, except as the header says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) rcode: String,
    /// `TYPE RDATA`, in any order.
    pub(super) answer: Option<Vec<String>>,
    pub(super) ttl_min: Option<u32>,
    pub(super) ttl_max: Option<u32>,
    /// The code; 0 = there is none.
    pub(super) ede: Option<u16>,
    pub(super) ede_contains: Option<String>,
    pub(super) ede_lacks: Option<String>,
    pub(super) authority_soa: Option<bool>,
    #[serde(default)]
    pub(super) ad: bool,
    #[serde(default)]
    pub(super) tc: bool,
    pub(super) size_max: Option<usize>,
    /// The step of the order that decided, as `lachan why` has it.
    pub(super) layer: Option<String>,
    /// How often upstream 1 has been asked for this name and type so far.
    pub(super) upstream_queries: Option<usize>,
    pub(super) upstream2_queries: Option<usize>,
}

/// A metric at the end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metric {
    pub(super) name: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

fn first() -> usize {
    1
}
fn noerror() -> String {
    "NOERROR".into()
}
fn pupil() -> String {
    "pupil".into()
}
fn pupils() -> String {
    "pupils".into()
}
fn type_a() -> Vec<String> {
    vec!["A".into()]
}
fn yes() -> bool {
    true
}
fn class_in() -> u16 {
    1
}
fn one() -> u16 {
    1
}

/// Where the scenarios are.
pub(super) fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"))
}

/// Reads a scenario.
pub(super) fn read(name: &str) -> Scenario {
    let path = directory().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# "), "{name}: the first line says why");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}
