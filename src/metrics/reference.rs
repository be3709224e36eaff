//! The reference of the metrics, made from the table: `docs/reference/metrics.md`.
//!
//! `UPDATE_DOCS=1 cargo test --lib metrics::reference` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::families::TABLE;
use super::family::{LabelValues, MetricKind};

const INTRODUCTION: &str = "\
# Metrics

What `http://ADMIN/metrics` exports, in the text format of Prometheus. This page is made from
`src/metrics/families.rs` by `UPDATE_DOCS=1 cargo test --lib metrics::reference`.

No label is a name that somebody asked for, or a client's address.

";

fn markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    out += "| Name | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n";
    // By label and values: the families that have it.
    let mut labels: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for row in TABLE {
        let own = (row.labels)();
        let names: Vec<String> = own.iter().map(|label| format!("`{}`", label.name)).collect();
        let (name, kind, help) = (row.name, row.kind.id(), row.help);
        let _ = writeln!(out, "| `{name}` | {kind} | {} | {help} |", names.join(", "));
        for label in own {
            let values = match label.values {
                LabelValues::Open(values) => values.to_owned(),
                LabelValues::Closed(values) => {
                    let values = values.iter().map(|value| format!("`{value}`"));
                    values.collect::<Vec<_>>().join(", ")
                }
            };
            labels.entry((label.name, values)).or_default().push(row.name);
        }
    }
    out += "\n## Labels\n\n| Label | Values | Of |\n| --- | --- | --- |\n";
    for ((label, values), families) in labels {
        let families: Vec<String> = families.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(out, "| `{label}` | {values} | {} |", families.join(", "));
    }
    out
}

#[test]
fn the_reference_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == markdown(),
        "docs/reference/metrics.md is not what src/metrics/families.rs says; \
         run `UPDATE_DOCS=1 cargo test --lib metrics::reference`"
    );
}

#[test]
fn a_name_is_given_once_and_ends_as_its_kind_says() {
    let names: BTreeSet<&str> = TABLE.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), TABLE.len());
    for row in TABLE {
        assert_eq!(row.name.ends_with("_total"), row.kind == MetricKind::Counter, "{}", row.name);
        assert!(row.name.starts_with("lachan_") && row.help.ends_with('.'), "{}", row.name);
        let labels: BTreeSet<&str> = (row.labels)().iter().map(|label| label.name).collect();
        assert_eq!(labels.len(), (row.labels)().len(), "{}", row.name);
    }
}
