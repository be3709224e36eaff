use proptest::prelude::*;
use std::sync::Arc;

use crate::blocklist::{Format, ScopeChoice, parse};
use crate::category::CategoryId;
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::matcher::SuffixHashes;
use crate::matcher::build::join;
use crate::matcher::suffix::SuffixTable;
use crate::pack::{Compiler, Pack, SEED, TargetedRule};
use crate::pattern::HostPattern;
use crate::rule::{Action, Rule};

/// The table of an Adblock list of one source.
fn table(text: &str) -> SuffixTable {
    let parsed = parse(text.as_bytes(), Format::Adblock, ScopeChoice::AsFormat);
    let rejects = parsed.rejects.keys().filter(|reject| reject.id() != "disabled").count();
    assert_eq!(rejects, 0, "{text}: {:?}", parsed.rejects);
    let category = CategoryId::new(0).unwrap();
    let mut compiler = Compiler::new(SEED, ["ads".to_owned()]);
    for rule in parsed.rules() {
        let (scope, effect, action) = (rule.scope, rule.effect, rule.action);
        compiler.add(rule.name, Rule { category, scope, effect, action, source: 0 }).unwrap();
    }
    for one in &parsed.targets {
        let (scope, effect, action) = (one.scope, one.effect, one.action);
        let rule = Rule { category, scope, effect, action, source: 0 };
        compiler.add_target(TargetedRule { target: one.target.clone(), rule });
    }
    let pack = Pack::verify(Arc::new(compiler.finish_in_memory().unwrap())).unwrap();
    join([Arc::new(pack)], |_| Some(category)).unwrap().table
}

fn lists(table: &SuffixTable, name: &str, qtype: u16) -> bool {
    let name = Folded::from_name(&Name::from_text(name).unwrap());
    let hashes = SuffixHashes::of(&name, table.seed());
    !table.lookup_of(&name, &hashes, Some(qtype)).set.is_empty()
}

#[test]
fn patterns_and_names_have_one_order() {
    for (text, name, is_listed) in [
        ("/^stats?\\./", "stats.test.com", true),
        ("/^stats?\\./", "www.stats.com", false),
        ("||stats.test.com^\n@@/^stats?\\./", "stats.test.com", false),
        ("||stats.test.com^$important\n@@/^stats?\\./", "stats.test.com", true),
        ("||stats.test.com^$important\n@@/^stats?\\./$important", "stats.test.com", false),
        ("/bet/\n@@||good.example^", "bet.good.example", false),
        ("/bet/$important\n@@||good.example^", "bet.good.example", true),
        ("/bet/$important\n@@||good.example^$important", "bet.good.example", false),
        // A longer name that is listed again is so behind its exception.
        ("/bet/\n@@||good.example^\n||x.good.example^", "bet.x.good.example", true),
        ("/bet/\n@@/ok/", "bet.ok.example", false),
        ("/bet/\n/bet/$badfilter", "bet.example", false),
        ("/ab{2,3}c$/", "x.abbc", true),
    ] {
        assert_eq!(lists(&table(text), name, rtype::A), is_listed, "{text:?} {name}");
    }
}

#[test]
fn types_narrow_a_rule() {
    use rtype::{A, AAAA, CNAME, HTTPS};
    for (text, types) in [
        ("||x.example^$dnstype=AAAA", &[AAAA][..]),
        ("||x.example^$dnstype=aaaa", &[AAAA]),
        ("||x.example^$dnstype=A|HTTPS", &[A, HTTPS]),
        ("||x.example^$dnstype=~A", &[AAAA, CNAME, HTTPS]),
        ("||x.example^$dnstype=~A|~CNAME", &[AAAA, HTTPS]),
        ("||x.example^$dnstype=~A|AAAA", &[AAAA]),
        ("||x.example^\n@@||x.example^$dnstype=A", &[AAAA, CNAME, HTTPS]),
        ("/x/$dnstype=TYPE65", &[HTTPS]),
        ("||*^$dnstype=HTTPS", &[HTTPS]),
        ("$dnstype=AAAA,denyallow=y.example", &[AAAA]),
    ] {
        let table = table(text);
        for qtype in [A, AAAA, CNAME, HTTPS] {
            assert_eq!(lists(&table, "x.example", qtype), types.contains(&qtype), "{text} {qtype}");
        }
    }
}

#[test]
fn spared_names_are_spared_by_their_rule_only() {
    for (text, listed, free) in [
        ("*$denyallow=com|net", &["x.example", "com.example"][..], &["com", "a.com", "b.net"][..]),
        ("||zip^$denyallow=a.zip", &["zip", "b.zip", "xa.zip"], &["a.zip", "www.a.zip", "a.zip.x"]),
        ("||zip^$denyallow=a.zip\n||b.a.zip^", &["c.zip", "b.a.zip"], &["a.zip"]),
        ("||zip^$denyallow=a.zip\n/evil/", &["evil.a.zip"], &["a.zip"]),
        ("/bet/$denyallow=ok.example", &["bet.example"], &["bet.ok.example"]),
        ("||x.example^\n@@*$denyallow=b.x.example", &["b.x.example"], &["a.x.example"]),
        ("@@||x.example^$denyallow=y.x.example\n/example/", &["y.x.example"], &["x.example"]),
    ] {
        let table = table(text);
        assert!(listed.iter().all(|name| lists(&table, name, rtype::A)), "{text}");
        assert!(!free.iter().any(|name| lists(&table, name, rtype::A)), "{text}");
    }
}

#[test]
fn an_answer_is_that_of_the_longest_name_else_of_a_pattern() {
    let table = table(
        "||x.example^\n||y.x.example^$dnstype=AAAA,dnsrewrite=NOERROR\n/z/$dnsrewrite=REFUSED\n\
         ||z.example^$dnsrewrite=NXDOMAIN",
    );
    let action = |name: &str, qtype| {
        let name = Folded::from_name(&Name::from_text(name).unwrap());
        let hashes = SuffixHashes::of(&name, table.seed());
        table.action(&name, &hashes, CategoryId::new(0).unwrap(), Some(qtype))
    };
    assert_eq!(action("y.x.example", rtype::AAAA), Action::NoData);
    assert_eq!(action("y.x.example", rtype::A), Action::Default);
    assert_eq!(action("z.x.example", rtype::A), Action::Refused);
    assert_eq!(action("www.z.example", rtype::A), Action::NxDomain);
    assert_eq!(action("zz.test", rtype::A), Action::Refused);
}

#[test]
fn a_rule_spares_the_names_that_are_refused_and_acts_on_others() {
    let mut table = table("/goo+gle/\n||b.example^$dnstype=A\n*$dnstype=TXT\n@@||c.example^");
    let before = table.digest();
    let names = ["google.example", "x.b.example", "c.example"];
    let names: Vec<Name> = names.iter().map(|name| Name::from_text(name).unwrap()).collect();
    let mut refused = Vec::new();
    table.spare(&names, |name, rule| {
        refused.push(format!("{} {name}", rule.text()));
        rule.rule().effect == crate::rule::Effect::Add
    });
    let expected = [
        "*$dnstype=TXT google.example.",
        "/goo+gle/ google.example.",
        "b.example$dnstype=A x.b.example.",
        "*$dnstype=TXT x.b.example.",
        "*$dnstype=TXT c.example.",
    ];
    refused.sort();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(refused, sorted);
    assert_ne!(table.digest(), before);
    for (name, qtype, is_listed) in [
        ("google.example", rtype::A, false),
        ("www.google.example", rtype::TXT, false),
        ("gooogle.example", rtype::A, true),
        // A rule about a name is void, as a rule without a type is.
        ("b.example", rtype::A, false),
        ("y.b.example", rtype::A, false),
        ("b.example", rtype::TXT, true),
        ("x.b.example", rtype::TXT, false),
    ] {
        assert_eq!(lists(&table, name, qtype), is_listed, "{name}");
    }
}

proptest! {
    /// The set of many patterns matches a name if and only if one of them does.
    #[test]
    fn the_set_is_the_union_of_its_patterns(
        expressions in proptest::collection::vec("\\^?[abc]{0,4}(\\[ab\\]\\+|\\(ab\\|cc\\)|c\\?|\\.){0,3}[abc]{1,4}\\$?", 1..40),
        names in proptest::collection::vec("[abc]{1,7}(\\.[abc]{1,7}){0,2}", 1..40),
    ) {
        let lines: Vec<String> = expressions.iter().map(|one| format!("/{one}/")).collect();
        let table = table(&lines.join("\n"));
        for name in names {
            let folded = Folded::from_name(&Name::from_text(&name).unwrap());
            let matches = |line: &String| HostPattern::parse(line).unwrap().matches(&folded);
            prop_assert_eq!(lists(&table, &name, rtype::A), lines.iter().any(matches), "{}", name);
        }
    }
}
