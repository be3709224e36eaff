//! Why the files are not in force.

use crate::load::kept::held::printable;
use crate::sys::clock::system_time;

/// A reload that was refused; what was in force stays so.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The mistake, with its place and remedy, as it may be shown.
    pub why: String,
    /// The moment of the first refusal for this mistake, in seconds since 1970.
    pub since: u64,
}

impl Refusal {
    /// A refusal from now on.
    pub(super) fn new(why: &str) -> Self {
        Self { why: printable(why.to_owned()), since: system_time() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_quotes_of_itself_never_writes_to_a_terminal() {
        assert_eq!(Refusal::new("1:1: `\u{1b}[2J`\nhere").why, "1:1: `\u{fffd}[2J`\nhere");
    }
}
