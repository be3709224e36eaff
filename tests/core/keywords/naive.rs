//! The grammar read word for word and slowly, and the automaton held against it.
//!
//! The reference works on text and tries every rule at every place of every label.

use lachan::dns::name::Folded;
use lachan::matcher::keyword::KeywordTrace;
use proptest::prelude::*;
use psl::{Psl as _, Type};

use super::{compile, folded};

/// Internationalised labels and what they are without accents.
const IDN: [(&str, Option<&str>); 7] = [
    ("xn--tixu-0na8507b", Some("taixiu")),
    ("xn--nh88-m7a4036b", Some("nohu88")),
    ("xn--xs-k9so", Some("xoso")),
    ("xn--l-xga1g806l", Some("lode")),
    ("xn--xca-gna5mtf", Some("xocdia")),
    ("xn--vetcombank-x2i", None),
    ("xn--99999999", None),
];

/// The labels that keywords look at, each folded, `None` where they do not; and the registered one.
fn labels(name: &str) -> (Vec<Option<String>>, Option<usize>) {
    let texts: Vec<&str> = name.split('.').collect();
    let mut asked = name;
    // The suffix of the name; one of the private section is asked for again without its first label.
    let registry = loop {
        let found = psl::List.suffix(asked.as_bytes()).unwrap();
        let text = std::str::from_utf8(found.as_bytes()).unwrap();
        match text.split_once('.') {
            Some((_, parent)) if found.typ() == Some(Type::Private) => asked = parent,
            _ => break texts.len() - text.split('.').count(),
        }
    };
    let inspected = texts[..registry].iter().enumerate().map(|(place, text)| {
        let is_identifier = text.len() >= 16
            && text.chars().all(|c| c == '-' || (c.is_ascii_hexdigit() && !c.is_ascii_uppercase()));
        if is_identifier || (place == 0 && *text == "www") {
            None
        } else if text.starts_with("xn--") {
            IDN.iter().find(|(wire, _)| wire == text).and_then(|(_, plain)| plain.map(Into::into))
        } else {
            Some((*text).to_owned())
        }
    });
    (inspected.collect(), registry.checked_sub(1))
}

/// Whether `sign` holds between the octet outside a literal and the literal's own.
fn edge(sign: char, outside: Option<char>, inside: char) -> bool {
    match (sign, outside) {
        ('*', _) | ('^' | '$' | '|', None) | ('|', Some('-' | '_')) => true,
        ('#', Some(c)) => c.is_ascii_digit(),
        ('|', Some(c)) => {
            (c.is_ascii_digit() && inside.is_ascii_alphabetic())
                || (c.is_ascii_alphabetic() && inside.is_ascii_digit())
        }
        _ => false,
    }
}

fn hits(pattern: &str, label: &str, shields: &[&str]) -> bool {
    let literal = &pattern[1..pattern.len() - 1];
    let (left, right) = (pattern.chars().next().unwrap(), pattern.chars().last().unwrap());
    (0..label.len()).filter(|&at| label[at..].starts_with(literal)).any(|at| {
        let end = at + literal.len();
        let shielded = shields.iter().any(|shield| {
            (0..label.len())
                .any(|s| label[s..].starts_with(shield) && (s..s + shield.len()).contains(&at))
        });
        !shielded
            && edge(left, label[..at].chars().last(), literal.chars().next().unwrap())
            && edge(right, label[end..].chars().next(), literal.chars().last().unwrap())
    })
}

/// `tier pattern line label` of each hit, as the text of the rules says.
fn reference(rules: &str, name: &str) -> Vec<String> {
    let lines: Vec<Vec<&str>> = rules.lines().map(|l| l.split_whitespace().collect()).collect();
    let words = |first: &str| -> Vec<&str> {
        lines.iter().filter(|w| w.first() == Some(&first)).map(|w| w[1]).collect()
    };
    let is_below = |suffix: &&str| name == *suffix || name.ends_with(&format!(".{suffix}"));
    if words("protect").iter().any(is_below) {
        return Vec::new();
    }
    let (inspected, registered) = labels(name);
    let (shields, last) = (words("shield"), name.split('.').count() - 1);
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        match line[..] {
            ["tld", tier, _, tld] if name.rsplit('.').next() == Some(tld) => {
                found.push((last, number + 1, tier, format!("tld {tld}")));
            }
            [tier @ ("block" | "observe"), _, pattern] => {
                for (place, label) in inspected.iter().enumerate() {
                    let counts = pattern.len() > 6 || Some(place) == registered;
                    if counts && label.as_ref().is_some_and(|l| hits(pattern, l, &shields)) {
                        found.push((place, number + 1, tier, pattern.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    found.sort();
    found.into_iter().map(|(place, line, tier, p)| format!("{tier} {p} {line} {place}")).collect()
}

fn shown(hit: &KeywordTrace<'_>) -> String {
    format!("{} {} {} {}", hit.tier.id(), hit.pattern, hit.line, hit.label)
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ab1-]{1,3}",
        "[ab1-]{4,6}",
        prop::sample::select(vec!["taixiu", "nohu", "xoso", "lode", "ab", "aba", "www", "vn"])
            .prop_map(String::from),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let tier = || prop::sample::select(vec!["block", "observe"]);
    let category = || prop::sample::select(vec!["adult", "gambling"]);
    let keyword = (tier(), category(), "[\\^|#*]", literal(), "[$|#*]")
        .prop_map(|(tier, category, l, word, r)| format!("{tier} {category} {l}{word}{r}"));
    let tld = (tier(), category(), prop::sample::select(vec!["vn", "com", "bet", "a1"]))
        .prop_map(|(tier, category, tld)| format!("tld {tier} {category} {tld}"));
    let protect = prop::sample::select(vec!["gov.vn", "a.com", "b1.vn", "bet"]);
    prop_oneof![
        12 => keyword,
        2 => literal().prop_map(|word| format!("shield {word}")),
        1 => tld,
        1 => protect.prop_map(|suffix| format!("protect {suffix}")),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let idn = prop::sample::select(IDN.iter().map(|(wire, _)| *wire).collect::<Vec<_>>());
    let label = prop_oneof![
        4 => "[ab1_-]{1,12}",
        2 => (literal(), "[ab1-]{0,2}", literal()).prop_map(|(a, b, c)| format!("{a}{b}{c}")),
        1 => "[ab1-]{15,18}",
        1 => idn.prop_map(String::from),
        1 => Just("www".to_owned()),
    ];
    let registry = prop::sample::select(vec![
        "vn",
        "com",
        "com.vn",
        "gov.vn",
        "co.uk",
        "bet",
        "a1",
        "blogspot.com",
        "github.io",
        "a.ck",
        "city.kawasaki.jp",
        "b.kawasaki.jp",
        "s3.amazonaws.com",
        "a.com",
    ]);
    (prop::collection::vec(label, 0..4), registry).prop_map(|(mut labels, registry)| {
        labels.push(registry.to_owned());
        labels.join(".")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_automaton_means_what_the_grammar_says(
        rules in prop::collection::vec(rule(), 0..12),
        names in prop::collection::vec(name(), 1..12),
    ) {
        let text = rules.join("\n");
        let keywords = compile(&text);
        for name in &names {
            let (expected, folded) = (reference(&text, name), folded(name));
            let trace: Vec<String> = keywords.trace(&folded).iter().map(shown).collect();
            prop_assert_eq!(&trace, &expected, "{} under\n{}", name, text);
            // Lookup is the trace without its reasons.
            let found = keywords.lookup(&folded);
            let of = |tier| keywords.trace(&folded).iter().filter(|hit| hit.tier == tier)
                .map(|hit| hit.category).collect();
            prop_assert_eq!(found.block, of(lachan::matcher::keyword::Tier::Block));
            prop_assert_eq!(found.observe, of(lachan::matcher::keyword::Tier::Observe));
        }
    }

    #[test]
    fn no_wire_name_is_too_strange(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        thread_local! {
            static SHIPPED: lachan::matcher::keyword::Keywords = compile(super::SHIPPED);
        }
        if let Ok((name, _)) = Folded::from_wire(&octets) {
            SHIPPED.with(|keywords| keywords.lookup(&name));
        }
    }

    #[test]
    fn no_encoded_label_is_too_strange(label in "xn--[a-z0-9-]{0,59}") {
        let wire = [&[label.len() as u8][..], label.as_bytes(), b"\x02vn\0"].concat();
        let keywords = compile("block adult *a*");
        if let Ok((name, _)) = Folded::from_wire(&wire) {
            keywords.trace(&name);
        }
    }
}
