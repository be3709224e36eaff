use std::fmt::Write as _;

use super::*;
use crate::dns::name::Name;
use crate::dns::public_suffix::is_top_level;
use crate::rule::{Effect, Scope};
use proptest::prelude::*;

fn shown(parsed: &Parsed) -> Vec<String> {
    parsed
        .rules()
        .map(|rule| format!("{} {:?}", Name::from_wire(rule.name).unwrap().0, rule.scope))
        .collect()
}

fn read(text: &str, format: Format) -> Parsed {
    parse(text.as_bytes(), format, ScopeChoice::AsFormat)
}

/// The one reason for which a line of a domain list is rejected.
fn reason(line: &[u8]) -> Option<Reject> {
    let parsed = parse(line, Format::Domains, ScopeChoice::AsFormat);
    assert!(parsed.rejected() <= 1);
    assert_eq!(parsed.is_empty(), parsed.rejected() == 1);
    parsed.rejects.keys().next().copied()
}

#[test]
fn good_lines_survive_bad_ones() {
    let long = format!("{}\n", "x".repeat(10_000));
    let text = [
        b"\xef\xbb\xbf# a list\r\nExample.COM.\r\n\r\n".as_slice(),
        b"bad name.example\n1.2.3.4\ncom\nfe80::1\nx.html#tel\n",
        b"ok.example # comment\n\xff\xfe\nnul\0.example\n",
        long.as_bytes(),
        "cốccốc.vn\n".as_bytes(),
        b"last.example",
    ]
    .concat();
    let parsed = parse(&text, Format::Auto, ScopeChoice::AsFormat);
    assert_eq!(parsed.format, Format::Domains);
    assert_eq!(
        shown(&parsed),
        [
            "example.com. Subtree",
            "ok.example. Subtree",
            "xn--cccc-0x5ac.vn. Subtree",
            "last.example. Subtree"
        ]
    );
    assert_eq!(parsed.lines, 14);
    assert_eq!(parsed.rules().map(|rule| rule.line).collect::<Vec<_>>(), [2, 9, 13, 14]);
    insta::assert_debug_snapshot!(parsed.rejects, @r"
    {
        NotText: 2,
        LineTooLong: 1,
        Syntax: 1,
        BadName: 1,
        Address: 2,
        SingleLabel: 1,
    }
    ");
    assert_eq!(parsed.examples.first().map(|e| e.line), Some(4));
    assert_eq!(parsed.examples.len(), 3);
    assert_eq!(parsed.verdict(), Ok(()));
}

#[test]
fn every_spelling_of_a_name_has_its_outcome() {
    let nfd = "tie\u{302}\u{301}ngvie\u{323}\u{302}t.vn";
    for (line, name) in [
        ("Ads.Example.COM", "ads.example.com."),
        ("ads.example.com.", "ads.example.com."),
        ("  ads.example.com \t\r", "ads.example.com."),
        ("sn99.cc:100", "sn99.cc."),
        ("*.ads.example.com", "ads.example.com."),
        (".ads.example.com", "ads.example.com."),
        ("w-w-i-s-.com", "w-w-i-s-.com."),
        ("nnbnpdk_deu.126002.com", "nnbnpdk_deu.126002.com."),
        ("0.0.0.0.beeglivesex.com", "0.0.0.0.beeglivesex.com."),
        ("tiếngviệt.vn", "xn--tingvit-5t4cyc.vn."),
        (nfd, "xn--tingvit-5t4cyc.vn."),
        ("THỦĐÔ.vn", "xn--th-9ja9i637n.vn."),
        ("xn--th-9ja9i637n.vn", "xn--th-9ja9i637n.vn."),
        ("ads.example.com # why", "ads.example.com."),
        ("ads.example.com\t#why", "ads.example.com."),
        ("ads.example.com# why", "ads.example.com."),
        ("ads.example.com#", "ads.example.com."),
        ("ads.example.com;why", "ads.example.com."),
        ("ads.example.com ! why", "ads.example.com."),
        ("ads.example.com // why", "ads.example.com."),
        ("ads.example.com,why", "ads.example.com."),
        ("http://ads.example.com", "ads.example.com."),
        ("HTTPS://ads.example.com:8443/", "ads.example.com."),
        ("ads.example.com/", "ads.example.com."),
    ] {
        let parsed = read(line, Format::Domains);
        assert_eq!(shown(&parsed), [format!("{name} Subtree")], "{line}");
        assert_eq!(parsed.rejected(), 0, "{line}");
    }
}

#[test]
fn every_line_that_is_no_name_has_its_reason() {
    let label = format!("{}.example", "a".repeat(64));
    let name = ["abcdefg"; 32].join(".");
    let line = "x".repeat(10 << 20);
    for (text, expected) in [
        (b"".as_slice(), None),
        (b"# comment", None),
        (b"! comment", None),
        (b"1.2.3.4", Some(Reject::Address)),
        (b"1.2.3.4:8080", Some(Reject::Address)),
        (b"2001:db8::1", Some(Reject::Address)),
        (b"[2001:db8::1]", Some(Reject::Address)),
        (b"192.0.2.0/24", Some(Reject::Address)),
        (b"com", Some(Reject::SingleLabel)),
        (b"localhost", Some(Reject::SingleLabel)),
        (b"x.example/path", Some(Reject::PathRule)),
        (b"https://x.example/y", Some(Reject::PathRule)),
        (b"https://user@x.example/", Some(Reject::PathRule)),
        (b"1momentactivate.de/x.html#tel", Some(Reject::PathRule)),
        (b"x.html#tel", Some(Reject::BadName)),
        (b"x.example:port", Some(Reject::BadName)),
        (b"ads*.example", Some(Reject::Wildcard)),
        (b"*", Some(Reject::Wildcard)),
        (b"a..example", Some(Reject::BadName)),
        (b"a.example..", Some(Reject::BadName)),
        (b"two words.example", Some(Reject::Syntax)),
        ("a\u{fffd}b.example".as_bytes(), Some(Reject::Idna)),
        (label.as_bytes(), Some(Reject::BadName)),
        (name.as_bytes(), Some(Reject::BadName)),
        (b"\xff\xfea.example", Some(Reject::NotText)),
        (b"nul\0.example", Some(Reject::NotText)),
        (line.as_bytes(), Some(Reject::LineTooLong)),
    ] {
        let start = String::from_utf8_lossy(text.get(..text.len().min(80)).unwrap());
        if text.starts_with(b"\xff\xfe") {
            // In front of a text this is the mark of UTF-16.
            assert_eq!(reason(&[b"#\n", text].concat()), expected, "{start}");
        } else if expected.is_none() {
            let parsed = parse(text, Format::Domains, ScopeChoice::AsFormat);
            assert_eq!((parsed.len(), parsed.rejected()), (0, 0), "{start}");
        } else {
            assert_eq!(reason(text), expected, "{start}");
        }
    }
}

#[test]
fn hosts_names_are_exact_unless_widened() {
    let text = "# StevenBlack\n127.0.0.1 localhost\n::1 localhost ip6-loopback\n\
        fe80::1%lo0 localhost\n255.255.255.255 broadcasthost\n\
        0.0.0.0 0.0.0.0\n0.0.0.0 Ads.Example.com t.example.com # two\n127.0.0.7 a.b\n0.0.0.0 en\n";
    let parsed = read(text, Format::Auto);
    assert_eq!(parsed.format, Format::Hosts);
    assert_eq!(shown(&parsed), ["ads.example.com. Exact", "t.example.com. Exact", "a.b. Exact"]);
    assert_eq!(parsed.rejects.get(&Reject::SingleLabel), Some(&1));
    let wide = parse(text.as_bytes(), Format::Hosts, ScopeChoice::Subtree);
    assert!(shown(&wide).iter().all(|rule| rule.ends_with("Subtree")));
}

#[test]
fn widening_a_source_never_frees_more() {
    let widened =
        |text: &str, format| shown(&parse(text.as_bytes(), format, ScopeChoice::Subtree)).join(" ");
    assert_eq!(
        widened("|x.example^\n@@|ok.x.example^\n", Format::Adblock),
        "x.example. Subtree ok.x.example. Exact"
    );
    assert_eq!(
        widened("x.example CNAME .\nok.x.example CNAME rpz-passthru.\n", Format::Rpz),
        "x.example. Subtree ok.x.example. Exact"
    );
}

#[test]
fn the_wildcard_of_a_whole_zone_covers_every_name() {
    let rules = |text: &str| shown(&read(text, Format::Rpz)).join(" ");
    for text in [
        "* CNAME .\n",
        "* A 192.0.2.1\n",
        "$ORIGIN rpz.example.\n@ SOA a. b. 1 1 1 1 1\n* CNAME .\n",
    ] {
        assert_eq!(rules(text), "*. Below", "{text}");
    }
}

#[test]
fn a_text_that_is_no_list_is_refused() {
    let refusal = |text: &[u8]| {
        parse(text, Format::Auto, ScopeChoice::AsFormat).verdict().map_err(|e| e.to_string())
    };
    let error = "this is a web page, not a list; \
                 open its address in a browser to see what it says";
    for html in ["<!DOCTYPE html><title>404", "\u{feff}\n <HTML>", "<!-- x -->\n<html>", "<?xml?>"]
    {
        assert_eq!(refusal(html.as_bytes()), Err(error.into()), "{html}");
    }
    for utf16 in [b"\xff\xfea\0.\0b\0\n\0".as_slice(), b"\xfe\xff\0a\0.\0b\0\n"] {
        assert_eq!(refusal(utf16), Err("this is UTF-16 text; save it as UTF-8".into()));
    }
    insta::assert_snapshot!(refusal(b"").unwrap_err(), @"the list is empty; remove the source if that is meant");
    insta::assert_snapshot!(refusal(b"# nothing\n\n").unwrap_err(), @"no rule in 2 lines, read as `domains`; check the file, or set its `format`");
    insta::assert_snapshot!(refusal(b"1.2.3.4 \nx.example/y\ncom\n*\nx.example/z").unwrap_err(), @r"
    no rule in 5 lines, read as `domains`; check the file, or set its `format`
      line 1: `1.2.3.4`: an address, not a name
      line 2: `x.example/y`: a path, port or URL, not a whole host
      line 3: `com`: a single label
    ");
    let lines = "fine.example\nnot a line\nneither, this\n".repeat(50);
    insta::assert_snapshot!(refusal(lines.as_bytes()).unwrap_err(), @r"
    100 mistakes in 150 lines, read as `domains`; check the file, or set its `format`
      line 2: `not a line`: not the syntax of this format
      line 3: `neither, this`: not the syntax of this format
      line 5: `not a line`: not the syntax of this format
    ");
    // UTF-16 without a mark is full of NUL.
    let utf16: Vec<u8> = "ads.example\n".repeat(30).bytes().flat_map(|b| [b, 0]).collect();
    assert!(refusal(&utf16).is_err());
}

#[test]
fn the_budget_is_twenty_lines_and_a_tenth() {
    let verdict = |good: usize, bad: usize| {
        let text = "fine.example\n".repeat(good) + &"not a line\n".repeat(bad);
        read(&text, Format::Domains).verdict()
    };
    assert!(verdict(1, 20).is_ok());
    assert!(verdict(1, 21).is_err());
    assert!(verdict(900, 100).is_ok());
    assert!(verdict(899, 101).is_err());
    // Lines that lists have by design do not count against them.
    let paths = "fine.example\n".to_owned() + &"x.example/path\n1.2.3.4\ncom\n".repeat(100);
    assert!(read(&paths, Format::Domains).verdict().is_ok());
}

#[test]
fn the_answers_of_a_name_are_bounded() {
    let mut zone = String::new();
    for number in 0..2000_u32 {
        let [.., high, low] = number.to_be_bytes();
        writeln!(zone, "x.example A 192.0.{high}.{low}").unwrap();
    }
    let parsed = read(&zone, Format::Rpz);
    assert_eq!((parsed.len(), parsed.data.len()), (1, 1));
    assert_eq!(parsed.data[0].records.len(), 1024);
    assert_eq!(parsed.rejects.get(&Reject::TooMuchData), Some(&976));
}

#[test]
fn every_reason_has_an_id_of_its_own() {
    let ids: std::collections::BTreeSet<&str> = Reject::ALL.iter().map(|r| r.id()).collect();
    assert_eq!(ids.len(), Reject::ALL.len());
    let bad = Reject::ALL.iter().filter(|reject| reject.counts_against_source()).count();
    assert!(Reject::ALL.iter().take(bad).all(|reject| reject.counts_against_source()));
}

/// Pieces that the syntaxes are made of, and pieces that look like them.
fn piece() -> impl Strategy<Value = String> {
    let fixed = [
        "||",
        "|",
        "@@",
        "^",
        "$",
        "*",
        ".",
        "/",
        "#",
        "##",
        " ",
        "\t",
        ":",
        "=",
        "!",
        "\"",
        "(",
        ")",
        ";",
        ",",
        "important",
        "denyallow=",
        "dnsrewrite=",
        "badfilter",
        "third-party",
        "0.0.0.0 ",
        "address=/",
        "local=/",
        "server=/",
        "local-zone: ",
        " static",
        " transparent",
        " CNAME ",
        " A 192.0.2.1",
        "rpz-passthru.",
        ".rpz-ip",
        "$ORIGIN ",
        "@",
        "192.0.2.0/24",
        "ads.example",
        "x.ads.example",
        "com",
        "zaloweb",
        "x.html",
        "đ.vn",
        "WWW.",
        "-",
        "_",
    ];
    prop_oneof![
        6 => proptest::sample::select(fixed.to_vec()).prop_map(str::to_owned),
        1 => "[a-z.]{1,6}",
    ]
}

/// Whether `name` stands whole in `line`: nothing of a name before or behind it.
///
/// Before it a dot, or `*.`, and behind it the final dot are allowed.
fn stands_in(line: &str, name: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let before = before.strip_suffix('.').unwrap_or(before);
        let after = after.strip_prefix('.').unwrap_or(after);
        !before.ends_with(part_of_name) && !after.starts_with(part_of_name)
    })
}

proptest! {
    #[test]
    fn no_text_panics_a_reader(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in Format::ALL {
            let parsed = parse(&text, format, ScopeChoice::AsFormat);
            for rule in parsed.rules() {
                prop_assert!(Name::from_wire(rule.name).is_ok());
            }
            let _ = parsed.verdict().map_err(|refusal| refusal.to_string());
        }
    }

    #[test]
    fn no_line_is_widened(pieces in proptest::collection::vec(piece(), 1..8)) {
        let line = pieces.concat();
        for format in Format::ALL {
            let parsed = read(&line, format);
            let plain: String = line.to_lowercase();
            for rule in parsed.rules() {
                let name = Name::from_wire(rule.name).unwrap().0.to_string();
                let name = name.trim_end_matches('.').replace("xn--fea.vn", "đ.vn");
                // As the line has it no other name of such letters is known here.
                if parsed.format == Format::Adblock && name.contains("xn--") {
                    continue;
                }
                if !name.contains("xn--") {
                    prop_assert!(stands_in(&plain, &name), "{format:?} {line} gives {name}");
                }
                let lists = matches!(rule.effect, Effect::Add | Effect::AddImportant);
                match parsed.format {
                    Format::Hosts => prop_assert_eq!(rule.scope, Scope::Exact),
                    Format::Rpz => {
                        prop_assert_eq!(rule.effect, Effect::Rpz);
                        // The owner `*` stands for every name (see `Wire::every`).
                        let is_below = name == "*" || plain.contains(&format!("*.{name}"));
                        prop_assert!(is_below || rule.scope != Scope::Below, "{line}");
                        prop_assert!(rule.scope != Scope::Subtree);
                    }
                    Format::Adblock if lists => {
                        let ends = [format!("||{name}/"), format!("{name}^"), format!("{name}|")];
                        // Of a registered top-level domain no end is asked for: see `Parts::glob_or_host`.
                        let top = name.rsplit('.').next().unwrap_or_default();
                        let is_host = is_top_level(top.as_bytes()) && plain.contains(&format!("||{name}"));
                        let is_subtree = is_host || ends.iter().any(|end| plain.contains(end));
                        prop_assert!(is_subtree || rule.scope != Scope::Subtree, "{line}");
                        prop_assert!(!plain.starts_with("@@"), "{line}");
                    }
                    Format::Adblock => prop_assert!(
                        plain.trim().starts_with("@@") || plain.contains("denyallow"), "{line}"
                    ),
                    _ => prop_assert_eq!(rule.scope, Scope::Subtree),
                }
            }
        }
    }
}
