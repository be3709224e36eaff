use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;

use proptest::prelude::*;

use super::delta::{DeltaError, apply, diff};
use super::packed::{packer, unpacker};
use super::read::{CanonicalListError, compile};
use super::write::write;
use super::{MAX_OCTETS, text};
use crate::category::CategoryId;
use crate::dns::name::Name;
use crate::pack::{Compiler, ListedNet, Pack, SEED, SourceNote, TargetedRule};
use crate::rule::{
    Action, Effect, LocalData, QueryTypes, Rule, SEVERAL_SOURCES, Scope, Subject, Target,
};

fn open(octets: Vec<u8>) -> Pack {
    Pack::verify(Arc::new(octets)).unwrap()
}

fn text_of(pack: &Pack) -> Vec<u8> {
    let mut text = Vec::new();
    write(pack, &mut text).unwrap();
    text
}

fn compiled(text: &[u8]) -> Result<Pack, CanonicalListError> {
    let (out, digest) = compile(text, MAX_OCTETS, Cursor::new(Vec::new()))?;
    assert_eq!(digest, blake3::hash(text));
    Ok(open(out.into_inner()))
}

/// A text of these lines.
fn ended(lines: &[impl AsRef<str>]) -> String {
    lines.iter().fold(String::new(), |text, line| text + line.as_ref() + "\n")
}

/// The law: text → pack gives the digest back, and the same text again.
fn assert_round(pack: &Pack) -> Vec<u8> {
    let text = text_of(pack);
    let again = compiled(&text).unwrap();
    assert_eq!(again.digest(), pack.digest(), "{}", String::from_utf8_lossy(&text));
    assert_eq!(text_of(&again), text);
    text
}

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

fn note(place: u16, name: &str, category: &str) -> SourceNote {
    SourceNote { place, name: name.into(), category: category.into(), ..SourceNote::default() }
}

fn wire(text: &str) -> Box<[u8]> {
    Name::from_text(text).unwrap().as_wire().into()
}

/// A pack with one of everything.
fn varied() -> Pack {
    let mut compiler = compiler();
    compiler.note(note(0, "zone.rpz", "malware"));
    compiler.note(note(1, "domains", "adult"));
    compiler.note(note(2, "domains", "games"));
    compiler
        .note(SourceNote { licence: Some("CC BY-SA 4.0".into()), ..note(3, "tên 1/2", "games") });
    let alias =
        LocalData { cname: Some(Name::from_text("safe.example").unwrap()), ..Default::default() };
    let records = vec![(1, Box::from([192, 0, 2, 1])), (16, Box::from([]))];
    compiler.add_local(vec![alias, LocalData { cname: None, records }]).unwrap();
    for n in 0..50 {
        let name = Name::from_text(&format!("n{n}.example{}.com", n % 7)).unwrap();
        compiler.add(name.as_wire(), rule(n % 2, 1 + (n % 3) as u16)).unwrap();
    }
    let zone = |action| Rule { effect: Effect::Rpz, action, ..rule(2, 0) };
    compiler.add(b"\x01*\x00", zone(Action::Passthru)).unwrap();
    compiler.add(b"\x03a.\xff\x02vn\x00", zone(Action::Local(1))).unwrap();
    compiler.add(&wire("n1.example1.com"), zone(Action::TcpOnly)).unwrap();
    compiler.add(&wire("several.example"), rule(0, SEVERAL_SOURCES)).unwrap();
    compiler.add_address(ListedNet {
        net: "2001:db8::/33".parse().unwrap(),
        category: CategoryId::new(2).unwrap(),
        effect: Effect::Rpz,
        action: Action::NoData,
        source: 0,
    });
    let subjects = [
        (Subject::Pattern("/^ads[0-9]+\\./".into()), QueryTypes::All),
        (Subject::All, QueryTypes::Except([28, 65].into())),
        (Subject::Name(wire("x.example")), QueryTypes::Only([1].into())),
    ];
    for (subject, types) in subjects {
        let spared = [wire("a.example"), wire("b.example")].into();
        let target = Target { subject, types, spared };
        compiler.add_target(TargetedRule { target, rule: rule(1, 3) });
    }
    compiler.keywords("# rules\n\nadult casino\r\n");
    open(compiler.finish_in_memory().unwrap())
}

#[test]
fn every_kind_of_rule_comes_back() {
    let text = assert_round(&varied());
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
}

#[test]
fn a_reduced_pack_is_the_pack_of_the_rules_that_are_left() {
    let mut compiler = compiler();
    compiler.note(note(0, "first", "adult"));
    compiler.note(note(1, "second", "adult"));
    for n in 0..3000 {
        let parent = Name::from_text(&format!("domain{n}.example")).unwrap();
        let child = Name::from_text(&format!("very-long-label-{n}.www.domain{n}.example")).unwrap();
        compiler.add(parent.as_wire(), rule(0, 1)).unwrap();
        // No name of the first source is left.
        compiler.add(child.as_wire(), rule(0, 0)).unwrap();
    }
    let [out, draft] = [(); 2].map(|()| Cursor::new(Vec::new()));
    let pack = compiler.finish_reduced(
        out,
        draft,
        |draft| Ok(Arc::new(open(draft.into_inner()))),
        |_, _| Ok(()),
    );
    let pack = open(pack.unwrap().into_inner());
    assert_eq!(pack.len(), 3000);
    assert_round(&pack);
}

#[test]
fn a_source_more_changes_few_lines() {
    let filled = |sources: &[&str]| {
        let mut compiler = compiler();
        for (place, name) in sources.iter().enumerate() {
            compiler.note(note(place as u16, name, "adult"));
            for n in 0..200 {
                let name = Name::from_text(&format!("{name}{n}.example")).unwrap();
                compiler.add(name.as_wire(), rule(0, place as u16)).unwrap();
            }
        }
        text_of(&open(compiler.finish_in_memory().unwrap()))
    };
    let (old, new) = (filled(&["b", "c"]), filled(&["a", "b", "c"]));
    let mut delta = Vec::new();
    diff(&old, &new, (1, 2), &mut delta).unwrap();
    let gone = delta.split(|&octet| octet == b'\n').filter(|line| line.starts_with(b"-"));
    assert_eq!(gone.count(), 1, "the total alone: {}", String::from_utf8_lossy(&delta));
}

#[test]
fn what_no_writer_writes_is_refused() {
    let text = String::from_utf8(text_of(&varied())).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // Each line left out, doubled, and cut by an octet.
    for place in 0..lines.len() {
        let joined = |lines: Vec<&str>| ended(&lines);
        let mut without = lines.clone();
        let line = without.remove(place);
        let is_list = |text: String| match compiled(text.as_bytes()) {
            Ok(pack) => text_of(&pack) == text.as_bytes(),
            Err(error) => !error.to_string().is_empty(),
        };
        assert!(is_list(joined(without)), "{line}");
        let mut cut = lines.clone();
        cut[place] = &line[1..];
        // A name without its first letter is another name.
        assert!(is_list(joined(cut)), "{line}");
    }
    for (from, to) in [
        ("@total 5", "@total 6"),
        ("lachan list 1", "lachan list 2"),
        ("com.example1.n1\n", "com.example1.n1\ncom.example1.n1\n"),
        ("com.example1.n1\n", "com.example1.%6e1\n"),
        ("com.example1.n1\n", "com.example1.N1\n"),
        ("com.example1.n1\n", "com..n1\n"),
        ("local:0", "local:2"),
    ] {
        assert!(text.contains(from), "{from}");
        let wrong = text.replacen(from, to, 1);
        assert!(compiled(wrong.as_bytes()).is_err(), "{to}");
    }
    let most = text.len() as u64 - 1;
    let refused = compile(text.as_bytes(), most, Cursor::new(Vec::new())).unwrap_err();
    assert!(matches!(refused, CanonicalListError::Read(_)), "{refused}");
}

#[test]
fn a_bomb_ends_at_its_bound() {
    let pack = |octets: &[u8]| {
        let mut packer = packer(Vec::new(), 3).unwrap();
        packer.write_all(octets).unwrap();
        packer.finish().unwrap()
    };
    let bomb = pack(&vec![b'a'; 64 << 20]);
    assert!(bomb.len() < 10_000, "{}", bomb.len());
    let text = unpacker(&bomb[..]).unwrap();
    assert!(matches!(
        compile(text, 1 << 16, Cursor::new(Vec::new())),
        Err(CanonicalListError::Read(_) | CanonicalListError::Malformed { .. })
    ));
    let old = b"a\n".repeat(1000);
    let mut delta = Vec::new();
    diff(&old, &old, (1, 2), &mut delta).unwrap();
    assert!(apply(&old[..], &delta[..], 2000, &mut Vec::new()).is_ok());
    let refused = apply(&old[..], &delta[..], 1999, &mut Vec::new()).unwrap_err();
    assert!(matches!(refused, DeltaError::Stream { .. }), "{refused}");
    // A window that a gateway would have to reserve.
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&vec![b'a'; 32 << 20]).unwrap();
    let wide = wide.finish().unwrap();
    assert!(unpacker(&wide[..]).unwrap().read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn another_base_is_refused() {
    let (old, new) = (b"a\nb\n", b"a\nc\n");
    let mut delta = Vec::new();
    diff(old, new, (1, 2), &mut delta).unwrap();
    for other in [&b"b\nb\n"[..], b"a\n", b"a\nb\nc\n", b""] {
        assert!(apply(other, &delta[..], 100, &mut Vec::new()).is_err());
    }
    let head = apply(&old[..], &delta[..], 100, &mut Vec::new()).unwrap();
    assert_eq!((head.from, head.to), (1, 2));
    let text = String::from_utf8(delta).unwrap();
    for (from, to) in [("=1", "=0"), ("+0 c", "+2 c"), ("+0 c", "+c"), ("+0 c", "c"), ("=1", "=99")]
    {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text);
        assert!(apply(&old[..], wrong.as_bytes(), 100, &mut Vec::new()).is_err(), "{to}");
    }
}

fn any_label() -> impl Strategy<Value = Vec<u8>> {
    let plain = proptest::collection::vec(proptest::sample::select(b"abc-1_".to_vec()), 1..5);
    let odd = proptest::collection::vec(any::<u8>().prop_map(|o| o.to_ascii_lowercase()), 1..20);
    prop_oneof![9 => plain, 1 => odd]
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any_label(), 0..6).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(label.len() as u8);
            wire.extend(label);
        }
        wire.push(0);
        wire
    })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let scopes = text::SCOPES.map(|(scope, _)| scope).to_vec();
    let effects = text::EFFECTS.map(|(effect, _)| effect).to_vec();
    let actions = vec![Action::Default, Action::NoData, Action::PassthruAll, Action::Local(0)];
    let source = prop_oneof![9 => 0_u16..5, 1 => Just(SEVERAL_SOURCES)];
    (
        0_usize..3,
        proptest::sample::select(scopes),
        proptest::sample::select(effects),
        proptest::sample::select(actions),
        source,
    )
        .prop_map(|(category, scope, effect, action, source)| Rule {
            category: CategoryId::new(category).unwrap(),
            scope,
            effect,
            action,
            source,
        })
}

proptest! {
    #[test]
    fn random_packs_come_back(
        names in proptest::collection::vec((any_name(), any_rule()), 0..300),
        sources in proptest::collection::vec("[a-c ]{0,2}", 5),
        is_reduced in any::<bool>(),
    ) {
        let mut compiler = compiler();
        for (place, name) in sources.iter().enumerate() {
            compiler.note(note(place as u16, name, "adult"));
        }
        compiler.add_local(vec![LocalData::default()]).unwrap();
        for (name, rule) in &names {
            compiler.add(name, *rule).unwrap();
        }
        let pack = if is_reduced {
            let [out, draft] = [(); 2].map(|()| Cursor::new(Vec::new()));
            let open = |draft: Cursor<Vec<u8>>| Ok(Arc::new(open(draft.into_inner())));
            compiler.finish_reduced(out, draft, open, |_, _| Ok(())).unwrap().into_inner()
        } else {
            compiler.finish_in_memory().unwrap()
        };
        assert_round(&open(pack));
    }

    #[test]
    fn a_difference_leads_from_one_text_to_the_other(
        old in proptest::collection::vec("(@rules |@total |@category |)[ab]{0,3}", 0..40),
        new in proptest::collection::vec("(@rules |@total |@category |)[ab]{0,3}", 0..40),
        is_sorted in any::<bool>(),
    ) {
        let text = |mut lines: Vec<String>| {
            if is_sorted {
                lines.sort();
            }
            ended(&lines)
        };
        let (old, new) = (text(old), text(new));
        let mut delta = Vec::new();
        diff(old.as_bytes(), new.as_bytes(), (7, 8), &mut delta).unwrap();
        let mut found = Vec::new();
        let head = apply(old.as_bytes(), &delta[..], new.len() as u64, &mut found).unwrap();
        prop_assert_eq!(head.to, 8);
        prop_assert_eq!(String::from_utf8(found).unwrap(), new);
    }
}
