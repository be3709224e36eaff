//! Lists as people paste them together.

use crate::blocklist::{Format, ListRule, ScopeChoice, parse};
use crate::dns::name::Name;

fn shown(text: &[u8]) -> Vec<String> {
    let parsed = parse(text, Format::Auto, ScopeChoice::AsFormat);
    let name = |rule: ListRule<'_>| {
        let name = Name::from_wire(rule.name).unwrap().0;
        format!("{} {:?} {:?}", name.to_string().trim_end_matches('.'), rule.scope, rule.effect)
    };
    parsed.rules().map(name).collect()
}

#[test]
fn each_line_is_read_in_the_one_syntax_it_can_have() {
    let text = "! one school's own file\n||m1.example^\nm2.example\n0.0.0.0 m3.example\n*.m4.example\n\
        address=/m5.example/\nm6.example,note\nm7.example ; note\nm8.example ! note\n\
        m9.example // note\nhttp://m10.example/\nhttps://m11.example\nm12.example/\n\
        local-zone: \"m13.example.\" always_null\n@@||m14.example^\n|m15.example^\n// note\n";
    let scope = |number| if matches!(number, 3 | 15) { "Exact" } else { "Subtree" };
    let effect = |number| if number == 14 { "Clear" } else { "Add" };
    let expected: Vec<String> =
        (1..=15).map(|n| format!("m{n}.example {} {}", scope(n), effect(n))).collect();
    assert_eq!(shown(text.as_bytes()), expected);
}

#[test]
fn the_majority_decides_how_a_bare_name_is_read() {
    for (text, format, scope) in [
        ("||a.example^\nx.example\n||b.example^\n", Format::Adblock, "Exact"),
        ("0.0.0.0 a.example\nx.example\n0.0.0.0 b.example\n", Format::Hosts, "Exact"),
        ("0 a.example # ||x^\nx.example # note\n0 b.example\n", Format::Hosts, "Exact"),
        ("1.1.1.1\n8.8.8.8\nx.example\ny.example\n", Format::Domains, "Subtree"),
        ("local=/a.example/\nx.example\nlocal=/b.example/\n", Format::Dnsmasq, "Subtree"),
        ("x.example # costs $money\n", Format::Domains, "Subtree"),
    ] {
        let parsed = parse(text.as_bytes(), Format::Auto, ScopeChoice::AsFormat);
        assert_eq!(parsed.format, format, "{text}");
        assert!(parsed.addresses.is_empty(), "{text}");
        let expected = format!("x.example {scope} Add");
        assert!(shown(text.as_bytes()).contains(&expected), "{text}");
    }
    // One line in the second place does not decide, however short the list.
    for lines in 3..200 {
        let text =
            "0.0.0.0 a.example\nx.example\n".to_owned() + &"0.0.0.0 b.example\n".repeat(lines);
        assert_eq!(
            parse(text.as_bytes(), Format::Auto, ScopeChoice::AsFormat).format,
            Format::Hosts
        );
    }
}

#[test]
fn a_set_format_is_no_mixture() {
    let parsed = parse(b"0.0.0.0 a.example\n||b.example^\n", Format::Hosts, ScopeChoice::AsFormat);
    assert_eq!((parsed.len(), parsed.rejected()), (1, 1));
}

#[test]
fn comments_have_no_encoding_and_name_nobody() {
    let text = b"# tr\xe1nh \xff\n0.0.0.0 a.example# see good.example\n\
        0.0.0.0 b.example #vi\xea\x00t good.example\n0.0.0.0 c.example d.example#\n\
        0.0.0.0 vi\xeat.example\n127.1 e.example\n";
    let names = ["a", "b", "c", "d", "e"].map(|name| format!("{name}.example Exact Add"));
    assert_eq!(shown(text), names);
    for line in [
        b"x.example # \xe9t\xe9".as_slice(),
        b"! \xe9t\xe9\n||x.example^",
        b"! \xe9\n||x.example^ # \xe9",
        b"address=/x.example/ # \xe9",
        b"local-zone: \"x.example\" static # \xe9",
        b"x.example ; \xe9",
        b"// \xe9\nx.example",
    ] {
        assert_eq!(shown(line), ["x.example Subtree Add"], "{}", line.escape_ascii());
    }
    let zone = b"$TTL 60 ; \xe9\n@ SOA a. b. 1 1 1 1 1 ; \xe9\nx.example CNAME . ; \xe9\n";
    assert_eq!(shown(zone), ["x.example Exact Rpz"]);
}

#[test]
fn a_list_of_which_most_is_lost_says_so_whatever_its_size() {
    let loss = |text: &str| {
        parse(text.as_bytes(), Format::Auto, ScopeChoice::AsFormat).loss().map(|l| l.to_string())
    };
    assert_eq!(loss("a.example\nb c\n"), None);
    assert_eq!(loss("a.example##.ad\nb.example##.ad\n||c.example^\n"), None);
    let lost = loss("a.example\nb c\nd e\n").unwrap();
    assert!(lost.contains("2 lines gave no rule and 1 did, read as `domains`"), "{lost}");
}
