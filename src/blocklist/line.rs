//! Lines and comments, common to most list formats.

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
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|rest| rest.find('#')) {
        let before = line.get(..from + at).unwrap_or("");
        if before.is_empty() || before.ends_with(char::is_whitespace) {
            return before.trim_end();
        }
        from += at + 1;
    }
    line
}
