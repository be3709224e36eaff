//! Words of the text: names with their labels reversed, rules, and what is escaped in both.

use crate::dns::name::{Labels, MAX_LABEL, MAX_LABELS, MAX_OCTETS};
use crate::rule::{Action, Effect, Scope};

/// The first line; the number is that of the format.
pub(super) const HEAD: &str = "lachan list 1";
/// The source of a rule that has several.
pub(super) const SEVERAL: &str = "*";
/// An empty word.
const EMPTY: &str = "%";
/// The name of the root, which has no label.
const ROOT: &[u8] = b".";
const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(super) const SCOPES: [(Scope, &str); 3] =
    [(Scope::Exact, "exact"), (Scope::Subtree, "subtree"), (Scope::Below, "below")];
pub(super) const EFFECTS: [(Effect, &str); 5] = [
    (Effect::Add, "add"),
    (Effect::AddImportant, "add-important"),
    (Effect::Clear, "clear"),
    (Effect::ClearImportant, "clear-important"),
    (Effect::Rpz, "rpz"),
];
const ACTIONS: [(Action, &str); 8] = [
    (Action::Default, "default"),
    (Action::NxDomain, "nxdomain"),
    (Action::NoData, "nodata"),
    (Action::Refused, "refused"),
    (Action::Passthru, "passthru"),
    (Action::PassthruAll, "passthru-all"),
    (Action::Drop, "drop"),
    (Action::TcpOnly, "tcp-only"),
];
/// Before the number of local data.
const LOCAL: &str = "local:";

/// The word of a value.
pub(super) fn word_of<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    words.iter().find(|(one, _)| one == value).map_or("", |(_, word)| word)
}

/// The value of a word.
pub(super) fn value_of<T: Copy>(words: &[(T, &str)], word: &str) -> Option<T> {
    words.iter().find(|(_, one)| *one == word).map(|(value, _)| *value)
}

pub(super) fn action_text(action: Action) -> String {
    match action {
        Action::Local(number) => format!("{LOCAL}{number}"),
        other => word_of(&ACTIONS, &other).to_owned(),
    }
}

pub(super) fn action_of(word: &str) -> Option<Action> {
    match word.strip_prefix(LOCAL) {
        Some(number) => Some(Action::Local(number.parse().ok()?)),
        None => value_of(&ACTIONS, word),
    }
}

/// Octets of a label that stand for themselves.
fn is_plain_in_label(octet: u8) -> bool {
    matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'*')
}

/// Octets of a word that stand for themselves.
fn is_plain_in_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"._~-".contains(&octet)
}

fn put_escaped(octet: u8, is_plain: bool, out: &mut Vec<u8>) {
    if is_plain {
        out.push(octet);
    } else {
        let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0');
        out.extend([b'%', digit(octet >> 4), digit(octet & 15)]);
    }
}

/// Takes one octet off the front of escaped text; `None` where the same octet has another, canonical
/// form.
fn take_escaped(text: &mut &[u8], is_plain: fn(u8) -> bool) -> Option<u8> {
    let (&first, rest) = text.split_first()?;
    if first != b'%' {
        *text = rest;
        return is_plain(first).then_some(first);
    }
    let (&[high, low], rest) = rest.split_first_chunk::<2>()?;
    let half = |digit| DIGITS.iter().position(|one| *one == digit).map(|half| half as u8);
    let octet = half(high)? << 4 | half(low)?;
    *text = rest;
    (!is_plain(octet)).then_some(octet)
}

/// A word of any text.
pub(super) fn escaped(text: &str) -> String {
    if text.is_empty() {
        return EMPTY.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    for octet in text.bytes() {
        put_escaped(octet, is_plain_in_word(octet), &mut out);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// The text of a word.
pub(super) fn unescaped(word: &str) -> Option<String> {
    if word == EMPTY {
        return Some(String::new());
    }
    let (mut rest, mut text) = (word.as_bytes(), Vec::with_capacity(word.len()));
    while !rest.is_empty() {
        text.push(take_escaped(&mut rest, is_plain_in_word)?);
    }
    String::from_utf8(text).ok().filter(|text| !text.is_empty())
}

/// Appends a wire name with its labels reversed: `com.example.www`.
pub(super) fn put_name(wire: &[u8], out: &mut Vec<u8>) {
    let mut labels: [&[u8]; MAX_LABELS] = [&[]; MAX_LABELS];
    let mut count = 0;
    for (slot, label) in labels.iter_mut().zip(Labels(wire)) {
        *slot = label;
        count += 1;
    }
    if count == 0 {
        out.extend_from_slice(ROOT);
    }
    for (place, label) in labels.iter().take(count).rev().enumerate() {
        if place > 0 {
            out.push(b'.');
        }
        for &octet in *label {
            put_escaped(octet, is_plain_in_label(octet), out);
        }
    }
}

/// Writes the wire form of a name; `None` where it is none in canonical form.
pub(super) fn read_name(text: &[u8], wire: &mut Vec<u8>) -> Option<()> {
    wire.clear();
    if text == ROOT {
        wire.push(0);
        return Some(());
    }
    for label in text.rsplit(|&octet| octet == b'.') {
        let start = wire.len();
        wire.push(0);
        let mut rest = label;
        while !rest.is_empty() {
            let octet = take_escaped(&mut rest, is_plain_in_label)?;
            // Wire names are in lower case.
            (!octet.is_ascii_uppercase()).then_some(())?;
            wire.push(octet);
        }
        let length = wire.len() - start - 1;
        (1..=MAX_LABEL).contains(&length).then_some(())?;
        *wire.get_mut(start)? = length as u8;
        (wire.len() < MAX_OCTETS).then_some(())?;
    }
    wire.push(0);
    Some(())
}

/// Octets as hexadecimal digits; `-` for none.
pub(super) fn put_hex(octets: &[u8], out: &mut String) {
    for &octet in octets {
        for half in [octet >> 4, octet & 15] {
            out.push(DIGITS.get(usize::from(half)).copied().map_or('0', char::from));
        }
    }
}

/// The octets of hexadecimal digits.
pub(super) fn read_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let half = |digit| DIGITS.iter().position(|one| *one == digit).map(|half| half as u8);
    let octets: Option<Vec<u8>> =
        pairs.iter().map(|&[high, low]| Some(half(high)? << 4 | half(low)?)).collect();
    octets.filter(|_| rest.is_empty())
}
