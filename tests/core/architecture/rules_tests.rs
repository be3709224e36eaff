//! Wrong trees that each rule must see, and right ones that it must pass.

use std::collections::BTreeMap;

use super::*;

const SMALL: Rules<'_> = Rules {
    layers: &[&["name"], &["policy", "rule"], &["config"], &["serve"], &["lib", "main"]],
    above_core: "config",
    confined: &[
        ("hickory", &[]),
        ("std::fs", &["src/serve"]),
        ("UdpSocket", &["src/serve/udp"]),
        ("::now", &["src/serve"]),
    ],
    not_in_core: &["std::thread", "async", "await"],
};

fn faults(file: &str, text: &str) -> Vec<String> {
    SMALL.faults(file, &Source::new(text))
}

fn files(texts: &[(&str, &str)]) -> Files {
    texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// A tree in which `src/tests.rs` is a test.
fn tree(texts: &[(&str, &str)]) -> Tree {
    let source = |(path, text): &(&str, &str)| ((*path).to_owned(), Source::new(text));
    let sources: BTreeMap<_, _> = texts.iter().map(source).collect();
    let tests = sources.keys().filter(|path| *path == "src/tests.rs").cloned().collect();
    Tree { sources, tests }
}

#[test]
fn imports_that_point_up_are_seen() {
    for (file, text) in [
        ("src/policy.rs", "use crate::config::Config;"),
        ("src/policy.rs", "use crate::rule::Rule;"),
        ("src/policy.rs", "use super::config::Config;"),
        ("src/policy/client.rs", "use crate::{config, name};"),
        ("src/policy/client.rs", "use super::super::config;"),
        ("src/policy/client.rs", "fn f() { crate::serve::run() }"),
        ("src/policy/client.rs", "mod a { use super::super::super::config::Config; }"),
        ("src/policy.rs", "#[cfg(test)] mod tests {}\nuse crate::config::Config;"),
        ("src/policy.rs", "pub use crate::config::Config;"),
        ("src/policy.rs", "use crate::unknown::X;"),
        ("src/util.rs", ""),
    ] {
        assert_eq!(faults(file, text).len(), 1, "{file}: {text}: {:?}", faults(file, text));
    }
    for (file, text) in [
        (
            "src/policy/client.rs",
            "use super::Snapshot; use crate::policy::judge; use crate::name::N;",
        ),
        ("src/policy/client.rs", "mod a { use super::super::X; }"),
        ("src/policy.rs", "// crate::serve\n#[cfg(test)]\nuse crate::serve::run;\n"),
        ("src/policy.rs", "const HELP: &str = \"crate::serve\";"),
        ("src/main.rs", "fn main() { lachan::serve::run() }"),
    ] {
        assert_eq!(faults(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn words_away_from_home_are_seen() {
    for (file, text) in [
        ("src/serve.rs", "use hickory::Server;"),
        ("src/config.rs", "use std::fs;"),
        ("src/config.rs", "use std::{fs, io};"),
        ("src/config.rs", "use std::{fs::{self}, io};"),
        ("src/config.rs", "fn f() { std::fs::read(p) }"),
        ("src/serve/tcp.rs", "use std::net::UdpSocket;"),
        ("src/server.rs", ""),
        ("src/config.rs", "fn f() { Instant::now() }"),
        ("src/config.rs", "fn f() { x.map(Instant::now) }"),
        ("src/policy.rs", "use std::thread;"),
        ("src/policy.rs", "use std::{sync::Arc, thread::sleep};"),
        ("src/policy.rs", "async fn f() {}"),
        ("src/policy.rs", "fn f() { g().await }"),
        ("src/policy.rs", "#[cfg(test)]\nmod tests {}\nfn f() { std::thread::spawn(g) }"),
    ] {
        assert_eq!(faults(file, text).len(), 1, "{file}: {text}: {:?}", faults(file, text));
    }
    for (file, text) in [
        ("src/serve/udp.rs", "use std::net::UdpSocket; fn f() { std::thread::spawn(g) }"),
        ("src/serve/udp/batch.rs", "use std::net::UdpSocket; async fn f() { g().await }"),
        ("src/config.rs", "use std::io; fn f(now: u64) { now }"),
        ("src/policy.rs", "#[cfg(test)] mod tests { use std::{fs, thread}; }"),
    ] {
        assert_eq!(faults(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn sizes_are_seen() {
    let tree = files(&[
        ("src/a.rs", "1\n2\n3\n"),
        ("src/serve/b.rs", "1\n2"),
        ("src/serve/c/d.rs", "1\n"),
        ("src/server.rs", "1\n"),
    ]);
    assert_eq!(long_files(&tree, 2), ["src/a.rs: 3 lines, more than 2"]);
    assert_eq!(full_folders(&tree, 1), ["src/: 2 files, more than 1"]);
    assert_eq!(lines_below(&tree, "src/serve/"), 3);
}

#[test]
fn dead_items_are_seen() {
    let tree = tree(&[
        (
            "src/a.rs",
            "pub fn used() {}\npub fn dead() { let dead; }\npub const TESTED: u8 = 1;
             pub struct Alone; impl Alone { pub fn new() {} }\nfn private() { used(); B::new() }
             pub fn shown() {} impl fmt::Debug for Alone {}\n#[cfg(test)] mod t { fn f() { inner() } }
             pub fn inner() {}
             impl Alone { pub fn field(&self) {} pub fn a(&self) {} pub fn b() {} pub fn c() {} }
             fn g(x: X) { let field = x.field; x.a(); Self::b(); f(Alone2::c) }",
        ),
        ("src/b.rs", "pub use super::a::{Alone, dead};\n// dead, TESTED\nfn f() { x(\"{shown}\") }"),
        ("src/tests.rs", "pub fn unasked() {} fn f() { in_file() }"),
        ("src/c.rs", "pub fn in_file() {}"),
    ]);
    let outside = super::super::source::words("fn test() { a::TESTED; }");
    let found = unused(&tree, &outside);
    assert_eq!(found.dead, ["src/a.rs:4: struct Alone", "src/a.rs:9: fn field"]);
    let names: Vec<&str> = found.for_tests.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["TESTED", "inner", "in_file"]);

    let reason = "its law is tested";
    let fine = [("TESTED", reason), ("inner", reason), ("in_file", reason)];
    assert_eq!(for_tests(&found, &fine), [""; 0]);
    for wrong in [
        &fine[..2],
        &[fine[0], fine[1], fine[2], ("gone", reason)],
        &[("TESTED", ""), fine[1], fine[2]],
    ] {
        assert_eq!(for_tests(&found, wrong).len(), 1, "{wrong:?}");
    }
}

#[test]
fn types_defined_twice_are_seen() {
    let tree = tree(&[
        ("src/a.rs", "pub struct A; pub enum B {} struct C; pub trait D {} pub fn e() {}"),
        (
            "src/b.rs",
            "pub use a::B; pub type A = u8; struct C; pub(crate) union D {} pub fn e() {}",
        ),
        ("src/c.rs", "#[cfg(test)] mod t { pub struct B; } mod u { pub struct D; }"),
        ("src/tests.rs", "pub struct B;"),
    ]);
    let twice: Vec<_> =
        types_twice(&tree).iter().map(|(n, p)| format!("{n} {}", p.len())).collect();
    assert_eq!(twice, ["A 2", "D 3"]);
}

#[test]
fn a_wrong_map_is_seen() {
    let tree = files(&[("src/a.rs", ""), ("src/b.rs", ""), ("src/b/c.rs", ""), ("src/lib.rs", "")]);
    let map = |rows: &str| format!("x `d/`\n## Code map\n\n{rows}\n## Next\n| `e.rs` | |\n");
    let fine = "| file | |\n|---|---|\n| `a.rs`, `lib.rs` | words, `x.rs` |\n| `b/` | |";
    assert_eq!(map_faults(&map(fine), &tree), [""; 0]);
    for wrong in [
        "| `a.rs`, `lib.rs` | `b/` |",
        "| `a.rs`, `lib.rs`, `b/`, `f/` | |",
        "| `a.rs`, `lib.rs`, `b/`, `b/d.rs` | |",
        "| `a.rs`, `lib.rs` | |\n b/",
    ] {
        assert_eq!(map_faults(&map(wrong), &tree).len(), 1, "{wrong}");
    }
    let text = "## Layers\n\n```\na  b      words\nc         more words\n```\n";
    assert_eq!(drawn_layers(text), [vec!["a", "b"], vec!["c"]]);
    assert_eq!(drawn_layers("nothing"), Vec::<Vec<&str>>::new());
}
