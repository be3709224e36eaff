//! Lines and comments, common to most list formats.

use std::borrow::Cow;

/// The lines of a text without their line feeds. A final line feed starts no further line.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|&octet| octet == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or(&[]);
        Some(line)
    }
}

/// A line without its comment: `#` starts one at the front or after a blank.
///
/// In `x.html#tel` it does not.
pub(super) fn without_comment(line: &str) -> &str {
    cut(line, |before, _| before.is_empty() || before.ends_with(char::is_whitespace))
}

/// As [`without_comment`], and `#` starts a comment in front of a blank and at the end as well.
pub(super) fn without_any_comment(line: &str) -> &str {
    cut(line, |before, after| {
        let is_edge = |text: &str, is_blank: bool| text.is_empty() || is_blank;
        is_edge(before, before.ends_with(char::is_whitespace))
            || is_edge(after, after.starts_with(char::is_whitespace))
    })
}

/// The text up to its comment: the first `#` with surroundings that make it a comment mark.
fn cut(line: &str, is_mark: impl Fn(&str, &str) -> bool) -> &str {
    for (at, _) in line.match_indices('#') {
        let before = line.get(..at).unwrap_or("");
        if is_mark(before, line.get(at + 1..).unwrap_or("")) {
            return before.trim_end();
        }
    }
    line
}

/// A line as text, with U+FFFD for octets that are no UTF-8.
///
/// Comments have no encoding: Windows-1258 in one costs nothing. `content` gives the part of a line
/// that is no comment; only there octets that are no text, and NUL, make it unreadable.
pub(super) fn readable(line: &[u8], content: impl Fn(&str) -> &str) -> Option<Cow<'_, str>> {
    let text = String::from_utf8_lossy(line);
    let is_plain = matches!(text, Cow::Borrowed(_)) && !text.contains('\0');
    if is_plain {
        return Some(text);
    }
    let kept = content(&text);
    let is_good = !kept.contains(['\u{fffd}', '\0']);
    is_good.then(|| kept.to_owned().into())
}
