//! `lachan lists diff A B`: the rules that two packs do not share, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::lists::pack_file::{effect, open};
use crate::cli::lists::table::table;
use crate::cli::output::{finish_or_invalid, json};
use crate::dns::name::Folded;
use crate::pack::Pack;
use crate::publish::lint::finding::{reach, shown};
use crate::rule::Action;

/// Arguments of `lists diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArguments {
    /// The pack before.
    before: PathBuf,
    /// The pack after.
    after: PathBuf,
    /// Most names of each category and direction; 0 shows all.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Rules of one category that were added and removed.
#[derive(Debug, Default, Serialize)]
struct Changed {
    added: usize,
    removed: usize,
    added_rules: Vec<String>,
    removed_rules: Vec<String>,
}

/// The difference of two packs.
#[derive(Debug, Serialize)]
struct Difference {
    is_same: bool,
    names_before: usize,
    names_after: usize,
    categories: BTreeMap<String, Changed>,
}

/// Rules for one name, as category and text; the source does not matter.
type NameRules = BTreeSet<(String, String)>;

/// Compares two packs; exits 0, or 3 for a file that is no pack.
pub fn run(arguments: &DiffArguments) -> ExitCode {
    finish_or_invalid(diff(arguments))
}

/// The difference of two packs, as text or JSON.
fn diff(arguments: &DiffArguments) -> Result<String, String> {
    let (before, after) = (open(&arguments.before)?, open(&arguments.after)?);
    let mut categories: BTreeMap<String, Changed> = BTreeMap::new();
    if before.digest() != after.digest() {
        each_only(&before, &after, |category, rule| {
            categories.entry(category).or_default().removed_rules.push(rule);
        });
        each_only(&after, &before, |category, rule| {
            categories.entry(category).or_default().added_rules.push(rule);
        });
    }
    for changed in categories.values_mut() {
        (changed.added, changed.removed) = (changed.added_rules.len(), changed.removed_rules.len());
        for rules in [&mut changed.added_rules, &mut changed.removed_rules] {
            rules.sort_unstable();
            if arguments.limit > 0 {
                rules.truncate(arguments.limit);
            }
        }
    }
    let difference = Difference {
        is_same: categories.is_empty(),
        names_before: before.len(),
        names_after: after.len(),
        categories,
    };
    Ok(if arguments.json { json(&difference) } else { difference.text() })
}

/// Calls `each` with category and rule of every rule in `one` and not in `other`.
fn each_only(one: &Pack, other: &Pack, mut each: impl FnMut(String, String)) {
    one.each_name(|wire, set| {
        let Ok((name, _)) = Folded::from_wire(wire) else { return };
        let shown = shown(wire);
        let here = rules_of(one, set, &shown);
        let there = other.set_of(&name).map(|set| rules_of(other, set, &shown)).unwrap_or_default();
        for (category, rule) in here.difference(&there) {
            each(category.clone(), rule.clone());
        }
    });
    for (category, rule) in targets_of(one).difference(&targets_of(other)) {
        each(category.clone(), rule.clone());
    }
}

/// The rules of a set, for `name`.
fn rules_of(pack: &Pack, set: u16, name: &str) -> NameRules {
    let (_, rules) = pack.set(set);
    rules.map(|rule| rule_of(pack, rule, reach(rule.scope, name))).collect()
}

/// The rules about more than a name.
fn targets_of(pack: &Pack) -> NameRules {
    let rules = pack.targets().iter();
    rules.map(|one| rule_of(pack, &one.rule, one.target.text(one.rule.scope))).collect()
}

/// A rule as category and text.
fn rule_of(pack: &Pack, rule: &crate::rule::Rule, mut text: String) -> (String, String) {
    let category = pack.categories().get(rule.category.index()).cloned().unwrap_or_default();
    if effect(rule) != "lists" {
        let _ = write!(text, " {}", effect(rule));
    }
    match rule.action {
        Action::Default | Action::Passthru | Action::PassthruAll => {}
        Action::Local(number) => {
            let data = pack.local().get(usize::from(number));
            let _ = write!(text, " as {data:?}");
        }
        action => {
            let _ = write!(text, " as {action:?}");
        }
    }
    (category, text)
}

impl Difference {
    /// The difference for people.
    fn text(&self) -> String {
        if self.is_same {
            return format!("the same rules ({} names)\n", self.names_after);
        }
        let rows = self.categories.iter().map(|(id, changed)| {
            vec![id.clone(), changed.added.to_string(), changed.removed.to_string()]
        });
        let mut out = table(&["category", "added", "removed"], &rows.collect::<Vec<_>>());
        for (id, changed) in &self.categories {
            let _ = writeln!(out, "\n{id}");
            for (sign, count, rules) in [
                ('+', changed.added, &changed.added_rules),
                ('-', changed.removed, &changed.removed_rules),
            ] {
                for rule in rules {
                    let _ = writeln!(out, "{sign} {rule}");
                }
                if count > rules.len() {
                    let _ = writeln!(out, "{sign} … {} more", count - rules.len());
                }
            }
        }
        let _ = writeln!(out, "\n{} names before, {} after", self.names_before, self.names_after);
        out
    }
}
