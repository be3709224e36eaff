//! The import graph, file → file: paths are resolved to the file that defines what they name.
//!
//! A re-export is no edge itself, and is followed: who names `crate::policy::Verdict` depends on
//! `policy/verdict.rs`. A glob is an edge for each name that is used through it.
//!
//! Two things are not seen: a function by re-export or glob that is passed by its bare name
//! (`map(parse)`, which could be a variable), and methods, which need no import.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::source::Source;

/// The library's name in `main.rs`.
const CRATE: &str = "lachan";

/// Why one file depends on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    /// The place in [`Graph::files`] of the file that names.
    pub(crate) from: usize,
    /// The place of the file that defines.
    pub(crate) to: usize,
    /// The path by which it is named.
    pub(crate) path: String,
    /// The first line that does so.
    pub(crate) line: usize,
}

/// A module: a file, or an inline part of one.
#[derive(Default)]
struct Node {
    parent: Option<usize>,
    file: usize,
    children: BTreeMap<String, usize>,
    items: BTreeSet<String>,
    imports: BTreeMap<String, Vec<Vec<String>>>,
    private: BTreeSet<String>,
    globs: Vec<Vec<String>>,
}

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Module(usize),
    Item(usize),
}

/// Every file below `src/` that belongs to the program, and what it depends on.
pub(crate) struct Graph {
    /// Paths, such as `src/policy/verdict.rs`; tests are apart.
    pub(crate) files: Vec<String>,
    /// Each once for each path that is named, by file.
    pub(crate) edges: Vec<Edge>,
    /// Files that are reached under `#[cfg(test)]` only.
    pub(crate) tests: BTreeSet<String>,
    nodes: Vec<Node>,
    roots: BTreeMap<String, usize>,
}

impl Graph {
    /// The graph of files by path. Modules are found from `src/lib.rs` and `src/main.rs`.
    pub(crate) fn new(sources: &BTreeMap<String, Source>) -> Self {
        let mut graph = Self {
            files: Vec::new(),
            edges: Vec::new(),
            tests: BTreeSet::new(),
            nodes: Vec::new(),
            roots: BTreeMap::new(),
        };
        for root in ["src/lib.rs", "src/main.rs"] {
            if sources.contains_key(root) {
                let node = graph.file(sources, root, "src/", None);
                graph.roots.insert(root.to_owned(), node);
            }
        }
        let mut edges = BTreeMap::new();
        for node in 0..graph.nodes.len() {
            graph.edges_of(node, sources, &mut edges);
        }
        let edge = |((from, to, path), line)| Edge { from, to, path, line };
        graph.edges = edges.into_iter().map(edge).collect();
        graph
    }

    /// Adds a file, whose modules lie in the folder `below`.
    fn file(
        &mut self,
        sources: &BTreeMap<String, Source>,
        path: &str,
        below: &str,
        parent: Option<usize>,
    ) -> usize {
        let source = &sources[path];
        let file = self.files.len();
        self.files.push(path.to_owned());
        let top = self.node(file, parent);
        let mut inline = BTreeMap::from([(Vec::new(), top)]);
        for child in &source.children {
            let (name, outer) = child.module.split_last().expect("a module has a name");
            let Some(&outer) = inline.get(outer) else { continue };
            if child.inline {
                let node = self.node(file, Some(outer));
                self.nodes[outer].children.insert(name.clone(), node);
                inline.insert(child.module.clone(), node);
                continue;
            }
            let stem = format!("{below}{}", child.module.join("/"));
            let found = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
            let Some(path) = found.iter().find(|p| sources.contains_key(*p)) else { continue };
            if child.test {
                self.tests.insert(path.clone());
                continue;
            }
            let node = self.file(sources, path, &format!("{stem}/"), Some(outer));
            self.nodes[outer].children.insert(name.clone(), node);
        }
        for definition in source.definitions.iter().filter(|d| d.item) {
            let node = inline[&definition.module];
            self.nodes[node].items.insert(definition.name.clone());
        }
        for import in &source.imports {
            let node = &mut self.nodes[inline[&import.module]];
            if import.glob {
                node.globs.push(import.path.clone());
            } else {
                if !import.exported {
                    node.private.insert(import.name.clone());
                }
                node.imports.entry(import.name.clone()).or_default().push(import.path.clone());
            }
        }
        top
    }

    fn node(&mut self, file: usize, parent: Option<usize>) -> usize {
        self.nodes.push(Node { parent, file, ..Node::default() });
        self.nodes.len() - 1
    }

    /// The names of the inline modules from the file to a node.
    fn inline(&self, mut node: usize) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(parent) = self.nodes[node].parent {
            let outer = &self.nodes[parent];
            if outer.file != self.nodes[node].file {
                break;
            }
            let own = outer.children.iter().find(|(_, child)| **child == node);
            names.insert(0, own.map_or_else(String::new, |(name, _)| name.clone()));
            node = parent;
        }
        names
    }

    fn edges_of(
        &self,
        node: usize,
        sources: &BTreeMap<String, Source>,
        edges: &mut BTreeMap<(usize, usize, String), usize>,
    ) {
        let from = self.nodes[node].file;
        let source = &sources[&self.files[from]];
        let module = self.inline(node);
        let imports = source
            .imports
            .iter()
            .filter(|i| !i.exported && i.module == module)
            .map(|i| (&i.path, i.line));
        let mentions = source
            .mentions
            .iter()
            .filter(|m| m.module == module)
            .filter(|m| m.path.len() > 1 || m.called || m.path[0].starts_with(char::is_uppercase))
            .map(|m| (&m.path, m.line));
        let known = |path: &[String]| {
            let imported = self.nodes[node].private.contains(&path[0]);
            let found = self.lookup(node, &path[0], &mut BTreeSet::new());
            imported && (path.len() == 1 || found.iter().all(|t| matches!(t, Target::Item(_))))
        };
        // What a `use` of this module names is an edge at its own line already.
        for (path, line) in imports.chain(mentions.filter(|(path, _)| !known(path))) {
            for target in self.resolve(node, path, &mut BTreeSet::new()) {
                let Target::Item(to) = target else { continue };
                if to != from {
                    let first = edges.entry((from, to, path.join("::"))).or_insert(line);
                    *first = line.min(*first);
                }
            }
        }
    }

    /// What a path means in a module; nothing for what is not of this crate.
    fn resolve(
        &self,
        node: usize,
        path: &[String],
        seen: &mut BTreeSet<(usize, String)>,
    ) -> BTreeSet<Target> {
        let Some((first, rest)) = path.split_first() else { return BTreeSet::new() };
        let mut found = match first.as_str() {
            "crate" => BTreeSet::from([Target::Module(self.root(node))]),
            "self" => BTreeSet::from([Target::Module(node)]),
            "super" => self.nodes[node].parent.map(Target::Module).into_iter().collect(),
            name => self.lookup(node, name, seen),
        };
        if found.is_empty() && first == CRATE && path.len() > 1 {
            found.extend(self.roots.get("src/lib.rs").map(|root| Target::Module(*root)));
        }
        for name in rest {
            let modules: Vec<usize> = found
                .iter()
                .filter_map(|t| if let Target::Module(node) = t { Some(*node) } else { None })
                .collect();
            if modules.is_empty() {
                break;
            }
            let mut next = BTreeSet::new();
            for module in &modules {
                if name == "super" {
                    next.extend(self.nodes[*module].parent.map(Target::Module));
                } else {
                    next.extend(self.lookup(*module, name, seen));
                }
            }
            if next.is_empty() {
                // A name that a macro makes, or a variant of a type that shares the module's name.
                found.retain(|t| matches!(t, Target::Item(_)));
                if found.is_empty() {
                    // What a module re-exports from another crate is no file of ours.
                    let ours = |m: &&usize| !self.nodes[**m].imports.contains_key(name);
                    let ours = modules.iter().filter(ours);
                    found.extend(ours.map(|m| Target::Item(self.nodes[*m].file)));
                }
                break;
            }
            found = next;
        }
        found
    }

    fn root(&self, mut node: usize) -> usize {
        while let Some(parent) = self.nodes[node].parent {
            node = parent;
        }
        node
    }

    /// What a name means in a module: what it defines, else what it imports, else its globs.
    fn lookup(
        &self,
        node: usize,
        name: &str,
        seen: &mut BTreeSet<(usize, String)>,
    ) -> BTreeSet<Target> {
        let module = &self.nodes[node];
        let mut found = BTreeSet::new();
        found.extend(module.children.get(name).map(|child| Target::Module(*child)));
        if module.items.contains(name) {
            found.insert(Target::Item(module.file));
        }
        if !seen.insert((node, name.to_owned())) {
            return found;
        }
        for path in module.imports.get(name).into_iter().flatten() {
            // What an import resolves to is all that it names: a file that is outside stays out.
            found.extend(self.resolve(node, path, seen));
        }
        if found.is_empty() {
            for path in &module.globs {
                for target in self.resolve(node, path, seen) {
                    if let Target::Module(glob) = target {
                        found.extend(self.lookup(glob, name, seen));
                    }
                }
            }
        }
        seen.remove(&(node, name.to_owned()));
        found
    }

    /// The circles: files that depend on each other, by name, each with the edges among them.
    pub(crate) fn circles(&self) -> Vec<Circle<'_>> {
        let mut next: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.files.len()];
        for edge in &self.edges {
            next[edge.from].insert(edge.to);
        }
        let mut walk = Walk { next: &next, ..Walk::default() };
        for file in 0..self.files.len() {
            if !walk.index.contains_key(&file) {
                walk.visit(file);
            }
        }
        let circle = |files: &BTreeSet<usize>| {
            let inside = |e: &&Edge| files.contains(&e.from) && files.contains(&e.to);
            let edges = self.edges.iter().filter(inside).collect();
            Circle { graph: self, files: files.clone(), edges }
        };
        let mut found: Vec<_> = walk.found.iter().map(circle).collect();
        found.sort_by(|a, b| a.names().cmp(&b.names()));
        found
    }
}

/// Tarjan's walk to strongly connected components.
#[derive(Default)]
struct Walk<'a> {
    next: &'a [BTreeSet<usize>],
    index: BTreeMap<usize, usize>,
    low: BTreeMap<usize, usize>,
    stack: Vec<usize>,
    found: Vec<BTreeSet<usize>>,
}

impl Walk<'_> {
    fn visit(&mut self, file: usize) {
        let own = self.index.len();
        self.index.insert(file, own);
        self.low.insert(file, own);
        self.stack.push(file);
        for &to in &self.next[file] {
            let reached = match self.index.get(&to) {
                None => {
                    self.visit(to);
                    self.low[&to]
                }
                Some(index) if self.stack.contains(&to) => *index,
                Some(_) => continue,
            };
            self.low.insert(file, reached.min(self.low[&file]));
        }
        if self.low[&file] == own {
            let from = self.stack.iter().position(|f| *f == file).unwrap_or(0);
            let component: BTreeSet<usize> = self.stack.drain(from..).collect();
            if component.len() > 1 {
                self.found.push(component);
            }
        }
    }
}

/// Files that depend on each other.
pub(crate) struct Circle<'a> {
    graph: &'a Graph,
    files: BTreeSet<usize>,
    /// All edges among them.
    pub(crate) edges: Vec<&'a Edge>,
}

impl Circle<'_> {
    /// Their names, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.files.iter().map(|f| self.graph.files[*f].as_str()).collect();
        names.sort_unstable();
        names
    }

    /// Edges without which it is no circle: those that point back in the order in which the
    /// fewest names do, nearly (files that others need most come last; Eades, Lin and Smyth).
    fn cuts(&self) -> BTreeSet<(usize, usize)> {
        let mut left = self.files.clone();
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        while !left.is_empty() {
            let degree = |file: usize, out: bool| {
                let ends = |e: &&&Edge| if out { (e.from, e.to) } else { (e.to, e.from) };
                self.edges.iter().filter(|e| ends(e).0 == file && left.contains(&ends(e).1)).count()
            };
            if let Some(sink) = left.iter().copied().find(|f| degree(*f, true) == 0) {
                left.remove(&sink);
                tail.insert(0, sink);
                continue;
            }
            let excess =
                |f: &usize| degree(*f, true).cast_signed() - degree(*f, false).cast_signed();
            let source = left.iter().copied().find(|f| degree(*f, false) == 0);
            let Some(file) = source.or_else(|| left.iter().copied().max_by_key(excess)) else {
                break;
            };
            left.remove(&file);
            head.push(file);
        }
        head.append(&mut tail);
        let place = |file: usize| head.iter().position(|f| *f == file);
        let back = |e: &&&Edge| place(e.from) > place(e.to);
        self.edges.iter().filter(back).map(|e| (e.from, e.to)).collect()
    }

    /// The files and why each depends on another. `✂` is before edges to cut: without all of
    /// them there is no circle.
    pub(crate) fn report(&self, all: bool) -> String {
        let name = |file: usize| self.graph.files[file].as_str();
        let cuts = self.cuts();
        let mut pairs: BTreeMap<(&str, &str), (bool, Vec<String>)> = BTreeMap::new();
        for edge in &self.edges {
            let cut = cuts.contains(&(edge.from, edge.to));
            let pair = pairs.entry((name(edge.from), name(edge.to))).or_default();
            pair.0 = cut;
            pair.1.push(format!("{} via {}", edge.line, edge.path));
        }
        let mut text = format!("circle of {}: {}\n", self.files.len(), self.names().join(" "));
        for ((from, to), (cut, reasons)) in pairs.iter().filter(|(_, (cut, _))| all || *cut) {
            let mark = if *cut { "✂" } else { " " };
            for reason in reasons {
                let (line, path) = reason.split_once(' ').unwrap_or((reason, ""));
                let _ = writeln!(text, "  {mark} {from}:{line} -> {to} {path}");
            }
        }
        text
    }
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
