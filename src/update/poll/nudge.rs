//! The nudge: a TXT record that changes with the repository.
//!
//! It says *that* there is something, never what: its text is not read, so nobody who forges it can do
//! more than cause polls. Of those there is at most one in each interval of looks at the record, and fewer
//! for each change that brought nothing.

use std::time::Duration;

/// Polls that one change causes while nothing new is found: a record may be ahead of a mirror.
const TRIES: u32 = 3;

/// What was seen of the record.
#[derive(Debug)]
pub struct Nudge {
    known: Option<Vec<Vec<u8>>>,
    tries: u32,
    /// The least time from a poll to one that a change causes.
    gap: Duration,
    shortest: Duration,
    longest: Duration,
}

impl Nudge {
    /// Nothing was seen yet; the record is looked at in each interval `look`, and `every` is that of
    /// polls without a nudge.
    pub fn new(look: Duration, every: Duration) -> Self {
        Self { known: None, tries: 0, gap: look, shortest: look, longest: every.max(look) }
    }

    /// Takes the texts of the record; the first ones are no change. None, as after a failure, say
    /// nothing.
    pub fn saw(&mut self, texts: Option<Vec<Vec<u8>>>) {
        let Some(texts) = texts else { return };
        let known = self.known.replace(texts);
        if known.is_some() && known != self.known {
            self.tries = TRIES;
        }
    }

    /// The least time from the last poll to one that is wanted now; none where none is wanted.
    pub fn wants(&self) -> Option<Duration> {
        (self.tries > 0).then_some(self.gap)
    }

    /// Notes a poll, and whether it found something new.
    pub fn polled(&mut self, is_new: bool) {
        if is_new {
            (self.tries, self.gap) = (0, self.shortest);
        } else if self.tries > 0 {
            self.tries -= 1;
            if self.tries == 0 {
                self.gap = self.gap.saturating_mul(2).min(self.longest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    fn texts(text: &str) -> Vec<Vec<u8>> {
        vec![text.into()]
    }

    #[test]
    fn a_change_wants_a_poll_until_something_new_comes() {
        let mut nudge = Nudge::new(GAP, HOUR);
        nudge.saw(None);
        nudge.saw(Some(texts("1")));
        nudge.saw(Some(texts("1")));
        assert_eq!(nudge.wants(), None, "the first text is no change");
        nudge.saw(None);
        assert_eq!(nudge.wants(), None, "nor is a failure");
        nudge.saw(Some(texts("2")));
        assert_eq!(nudge.wants(), Some(GAP));
        nudge.polled(false);
        assert_eq!(nudge.wants(), Some(GAP), "the mirror may be behind");
        nudge.polled(true);
        assert_eq!(nudge.wants(), None);
    }

    #[test]
    fn changes_that_bring_nothing_cause_ever_fewer_polls() {
        let mut nudge = Nudge::new(GAP, HOUR);
        let mut gaps = Vec::new();
        for change in 0..200 {
            nudge.saw(Some(texts(&change.to_string())));
            gaps.extend(nudge.wants());
            while nudge.wants().is_some() {
                nudge.polled(false);
            }
        }
        assert_eq!(gaps.first(), Some(&GAP));
        assert_eq!(gaps.last(), Some(&HOUR));
        nudge.saw(Some(texts("new")));
        nudge.polled(true);
        nudge.saw(Some(texts("newer")));
        assert_eq!(nudge.wants(), Some(GAP), "what brings something is heard at once again");
    }
}
