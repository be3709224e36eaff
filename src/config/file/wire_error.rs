//! Errors of the wire format's texts, names and records, as messages.
//!
//! The ground floor knows one language; its errors are spelled out here variant by variant.

use crate::dns::message::local::{MAX_TTL, RecordError, known_types};
use crate::dns::name::NameError;
use crate::lang::{Message, messages};

/// Why a text is no name.
pub(crate) fn name_error(error: &NameError) -> Message {
    match error {
        NameError::Truncated => messages::name_cut_short(),
        NameError::LabelType(octet) => messages::label_type(format!("{octet:#04x}")),
        NameError::TooLong => messages::name_too_long(),
        NameError::LabelTooLong(octets) => messages::label_too_long(octets),
        NameError::EmptyLabel => messages::empty_label(),
        NameError::Empty => messages::empty_name(),
        NameError::Character(character) => messages::character_in_name(character),
        NameError::Idna => messages::no_ascii_form(),
    }
}

/// Why a text is no record.
pub(crate) fn record_error(error: &RecordError) -> Message {
    match error {
        RecordError::TooShort => messages::record_too_short(),
        RecordError::Owner(owner, error) => messages::no_name(owner, name_error(error)),
        RecordError::Wildcard => messages::record_wildcard(),
        RecordError::Type(word) => messages::record_type(word, known_types()),
        RecordError::Ttl(seconds) => messages::record_ttl(seconds, MAX_TTL),
        RecordError::Data(rtype, text) => messages::record_data(text, rtype),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn both_say_the_same_in_english() {
        let names = [
            NameError::Truncated,
            NameError::LabelType(0x40),
            NameError::TooLong,
            NameError::LabelTooLong(64),
            NameError::EmptyLabel,
            NameError::Empty,
            NameError::Character('!'),
            NameError::Idna,
        ];
        for error in names {
            assert_eq!(name_error(&error).in_lang(Lang::En), error.to_string());
        }
        let records = [
            RecordError::TooShort,
            RecordError::Owner("a..b".into(), NameError::EmptyLabel),
            RecordError::Wildcard,
            RecordError::Type("SPF".into()),
            RecordError::Ttl(1 << 40),
            RecordError::Data("A", "x".into()),
        ];
        for error in records {
            assert_eq!(record_error(&error).in_lang(Lang::En), error.to_string());
        }
    }
}
