//! What the reader of one file must see.

use super::Source;

fn imports(text: &str) -> Vec<String> {
    let shown = |i: &super::Import| {
        let wide = if i.exported { "pub " } else { "" };
        format!("{wide}{} = {}", i.name, i.path.join("::"))
    };
    Source::new(text).imports.iter().map(shown).collect()
}

fn mentions(text: &str) -> Vec<String> {
    Source::new(text).mentions.iter().map(|m| m.path.join("::")).collect()
}

#[test]
fn use_trees_are_flattened() {
    let text = "pub(super) use a::{self, b::{C as D, e}, f::*};\nfn x() { use g::H; } use i;";
    let found = ["pub a = a", "pub D = a::b::C", "pub e = a::b::e", "pub * = a::f", "H = g::H"];
    assert_eq!(imports(text)[..5], found);
    assert_eq!(imports("use super::x; pub use y;"), ["x = super::x", "pub y = y"]);
    assert_eq!(imports("fn f() -> impl A + use<'_> {}"), [""; 0]);
}

#[test]
fn only_the_item_behind_the_attribute_is_apart() {
    for test in [
        "#[cfg(test)] mod tests { use t::T; t::u(); }",
        "#[cfg(test)] #[path = \"x\"] use t::{T, U};",
        "#[cfg(all(test, unix))] pub const T: t::T = t::T { a: 1 };",
        "#[cfg(test)] const fn t() -> t::T { t::T }",
        "#[cfg(test)] impl t::T<{ 3 }> { }",
        "#[cfg(test)] fn t<A, B>(a: t::A) where A: t::B { t::u() }",
        "#[test] fn t() { t::u() }",
        "struct S { #[cfg(test)] t: t::T, }",
        "struct S { #[cfg(test)] pub(crate) t: t::T }",
    ] {
        let text = format!("{test} fn after() {{ a::b(); }}");
        let seen: Vec<String> = mentions(&text).into_iter().filter(|m| m.contains("::")).collect();
        assert_eq!(seen, ["a::b"], "{test}");
    }
    for live in ["#[cfg(not(test))] fn f() { t::u() }", "#[cfg(any(test, x))] fn f() { t::u() }"] {
        assert!(mentions(live).contains(&"t::u".to_owned()), "{live}");
    }
    assert!(mentions("#![cfg(test)]\nfn f() { t::u() }").is_empty());
}

#[test]
fn modules_have_their_own_names() {
    let source = Source::new(
        "mod a; mod b { use c::D; mod e { fn f() {} } } #[cfg(test)] mod tests; \
         impl X { pub fn g(&self) {} pub(crate) const fn h() {} fn i() {} } \
         const J: u8 = { 1 }; pub static mut K: u8 = 2; pub type L = J; macro_rules! m { () => {} }
         pub unsafe extern \"C\" fn n() {}",
    );
    let children: Vec<String> = source.children.iter().map(|c| c.module.join("::")).collect();
    assert_eq!(children, ["tests", "a", "b", "b::e"]);
    assert!(source.children[0].test && source.children[2].inline);
    let shown: Vec<String> = source
        .definitions
        .iter()
        .map(|d| {
            let (wide, top) = (if d.public { "pub " } else { "" }, if d.item { "" } else { "." });
            format!("{wide}{} {top}{}", d.kind, d.name)
        })
        .collect();
    let expected = [
        "fn f",
        "pub fn .g",
        "pub fn .h",
        "fn .i",
        "const J",
        "pub static K",
        "pub type L",
        "macro_rules m",
        "pub fn n",
    ];
    assert_eq!(shown, expected);
    assert_eq!(source.imports[0].module, ["b"]);
}

#[test]
fn paths_in_code_and_attributes_are_seen() {
    let text = "#[serde(with = \"a::b\")] struct S { x: c::D } fn f() { e.g::<H>(i::j!(), K) }";
    assert_eq!(mentions(text).join(" "), "serde with a::b::deserialize x c::D e H i::j K");
    assert!(mentions("async fn f() { g().await }").contains(&"await".to_owned()));
    assert!(Source::new("fn f() { println!(\"{WIDTH:>3}\") }").words.contains("WIDTH"));
}
