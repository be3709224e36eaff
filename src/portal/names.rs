//! Names that visitors type, and names as pages show them.

use maud::{Markup, html};

use crate::dns::name::Name;
use crate::lang::messages;
use crate::portal::judgement::shown;
use crate::portal::visitor::Visitor;
pub(super) use crate::reviews::request::typed_name as read;

/// A name for a page: in letters of its language where it has any, and as it is on the network.
///
/// Each form stands apart from the text around it, so that letters from right to left move nothing.
pub(super) fn show(visitor: &Visitor, name: &Name) -> Markup {
    let ascii = shown(name);
    let (unicode, read) = idna::domain_to_unicode(&ascii);
    let is_plain = read.is_err() || unicode == ascii || unicode.chars().any(char::is_control);
    html! {
        @if is_plain {
            bdi.name dir="ltr" { (ascii) }
        } @else {
            bdi.name { (unicode) }
            span.soft {
                " (" (visitor.say(messages::blocked_as_written())) ": "
                bdi.name dir="ltr" { (ascii) } ")"
            }
        }
    }
}

/// A value for a query of a link.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_what_people_paste() {
        for (typed, name) in [
            (" TikTok.com ", "tiktok.com"),
            ("https://www.tiktok.com:443/@someone?x=1", "www.tiktok.com"),
            ("http://user@example.com/", "example.com"),
            ("tiếngviệt.vn", "xn--tingvit-5t4cyc.vn"),
            ("example.com.", "example.com"),
        ] {
            assert_eq!(read(typed).map(|name| shown(&name)).as_deref(), Some(name), "{typed}");
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        let long = "a".repeat(4096);
        for typed in [
            "",
            "   ",
            ".",
            "<script>alert(1)</script>",
            "a\"onmouseover=\"x.example",
            "exam\u{202e}elp.example",
            "a\0b.example",
            "127.0.0.1",
            "[::1]",
            "a b.example",
            long.as_str(),
        ] {
            assert_eq!(read(typed), None, "{typed:?}");
        }
    }
}
