use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use proptest::prelude::*;
use psl::Psl as _;

use super::format::{DIGEST, SEAL};
use super::*;
use crate::dns::name::{Folded, Name};

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn folded(text: &str) -> Folded {
    Folded::from_name(&name(text))
}

fn key() -> SealedKey {
    SealedKey::new(*b"0123456789abcdef0123456789abcdef")
}

fn sealed(names: &[&str]) -> Vec<u8> {
    let names: Vec<Name> = names.iter().map(|text| name(text)).collect();
    seal(&names, &key())
}

fn table(names: &[&str]) -> SealedTable {
    SealedTable::open(&sealed(names), &key()).unwrap()
}

#[test]
fn a_name_is_listed_with_all_below_it() {
    let table = table(&["listed.example", "one.two.listed.test", "xn--th-9ja9i637n.vn"]);
    for (asked, is_listed) in [
        ("listed.example", true),
        ("a.b.LISTED.example", true),
        ("notlisted.example", false),
        ("listed.example.com", false),
        ("two.listed.test", false),
        ("x.one.two.listed.test", true),
        ("thủđô.vn", true),
        ("example", false),
    ] {
        assert_eq!(table.lists(&folded(asked)), is_listed, "{asked}");
    }
    assert_eq!(table.len(), 3);
}

#[test]
fn a_public_suffix_is_never_matched() {
    // A careless authority, or a hostile one: `seal` itself does not look.
    let table = table(&["com", "co.uk", "blogspot.com", "unknown", "listed.blogspot.com"]);
    for asked in ["www.example.com", "com", "a.co.uk", "other.blogspot.com", "x.unknown", "co.uk"] {
        assert!(!table.lists(&folded(asked)), "{asked}");
    }
    assert!(table.lists(&folded("www.listed.blogspot.com")));
    for (text, is_fine) in
        [("com", false), ("co.uk", false), ("blogspot.com", false), ("x.co.uk", true)]
    {
        assert_eq!(sealable(&name(text)).is_ok(), is_fine, "{text}");
    }
}

/// Made by Python's `hmac` and `hashlib` from the format's description: an authority needs
/// no tool of ours.
#[test]
fn a_list_that_another_program_sealed_without_a_filter_is_read() {
    let octets = include_bytes!("../../../tests/sealed/python.sealed");
    let key = SealedKey::from_text(include_str!("../../../tests/sealed/python.key")).unwrap();
    let table = SealedTable::open(octets, &key).unwrap();
    assert_eq!((table.len(), table.filter.len()), (3, 0));
    for listed in ["sealed-one.example", "www.sealed-two.test", "a.b.sealed-three.invalid"] {
        assert!(table.lists(&folded(listed)), "{listed}");
    }
    assert!(!table.lists(&folded("sealed-four.example")));
    assert_eq!(table.id(), "8a01fc7c");
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let octets = sealed(&["a.example", "b.example", "c.example"]);
    for at in 0..octets.len() {
        assert!(SealedTable::open(&octets[..at], &key()).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut damaged = octets.clone();
            damaged[at] ^= 1 << bit;
            assert!(SealedTable::open(&damaged, &key()).is_err(), "bit {bit} of octet {at}");
        }
    }
    let longer = [octets.as_slice(), &[0]].concat();
    assert!(SealedTable::open(&longer, &key()).is_err());
}

#[test]
fn refusals_say_what_is_wrong() {
    let octets = sealed(&["a.example"]);
    let refusal = |octets: &[u8]| SealedTable::open(octets, &key()).unwrap_err();
    assert_eq!(refusal(b"a.example\n"), SealedTableError::NotSealed);
    assert_eq!(refusal(&[b'x'; 100]), SealedTableError::NotSealed);
    let mut newer = octets.clone();
    newer[8] = 2;
    assert_eq!(refusal(&newer), SealedTableError::Version { found: 2 });
    let length = octets.len() as u64;
    assert_eq!(
        refusal(&octets[..octets.len() - 1]),
        SealedTableError::Length { needed: length, actual: length - 1 }
    );
    assert_eq!(refusal(&sealed(&[])), SealedTableError::Empty);
    let other = SealedKey::new([7; 32]);
    assert_eq!(SealedTable::open(&octets, &other).unwrap_err(), SealedTableError::WrongKey);
    let mut damaged = octets.clone();
    damaged[50] ^= 1;
    assert_eq!(refusal(&damaged), SealedTableError::Damaged);
}

#[test]
fn digests_out_of_order_are_refused_though_well_sealed() {
    let octets = sealed(&["a.example", "b.example"]);
    let (body, _) = octets.split_at(octets.len() - SEAL);
    let (head, digests) = body.split_at(body.len() - 2 * DIGEST);
    for pair in [[&digests[16..], &digests[..16]], [&digests[..16], &digests[..16]]] {
        let mut octets = [head, pair[0], pair[1]].concat();
        let tag = hmac::sign(&key().hmac(), &octets);
        octets.extend_from_slice(tag.as_ref());
        assert_eq!(SealedTable::open(&octets, &key()).unwrap_err(), SealedTableError::Unordered);
    }
}

#[test]
fn nothing_secret_is_displayed() {
    let table = table(&["marker.example"]);
    assert_eq!(format!("{table:?}"), format!("SealedTable({})", table.id()));
    assert_eq!(format!("{:?}", key()), "Key(…)");
    let slip = SealedKey::from_text(&"z".repeat(64)).unwrap_err();
    assert!(!slip.to_string().contains('z'), "{slip}");
}

#[test]
fn a_key_is_64_digits() {
    let text = key().to_text();
    assert_eq!(text.len(), 65);
    let again = SealedKey::from_text(&format!("  {}\r\n", text.trim().to_uppercase())).unwrap();
    assert_eq!(again.to_text(), text);
    for no_key in ["", "ab", &"a".repeat(63), &"a".repeat(65), &"é".repeat(32)] {
        assert!(SealedKey::from_text(no_key).is_err(), "{no_key}");
    }
}

proptest! {
    /// The table matches as a set of HMACs over the name and its ancestors does.
    #[test]
    fn the_table_is_a_set_of_hmacs(
        listed in proptest::collection::btree_set("[a-c]{1,2}(\\.[a-c]{1,2}){1,3}", 1..40),
        asked in proptest::collection::vec("[a-c]{1,2}(\\.[a-c]{1,2}){0,5}", 1..60),
        octets in any::<[u8; 32]>(),
    ) {
        let key = SealedKey::new(octets);
        let names: Vec<Name> = listed.iter().map(|text| name(text)).collect();
        let table = SealedTable::open(&seal(&names, &key), &key).unwrap();
        let naive: BTreeSet<Vec<u8>> = names
            .iter()
            .map(|name| hmac::sign(&key.hmac(), name.as_wire()).as_ref()[..16].to_vec())
            .collect();
        prop_assert_eq!(naive.len(), table.len());
        for text in asked {
            let name = name(&text);
            let mut parent = Some(name.clone());
            let mut is_listed = false;
            while let Some(one) = parent {
                let text = one.to_string();
                let text = text.trim_end_matches('.').as_bytes();
                // Registries are no names; the root has no suffix.
                if psl::List.suffix(text).is_some_and(|suffix| suffix.as_bytes() != text)
                {
                    let tag = hmac::sign(&key.hmac(), one.as_wire());
                    is_listed |= naive.contains(&tag.as_ref()[..16]);
                }
                parent = one.parent();
            }
            prop_assert_eq!(table.lists(&Folded::from_name(&name)), is_listed, "{}", text);
        }
    }

    #[test]
    fn the_order_of_names_does_not_matter(
        names in proptest::collection::btree_set("[a-z]{1,9}\\.[a-z]{1,9}", 0..30),
    ) {
        let forth: Vec<Name> = names.iter().map(|text| name(text)).collect();
        let back: Vec<Name> = forth.iter().rev().chain(&forth).cloned().collect();
        prop_assert_eq!(seal(&forth, &key()), seal(&back, &key()));
    }

    #[test]
    fn any_octets_are_opened_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(SealedTable::open(&octets, &key()).is_err());
    }
}
