//! Safe search, `YouTube` and canaries in effect for a group, after all layers.

use crate::category::Level;
use crate::config::data::safesearch::has_modes;
use crate::config::file::report::Report;
use crate::config::file::syntax::listed;
use crate::config::layers::enforcement::{EnforcementLock, LayerSettings};
use crate::config::layers::known::Known;
use crate::diagnostic::Diagnostic;
use crate::lang::messages;
use crate::policy::group::enforcement::Enforcement;

/// Enforcement of a group, and of the layers above it.
#[derive(Debug)]
pub(crate) struct Effective {
    /// In effect: settings of profile and group, at least the locks.
    pub(crate) own: Enforcement,
    /// The department's locks.
    pub(crate) locked: Enforcement,
    /// In effect without profile and group.
    pub(crate) baseline: Enforcement,
}

/// Applies `settings` at a level. What is below a lock is void.
pub(crate) fn layers(
    report: &mut Report<'_>,
    known: &Known<'_>,
    settings: &LayerSettings,
    level: Level,
) -> Effective {
    let engines = &known.safesearch.engines;
    let above = &known.department.enforcement;
    let baseline = above.baseline(known.safesearch, level);
    let locked = above.locked(engines, level);
    let own = settings.apply(&baseline, engines);
    for lock in above.locks_of(level) {
        for word in forbidden(known, settings, &own, lock, level) {
            report.void(word);
        }
    }
    Effective { own: own.at_least(&locked, engines), locked, baseline }
}

/// The settings of a school that are below one lock.
fn forbidden(
    known: &Known<'_>,
    settings: &LayerSettings,
    own: &Enforcement,
    lock: &EnforcementLock,
    level: Level,
) -> Vec<Diagnostic> {
    let engines = &known.safesearch.engines;
    let department = known.department;
    let by = || match lock.reason.as_str() {
        "" => messages::department_holds(&department.name, level.id()),
        reason => messages::department_holds_because(&department.name, level.id(), reason),
    };
    let looser = engines.0.iter().enumerate().filter(|(number, _)| {
        let rank = |of: &Enforcement| {
            engines.rank(*number, of.safe.0.get(*number).and_then(Option::as_ref))
        };
        rank(own) < rank(&lock.enforcement)
    });
    let (modal, plain): (Vec<_>, Vec<_>) = looser.partition(|(_, engine)| has_modes(engine));
    let contact = department.contact.as_str();
    let name_them = |key: &str| match contact {
        "" => messages::name_them(key),
        contact => messages::name_them_or_ask(key, contact),
    };
    let mut mistakes = Vec::new();
    if let (Some((_, span)), false) = (&settings.plain, plain.is_empty()) {
        let off = listed(plain.iter().map(|(_, engine)| engine.id.as_str()));
        let message = messages::safesearch_stays(off, by());
        mistakes.push(Diagnostic::new(span.clone(), message).hint(name_them("safesearch")));
    }
    if let (Some((mode, span)), Some((number, engine))) = (&settings.youtube, modal.first()) {
        let needed = engine.mode_of(lock.enforcement.safe.0.get(*number).and_then(Option::as_ref));
        let found = engine.mode_of(mode.target());
        let message = messages::mode_at_least("youtube", needed, found, by());
        let what = format!("youtube = \"{needed}\"");
        let hint = match contact {
            "" => messages::write_locked(what),
            contact => messages::write_locked_or_ask(what, contact),
        };
        mistakes.push(Diagnostic::new(span.clone(), message).hint(hint));
    }
    let open = lock.enforcement.canaries.iter().filter(|kind| !own.canaries.contains(kind));
    let open: Vec<&str> = open.map(|kind| kind.id()).collect();
    if let (Some((_, span)), false) = (&settings.canaries, open.is_empty()) {
        let message = messages::canaries_stay(listed(open), by());
        mistakes.push(Diagnostic::new(span.clone(), message).hint(name_them("canaries")));
    }
    mistakes
}
