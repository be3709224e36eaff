//! Domain names as octets: what a list holds, and what a query asks for.
//!
//! Two shapes of one thing (RFC 1035 §3.1: length octet, label, …, zero octet):
//!
//! - [`Name`] owns its octets. Lists, config and policy are made of it.
//! - [`Folded`] lives in place. It is the question of one query in lower
//!   case, with the position of each label, so that every ancestor is a slice.
//!
//! Invariants: lower case (ASCII only, RFC 4343 §3), no compression, at most 255
//! octets, at most 127 labels and the root. Octets are never trusted to be UTF-8.
//!
//! Absent on purpose: registrable domains. A rule stands for the name it gives.

use std::fmt;

/// The longest name on the wire, root octet included (RFC 1035 §2.3.4).
pub const MAX_OCTETS: usize = 255;
/// The longest label (RFC 1035 §2.3.4).
pub const MAX_LABEL: usize = 63;
/// The most labels a name of 255 octets can have, the root not counted.
pub const MAX_LABELS: usize = 127;

/// Why some octets or some text are not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The octets end inside the name.
    #[error("the name is cut short")]
    Truncated,
    /// A length octet over 63: a compression pointer or a reserved type (RFC 1035 §4.1.4).
    #[error("label type {0:#04x} is not allowed here")]
    LabelType(u8),
    /// More than 255 octets.
    #[error("the name is longer than 255 octets; shorten it")]
    TooLong,
    /// A label of more than 63 octets.
    #[error("a label of {0} octets is longer than 63; shorten it")]
    LabelTooLong(usize),
    /// Two dots in a row, or a dot in front.
    #[error("a label is empty; write single dots between labels")]
    EmptyLabel,
    /// Nothing at all, or the root alone where a name is asked for.
    #[error("the name is empty")]
    Empty,
    /// A character that host names in lists do not have.
    #[error("`{0}` cannot stand in a name; letters, digits, `-`, `_` and `.` can")]
    Character(char),
    /// Text outside ASCII that UTS-46 refuses.
    #[error("the name cannot be converted to its ASCII form (UTS-46); check the spelling")]
    Idna,
}

/// A name in wire form and lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The root name.
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Parses a name as people write it in lists and config.
    ///
    /// Upper case is folded, one trailing dot is dropped, text outside ASCII is
    /// converted by NFC and UTS-46 to A-labels. Letters, digits, `-` and `_` are taken.
    ///
    /// # Errors
    ///
    /// Any [`NameError`] but [`NameError::Truncated`] and [`NameError::LabelType`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use lachan::dns::name::Name;
    /// assert_eq!(Name::from_text("WWW.Example.")?.to_string(), "www.example.");
    /// assert_eq!(Name::from_text("tiếngviệt.vn")?.to_string(), "xn--tingvit-5t4cyc.vn.");
    /// # Ok::<(), lachan::dns::name::NameError>(())
    /// ```
    pub fn from_text(text: &str) -> Result<Self, NameError> {
        let mut wire = [0; MAX_OCTETS];
        let length = text_to_wire(text, &mut wire)?;
        Ok(Self(wire.get(..length).unwrap_or(&[0]).into()))
    }

    /// Parses an uncompressed name from the front of `octets`.
    ///
    /// Returns the name and the number of octets it took, root octet included.
    /// What follows is not read. ASCII letters come out in lower case
    /// (RFC 4343 §3); other octets are unchanged.
    ///
    /// # Errors
    ///
    /// [`NameError::Truncated`], [`NameError::LabelType`], [`NameError::TooLong`].
    pub fn from_wire(octets: &[u8]) -> Result<(Self, usize), NameError> {
        let (folded, taken) = Folded::from_wire(octets)?;
        Ok((folded.to_name(), taken))
    }

    /// The octets, root octet included.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Number of labels, the root not counted.
    pub fn label_count(&self) -> usize {
        Labels(&self.0).count()
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The name without its first label; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let first = usize::from(*self.0.first()?);
        if first == 0 {
            return None;
        }
        self.0.get(first + 1..).map(|rest| Self(rest.into()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_presentation(&self.0, f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_presentation(&self.0, f)
    }
}

/// Writes `text` as a lower-case wire name into `wire` and returns its length.
///
/// The allocation-free body of [`Name::from_text`] for ASCII input; list
/// parsers call it once per line.
///
/// # Errors
///
/// As [`Name::from_text`].
pub fn text_to_wire(text: &str, wire: &mut [u8; MAX_OCTETS]) -> Result<usize, NameError> {
    if text.is_ascii() {
        return ascii_to_wire(text.as_bytes(), wire);
    }
    let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map_err(|_| NameError::Idna)?;
    ascii_to_wire(ascii.as_bytes(), wire)
}

fn ascii_to_wire(text: &[u8], wire: &mut [u8; MAX_OCTETS]) -> Result<usize, NameError> {
    let text = text.strip_suffix(b".").unwrap_or(text);
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let (mut start, mut at) = (0, 1);
    for &octet in text {
        if octet == b'.' {
            close_label(wire, start, at)?;
            start = at;
        } else if octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_' {
            // The last octet is reserved for the root.
            *wire.get_mut(at).filter(|_| at < MAX_OCTETS - 1).ok_or(NameError::TooLong)? =
                octet.to_ascii_lowercase();
        } else {
            return Err(NameError::Character(char::from(octet)));
        }
        at += 1;
    }
    close_label(wire, start, at)?;
    *wire.get_mut(at).ok_or(NameError::TooLong)? = 0;
    Ok(at + 1)
}

fn close_label(wire: &mut [u8], start: usize, at: usize) -> Result<(), NameError> {
    match at - start - 1 {
        0 => Err(NameError::EmptyLabel),
        length if length > MAX_LABEL => Err(NameError::LabelTooLong(length)),
        length => {
            *wire.get_mut(start).ok_or(NameError::TooLong)? = length as u8;
            Ok(())
        }
    }
}

/// Writes wire octets in presentation form, with a final dot.
///
/// Octets that are not printable, and dots inside a label, are escaped
/// (RFC 4343 §2.1), so that a hostile name cannot forge a log line.
pub fn write_presentation(wire: &[u8], f: &mut impl fmt::Write) -> fmt::Result {
    if wire.first() == Some(&0) {
        return f.write_char('.');
    }
    for label in Labels(wire) {
        for &octet in label {
            match octet {
                b'.' | b'\\' | b'"' | b'`' | b';' | b'(' | b')' | b'@' | b'$' => {
                    write!(f, "\\{}", char::from(octet))?;
                }
                0x21..=0x7e => f.write_char(char::from(octet))?,
                _ => write!(f, "\\{octet:03}")?,
            }
        }
        f.write_char('.')?;
    }
    Ok(())
}

/// The labels of a wire name, first to last, without the root.
#[derive(Debug, Clone)]
pub struct Labels<'a>(pub &'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.0.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(label)
    }
}

/// A name in lower case in place, with the position of each label.
///
/// Nothing here allocates; [`Folded::refill`] reads the next name into the same memory.
#[derive(Clone)]
pub struct Folded {
    octets: [u8; MAX_OCTETS],
    length: u8,
    /// Where each label's length octet stands, first label first.
    starts: [u8; MAX_LABELS],
    labels: u8,
}

impl Folded {
    /// The root name.
    pub const ROOT: Self =
        Self { octets: [0; MAX_OCTETS], length: 1, starts: [0; MAX_LABELS], labels: 0 };

    /// Reads an uncompressed name from the front of `octets`.
    ///
    /// Returns the name and the number of octets it took.
    ///
    /// # Errors
    ///
    /// [`NameError::Truncated`], [`NameError::LabelType`], [`NameError::TooLong`].
    #[inline]
    pub fn from_wire(octets: &[u8]) -> Result<(Self, usize), NameError> {
        let mut name = Self::ROOT;
        let taken = name.refill(octets)?;
        Ok((name, taken))
    }

    /// As [`Folded::from_wire`], into this memory; returns the number of octets taken.
    ///
    /// # Errors
    ///
    /// As [`Folded::from_wire`]; the name is then the root.
    #[inline]
    pub fn refill(&mut self, octets: &[u8]) -> Result<usize, NameError> {
        (self.octets[0], self.length, self.labels) = (0, 1, 0);
        let (mut at, mut labels) = (0, 0);
        let found = loop {
            let length = *octets.get(at).ok_or(NameError::Truncated)?;
            if length == 0 {
                break octets.get(..=at).ok_or(NameError::Truncated)?;
            }
            if usize::from(length) > MAX_LABEL {
                return Err(NameError::LabelType(length));
            }
            let next = at + 1 + usize::from(length);
            // Room for the root octet must remain.
            if next >= MAX_OCTETS {
                return Err(NameError::TooLong);
            }
            *self.starts.get_mut(labels).ok_or(NameError::TooLong)? = at as u8;
            labels += 1;
            at = next;
        };
        if let Some(to) = self.octets.get_mut(..found.len()) {
            to.copy_from_slice(found);
            // Length octets are at most 63 and so are never letters.
            to.make_ascii_lowercase();
        }
        (self.length, self.labels) = (found.len() as u8, labels as u8);
        Ok(found.len())
    }

    /// Folds an owned name: the same name on the stack.
    pub fn from_name(name: &Name) -> Self {
        match Self::from_wire(name.as_wire()) {
            Ok((folded, _)) => folded,
            Err(_) => unreachable!("a Name is a valid wire name"),
        }
    }

    /// The octets, root octet included.
    #[inline]
    pub fn as_wire(&self) -> &[u8] {
        self.octets.get(..usize::from(self.length)).unwrap_or(&[0])
    }

    /// Number of labels, the root not counted.
    #[inline]
    pub fn label_count(&self) -> usize {
        usize::from(self.labels)
    }

    /// The ancestor that starts at label `index`; 0 is the name itself.
    ///
    /// Past the last label it is the root.
    #[inline]
    pub fn suffix(&self, index: usize) -> &[u8] {
        self.octets.get(self.start(index)..usize::from(self.length)).unwrap_or(&[0])
    }

    /// Where the length octet of label `index` stands; past the last label, the root's.
    #[inline]
    pub fn start(&self, index: usize) -> usize {
        let end = usize::from(self.length).saturating_sub(1);
        if index < self.label_count() {
            self.starts.get(index).copied().map_or(end, usize::from)
        } else {
            end
        }
    }

    /// How many octets label `index` has; 0 past the last.
    #[inline]
    pub fn label_length(&self, index: usize) -> usize {
        self.octets.get(self.start(index)).copied().map_or(0, usize::from)
    }

    /// The octets of label `index`, without its length.
    #[inline]
    pub fn label(&self, index: usize) -> &[u8] {
        Labels(self.suffix(index)).next().unwrap_or(&[])
    }

    /// Whether this name is `ancestor` or lies below it.
    pub fn is_at_or_below(&self, ancestor: &[u8]) -> bool {
        (0..=self.label_count()).any(|index| self.suffix(index) == ancestor)
    }

    /// An owned copy.
    pub fn to_name(&self) -> Name {
        Name(self.as_wire().into())
    }
}

impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_presentation(self.as_wire(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(name: &str) -> Result<String, NameError> {
        Name::from_text(name).map(|n| n.to_string())
    }

    #[test]
    fn text_is_folded_and_converted() {
        assert_eq!(text("Ads.Example.COM."), Ok("ads.example.com.".into()));
        // NFC and NFD of one name are one name.
        assert_eq!(text("tie\u{302}\u{301}ngvie\u{323}\u{302}t.vn"), text("tiếngviệt.vn"));
        assert_eq!(text("thủđô.vn"), Ok("xn--th-9ja9i637n.vn.".into()));
        assert_eq!(text("_dmarc.a-b.example"), Ok("_dmarc.a-b.example.".into()));
    }

    #[test]
    fn bad_text_says_what_is_wrong() {
        assert_eq!(text(""), Err(NameError::Empty));
        assert_eq!(text("."), Err(NameError::Empty));
        assert_eq!(text("a..b"), Err(NameError::EmptyLabel));
        assert_eq!(text(".a"), Err(NameError::EmptyLabel));
        assert_eq!(text("a/b"), Err(NameError::Character('/')));
        assert_eq!(text(&"a".repeat(64)), Err(NameError::LabelTooLong(64)));
        assert_eq!(text(&["a"; 128].join(".")), Err(NameError::TooLong));
        assert!(text(&["a"; 127].join(".")).is_ok());
    }

    #[test]
    fn wire_limits_are_exact() {
        let longest = [b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(3);
        let ok = [longest.clone(), [b"\x3d".as_slice(), &[b'b'; 61], b"\0"].concat()].concat();
        assert_eq!(ok.len(), 255);
        assert!(Folded::from_wire(&ok).is_ok());
        let over = [longest, [b"\x3e".as_slice(), &[b'b'; 62], b"\0"].concat()].concat();
        assert_eq!(Folded::from_wire(&over).unwrap_err(), NameError::TooLong);
        assert_eq!(Folded::from_wire(b"\x40").unwrap_err(), NameError::LabelType(0x40));
        assert_eq!(Folded::from_wire(b"\xc0\x0c").unwrap_err(), NameError::LabelType(0xc0));
        assert_eq!(Folded::from_wire(b"\x03ab").unwrap_err(), NameError::Truncated);
        assert_eq!(Folded::from_wire(b"").unwrap_err(), NameError::Truncated);
    }

    #[test]
    fn ancestors_are_slices_at_label_boundaries() {
        let name = Folded::from_name(&Name::from_text("www.Example.com").unwrap());
        assert_eq!(name.label_count(), 3);
        assert_eq!(name.suffix(1), b"\x07example\x03com\0");
        assert_eq!(name.suffix(3), b"\0");
        assert_eq!(name.label(2), b"com");
        assert!(name.is_at_or_below(b"\x03com\0"));
        assert!(!name.is_at_or_below(b"\x02om\0"));
    }

    #[test]
    fn hostile_octets_are_escaped() {
        let (name, _) = Name::from_wire(b"\x05a.b\n\xff\x00").unwrap();
        assert_eq!(name.to_string(), "a\\.b\\010\\255.");
    }

    proptest! {
        /// Law: the memory of one name leaves nothing in the next.
        #[test]
        fn a_refilled_name_equals_a_new_one(
            first in proptest::collection::vec(any::<u8>(), 0..80),
            second in proptest::collection::vec(0..70_u8, 0..300),
        ) {
            let mut name = Folded::ROOT;
            let _ = name.refill(&first);
            let taken = name.refill(&second);
            match Folded::from_wire(&second) {
                Ok((new, new_taken)) => {
                    prop_assert_eq!(taken, Ok(new_taken));
                    prop_assert_eq!(name.as_wire(), new.as_wire());
                    prop_assert_eq!(name.label_count(), new.label_count());
                    for index in 0..=new.label_count() {
                        prop_assert_eq!(name.suffix(index), new.suffix(index));
                    }
                }
                Err(error) => {
                    prop_assert_eq!(taken, Err(error));
                    prop_assert_eq!(name.as_wire(), b"\0");
                }
            }
        }

        #[test]
        fn from_wire_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((name, taken)) = Folded::from_wire(&octets) {
                prop_assert_eq!(name.as_wire().len(), taken);
                prop_assert!(name.as_wire().eq_ignore_ascii_case(&octets[..taken]));
            }
        }

        #[test]
        fn text_round_trips(name in "[a-z0-9_-]{1,20}(\\.[a-z0-9-]{1,20}){0,4}") {
            prop_assume!(!name.split('.').any(|l| l.starts_with("xn--")));
            prop_assert_eq!(text(&name), Ok(format!("{name}.")));
        }
    }
}
