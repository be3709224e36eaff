use proptest::prelude::*;

use super::*;
use crate::dns::name::{Folded, Name};

fn finds(pattern: &str, name: &str) -> bool {
    HostPattern::parse(pattern)
        .unwrap()
        .matches(&Folded::from_name(&Name::from_text(name).unwrap()))
}

#[test]
fn an_expression_searches_the_whole_name() {
    for (pattern, name, is_match) in [
        ("/^stats?\\./", "stats.test.example", true),
        ("/^stats?\\./", "stat.test.example", true),
        ("/^stats?\\./", "www.stats.example", false),
        ("/example.*/", "www.example.org", true),
        ("/\\.example$/", "www.example", true),
        ("/\\.example$/", "www.example.org", false),
        ("/^$/", "x.example", false),
        ("/.*/", "x.example", true),
        // Case is ignored, also in classes; escapes keep theirs.
        ("/ADS[A-C]\\.Example/", "adsb.example", true),
        ("/^\\D+\\.x\\.example$/", "a1.x.example", false),
        ("/[^A-Z.]\\.x/", "a.x.example", false),
        ("/ads\\/x/", "ads.x", false),
        ("/^ad([sxv]?[0-9]*|system)[_.-]([^.[:space:]]+\\.){1,}/", "ads12-x.a.example", true),
        ("/(^|\\.)bet\\d{2,3}\\./", "www.bet88.example", true),
        ("/\\bcasino\\b/", "my-casino.example", true),
        ("/\\bcasino\\b/", "mycasino.example", false),
        ("/(?i)Bet/", "abet.example", true),
    ] {
        assert_eq!(finds(pattern, name), is_match, "{pattern} {name}");
    }
}

#[test]
fn globs_have_anchors_and_pieces() {
    for (pattern, name, is_match) in [
        ("|ads.", "ads.example", true),
        ("|ads.", "x.ads.example", false),
        ("||ads", "x.adserver.example", true),
        ("||ads", "loads.example", false),
        ("ample.org|", "example.org", true),
        ("ample.org|", "example.org.com", false),
        ("||ad*.x.example|", "ad7.x.example", true),
        ("||ad*.x.example|", "bad.x.example", false),
        ("ads-*.x.com", "www.ads-7.x.com.example", true),
        ("cdn", "x.mycdn7.example", true),
        // A dot is a dot.
        ("a.b", "axb.example", false),
    ] {
        assert_eq!(finds(pattern, name), is_match, "{pattern} {name}");
    }
    assert_eq!(HostPattern::parse("a/b").unwrap_err(), PatternError::NoHost);
    assert_eq!(HostPattern::parse("a^b").unwrap_err(), PatternError::NoHost);
}

#[test]
fn a_dot_inside_a_label_is_no_dot() {
    let (name, _) = Folded::from_wire(b"\x03a.b\x07example\0").unwrap();
    assert!(!HostPattern::parse("/^a\\.b/").unwrap().matches(&name));
    assert!(HostPattern::parse("/^a.b\\.example$/").unwrap().matches(&name));
}

#[test]
fn what_has_no_bound_is_refused_by_its_reason() {
    let refused = |pattern: &str| HostPattern::parse(pattern).err();
    for pattern in ["/^(?!www)ads/", "/(?=x)y/", "/(?<!a)b/", "/(a)\\1/"] {
        assert_eq!(refused(pattern), Some(PatternError::Unbounded), "{pattern}");
    }
    for pattern in ["/[/", "/a{2,1}/", "/(/", "/*/", "/\\p{Greek}/"] {
        assert_eq!(refused(pattern), Some(PatternError::Syntax), "{pattern}");
    }
    let long = format!("/{}/", "a".repeat(MAX_LENGTH));
    let deep = format!("/{}a{}/", "(".repeat(200), ")".repeat(200));
    for pattern in [&*long, &*deep, "/(a{1000}){1000}/", "/((.{50}){50}){50}/"] {
        assert_eq!(refused(pattern), Some(PatternError::TooLarge), "{pattern}");
    }
}

#[test]
fn literals_are_those_that_every_match_has() {
    let literals = |pattern: &str| -> Option<Vec<String>> {
        let pattern = HostPattern::parse(pattern).unwrap();
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        pattern.literals().map(|all| all.iter().map(|literal| text(literal)).collect())
    };
    assert_eq!(literals("/^stats?\\./"), Some(vec!["stat".into()]));
    assert_eq!(literals("/(track|stats)er[0-9]/"), Some(vec!["stats".into(), "track".into()]));
    assert_eq!(literals("/^[a-z]{20}\\.com$/"), None);
    assert_eq!(literals("/ads?|banner/"), None);
    assert_eq!(literals("/.*/"), None);
    assert_eq!(literals("||ad*.x.example|"), Some(vec![".x.example".into()]));
}

proptest! {
    /// Every name that a pattern matches has one of its literals.
    #[test]
    fn a_match_has_a_literal(
        expression in "[ab]{0,3}(\\[ab\\]|\\(ab\\|ba\\)|a\\?|b\\+|\\.){0,4}[ab]{0,3}",
        name in "[ab]{1,6}(\\.[ab]{1,6}){0,3}",
    ) {
        let Ok(pattern) = HostPattern::parse(&format!("/{expression}/")) else { return Ok(()) };
        let folded = Folded::from_name(&Name::from_text(&name).unwrap());
        if let Some(literals) = pattern.literals() && pattern.matches(&folded) {
            let has = |literal: &[u8]| {
                name.as_bytes().windows(literal.len()).any(|part| part == literal)
            };
            prop_assert!(literals.iter().any(|literal| has(literal)));
        }
    }

    /// Pieces of a name, put together with `*`, match the name.
    #[test]
    fn pieces_of_a_name_match_it(name in "[a-z0-9]{1,9}(\\.[a-z0-9-]{0,7}[a-z]){1,4}", cuts in proptest::collection::vec(0..40_usize, 2..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (name.len() + 1)).collect();
        cuts.sort_unstable();
        let pieces: Vec<&str> = cuts.chunks_exact(2).map(|pair| &name[pair[0]..pair[1]]).collect();
        let folded = Folded::from_name(&Name::from_text(&name).unwrap());
        prop_assert!(HostPattern::parse(&pieces.join("*")).unwrap().matches(&folded));
        let begun = format!("|{}*{}|", &name[..cuts[0]], &name[cuts[0]..]);
        prop_assert!(HostPattern::parse(&begun).unwrap().matches(&folded));
    }
}
