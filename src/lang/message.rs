//! Messages: an id with arguments, rendered in a language.
//!
//! ```text
//! messages! { no_port(address) "`{address}` has no port" => "`{address}` thiếu số cổng"; }
//!                │
//!                ├─▶ fn no_port(address) -> Message      what a caller makes
//!                └─▶ SAMPLES                             what the snapshot shows in both languages
//! ```
//!
//! Law: both languages of a message stand in one place and use the same arguments; a sentence that
//! leaves an argument out, or names one that is not there, does not compile.

use std::fmt::Display;

use super::Lang;

/// One sentence of the program with what changes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(Content);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// A message of the catalogue with its arguments.
    Listed(&'static Template, Vec<Arg>),
    /// A text that is English only: another program's words, or those of the lists.
    English(String),
}

/// An entry of the catalogue.
#[derive(Debug)]
pub(super) struct Template {
    /// The name of the function that makes the message.
    pub(super) id: &'static str,
    /// The text; `None` where the language has no such sentence.
    pub(super) text: fn(Lang, &[Arg]) -> Option<String>,
}

/// Two templates are one by their id; a test holds that an id is given once.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Template {}

impl Message {
    /// A message of the catalogue; `messages!` alone makes any.
    pub(super) fn listed(template: &'static Template, arguments: Vec<Arg>) -> Self {
        Self(Content::Listed(template, arguments))
    }

    /// A text that is English only.
    pub fn english(text: impl Into<String>) -> Self {
        Self(Content::English(text.into()))
    }

    /// The message in a language; in English where the language has no such sentence.
    pub fn in_lang(&self, lang: Lang) -> String {
        let lang = if self.is_in(lang) { lang } else { Lang::En };
        match &self.0 {
            Content::English(text) => text.clone(),
            Content::Listed(template, arguments) => {
                (template.text)(lang, arguments).unwrap_or_default()
            }
        }
    }

    /// Whether the language has this sentence.
    pub fn is_in(&self, lang: Lang) -> bool {
        match &self.0 {
            Content::English(_) => lang == Lang::En,
            Content::Listed(template, arguments) => (template.text)(lang, arguments).is_some(),
        }
    }

    /// The id; none where the text is English only.
    #[cfg(test)]
    pub(super) fn id(&self) -> Option<&'static str> {
        match &self.0 {
            Content::English(_) => None,
            Content::Listed(template, _) => Some(template.id),
        }
    }
}

/// What stands in a sentence: a value as it is, or a message in the language of the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arg {
    Text(String),
    Message(Message),
}

impl Arg {
    pub(super) fn in_lang(&self, lang: Lang) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Message(message) => message.in_lang(lang),
        }
    }
}

impl<T: Display> From<T> for Arg {
    fn from(value: T) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<Message> for Arg {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

/// Messages: id and parameters, English, and behind `=>` Vietnamese.
macro_rules! messages {
    ($($id:ident $parameters:tt $en:literal $(=> $vi:literal)?;)*) => {
        $(messages! { @function $id $parameters $en [$($vi)?] })*

        /// Each message once, with the names of its parameters for arguments.
        #[cfg(test)]
        pub(in crate::lang::messages) const SAMPLES: &[fn() -> $crate::lang::Message] =
            &[$(messages! { @sample $id $parameters }),*];
    };
    (@function $id:ident ($($parameter:ident),*) $en:literal [$($vi:literal)?]) => {
        #[doc = concat!("`` ", $en, " ``")]
        pub(crate) fn $id(
            $($parameter: impl Into<$crate::lang::message::Arg>),*
        ) -> $crate::lang::Message {
            static TEMPLATE: $crate::lang::message::Template = $crate::lang::message::Template {
                id: stringify!($id),
                text: |lang, arguments| {
                    let [$($parameter),*] = arguments else { return None };
                    match lang {
                        $crate::lang::Lang::En => messages! { @text lang ($($parameter),*) [$en] },
                        $crate::lang::Lang::Vi => {
                            messages! { @text lang ($($parameter),*) [$($vi)?] }
                        }
                    }
                },
            };
            $crate::lang::Message::listed(&TEMPLATE, vec![$($parameter.into()),*])
        }
    };
    (@text $lang:ident ($($parameter:ident),*) []) => {{
        $(let _ = $parameter;)*
        None
    }};
    (@text $lang:ident ($($parameter:ident),*) [$text:literal]) => {
        Some(format!($text, $($parameter = $parameter.in_lang($lang)),*))
    };
    (@sample $id:ident ($($parameter:ident),*)) => {
        || $id($(concat!("‹", stringify!($parameter), "›")),*)
    };
}

pub(super) use messages;
