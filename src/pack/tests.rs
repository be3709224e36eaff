use std::io::Cursor;

use std::sync::Arc;

use super::format::Section;
use super::*;
use crate::category::CategoryId;
use crate::digest::hex;
use crate::dns::name::{Folded, Name};
use crate::rule::{Action, Effect, Rule, Scope};

fn rule(category: usize, source: u16) -> Rule {
    Rule {
        category: CategoryId::new(category).unwrap(),
        scope: Scope::Subtree,
        effect: Effect::Add,
        action: Action::Default,
        source,
    }
}

fn compiler() -> Compiler {
    Compiler::new(SEED, ["adult", "games", "malware"].map(String::from))
}

/// Names as lists have them, some with labels in front, some twice.
fn filled(count: usize) -> Compiler {
    let mut compiler = compiler();
    for n in 0..count {
        let word = ["casino", "shop", "video", "lottery", "play"][n % 5];
        let text = match n % 4 {
            0 => format!("{word}{n}.com"),
            1 => format!("www.{word}-{n}.example.net"),
            2 => format!("{word}{}.example.org", n / 8),
            _ => format!("{n}.{word}.xn--p1ai"),
        };
        let name = Name::from_text(&text).unwrap();
        compiler.add(name.as_wire(), rule(n % 3, (n % 2) as u16)).unwrap();
    }
    compiler
}

fn open(octets: &[u8]) -> Result<Pack, PackError> {
    Pack::verify(Arc::new(octets.to_vec()))
}

fn names(pack: &Pack) -> Vec<(String, u16)> {
    let mut names = Vec::new();
    pack.each_name(|wire, set| names.push((Name::from_wire(wire).unwrap().0.to_string(), set)));
    names.sort();
    names
}

#[test]
fn a_pack_tells_what_was_put_in() {
    let octets = filled(10_000).finish_in_memory().unwrap();
    let pack = open(&octets).unwrap();
    pack.verify_names().unwrap();
    let names = names(&pack);
    assert_eq!(names.len(), pack.len());
    assert!(names.windows(2).all(|pair| pair[0].0 != pair[1].0));
    let asked = Folded::from_name(&Name::from_text("casino0.com").unwrap());
    let (_, mut rules) = pack.set(pack.set_of(&asked).unwrap());
    assert_eq!(rules.next(), Some(&rule(0, 0)));
    assert_eq!(pack.categories(), ["adult", "games", "malware"]);
    assert!(pack.hot_octets() < 7 * pack.len());
    let longer = Folded::from_name(&Name::from_text("casino0.com.vn").unwrap());
    assert_eq!(pack.set_of(&longer), None);
}

#[test]
fn every_flipped_octet_is_refused() {
    let octets = filled(40).finish_in_memory().unwrap();
    for at in 0..octets.len() {
        let mut bad = octets.clone();
        bad[at] ^= 0x10;
        if let Ok(pack) = open(&bad) {
            // The padding between sections belongs to no section.
            let inside = pack.rows.iter().any(|row| row.octets.contains(&at));
            assert!(!inside && at >= Section::FRONT, "octet {at}");
            assert_eq!(pack.digest(), open(&octets).unwrap().digest());
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let octets = filled(40).finish_in_memory().unwrap();
    for length in (0..octets.len()).step_by(3) {
        assert!(open(&octets[..length]).is_err(), "{length}");
    }
    assert!(matches!(open(&[octets.as_slice(), &[0]].concat()), Err(PackError::Length { .. })));
}

/// The same pack with other octets in one section, and hashes that fit them.
fn forged(octets: &[u8], section: Section, change: impl Fn(&mut [u8])) -> Vec<u8> {
    let range = open(octets).unwrap().range(section);
    let mut forged = octets.to_vec();
    change(&mut forged[range]);
    fit_hashes(&mut forged);
    forged
}

/// A section, and what is changed in it.
type Forgery = (Section, fn(&mut [u8]));

#[test]
fn what_leads_out_of_its_section_is_refused_even_when_the_hashes_fit() {
    let octets = filled(2000).finish_in_memory().unwrap();
    open(&forged(&octets, Section::Lines, |_| ())).unwrap();
    let forgeries: [Forgery; 12] = [
        // A place in the lines, a set, a free place that is none, a spill without need.
        (Section::Index, |index| index[4..8].copy_from_slice(&[0xff; 4])),
        (Section::Lines, |lines| lines[30..32].copy_from_slice(&[0xff, 0x7f])),
        (Section::Lines, |lines| lines[0..2].copy_from_slice(&[0, 0])),
        (Section::Lines, |lines| lines[31] |= 0x80),
        (Section::Lines, |lines| lines[60] = 254),
        (Section::Index, |index| index[0] = 1),
        (Section::Parts, |parts| parts[4] = 0xff),
        (Section::Parts, |parts| parts[8] += 1),
        (Section::Sets, |sets| *sets.last_mut().unwrap() = 0xff),
        (Section::Rules, |rules| rules[4] = 63),
        (Section::Symbols, |symbols| symbols[2048] = 9),
        (Section::Categories, |ids| ids[6] = 0xff),
    ];
    for (number, (section, change)) in forgeries.into_iter().enumerate() {
        let forged = forged(&octets, section, change);
        assert!(open(&forged).is_err(), "forgery {number} of the {}", section.id());
    }
}

#[test]
fn the_order_of_names_and_sources_does_not_matter() {
    let listed: Vec<(Name, usize)> = (0..3000)
        .map(|n| (Name::from_text(&format!("n{}.example{}.com", n % 1700, n % 7)).unwrap(), n % 2))
        .collect();
    let source = |place, which: usize| SourceNote {
        place,
        name: ["first", "second"][which].into(),
        category: ["adult", "games"][which].into(),
        ..SourceNote::default()
    };
    let mut forward = compiler();
    let mut backward = compiler();
    for (name, which) in &listed {
        forward.add(name.as_wire(), rule(*which, *which as u16)).unwrap();
    }
    for (name, which) in listed.iter().rev() {
        backward.add(name.as_wire(), rule(*which, 1 - *which as u16)).unwrap();
    }
    for which in 0..2 {
        forward.note(source(which as u16, which));
        backward.note(source(1 - which as u16, which));
    }
    let forward = open(&forward.finish_in_memory().unwrap()).unwrap();
    let backward = open(&backward.finish_in_memory().unwrap()).unwrap();
    assert_eq!(hex(&forward.digest()), hex(&backward.digest()));
    assert_eq!(forward.sources()[1].rules, backward.sources()[1].rules);
}

/// The digest of some rules, written down: other octets on another machine, or from an
/// unintended change, fail here. An intended change raises the version.
#[test]
fn the_digest_is_the_same_everywhere() {
    let octets = filled(10_000).finish_in_memory().unwrap();
    let digest = hex(&open(&octets).unwrap().digest());
    insta::assert_snapshot!(digest, @"12de941c94bc9b92a748e95d79c6f61883db3a2c9327cf4833e08dfa4300c14a");
}

#[test]
fn names_that_crowd_one_line_are_found_without_a_long_walk() {
    // An attacker with the list can search for names with equal leading bits of the hash.
    let crowd: Vec<Name> = (0..)
        .map(|n| Name::from_text(&format!("crowd{n}.example")).unwrap())
        .filter(|name| hash::hash_wire(name.as_wire(), SEED) >> 54 == 3)
        .take(600)
        .collect();
    let mut compiler = filled(2000);
    for name in &crowd {
        compiler.add(name.as_wire(), rule(0, 0)).unwrap();
    }
    let pack = open(&compiler.finish_in_memory().unwrap()).unwrap();
    pack.verify_names().unwrap();
    let last_resort = pack.range(Section::Resort).len();
    assert!(last_resort > 100 * format::RESORT, "{last_resort}");
    assert!(crowd.iter().all(|name| pack.set_of(&Folded::from_name(name)).is_some()));
    let absent = Folded::from_name(&Name::from_text("crowd.example").unwrap());
    assert_eq!(pack.set_of(&absent), None);
}

#[test]
fn names_that_are_no_text_are_kept_as_they_are() {
    let mut compiler = compiler();
    let odd: [&[u8]; 4] =
        [b"\x03a.b\x03com\0", b"\x02\xff\x00\x03com\0", b"\x04a b!\x07example\0", b"\x01A\0"];
    for wire in odd {
        compiler.add(wire, rule(1, 0)).unwrap();
    }
    let plain = Name::from_text("a.b.com").unwrap();
    let pack = open(&compiler.finish_in_memory().unwrap()).unwrap();
    for wire in &odd[..3] {
        assert!(pack.set_of(&Folded::from_wire(wire).unwrap().0).is_some());
    }
    assert!(pack.set_of(&Folded::from_name(&plain)).is_none());
    // Upper case is not how names are added, and is not found.
    assert!(pack.verify_names().is_err());
}

#[test]
fn what_an_ancestor_says_is_left_out_unless_something_lies_between() {
    let add = |compiler: &mut Compiler, name: &str, rule: Rule| {
        compiler.add(Name::from_text(name).unwrap().as_wire(), rule).unwrap();
    };
    let exact = |r: Rule| Rule { scope: Scope::Exact, ..r };
    let with = |effect, r: Rule| Rule { effect, ..r };
    let answered = |action, r: Rule| Rule { action, ..r };
    let mut compiler = compiler();
    for (name, rule) in [
        ("a.com", rule(0, 0)),
        ("www.a.com", exact(rule(0, 1))),
        ("x.www.a.com", rule(0, 0)),
        ("other.a.com", rule(1, 0)),
        ("free.a.com", with(Effect::Clear, rule(0, 0))),
        ("bad.free.a.com", rule(0, 0)),
        ("nx.a.com", answered(Action::NxDomain, rule(0, 0))),
        ("vital.a.com", with(Effect::AddImportant, rule(0, 0))),
        ("alone.org", exact(rule(0, 0))),
        ("www.alone.org", rule(0, 0)),
    ] {
        add(&mut compiler, name, rule);
    }
    let memory = || Cursor::new(Vec::new());
    let reduced = compiler.finish_reduced(
        memory(),
        memory(),
        |draft| {
            let draft = Arc::new(open(draft.get_ref()).unwrap());
            assert_eq!(draft.len(), 10);
            Ok(draft)
        },
        |_, _| Ok(()),
    );
    let reduced = open(reduced.unwrap().get_ref()).unwrap();
    reduced.verify_names().unwrap();
    let left: Vec<String> = names(&reduced).into_iter().map(|(name, _)| name).collect();
    assert!(!left.contains(&"www.a.com.".into()) && !left.contains(&"x.www.a.com.".into()));
    assert_eq!(left.len(), 8, "{left:?}");
}
