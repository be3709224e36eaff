//! Circles that must be seen, and what must not be taken for one.

use std::collections::BTreeMap;

use super::{Graph, Source};

fn graph(files: &[(&str, &str)]) -> Graph {
    let source = |(path, text): &(&str, &str)| (format!("src/{path}"), Source::new(text));
    Graph::new(&files.iter().map(source).collect::<BTreeMap<_, _>>())
}

/// The edges as `from:line to`.
fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let graph = graph(files);
    let name = |file: usize| graph.files[file].trim_start_matches("src/").replace(".rs", "");
    let mut shown: Vec<String> =
        graph.edges.iter().map(|e| format!("{}:{} {}", name(e.from), e.line, name(e.to))).collect();
    shown.dedup();
    shown
}

/// A tree with `a`, `a/b`, `a/b/c` and `d`; `text` is the file `path`.
fn with(path: &str, text: &str) -> Vec<String> {
    let base = [
        ("lib.rs", "pub mod a; pub mod d;"),
        ("a.rs", "pub mod b; pub struct A; pub const K: u8 = 1;"),
        ("a/b.rs", "pub mod c; pub enum B { X } pub fn go() {}"),
        ("a/b/c.rs", "pub struct C; pub fn make() -> C { C }"),
        ("d.rs", "pub struct D;"),
    ];
    let files: Vec<_> = base.iter().map(|(p, t)| (*p, if *p == path { text } else { t })).collect();
    edges(&files)
}

#[test]
fn every_way_to_name_a_file_is_an_edge() {
    for (path, text, edge) in [
        ("d.rs", "use crate::a::b::c::C;", "d:1 a/b/c"),
        ("d.rs", "use crate::{\n  a::{self, b::{c, go as went}},\n};", "d:2 a/b"),
        ("d.rs", "use crate::a::b::c;\nfn f() { c::make() }", "d:2 a/b/c"),
        ("d.rs", "use crate::a::b::c as e;\nfn f(x: e::C) {}", "d:2 a/b/c"),
        ("d.rs", "fn f() { crate::a::b::B::X; }", "d:1 a/b"),
        ("d.rs", "use crate::a::b::B::*;", "d:1 a/b"),
        ("d.rs", "use crate::a::*;\nfn f() -> A { A }", "d:2 a"),
        ("d.rs", "use crate::a::*;\nfn f() { b::go() }", "d:2 a/b"),
        ("d.rs", "fn f() {\n  use crate::a::K;\n}", "d:2 a"),
        ("d.rs", "use crate::a::made_by_a_macro;", "d:1 a"),
        ("d.rs", "mod e { use crate::a::K; }", "d:1 a"),
        ("d.rs", "mod e { use super::super::a::K; }", "d:1 a"),
        ("d.rs", "#[serde(with = \"crate::a::b\")] struct D;", "d:1 a/b"),
        ("d.rs", "#[cfg(test)] mod t {}\nuse crate::a::A;", "d:2 a"),
        ("a.rs", "pub mod b;\nfn f() { b::go() }", "a:2 a/b"),
        ("a.rs", "pub mod b;\nfn f() { self::b::c::make() }", "a:2 a/b/c"),
        ("a.rs", "pub mod b; pub use b::c::C;\nfn f(c: C) {}", "a:2 a/b/c"),
        ("a.rs", "pub mod b; pub use b::{go};\nfn f() { go() }", "a:2 a/b"),
        ("a/b.rs", "pub mod c;\nuse super::A;", "a/b:2 a"),
        ("a/b/c.rs", "use super::super::{A, super::d};\nfn f() { d::D }", "a/b/c:1 a"),
        ("a/b/c.rs", "use super::super::super::d;\nfn f() { d::D }", "a/b/c:2 d"),
    ] {
        assert!(
            with(path, text).contains(&edge.to_owned()),
            "{path}: {text}: {:?}",
            with(path, text)
        );
    }
}

#[test]
fn what_is_no_dependency_is_no_edge() {
    for (path, text) in [
        ("d.rs", "// crate::a::A\n/* crate::a::A */ const X: &str = \"crate::a::A\";"),
        ("d.rs", "pub use crate::a::A;"),
        ("d.rs", "use crate::a;"),
        ("d.rs", "#[cfg(test)] mod tests { use crate::a::A; }"),
        ("d.rs", "use crate::a::*; struct A; fn f() -> A { A }"),
        ("d.rs", "use std::fmt; fn f(go: u8) { x.go(); go }"),
        ("a.rs", "pub mod b; pub use b::go; fn f(go: u8) { g(go) }"),
        ("a.rs", "pub mod b; pub use b::go; impl A { fn f() { Self::go(); <A as B>::go() } }"),
        ("a/b/c.rs", "#[cfg(test)] use super::B;\nfn f() { make() }"),
    ] {
        assert_eq!(with(path, text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn re_exports_are_followed_to_who_defines() {
    let files = |c: &'static str, top: &'static str| {
        [
            ("lib.rs", "mod a; mod d;"),
            ("a.rs", "mod b; mod c; pub use b::*; pub use self::c::{C as Shown};"),
            ("a/b.rs", "pub struct B;"),
            ("a/c.rs", c),
            ("d.rs", top),
        ]
    };
    let found = edges(&files("pub struct C;", "use crate::a::{B, Shown};"));
    assert_eq!(found, ["d:1 a/b", "d:1 a/c"]);
    assert_eq!(edges(&files("use super::B; pub struct C(B);", "")), ["a/c:1 a/b"]);
    // What a facade has from another crate is no file of ours.
    let outside = [
        ("lib.rs", "mod a; mod d;"),
        ("a.rs", "pub use std::rc::Rc;"),
        ("d.rs", "use crate::a::Rc;"),
    ];
    assert_eq!(edges(&outside), [""; 0]);
    // Two re-exports of each other end, too.
    let loops = [
        ("lib.rs", "mod a; mod d; mod e;"),
        ("a.rs", "pub use crate::d::X;"),
        ("d.rs", "pub use crate::a::X;"),
        ("e.rs", "use crate::a::X;"),
    ];
    assert!(edges(&loops).len() <= 1);
}

#[test]
fn a_module_and_a_function_may_share_a_name() {
    let files = [
        ("lib.rs", "mod a; mod d; mod e;"),
        ("a.rs", "mod go; pub use go::{Taken, go};"),
        ("a/go.rs", "pub struct Taken; pub fn go() {}"),
        ("d.rs", "use crate::a::go;\nfn f() { go() }"),
        ("e.rs", "use crate::a;\nfn f() { a::go() }"),
    ];
    assert_eq!(edges(&files), ["d:1 a/go", "e:2 a/go"]);
}

#[test]
fn main_names_the_library() {
    let files = [
        ("lib.rs", "pub mod a;"),
        ("main.rs", "mod m;\nfn main() { lachan::a::run() }"),
        ("a.rs", "pub fn run() {}"),
        ("m.rs", "use lachan::a::run; use crate::main;"),
    ];
    assert_eq!(edges(&files), ["main:2 a", "m:1 a", "m:1 main"]);
}

#[test]
fn circles_are_found_with_what_to_cut() {
    let files = [
        ("lib.rs", "pub mod a; pub mod d; pub mod e;"),
        ("a.rs", "pub mod b; use b::B;\npub struct A; pub struct Z;"),
        ("a/b.rs", "use super::A;\nuse super::Z; use crate::d::D; pub struct B;"),
        ("d.rs", "use crate::e::E; pub struct D;"),
        ("e.rs", "pub struct E;"),
    ];
    let graph = graph(&files);
    let circles = graph.circles();
    assert_eq!(circles.len(), 1);
    assert_eq!(circles[0].names(), ["src/a.rs", "src/a/b.rs"]);
    let all = circles[0].report(true);
    assert!(all.contains("  ✂ src/a.rs:1 -> src/a/b.rs via b::B"), "{all}");
    assert!(all.contains("    src/a/b.rs:2 -> src/a.rs via super::Z"), "{all}");
    assert!(!circles[0].report(false).contains("super::Z"));

    let ring = [
        ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::c::c() }"),
        ("c.rs", "pub fn c() { crate::a::a() }"),
        ("d.rs", "pub fn d() { crate::e::e(); crate::a::a() }"),
        ("e.rs", "pub fn e() { crate::d::d() }"),
    ];
    let ring = self::graph(&ring);
    let names: Vec<_> = ring.circles().iter().map(|c| c.names().join(" ")).collect();
    assert_eq!(names, ["src/a.rs src/b.rs src/c.rs", "src/d.rs src/e.rs"]);
}

#[test]
fn test_files_are_apart() {
    let files = [
        ("lib.rs", "mod a; #[cfg(test)] mod t;"),
        ("a.rs", "#[cfg(test)]\nmod tests;\npub struct A;"),
        ("a/tests.rs", "use super::A;"),
        ("t.rs", "use crate::a::A;"),
    ];
    let graph = graph(&files);
    assert_eq!(graph.files, ["src/lib.rs", "src/a.rs"]);
    assert_eq!(graph.tests.len(), 2);
}
