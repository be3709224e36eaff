//! `why` and the wire are one: for policies, times and names at random, what is explained is what
//! is answered, and the steps that are told are the order of policy.

use std::net::{IpAddr, Ipv4Addr};

use lachan::dns::name::{Folded, Name};
use lachan::dns::rtype;
use lachan::overrides::StoredOverride;
use lachan::policy::explain::Explanation;
use lachan::policy::verdict::StepFinding;
use lachan::policy::{Layer, Verdict};
use lachan::resolve::{AnswerSource, Forward, Now, Outcome, Trust};
use proptest::prelude::*;

use crate::kit::core::{Core, listener};
use crate::kit::folder::{Folder, stored};
use crate::kit::policies::{FILES, Policy, policies, questions};
use crate::kit::wire::{QNAME, an_address, first_ttl, query, record, response};

const GROUPS: &str = r#"
default_group = "pupils"
[school]
timezone = "Asia/Ho_Chi_Minh"
[lists]
starter = false
[[group]]
name = "pupils"
profile = "pupils"
[[group]]
name = "staff"
clients = ["10.2.0.0/16"]
profile = "staff"
"#;
/// 2026-11-30T00:00 in Hanoi, a Monday.
const MIDNIGHT: u64 = 1_795_971_600;

/// The order, as `docs/concepts/decision-order.md` has it, with the two places where a step may be come by again: an essential name of the
/// config behind locks, and a category that a lesson opens.
const ORDER: [Layer; 16] = [
    Layer::SpecialUse,
    Layer::Canary,
    Layer::Illegal,
    Layer::Essential,
    Layer::DepartmentDeny,
    Layer::Locked,
    Layer::Essential,
    Layer::FailClosed,
    Layer::Override,
    Layer::SchoolAllow,
    Layer::SchoolDeny,
    Layer::DepartmentAllow,
    Layer::Override,
    Layer::Category,
    Layer::AllowList,
    Layer::Keyword,
];

/// The core under a policy; none where the policy itself is refused.
fn core(policy: &Policy, overrides: Vec<StoredOverride>, around: u64) -> Option<Core> {
    let config = format!("{GROUPS}{}", policy.config).replace("{upstream}", "9");
    let folder = Folder::new(&config, &FILES);
    folder.write("department.toml", &policy.department);
    folder.policy_around(around, overrides).ok().map(Core::new)
}

impl Core {
    /// What `why` explains.
    fn explain(&self, client: Ipv4Addr, name: &Folded, qtype: u16, now: Now) -> Explanation<'_> {
        let group = self.snapshot.group_by_address(IpAddr::V4(client), listener());
        let subject = self.snapshot.hashed(name);
        self.snapshot.explain(self.snapshot.rules_at(group, now), &subject, qtype)
    }

    /// What the wire carries: what is counted of it, and how long it may be kept. Upstream knows
    /// an address of all.
    fn wire(&self, client: Ipv4Addr, name: &Name, qtype: u16, now: Now) -> (Outcome, Option<u32>) {
        self.wire_to(client, name, qtype, now, |name, qtype| an_address(&query(name, qtype)))
    }

    /// The same where upstream answers so.
    fn wire_to(
        &self,
        client: Ipv4Addr,
        name: &Name,
        qtype: u16,
        now: Now,
        answer: impl Fn(&Name, u16) -> Vec<u8>,
    ) -> (Outcome, Option<u32>) {
        let upstream = |forward: &Forward| answer(&forward.question().name, qtype);
        let reply = self.resolve(&query(name, qtype), client, now, upstream);
        (reply.outcome, first_ttl(&reply.octets))
    }
}

/// `name` is an alias of `target`, which has an address.
fn alias(name: &Name, target: &Name) -> Vec<u8> {
    let target = target.as_wire();
    let records = [
        record(QNAME, rtype::CNAME, 3600, target),
        record(target, rtype::A, 3600, &[192, 0, 2, 1]),
    ];
    response(&query(name, rtype::A), 0, &records, &[])
}

/// Where what is explained and what is answered differ.
fn difference(verdict: &Verdict, outcome: &Outcome, qtype: u16) -> Option<&'static str> {
    let is_any = qtype == rtype::ANY;
    let is_resolved = matches!(
        outcome.source,
        AnswerSource::Upstream | AnswerSource::Cache | AnswerSource::Local
    );
    match verdict {
        Verdict::Special(_) => {
            (outcome.source != AnswerSource::Local || outcome.canary.is_some()).then_some("special")
        }
        Verdict::Canary(kind) => (outcome.canary != Some(*kind)).then_some("canary"),
        Verdict::Block(block) => {
            let category = outcome.blocked.map(|(category, _)| category);
            (category != Some(block.category) || outcome.source != AnswerSource::Blocked)
                .then_some("block")
        }
        Verdict::Pass(_) | Verdict::Safe(..)
            if outcome.blocked.is_some() || outcome.canary.is_some() || !is_resolved =>
        {
            Some("pass")
        }
        Verdict::Pass(_) | Verdict::Safe(..) if is_any => None,
        Verdict::Pass(pass) => (outcome.safe.is_some() || outcome.observed != pass.observed)
            .then_some("what is counted of a pass"),
        Verdict::Safe(pass, engine) => {
            (outcome.safe != Some(*engine) || outcome.observed != pass.observed).then_some("safe")
        }
    }
}

/// Whether a client cannot tell one from the other by what it gets.
fn is_same_answer(now: &Verdict, then: &Verdict) -> bool {
    match (now, then) {
        (Verdict::Pass(_), Verdict::Pass(_)) => true,
        (Verdict::Safe(_, now), Verdict::Safe(_, then)) => now == then,
        (now, then) => now == then,
    }
}

/// Whether the steps are some of the order, in its order, up to the one that decided.
fn are_in_order(explanation: &Explanation<'_>) -> bool {
    let mut order = ORDER.iter();
    let plain = |layer: Layer| if layer == Layer::Help { Layer::Essential } else { layer };
    let is_ordered =
        explanation.steps.iter().all(|(step, _)| order.any(|place| *place == plain(*step)));
    let (decided, last) = (
        explanation.steps.iter().filter(|(_, found)| *found == StepFinding::Decided).count(),
        explanation.steps.last().copied(),
    );
    let by = |layer: Layer| decided == 1 && last == Some((layer, StepFinding::Decided));
    is_ordered
        && match explanation.verdict {
            Verdict::Special(_) => by(Layer::SpecialUse),
            Verdict::Canary(_) => by(Layer::Canary),
            Verdict::Block(block) => by(block.layer),
            Verdict::Pass(pass) | Verdict::Safe(pass, _) => match pass.layer {
                Layer::Category | Layer::Default => {
                    decided == 0 && last.is_some_and(|(step, _)| step == Layer::Keyword)
                }
                layer => by(layer),
            },
        }
}

/// An override: its kind, whom, from when and for how long in minutes, and what.
fn overrides() -> impl Strategy<Value = Vec<StoredOverride>> {
    let names =
        prop::sample::subsequence(vec!["games.example", "paper.example", "denied.example"], 1..=3);
    let one = (any::<bool>(), any::<bool>(), 0_u64..1440, 1_u64..300, names, any::<bool>());
    let one = one.prop_map(|(is_exam, is_staff, from, length, names, has_category)| {
        let (kind, group) =
            (if is_exam { "exam" } else { "lesson" }, if is_staff { "staff" } else { "pupils" });
        let times = [from, from + length].map(|minute| MIDNIGHT + minute * 60);
        let categories = if has_category && !is_exam { vec!["social".into()] } else { Vec::new() };
        StoredOverride { categories, ..stored(kind, group, &names, times) }
    });
    prop::collection::vec(one, 0..=2)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn what_is_explained_is_what_is_answered(
        policy in policies(),
        overrides in overrides(),
        questions in questions(24),
        time in 0_u64..86_400,
        is_trusted in prop::bool::weighted(0.9),
    ) {
        let Some(core) = core(&policy, overrides, MIDNIGHT + time) else {
            return Err(TestCaseError::reject("the policy is refused"));
        };
        let trust = if is_trusted { Trust::Synced } else { Trust::Untrusted };
        let at = |civil| Now { mono: civil, civil, trust };
        let civil = MIDNIGHT + time;
        for (name, qtype, is_staff) in questions {
            let client = Ipv4Addr::new(10, 1 + u8::from(is_staff), 0, 5);
            let wire = Name::from_text(&name).unwrap();
            let folded = Folded::from_name(&wire);
            let now = core.explain(client, &folded, qtype, at(civil));
            // In the moment, and around the edge that `why` names.
            let group = core.snapshot.group(core.snapshot.group_by_address(client.into(), listener()));
            let edge = group.rules.changes(at(civil)).map(|(edge, _)| edge).find(|&edge| {
                core.explain(client, &folded, qtype, at(edge)).verdict != now.verdict
            });
            let moments = [Some(civil), edge.map(|edge| edge - 1), edge];
            for civil in moments.into_iter().flatten() {
                let explained = core.explain(client, &folded, qtype, at(civil));
                prop_assert!(are_in_order(&explained), "{name}: {explained:?}");
                let (outcome, ttl) = core.wire(client, &wire, qtype, at(civil));
                // Nobody keeps it beyond the edge that changes it.
                let kept = ttl.map_or(civil, |ttl| civil + u64::from(ttl));
                for (edge, _) in group.rules.changes(at(civil)).filter(|(edge, _)| *edge < kept) {
                    let then = core.explain(client, &folded, qtype, at(edge)).verdict;
                    prop_assert!(is_same_answer(&explained.verdict, &then), "{name} {ttl:?} at {civil}: {then:?}");
                }
                let different = difference(&explained.verdict, &outcome, qtype);
                prop_assert!(
                    different.is_none(),
                    "{different:?}: {name} {qtype} from {client} at {civil}: {:?}\n{outcome:?}\n{}\n{}",
                    explained.verdict, policy.config, policy.department
                );
                if Some(civil) != edge {
                    prop_assert_eq!(&explained.verdict, &now.verdict, "before the edge");
                }
            }
        }
    }
}

/// Whether the answer to a name that passes must be blocked for what it points to; none where
/// the name would be blocked only because nobody allowed it, which is for questions.
fn must_block(target: &Verdict, is_shield: bool) -> Option<bool> {
    match target {
        Verdict::Block(block) => match block.layer {
            Layer::Illegal | Layer::DepartmentDeny | Layer::Locked => Some(true),
            Layer::SchoolDeny | Layer::Category | Layer::Keyword => Some(!is_shield),
            _ => None,
        },
        Verdict::Pass(_) | Verdict::Safe(..) => Some(false),
        Verdict::Special(_) | Verdict::Canary(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// What a name is blocked for as a question it is blocked for behind an alias too, unless the
    /// question's name was let through by name; and that never opens what is locked. Fresh, and
    /// from the cache, whoever asked first.
    #[test]
    fn what_an_answer_points_to_is_judged_as_it_would_be_asked(
        policy in policies(),
        overrides in overrides(),
        names in questions(16),
        targets in questions(16),
        time in 0_u64..86_400,
    ) {
        let now = Now { mono: 1, civil: MIDNIGHT + time, trust: Trust::Synced };
        let Some(core) = core(&policy, overrides, now.civil) else {
            return Err(TestCaseError::reject("the policy is refused"));
        };
        let clients = [Ipv4Addr::new(10, 1, 0, 5), Ipv4Addr::new(10, 2, 0, 5)];
        for (number, ((name, ..), (target, _, is_staff_first))) in names.iter().zip(&targets).enumerate() {
            // A name of its own for each pair: the cache has what upstream said first.
            let name = Name::from_text(&format!("a{number}.{name}")).unwrap();
            let target = Name::from_text(target).unwrap();
            let order = if *is_staff_first { [1, 0, 1, 0] } else { [0, 1, 0, 1] };
            for client in order.map(|place| clients[place]) {
                let explain = |name: &Name| core.explain(client, &Folded::from_name(name), rtype::A, now).verdict;
                let Verdict::Pass(pass) = explain(&name) else { continue };
                let Some(expected) = must_block(&explain(&target), pass.is_shield()) else { continue };
                let (outcome, _) =
                    core.wire_to(client, &name, rtype::A, now, |asked, qtype| {
                        if *asked == target { an_address(&query(asked, qtype)) } else { alias(asked, &target) }
                    });
                // A local record may have an address inside, which no public name may lead to.
                let folded = Folded::from_name(&target);
                if !expected && core.snapshot.local_name(&core.snapshot.hashed(&folded)).is_some() {
                    continue;
                }
                prop_assert_eq!(
                    outcome.source == AnswerSource::Blocked, expected,
                    "{} → {} for {}: {:?}\n{}\n{}", name, target, client, outcome, policy.config, policy.department
                );
            }
        }
    }
}

/// A step's id is the first word in backquotes behind its number and name.
#[test]
fn the_order_is_the_one_in_the_document() {
    let text = include_str!("../../docs/concepts/decision-order.md");
    let id = |line: &'static str| {
        let (number, step) = line.split_once(". **")?;
        number.parse::<u8>().ok()?;
        Some(step.split('`').nth(1).unwrap_or(""))
    };
    let ids: Vec<&str> = text.lines().filter_map(id).collect();
    let policy = ORDER.map(Layer::id);
    assert_eq!(ids[0], "admission");
    assert_eq!(ids[1..=policy.len()], policy);
    assert_eq!(ids[policy.len() + 1..], ["safesearch", "any", "", ""]);
}

/// Else the laws above would say little.
#[test]
fn policies_at_random_reach_every_step() {
    use proptest::strategy::ValueTree as _;

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let generate = (policies(), overrides(), questions(24), 0_u64..86_400);
    let (mut reached, mut refused) = (std::collections::BTreeSet::new(), 0);
    for _ in 0..120 {
        let (policy, overrides, questions, time) =
            generate.new_tree(&mut runner).unwrap().current();
        let Some(core) = core(&policy, overrides, MIDNIGHT + time) else {
            refused += 1;
            continue;
        };
        let now = Now { mono: 1, civil: MIDNIGHT + time, trust: Trust::Synced };
        for (name, qtype, is_staff) in questions {
            let client = Ipv4Addr::new(10, 1 + u8::from(is_staff), 0, 5);
            let folded = Folded::from_name(&Name::from_text(&name).unwrap());
            reached.insert(match core.explain(client, &folded, qtype, now).verdict {
                Verdict::Special(_) => "special-use",
                Verdict::Canary(_) => "canary",
                Verdict::Block(block) => block.layer.id(),
                Verdict::Pass(pass) => pass.layer.id(),
                Verdict::Safe(..) => "safesearch",
            });
        }
    }
    assert!(refused < 60, "{refused} of 120 are refused");
    let reached: Vec<&str> = reached.into_iter().collect();
    assert_eq!(
        reached,
        [
            "allow-list",
            "canary",
            "category",
            "default",
            "department-allow",
            "department-deny",
            "essential",
            "fail-closed",
            "help",
            "illegal",
            "keyword",
            "locked",
            "override",
            "safesearch",
            "school-allow",
            "school-deny",
            "special-use",
        ]
    );
}
