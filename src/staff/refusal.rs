//! Why somebody is not let in, or a code is not issued, in the language of whom it is said to.

use crate::lang::{Lang, Message, messages};
use crate::staff::stored::FILE;

/// Why somebody is not let in, or a code is not issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaffRefusal {
    /// No group of this name.
    NoRoom {
        /// The word of the request.
        given: String,
        /// The groups there are.
        known: Vec<String>,
    },
    /// No name of a person, where one is needed.
    NoOne,
    /// The time of a code is over, longer than a day, or far away.
    Time,
    /// None are asked for, or too many at one time.
    CodeCount {
        /// The most.
        most: usize,
    },
    /// There are as many codes as there may be.
    TooManyCodes {
        /// The most.
        most: usize,
    },
    /// No code of this number.
    NoCode {
        /// The number.
        id: u64,
    },
    /// A PIN that is too short, or the first that anybody guesses.
    WeakPin,
    /// What was typed is no code: a character is wrong.
    Mistyped,
    /// A code, PIN or token that is none of ours.
    Wrong,
    /// The code was used.
    Used,
    /// The code is for another day or hour.
    NotNow,
    /// Too many tries.
    Wait {
        /// The minutes to wait.
        minutes: u64,
    },
    /// Too many others are being judged.
    Busy,
    /// This way in is for networks of staff.
    NotStaff,
    /// No PIN is set.
    NoPin,
    /// The clock is untrusted, so no day is known.
    Clock,
    /// It cannot be recorded.
    Disk,
    /// The file of the codes cannot be read now.
    Unread,
    /// The file of a token cannot be read now.
    UnreadToken {
        /// Its name.
        file: String,
    },
}

impl StaffRefusal {
    /// The refusal as a message.
    pub fn message(&self) -> Message {
        match self {
            Self::NoRoom { given, known } => messages::override_no_group(given, known.join(", ")),
            Self::NoOne => messages::staff_no_one(),
            Self::Time => messages::code_time(),
            Self::CodeCount { most } => messages::code_count(most),
            Self::TooManyCodes { most } => messages::too_many_codes(most),
            Self::NoCode { id } => messages::no_code(id),
            Self::WeakPin => messages::weak_pin(),
            Self::Mistyped => messages::code_mistyped(),
            Self::Wrong => messages::login_wrong(),
            Self::Used => messages::code_used(),
            Self::NotNow => messages::code_not_now(),
            Self::Wait { minutes } => messages::login_wait(minutes),
            Self::Busy => messages::login_busy(),
            Self::NotStaff => messages::login_not_staff(),
            Self::NoPin => messages::no_pin(),
            Self::Clock => messages::login_clock(),
            Self::Disk => messages::login_disk(),
            Self::Unread => messages::state_unread(FILE),
            Self::UnreadToken { file } => messages::state_unread(file),
        }
    }

    /// The refusal in a language.
    pub fn say(&self, lang: Lang) -> String {
        self.message().in_lang(lang)
    }
}
