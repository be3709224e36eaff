use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::*;
use crate::category::{Category, CategoryLock, CategorySet, DefaultAction, LegalDuty, Taxonomy};
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::matcher::build::{Builder, Rule};
use crate::policy::group::enforcement::Enforcement;
use crate::policy::group::time::Now;
use crate::policy::group::timeline::Timeline;
use crate::policy::tables::categories::FailMode;
use crate::policy::tables::local_zones::LocalZoneParts;
use crate::policy::tables::names::Essential;
use crate::policy::tables::rewrite::{Engine, EngineId, Engines, SafeModes};
use crate::policy::tables::sources::SourcePlaces;
use crate::policy::tables::special::Special;
use crate::policy::tables::urgent::UrgentRule;
use crate::release::emergency::UrgentAction;
use crate::rule::{Action, Effect, Scope};

const IDS: [&str; 6] = ["csam", "legal_request", "adult", "gambling", "games", "safe"];

fn taxonomy() -> Taxonomy {
    let row = |id: &str| Category {
        id: id.into(),
        vi: id.into(),
        en: id.into(),
        lock: CategoryLock::None,
        is_protected: id == "csam",
        is_sensitive: id == "csam",
        is_positive: id == "safe",
        fails_closed: id == "adult",
        duty: match id {
            "csam" => Some(LegalDuty::Law),
            "legal_request" => Some(LegalDuty::Request),
            _ => None,
        },
        defaults: [DefaultAction::Block; 7],
    };
    Taxonomy::new(IDS.iter().map(|id| row(id)).collect()).unwrap()
}

fn set(ids: &[&str]) -> CategorySet {
    let taxonomy = taxonomy();
    ids.iter().map(|id| taxonomy.find(id).unwrap()).collect()
}

fn names(texts: &[&str]) -> Vec<Name> {
    texts.iter().map(|text| Name::from_text(text).unwrap()).collect()
}

fn snapshot() -> Snapshot {
    snapshot_without(CategorySet::EMPTY)
}

/// What is listed.
fn listed() -> (Taxonomy, Builder) {
    let listed = [
        ("csam.example", "csam"),
        ("order.example", "legal_request"),
        ("adult.example", "adult"),
        ("games.example", "games"),
        ("bet.example", "gambling"),
        ("both.example", "games"),
        ("both.example", "adult"),
        ("time.example", "games"),
        ("school.example", "games"),
        ("school.example", "safe"),
    ];
    let taxonomy = taxonomy();
    let mut builder = Builder::new(5);
    for (name, category) in listed {
        let category = taxonomy.find(category).unwrap();
        let rule = Rule {
            category,
            scope: Scope::Subtree,
            effect: Effect::Add,
            action: Action::Default,
            source: 0,
        };
        builder.add(Name::from_text(name).unwrap().as_wire(), rule).unwrap();
    }
    (taxonomy, builder)
}

/// The snapshot when the lists of the `closed` categories are missing.
fn snapshot_without(closed: CategorySet) -> Snapshot {
    snapshot_under(closed, Vec::new())
}

/// The same under urgent entries.
fn snapshot_under(closed: CategorySet, urgent: Vec<(Name, UrgentRule)>) -> Snapshot {
    let (taxonomy, builder) = listed();
    let pupils = GroupRules {
        name: "pupils".into(),
        clients: vec!["10.1.0.0/16".parse().unwrap()],
        level: crate::category::Level::Primary,
        profile: None,
        listeners: vec![],
        claims: GroupClaims::default(),
        lessons: CategorySet::EMPTY,
        is_allow_only: false,
        lesson_schedule: None,
        during: vec![],
        baseline: Actions::default(),
        block: set(&["adult", "games"]),
        observe: CategorySet::EMPTY,
        locked: set(&["gambling"]),
        allow: names(&["adult.example", "bet.example", "x.deny.example"]),
        deny: names(&["deny.example", "time.example"]),
        keywords: true,
        answer: AnswerMode::NxDomain,
        enforcement: Enforcement {
            safe: SafeModes(vec![Some(Name::from_text("safe.engine.example").unwrap())]),
            canaries: CanaryKind::ALL.to_vec(),
        },
        enforcement_locked: Enforcement::default(),
        enforcement_baseline: Enforcement::default(),
    };
    let staff = GroupRules {
        name: "staff".into(),
        clients: vec!["10.2.0.0/16".parse().unwrap()],
        block: CategorySet::EMPTY,
        observe: set(&["games"]),
        allow: vec![],
        deny: vec![],
        enforcement: Enforcement { safe: SafeModes::default(), ..pupils.enforcement.clone() },
        ..pupils.clone()
    };
    Snapshot::new(Parts {
        taxonomy: Arc::new(taxonomy),
        lists: Arc::new(builder.build().unwrap()),
        local: Arc::new([]),
        sealed: Arc::default(),
        sources: SourcePlaces::default(),
        keywords: Arc::default(),
        facts_tag: 1,
        addresses: vec![],
        rebinding: None,
        department: (names(&["free.example"]), names(&["forbidden.example"])),
        groups: vec![always(pupils, 0), always(staff, 1)],
        default_group: 0,
        access: vec!["10.0.0.0/8".parse().unwrap()],
        essential: vec![
            (Name::from_text("time.example").unwrap(), Scope::Exact, Essential::Shipped),
            (Name::from_text("help.example").unwrap(), Scope::Subtree, Essential::Help),
            (Name::from_text("bet.example").unwrap(), Scope::Subtree, Essential::Own),
            (Name::from_text("update.example").unwrap(), Scope::Exact, Essential::Own),
        ],
        fail_mode: FailMode { missing: closed, fails_closed: closed, ..FailMode::default() },
        urgent,
        local_zones: LocalZoneParts::default(),
        canaries: vec![(Name::from_text("mask.icloud.com").unwrap(), CanaryKind::ICloud)],
        engines: Engines(vec![Engine {
            id: "engine".into(),
            hosts: names(&["engine.example", "games.example"]),
            modes: vec![(String::new(), Name::from_text("safe.engine.example").unwrap())],
            is_third_party: false,
        }]),
        block_ttl: 30,
        ede_text: true,
    })
}

/// A group that no schedule binds.
fn always(group: GroupRules, counters: u8) -> (GroupRules, Timeline<GroupState>, GroupCounters) {
    let urgent_at = Some(NOW.civil);
    let states = Timeline::constant(GroupState { urgent_at, ..group.state(|_| false, []) });
    (group, states, GroupCounters(counters))
}

const NOW: Now = Now { mono: 1, civil: 1_800_000_000, trust: group::time::Trust::Synced };
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 53);

fn verdict(client: &str, name: &str) -> Verdict {
    verdict_of(&snapshot(), client, name)
}

fn verdict_of(snapshot: &Snapshot, client: &str, name: &str) -> Verdict {
    let name = Folded::from_name(&Name::from_text(name).unwrap());
    let group = snapshot.group_by_address(client.parse().unwrap(), LOCAL);
    match snapshot.decide(snapshot.rules_at(group, NOW), &snapshot.hashed(&name), rtype::A) {
        Verdict::Block(block) => {
            // Lists name what lists block, and nothing else.
            let is_lists = matches!(block.layer, Layer::Illegal | Layer::Locked | Layer::Category);
            assert!(is_lists || block.named == 0, "{block:?}");
            Verdict::Block(Block { named: 0, ..block })
        }
        other => other,
    }
}

const PUPIL: &str = "10.1.0.9";
const STAFF: &str = "10.2.0.9";

fn block(layer: Layer, category: &str) -> Verdict {
    Verdict::Block(Block::without_list(layer, taxonomy().find(category), Action::Default))
}

fn pass(layer: Layer) -> Verdict {
    Verdict::Pass(Pass { layer, observed: CategorySet::EMPTY })
}

#[test]
fn the_order_of_layers_holds() {
    assert_eq!(verdict(PUPIL, "a.onion"), Verdict::Special(Special::NxDomain));
    assert_eq!(verdict(STAFF, "mask.icloud.com"), Verdict::Canary(CanaryKind::ICloud));
    assert_eq!(verdict(STAFF, "csam.example"), block(Layer::Illegal, "csam"));
    assert_eq!(verdict(STAFF, "www.order.example"), block(Layer::Illegal, "legal_request"));
    // Essential wins over the school's deny and over a listed category, for itself only.
    assert_eq!(verdict(PUPIL, "time.example"), pass(Layer::Essential));
    assert_eq!(verdict(PUPIL, "x.time.example"), block(Layer::SchoolDeny, "games"));
    // A school allow wins over a plain category, never over a locked one.
    assert_eq!(verdict(PUPIL, "www.adult.example"), pass(Layer::SchoolAllow));
    assert_eq!(verdict(PUPIL, "bet.example"), block(Layer::Locked, "gambling"));
    // The longest of the school's own names wins.
    assert_eq!(verdict(PUPIL, "deny.example"), block(Layer::SchoolDeny, "none"));
    assert_eq!(verdict(PUPIL, "y.x.deny.example"), pass(Layer::SchoolAllow));
    assert_eq!(verdict(PUPIL, "games.example"), block(Layer::Category, "games"));
    assert_eq!(verdict(PUPIL, "school.example"), pass(Layer::DepartmentAllow));
    assert_eq!(verdict(PUPIL, "other.example"), pass(Layer::Default));
}

#[test]
fn the_first_category_is_reported_and_observed_ones_pass() {
    assert_eq!(verdict(PUPIL, "both.example"), block(Layer::Category, "adult"));
    assert_eq!(
        verdict(STAFF, "games.example"),
        Verdict::Pass(Pass { layer: Layer::Category, observed: set(&["games"]) })
    );
}

#[test]
fn an_urgent_entry_acts_as_its_category_and_an_allow_as_the_departments() {
    let entry = |name: &str, action, category: &str| {
        let category = taxonomy().find(category).unwrap();
        let rule = UrgentRule { action, category, from: 0, until: NOW.civil + 1 };
        (Name::from_text(name).unwrap(), rule)
    };
    let (add, allow, warn) = (UrgentAction::Block, UrgentAction::Allow, UrgentAction::Warn);
    let urgent = vec![
        entry("new.example", add, "legal_request"),
        entry("plain.example", add, "games"),
        entry("adult.example", add, "gambling"),
        entry("bet.example", allow, "games"),
        entry("games.example", allow, "games"),
        entry("order.example", allow, "legal_request"),
        entry("csam.example", allow, "legal_request"),
        entry("forbidden.example", allow, "games"),
        entry("deny.example", allow, "games"),
        entry("warned.example", warn, "legal_request"),
    ];
    let snapshot = snapshot_under(CategorySet::EMPTY, urgent);
    let verdict = |client, name| verdict_of(&snapshot, client, name);
    for client in [PUPIL, STAFF] {
        assert_eq!(verdict(client, "a.new.example"), block(Layer::Illegal, "legal_request"));
        // No allow is above a legal duty.
        assert_eq!(verdict(client, "csam.example"), block(Layer::Illegal, "csam"));
        assert_eq!(verdict(client, "order.example"), block(Layer::Illegal, "legal_request"));
    }
    assert_eq!(verdict(PUPIL, "plain.example"), block(Layer::Category, "games"));
    // A school's allow does not open a lock that an entry adds.
    assert_eq!(verdict(PUPIL, "adult.example"), block(Layer::Locked, "gambling"));
    // An allow opens locks and plain categories of lists, not what config denies.
    assert_eq!(verdict(STAFF, "bet.example"), pass(Layer::Essential));
    assert_eq!(verdict(PUPIL, "a.bet.example"), pass(Layer::Essential));
    let safe = verdict(STAFF, "games.example");
    let observed = set(&["games"]);
    assert_eq!(safe, Verdict::Pass(Pass { layer: Layer::DepartmentAllow, observed }));
    assert_eq!(verdict(PUPIL, "forbidden.example"), block(Layer::DepartmentDeny, "none"));
    assert_eq!(verdict(PUPIL, "deny.example"), block(Layer::SchoolDeny, "none"));
    // A warning counts.
    let observed = set(&["legal_request"]);
    let counted = Verdict::Pass(Pass { layer: Layer::Default, observed });
    assert_eq!(verdict(PUPIL, "warned.example"), counted);
    // An answer that leads to a blocked name is blocked.
    let alias = Folded::from_name(&Name::from_text("cdn.new.example").unwrap());
    let hashed = snapshot.hashed(&alias);
    let (active, facts) = (snapshot.rules_at(GroupId(0), NOW), snapshot.facts(&hashed));
    assert!(!snapshot.is_silent(active, &facts));
    let found = snapshot.review(active, &hashed, &facts, true, Spared::default);
    assert_eq!(found.map(|block| block.layer), Some(Layer::Illegal));
}

#[test]
fn every_client_has_a_group() {
    let snapshot = snapshot();
    assert_eq!(snapshot.group_by_address("10.2.3.4".parse().unwrap(), LOCAL), GroupId(1));
    assert_eq!(snapshot.group_by_address("192.0.2.1".parse().unwrap(), LOCAL), GroupId(0));
    assert!(snapshot.answers("10.9.9.9".parse().unwrap()));
    assert!(!snapshot.answers("192.0.2.1".parse().unwrap()));
}

#[test]
fn a_shield_holds_against_plain_categories_only() {
    let snapshot = snapshot();
    let asked = Folded::from_name(&Name::from_text("asked.example").unwrap());
    let question = snapshot.hashed(&asked);
    let review = |name, is_shielded| {
        let name = Folded::from_name(&Name::from_text(name).unwrap());
        let hashed = snapshot.hashed(&name);
        snapshot
            .review(
                snapshot.rules_at(GroupId(0), NOW),
                &hashed,
                &snapshot.facts(&hashed),
                is_shielded,
                || snapshot.spared(&question),
            )
            .map(|b| b.layer)
    };
    assert_eq!(review("games.example", false), Some(Layer::Category));
    assert_eq!(review("games.example", true), None);
    assert_eq!(review("deny.example", true), None);
    assert_eq!(review("bet.example", true), Some(Layer::Locked));
    assert_eq!(review("csam.example", true), Some(Layer::Illegal));
}

#[test]
fn allowed_names_of_locked_categories_are_found() {
    let snapshot = snapshot();
    let found = snapshot.void_allows();
    let shown: Vec<String> = found.iter().map(|l| format!("{:?} {}", l.group, l.name)).collect();
    assert_eq!(shown, ["Some(\"pupils\") bet.example.", "None bet.example."]);
}

#[test]
fn texts_name_the_category_but_not_a_protected_one() {
    let snapshot = snapshot();
    let text = |id: &str| String::from_utf8(snapshot.text(taxonomy().find(id)).to_vec()).unwrap();
    assert!(text("adult").starts_with("category=adult ref=03-"));
    assert!(text("csam").starts_with("ref=01-"));
    assert!(text("none").starts_with("ref=00-"));
}

#[test]
fn safe_search_takes_what_passed_and_nothing_else() {
    let safe = Pass { layer: Layer::Default, observed: CategorySet::EMPTY };
    assert_eq!(verdict(PUPIL, "engine.example"), Verdict::Safe(safe, EngineId(0)));
    // The exact host only, and only where the group enforces it.
    assert_eq!(verdict(PUPIL, "mail.engine.example"), pass(Layer::Default));
    assert_eq!(verdict(STAFF, "engine.example"), pass(Layer::Default));
    // An explicit block wins.
    assert_eq!(verdict(PUPIL, "games.example"), block(Layer::Category, "games"));
}

#[test]
fn a_closed_category_leaves_essential_and_good_names() {
    let snapshot = snapshot_without(set(&["adult", "csam"]));
    let decide = |client: &str, name: &str| verdict_of(&snapshot, client, name);
    let closed = |category: &str| {
        let category = taxonomy().find(category);
        Verdict::Block(Block::without_list(Layer::FailClosed, category, Action::NxDomain))
    };
    assert_eq!(decide(PUPIL, "example.com"), closed("csam"));
    assert_eq!(decide(STAFF, "example.com"), closed("csam"));
    // Not what the school allows either, nor a search engine.
    assert_eq!(decide(PUPIL, "x.deny.example"), closed("csam"));
    assert_eq!(decide(PUPIL, "engine.example"), closed("csam"));
    assert_eq!(decide(PUPIL, "time.example"), pass(Layer::Essential));
    assert_eq!(decide(PUPIL, "help.example"), pass(Layer::Help));
    assert_eq!(decide(PUPIL, "update.example"), pass(Layer::Essential));
    assert_eq!(decide(PUPIL, "school.example"), pass(Layer::DepartmentAllow));
    // A listed name is blocked by its own category, not as fail-closed.
    assert_eq!(decide(STAFF, "csam.example"), block(Layer::Illegal, "csam"));
    assert_eq!(decide(PUPIL, "bet.example"), block(Layer::Locked, "gambling"));
    // Staff do not block adult: its missing list is nothing to them.
    let snapshot = snapshot_without(set(&["adult"]));
    assert_eq!(verdict_of(&snapshot, STAFF, "example.com"), pass(Layer::Default));
}

#[test]
fn an_essential_name_of_the_config_does_not_open_a_lock() {
    assert_eq!(verdict(PUPIL, "bet.example"), block(Layer::Locked, "gambling"));
    assert_eq!(verdict(PUPIL, "update.example"), pass(Layer::Essential));
}
