//! What to do about the program: facts in, a decision out. No file, no command, no clock.

use std::cmp::Ordering;

use crate::update::status::{ChosenProgram, RejectedProgram};

/// What is known before a decision.
#[derive(Debug, Clone, Copy)]
pub struct UpgradeFacts<'a> {
    /// The version that is installed.
    pub installed: &'a str,
    /// Whether officers sign the installed version now.
    pub is_signed: bool,
    /// Whether this machine ever saw them sign it.
    pub was_signed: bool,
    /// The package that the rollout chooses among those that officers sign.
    pub chosen: Option<&'a ChosenProgram>,
    /// Its version against the installed one, by Debian's rules.
    pub order: Ordering,
    /// Packages that failed here.
    pub rejected: &'a [RejectedProgram],
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpgradeDecision<'a> {
    /// The rollout chooses no program for this gateway, or not yet.
    NoneChosen,
    /// The chosen version is installed.
    UpToDate,
    /// The chosen version is older, and officers have not withdrawn the installed one.
    Older(&'a ChosenProgram),
    /// These octets failed here.
    Rejected(&'a RejectedProgram),
    /// A newer version is to be installed.
    Install(&'a ChosenProgram),
    /// Officers have withdrawn the installed version: an older one is to be installed.
    Back(&'a ChosenProgram),
}

/// Decides. An older version is taken only in the place of one that officers signed once and sign no more:
/// the rollout's key alone leads nobody back.
pub fn decide(facts: UpgradeFacts<'_>) -> UpgradeDecision<'_> {
    let Some(chosen) = facts.chosen else { return UpgradeDecision::NoneChosen };
    if facts.order == Ordering::Equal {
        return UpgradeDecision::UpToDate;
    }
    let is_withdrawn = facts.was_signed && !facts.is_signed;
    if facts.order == Ordering::Less && !is_withdrawn {
        return UpgradeDecision::Older(chosen);
    }
    if let Some(rejected) = facts.rejected.iter().rev().find(|one| one.sha256 == chosen.sha256) {
        return UpgradeDecision::Rejected(rejected);
    }
    match facts.order {
        Ordering::Greater => UpgradeDecision::Install(chosen),
        _ => UpgradeDecision::Back(chosen),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(sha256: &str) -> ChosenProgram {
        ChosenProgram { version: "2".into(), sha256: sha256.into(), octets: 1 }
    }

    fn rejected(sha256: &str) -> RejectedProgram {
        RejectedProgram { version: "2".into(), sha256: sha256.into(), why: String::new(), at: 0 }
    }

    fn order() -> impl Strategy<Value = Ordering> {
        prop_oneof![Just(Ordering::Less), Just(Ordering::Equal), Just(Ordering::Greater)]
    }

    proptest! {
        #[test]
        fn an_older_version_needs_officers_and_failed_octets_are_never_installed(
            is_signed: bool, was_signed: bool, order in order(), has_failed: bool, is_chosen: bool,
        ) {
            let (program, failed) = (chosen("ab"), [rejected("cd"), rejected("ab")]);
            let facts = UpgradeFacts {
                installed: "1", is_signed, was_signed, order,
                chosen: is_chosen.then_some(&program),
                rejected: if has_failed { &failed } else { &failed[..1] },
            };
            let decision = decide(facts);
            let is_taken =
                matches!(decision, UpgradeDecision::Install(_) | UpgradeDecision::Back(_));
            prop_assert!(!is_taken || is_chosen && !has_failed && order != Ordering::Equal);
            let is_older = is_taken && order == Ordering::Less;
            prop_assert!(!is_older || was_signed && !is_signed);
            prop_assert_eq!(
                matches!(decision, UpgradeDecision::Install(_)),
                is_chosen && !has_failed && order == Ordering::Greater
            );
        }
    }

    #[test]
    fn what_nobody_ever_signed_is_not_withdrawn() {
        let program = chosen("ab");
        let facts = UpgradeFacts {
            installed: "3",
            is_signed: false,
            was_signed: false,
            chosen: Some(&program),
            order: Ordering::Less,
            rejected: &[],
        };
        assert_eq!(decide(facts), UpgradeDecision::Older(&program));
        let withdrawn = UpgradeFacts { was_signed: true, ..facts };
        assert_eq!(decide(withdrawn), UpgradeDecision::Back(&program));
    }
}
