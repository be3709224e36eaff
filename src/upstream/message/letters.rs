//! Letters of random case in the names of queries (0x20), and their way back.
//!
//! Law: no client sees a letter that it did not send. A server may repeat the question's name
//! anywhere in its reply, so the letters are taken back wherever a name can stand.

use super::wire::{after_name, walk};

/// Gives each letter of a name the case of a bit of `bits`.
///
/// A spoofer must guess it along with id and port. Length octets are at most 63 and so are never
/// letters.
pub(super) fn mix_letters(name: &mut [u8], mut bits: impl FnMut() -> bool) {
    for octet in name.iter_mut().filter(|octet| octet.is_ascii_lowercase()) {
        if bits() {
            octet.make_ascii_uppercase();
        }
    }
}

/// Lower-cases each label in the names of `message` that is octet for octet one of `sent`.
///
/// Others have their own case: it is not from our query. A name ends where its record or its RDATA
/// does, whatever its labels say: each octet is looked at once.
pub(super) fn lower_letters(message: &mut [u8], sent: &[u8]) {
    let mut names = Vec::new();
    walk(message, |_, record| {
        let (from, end) = record.rdata;
        names.push((record.owner, from));
        let mut at = from + names_from(record.rtype);
        for _ in 0..names_of(record.rtype) {
            if at < end {
                let behind = after_name(message, at).unwrap_or(end).min(end);
                names.push((at, behind));
                at = behind;
            }
        }
    });
    for (mut at, behind) in names {
        while let Some(&length @ 1..=63) = message.get(at) {
            let end = at + 1 + usize::from(length);
            let Some(label) = message.get_mut(at..end).filter(|_| end <= behind) else { break };
            if labels(sent).any(|one| one == label) {
                label.make_ascii_lowercase();
            }
            at = end;
        }
    }
}

/// The labels of a name in wire form, each with its length octet.
fn labels(mut name: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = usize::from(*name.first()?);
        let (label, rest) = name.split_at_checked(1 + length)?;
        name = rest;
        (length > 0).then_some(label)
    })
}

/// The number of names in the RDATA of a type, one behind the other.
fn names_of(rtype: u16) -> usize {
    match rtype {
        // SOA, MINFO and RP have two.
        6 | 14 | 17 => 2,
        // NS to MR, PTR, MX, AFSDB, PX, SRV, KX, DNAME, RRSIG, NSEC, SVCB, HTTPS.
        2..=9 | 12 | 15 | 18 | 21 | 33 | 36 | 39 | 46 | 47 | 64 | 65 => 1,
        _ => 0,
    }
}

/// The octets of RDATA in front of the first name.
fn names_from(rtype: u16) -> usize {
    match rtype {
        // Preference or priority.
        15 | 18 | 21 | 36 | 64 | 65 => 2,
        // Priority, weight, port.
        33 => 6,
        // Signature fields in front of the signer's name (RFC 4034 §3.1).
        46 => 18,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_are_taken_back_wherever_a_name_repeats_them() {
        let sent = b"\x03wWw\x02eX\0";
        let mut message = vec![0; 12];
        message[5] = 1;
        message[7] = 2;
        message[9] = 1;
        message.extend(sent);
        message.extend([0, 1, 0, 1]);
        // A CNAME whose owner and target are written in full, the target with letters of its own.
        let target = b"\x03CdN\x03wWw\xc0\x10";
        message.extend(sent);
        message.extend([0, 5, 0, 1, 0, 0, 0, 1, 0, target.len() as u8]);
        message.extend(target);
        // TXT is no name.
        message.extend(b"\xc0\x0c\0\x10\0\x01\0\0\0\x01\0\x04\x03wWw");
        // SOA with both names.
        let soa = b"\x02nS\x02eX\0\x03wWw\0";
        message.extend(b"\x02eX\0\0\x06\0\x01\0\0\0\x01\0");
        message.push(soa.len() as u8 + 20);
        message.extend(soa);
        message.extend([0; 20]);
        lower_letters(&mut message, sent);
        let has = |wanted: &[u8]| message.windows(wanted.len()).any(|octets| octets == wanted);
        assert!(has(b"\x03www\x02ex\0\0\x05") && has(b"\x03CdN\x03www\xc0\x10"));
        assert!(has(b"\x04\x03wWw") && has(b"\x02ex\0\0\x06") && has(b"\x02nS\x02ex\0\x03www\0"));
    }

    #[test]
    fn a_name_ends_where_its_rdata_does() {
        // The one label of an NS record would be the head of the next record, its TTL in letters.
        let head = b"\0\0\x10\0\x01WwWw\0\x01";
        let mut message = vec![0; 12];
        message[7] = 2;
        message.extend(b"\0\0\x02\0\x01\0\0\0\x01\0\x01\x0b");
        message.extend(head);
        message.push(b'x');
        let before = message.clone();
        lower_letters(&mut message, &[b"\x0b", head.as_slice(), b"\0"].concat());
        assert_eq!(message, before);
    }

    proptest! {
        #[test]
        fn hostile_octets_never_panic(
            mut octets in prop::collection::vec(any::<u8>(), 0..600),
            sent in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            lower_letters(&mut octets, &sent);
        }
    }
}
