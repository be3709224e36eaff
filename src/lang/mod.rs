//! The languages that the program speaks with school people.
//!
//! A [`Message`] is an id with arguments, rendered by language; `messages` is the catalogue, with
//! both languages of a sentence side by side. To add a sentence: one entry there, then the
//! snapshot of the catalogue anew. To add a language: a variant of [`Lang`]; the compiler names
//! what lacks it.

mod message;
pub(crate) mod messages;
mod os;

pub use message::Message;
pub(crate) use os::os_error;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Vietnamese.
    Vi,
}

impl Lang {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::En, Self::Vi];

    /// The id used in config and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Vi => "vi",
        }
    }
}
