//! Safe search, `YouTube` and canaries of a group: what the layers come to.

use crate::category::Level;
use crate::config::data::safesearch::has_modes;
use crate::config::file::report::Report;
use crate::config::file::syntax::listed;
use crate::config::layers::department::LockedBy;
use crate::config::layers::enforcement::{HeldLock, LayerSettings};
use crate::config::layers::known::Known;
use crate::diagnostic::Diagnostic;
use crate::policy::group::enforcement::Enforcement;

/// What a group is held to, and by whom.
#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) own: Enforcement,
    pub(crate) locked: Enforcement,
    pub(crate) baseline: Enforcement,
}

/// What `said` comes to for a level; what a lock forbids is a mistake, and does not hold.
pub(crate) fn layers(
    report: &mut Report<'_>,
    known: &Known<'_>,
    said: &LayerSettings,
    level: Level,
) -> Effective {
    let engines = &known.safesearch.engines;
    let above = &known.department.held;
    let baseline = above.baseline(known.safesearch, level);
    let locked = above.locked(engines, level);
    let own = said.apply(&baseline, engines);
    for lock in above.locks_of(level) {
        for mistake in forbidden(known, said, &own, lock, level) {
            report.push(mistake);
        }
    }
    Effective { own: own.at_least(&locked, engines), locked, baseline }
}

/// What one lock forbids of what a school says.
fn forbidden(
    known: &Known<'_>,
    said: &LayerSettings,
    own: &Enforcement,
    lock: &HeldLock,
    level: Level,
) -> Vec<Diagnostic> {
    let engines = &known.safesearch.engines;
    let department = known.department;
    let by = LockedBy::Department(lock.reason.clone()).words(&department.name, level);
    let looser = engines.0.iter().enumerate().filter(|(number, _)| {
        let rank = |held: &Enforcement| {
            engines.rank(*number, held.safe.0.get(*number).and_then(Option::as_ref))
        };
        rank(own) < rank(&lock.held)
    });
    let (modal, plain): (Vec<_>, Vec<_>) = looser.partition(|(_, engine)| has_modes(engine));
    let way_out = |what: String| match department.contact.as_str() {
        "" => format!("{what}, or leave the key out; only the department can open it"),
        contact => {
            format!("{what}, or leave the key out; only the department can open it: {contact}")
        }
    };
    let mut mistakes = Vec::new();
    if let (Some((_, span)), false) = (&said.plain, plain.is_empty()) {
        let off = listed(plain.iter().map(|(_, engine)| engine.id.as_str()));
        let message = format!("safe search of {off} cannot be off: {by}");
        let hint = way_out("name them in `safesearch`".into());
        mistakes.push(Diagnostic::new(span.clone(), message).hint(hint));
    }
    if let (Some((mode, span)), Some((number, engine))) = (&said.youtube, modal.first()) {
        let needed = engine.mode_of(lock.held.safe.0.get(*number).and_then(Option::as_ref));
        let found = engine.mode_of(mode.target());
        let message = format!("`youtube` must be at least `{needed}`, not `{found}`: {by}");
        let hint = way_out(format!("write `youtube = \"{needed}\"`"));
        mistakes.push(Diagnostic::new(span.clone(), message).hint(hint));
    }
    let open = lock.held.canaries.iter().filter(|kind| !own.canaries.contains(kind));
    let open: Vec<&str> = open.map(|kind| kind.id()).collect();
    if let (Some((_, span)), false) = (&said.canaries, open.is_empty()) {
        let message = format!("canaries of {} cannot be off: {by}", listed(open));
        let hint = way_out("name them in `canaries`".into());
        mistakes.push(Diagnostic::new(span.clone(), message).hint(hint));
    }
    mistakes
}
