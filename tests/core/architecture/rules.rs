//! What the tree must hold, each as a function from text to faults.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// Files by their path below the repository.
pub(crate) type Files = BTreeMap<String, String>;

/// Every file below `src/`.
pub(crate) struct Tree {
    /// All of them, read.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Those that are tests from end to end.
    pub(crate) tests: BTreeSet<String>,
}

impl Tree {
    /// The files of the program.
    fn live(&self) -> impl Iterator<Item = (&String, &Source)> {
        self.sources.iter().filter(|(path, _)| !self.tests.contains(*path))
    }
}

/// Layers, lowest first, and what may stand where.
pub(crate) struct Rules<'a> {
    /// Modules by layer. A module imports only from lower layers, or itself.
    pub(crate) layers: &'a [&'a [&'a str]],
    /// The lowest module above the core.
    pub(crate) above_core: &'a str,
    /// Paths that only the given homes may name. `tokio` is any path with that word, `std::fs`
    /// with those two in a row, `::now` with a word before it.
    pub(crate) confined: &'a [(&'a str, &'a [&'a str])],
    /// Paths that the core must not name.
    pub(crate) not_in_core: &'a [&'a str],
}

/// True where a path has the words of `rule` in a row.
fn names(path: &[String], rule: &str) -> bool {
    let (first, rule) = rule.strip_prefix("::").map_or((0, rule), |rest| (1, rest));
    let words: Vec<&str> = rule.split("::").collect();
    path.windows(words.len()).skip(first).any(|part| part == words)
}

/// `src/policy/client.rs` as modules: policy, client.
pub(crate) fn modules(shown: &str) -> Vec<String> {
    let path = shown.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// True for a home's own file and all below it.
pub(crate) fn is_at(shown: &str, home: &str) -> bool {
    let rest = shown.strip_prefix(home);
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

impl Rules<'_> {
    fn layer(&self, module: &str) -> Option<usize> {
        self.layers.iter().position(|names| names.contains(&module))
    }

    /// The top module that a path names; nothing for what is not of this crate.
    fn target(shown: &str, inline: &[String], path: &[String]) -> Option<String> {
        let mut at = modules(shown);
        if at.len() == 1 && (at[0] == "lib" || at[0] == "main") {
            at.clear();
        }
        at.extend_from_slice(inline);
        let mut path = path.iter().peekable();
        match path.next()?.as_str() {
            "crate" | "lachan" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()),
            _ => return None,
        }
        while path.next_if(|word| *word == "super").is_some() {
            at.pop();
        }
        at.into_iter().next().or_else(|| path.next().cloned())
    }

    /// Imports that point up, and paths away from home.
    pub(crate) fn faults(&self, shown: &str, source: &Source) -> Vec<String> {
        let own = modules(shown).swap_remove(0);
        let Some(layer) = self.layer(&own) else {
            return vec![format!("{shown}: `{own}` is in no layer: add it to LAYERS")];
        };
        let in_core = self.layer(self.above_core).is_some_and(|above| layer < above);
        let imports = source.imports.iter().map(|i| (&i.path, &i.module, i.line));
        let mentions = source.mentions.iter().map(|m| (&m.path, &m.module, m.line));
        let mut found = BTreeSet::new();
        for (path, inline, line) in imports.chain(mentions) {
            if let Some(target) = Self::target(shown, inline, path)
                && target != own
                && self.layer(&target).is_none_or(|theirs| theirs >= layer)
            {
                found.insert((line, format!("{own} may not import {target}")));
            }
            for (word, homes) in self.confined {
                if names(path, word) && !homes.iter().any(|home| is_at(shown, home)) {
                    let homes = if homes.is_empty() { "tests" } else { &homes.join(", ") };
                    found.insert((line, format!("`{word}` belongs in {homes}")));
                }
            }
            for word in self.not_in_core.iter().filter(|word| in_core && names(path, word)) {
                let above = self.above_core;
                found.insert((line, format!("`{word}` has no place in the core, below {above}")));
            }
        }
        found.into_iter().map(|(line, fault)| format!("{shown}:{line}: {fault}")).collect()
    }
}

/// Files of more than `most` lines.
pub(crate) fn long_files(files: &Files, most: usize) -> Vec<String> {
    let lengths = files.iter().map(|(path, text)| (path, text.lines().count()));
    let long = lengths.filter(|(_, length)| *length > most);
    long.map(|(path, length)| format!("{path}: {length} lines, more than {most}")).collect()
}

/// Folders with more than `most` files directly in them.
pub(crate) fn full_folders(files: &Files, most: usize) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for path in files.keys() {
        *counts.entry(path.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default() += 1;
    }
    let full = counts.iter().filter(|(_, count)| **count > most);
    full.map(|(folder, count)| format!("{folder}/: {count} files, more than {most}")).collect()
}

/// The lines of all files below a folder.
pub(crate) fn lines_below(files: &Files, folder: &str) -> usize {
    let below = files.iter().filter(|(path, _)| path.starts_with(folder));
    below.map(|(_, text)| text.lines().count()).sum()
}

/// Public items that nothing names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unused {
    /// Those that nothing names at all.
    pub(crate) dead: Vec<String>,
    /// Those that only tests and benchmarks name: place and name.
    pub(crate) for_tests: Vec<(String, String)>,
}

/// Public items that no other line of the program names, by word: a method by `.word(` or
/// `::word`, anything else by the word. `outside` are the words of tests, benches and fuzz
/// targets.
pub(crate) fn unused(tree: &Tree, outside: &BTreeSet<String>) -> Unused {
    let all = |words: fn(&Source) -> &BTreeSet<String>| -> BTreeSet<&str> {
        tree.live().flat_map(|(_, source)| words(source)).map(String::as_str).collect()
    };
    let (live, members) = (all(|s| &s.words), all(|s| &s.members));
    let of_test_files = tree.tests.iter().map(|path| &tree.sources[path]);
    let tests: BTreeSet<&str> = of_test_files
        .flat_map(|source| source.words.iter())
        .chain(tree.sources.values().flat_map(|source| source.test_words.iter()))
        .chain(outside)
        .map(String::as_str)
        .collect();
    let mut unused = Unused::default();
    for (path, source) in tree.live() {
        for item in source.definitions.iter().filter(|d| d.public) {
            let name = item.name.as_str();
            let place = format!("{path}:{}: {} {name}", item.line, item.kind);
            if if item.item { &live } else { &members }.contains(name) {
                continue;
            }
            if tests.contains(name) {
                unused.for_tests.push((place, name.to_owned()));
            } else {
                unused.dead.push(place);
            }
        }
    }
    unused
}

/// Faults of what only tests use: items that the table does not allow, and entries of the table
/// that stand for none.
pub(crate) fn for_tests(unused: &Unused, allowed: &[(&str, &str)]) -> Vec<String> {
    let is_allowed = |name: &str| allowed.iter().any(|(allowed, _)| *allowed == name);
    let is_there = |name: &str| unused.for_tests.iter().any(|(_, found)| found == name);
    let unasked = unused.for_tests.iter().filter(|(_, name)| !is_allowed(name));
    let stale = allowed.iter().filter(|(name, reason)| !is_there(name) || reason.is_empty());
    unasked
        .map(|(place, _)| format!("{place}: only tests name it"))
        .chain(stale.map(|(name, _)| format!("FOR_TESTS: `{name}` has no reason, or no item")))
        .collect()
}

/// Public types that share a name with another.
pub(crate) fn types_twice(tree: &Tree) -> BTreeMap<&str, Vec<String>> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, source) in tree.live() {
        let is_type = |kind: &str| ["struct", "enum", "trait", "type", "union"].contains(&kind);
        for item in source.definitions.iter().filter(|d| d.public && is_type(&d.kind)) {
            places.entry(&item.name).or_default().push(format!("{path}:{}", item.line));
        }
    }
    places.retain(|_, places| places.len() > 1);
    places
}

/// What is between the fences behind a heading.
fn drawing<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let section = text.split(heading).nth(1).unwrap_or("");
    section.lines().skip_while(|l| *l != "```").skip(1).take_while(|l| *l != "```").collect()
}

/// The layers that a document draws: words before three spaces.
pub(crate) fn drawn_layers(text: &str) -> Vec<Vec<&str>> {
    drawing(text, "## Layers\n")
        .iter()
        .map(|line| line.split("   ").next().unwrap_or("").split_whitespace().collect())
        .collect()
}

/// Faults of the code map: a top module of `src/` without a row, a row without its file.
///
/// A row names files or folders in backquotes in its first cell: `policy/`, `rule.rs`.
pub(crate) fn map_faults(text: &str, files: &Files) -> Vec<String> {
    let map = text.split("## Code map").nth(1).unwrap_or("").split("\n## ").next().unwrap_or("");
    let rows = map.lines().filter(|line| line.starts_with('|') && line.contains('`'));
    let on_map: BTreeSet<String> = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let tops: BTreeSet<String> = files.keys().map(|path| modules(path).swap_remove(0)).collect();
    let missing = tops
        .iter()
        .filter(|top| !["/", ".rs"].iter().any(|end| on_map.contains(&format!("{top}{end}"))))
        .map(|top| format!("ARCHITECTURE.md: add a row for `{top}` to the code map"));
    let is_there = |shown: &str| {
        let path = format!("src/{shown}");
        files.contains_key(&path)
            || (path.ends_with('/') && files.keys().any(|file| file.starts_with(&path)))
    };
    let gone = on_map
        .iter()
        .filter(|shown| !is_there(shown))
        .map(|shown| format!("ARCHITECTURE.md: `{shown}` of the code map is not in src/"));
    missing.chain(gone).collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
