//! Rules for a name and its parents, with their places in lists.

use std::path::PathBuf;

use serde::Serialize;

use crate::config::Config;
use crate::dns::name::{Labels, Name, write_presentation};
use crate::load::lists::SourceOrigin;
use crate::load::rule_origin::{origin, origin_of_target};
use crate::policy::explain::Explanation;
use crate::policy::{Own, Snapshot};
use crate::rule::{Action, EVERY_NAME, Effect, Rule, Scope};

/// One rule for the name or a parent, decisive or not.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Evidence {
    pub(super) category: Option<String>,
    pub(super) rule: String,
    pub(super) effect: &'static str,
    pub(super) list: String,
    pub(super) file: Option<PathBuf>,
    pub(super) line: Option<u32>,
}

/// The effect of a rule, in a word.
fn effect(rule: &Rule) -> &'static str {
    match (rule.effect, rule.action) {
        (Effect::Rpz, Action::Passthru | Action::PassthruAll) => "passes",
        (Effect::Add | Effect::AddImportant | Effect::Rpz, _) => "lists",
        (Effect::Clear | Effect::ClearImportant, _) => "frees",
    }
}

/// The rules for the name and its parents, with their places in lists.
pub(super) fn evidence(
    config: &Config,
    sources: &[SourceOrigin],
    snapshot: &Snapshot,
    name: &Name,
    explanation: &Explanation<'_>,
) -> Vec<Evidence> {
    let id = |category| Some(snapshot.taxonomy().category(category).id.clone());
    let mut all = Vec::new();
    for node in &explanation.nodes {
        let listed = ancestor(name, node.labels);
        for rule in node.rules {
            let wire = Name::from_text(&listed).unwrap_or_else(|_| Name::root());
            let wire = if node.labels == 0 { EVERY_NAME } else { wire.as_wire() };
            let origin = origin(config, sources, rule, wire);
            let (file, line) = origin.place.unzip();
            all.push(Evidence {
                category: id(rule.category),
                rule: match rule.scope {
                    _ if node.labels == 0 => "*".to_owned(),
                    Scope::Exact => format!("={listed}"),
                    Scope::Subtree => listed.clone(),
                    Scope::Below => format!("*.{listed}"),
                },
                effect: effect(rule),
                list: origin.list,
                file,
                line,
            });
        }
    }
    all.extend(explanation.targets.iter().map(|targeted| {
        let origin = origin_of_target(config, sources, targeted);
        let (file, line) = origin.place.unzip();
        Evidence {
            category: id(targeted.rule.category),
            rule: targeted.target.text(targeted.rule.scope),
            effect: effect(&targeted.rule),
            list: origin.list,
            file,
            line,
        }
    }));
    all.extend(explanation.sealed.iter().map(|list| {
        // The sealed name is unknown here; that the query matches one is no secret.
        let shown = format!("csam#{}", list.table.id());
        Evidence {
            category: id(list.category),
            rule: shown.clone(),
            effect: "lists",
            list: shown,
            file: None,
            line: None,
        }
    }));
    all.extend(explanation.keywords.iter().map(|hit| Evidence {
        category: id(hit.category),
        rule: hit.pattern.to_owned(),
        effect: if hit.tier.id() == "block" { "lists" } else { "hints" },
        list: "keywords".into(),
        file: Some(config.lists.keywords.clone().unwrap_or_else(|| "keywords.txt".into())),
        line: Some(hit.line),
    }));
    all
}

/// The last `labels` labels of a name, without the final dot.
pub(super) fn ancestor(name: &Name, labels: usize) -> String {
    let mut rest = name.as_wire();
    for label in Labels(name.as_wire()).take(name.label_count() - labels) {
        rest = rest.get(label.len() + 1..).unwrap_or(&[0]);
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_presentation(rest, &mut text);
    text.trim_end_matches('.').to_owned()
}

/// The rule that decided, as [`Evidence::rule`] has it.
pub(super) fn decided_by(
    layer: &str,
    category: Option<&str>,
    evidence: &[Evidence],
    explanation: &Explanation<'_>,
    name: &Name,
) -> Option<String> {
    let listed = |category: Option<&str>| {
        let lists = |e: &&Evidence| e.effect == "lists" && e.category.as_deref() == category;
        evidence.iter().find(lists).map(|e| e.rule.clone())
    };
    match layer {
        "school-allow" | "school-deny" => {
            let (labels, own) = explanation.own?;
            let word = if own == Own::Allow { "allow" } else { "deny" };
            Some(format!("{word} {}", ancestor(name, labels)))
        }
        "department-deny" | "department-allow" if explanation.department.is_some() => {
            let (labels, own) = explanation.department?;
            let word = if own == Own::Allow { "allow" } else { "deny" };
            Some(format!("department {word} {}", ancestor(name, labels)))
        }
        "department-allow" => listed(Some("safe")),
        "keyword" => {
            let hits = |e: &&Evidence| e.list == "keywords" && e.effect == "lists";
            evidence.iter().find(hits).map(|e| e.rule.clone())
        }
        _ => category.and_then(|category| listed(Some(category))),
    }
}
