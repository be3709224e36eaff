//! What holds at a moment, and which cause of a gap that is.

use crate::evidence::record::GapCause;
use crate::metrics::labels::{EnforcementState, HeldFile, Protection};

/// What holds at a moment.
#[derive(Debug, Clone)]
pub struct Holding {
    /// The worst that is to be said of what is in force, as `lachan_protected` shows it.
    pub protection: Protection,
    /// The roles of files that kept copies stand in for.
    pub held: Vec<HeldFile>,
    /// True where the files are refused, and an older policy is in force.
    pub is_refused: bool,
    /// True where an upstream server is up.
    pub has_upstream: bool,
}

impl Holding {
    /// The worst cause for which not all is enforced; none where all is.
    pub fn cause(&self) -> Option<GapCause> {
        let protection = match self.protection {
            Protection::Ok => None,
            Protection::NoLists
            | Protection::ListMissing
            | Protection::FailClosed
            | Protection::StaleList => Some(GapCause::Lists),
            Protection::Clock => Some(GapCause::Clock),
            // Some file is: which one is told below.
            Protection::Held => Some(GapCause::Config),
        };
        let held = self.held.iter().map(|role| match role {
            HeldFile::Config | HeldFile::Text => GapCause::Config,
            HeldFile::Keywords | HeldFile::List | HeldFile::Sealed | HeldFile::Pack => {
                GapCause::Lists
            }
        });
        let refused = self.is_refused.then_some(GapCause::Config);
        let uplink = (!self.has_upstream).then_some(GapCause::Uplink);
        protection.into_iter().chain(held).chain(refused).chain(uplink).max()
    }
}

/// The cause of a gap that a state of the metrics is; none where all was enforced.
pub(super) fn cause_of(state: EnforcementState) -> Option<GapCause> {
    Some(match state {
        EnforcementState::Enforced => return None,
        EnforcementState::Uplink => GapCause::Uplink,
        EnforcementState::Power => GapCause::Power,
        EnforcementState::Stopped => GapCause::Stopped,
        EnforcementState::Program => GapCause::Program,
        EnforcementState::Clock => GapCause::Clock,
        EnforcementState::Config => GapCause::Config,
        EnforcementState::Lists => GapCause::Lists,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_that_holds_is_the_cause() {
        let well = Holding {
            protection: Protection::Ok,
            held: Vec::new(),
            is_refused: false,
            has_upstream: true,
        };
        assert_eq!(well.cause(), None);
        let of = |protection| Holding { protection, ..well.clone() }.cause();
        assert_eq!(of(Protection::StaleList), Some(GapCause::Lists));
        assert_eq!(of(Protection::Clock), Some(GapCause::Clock));
        let dark = Holding { has_upstream: false, ..well.clone() };
        assert_eq!(dark.cause(), Some(GapCause::Uplink));
        assert_eq!(Holding { is_refused: true, ..dark }.cause(), Some(GapCause::Config));
        let held = |role| {
            let held = vec![role];
            Holding { protection: Protection::Held, held, ..well.clone() }.cause()
        };
        assert_eq!(held(HeldFile::Text), Some(GapCause::Config));
        assert_eq!(held(HeldFile::Sealed), Some(GapCause::Lists));
        // A config that the lists before it go on under is not the worst.
        let both = Holding { is_refused: true, ..well.clone() };
        assert_eq!(
            Holding { protection: Protection::NoLists, ..both }.cause(),
            Some(GapCause::Lists)
        );
    }
}
