//! Law: **a claim from outside the networks of its group
//! never lets through what the device's group blocks without it**, for policies, overrides, times
//! and names at random, as questions, as what answers point to, and for as long as an answer lives.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use lachan::dns::name::{Folded, Name};
use lachan::dns::rtype;
use lachan::overrides::StoredOverride;
use lachan::policy::group::strictness::Looser;
use lachan::policy::{Claims, GroupId, Snapshot, Verdict};
use lachan::resolve::{Now, Origin, Trust};
use proptest::prelude::*;

use super::{MIDNIGHT, identity};
use crate::kit::core::{Core, origin, synced};
use crate::kit::folder::{Folder, stored};
use crate::kit::wire::{an_address, first_ttl, query};

/// The groups, in their order; `a` is the default.
const GROUPS: [&str; 3] = ["a", "b", "c"];
const LISTED: [&str; 3] = ["games", "social", "gambling"];
const NAMES: [&str; 8] = [
    "games.example",
    "both.example",
    "chat.example",
    "own.example",
    "denied.example",
    "paper.example",
    "plain.example",
    "taixiu-x.example",
];
const OTHERS: [&str; 4] =
    ["www.google.com", "www.youtube.com", "mask.icloud.com", "use-application-dns.net"];

/// What a profile says, each part from strict to loose.
type Profile = ([bool; 3], Vec<&'static str>, Vec<&'static str>, [bool; 4], [usize; 4]);

fn some(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    // Mostly the same for all, else no two profiles could be compared.
    prop_oneof![4 => Just(Vec::new()), 1 => prop::sample::subsequence(words, 0..=words.len())]
}

fn profile() -> impl Strategy<Value = Profile> {
    let block = prop::array::uniform3(prop::bool::weighted(0.6));
    let flags = [0.2, 0.6, 0.3, 0.3].map(prop::bool::weighted);
    (block, some(&NAMES), some(&NAMES), flags, [0..3_usize, 0..3, 0..3, 0..5])
}

/// The profile in words; `more` makes it stricter in places, for a group that may be compared.
fn words(name: &str, profile: &Profile) -> String {
    let (block, allow, deny, [only, keywords, late, closes], choices) = profile;
    let block: Vec<&str> =
        LISTED.iter().zip(block).filter(|(_, is_in)| **is_in).map(|(id, _)| *id).collect();
    let [safe, youtube, canaries, answer] = *choices;
    let safe = ["\"off\"", "[\"google\"]", "\"all\""][safe];
    let youtube = ["off", "moderate", "strict"][youtube];
    let canaries = ["\"off\"", "[\"icloud\"]", "\"all\""][canaries];
    let answer = ["nxdomain", "nodata", "zero", "nxdomain", "refused"][answer];
    let during = match (late, closes) {
        (true, true) => "[profile.NAME.during.lessons]\nallow_only = true\n",
        (true, false) => "[profile.NAME.during.lessons]\nblock = [\"social\"]\n",
        (false, true) => "[profile.NAME.during.lessons]\nobserve = [\"games\"]\n",
        (false, false) => "",
    };
    format!(
        "[profile.{name}]\nlevel = \"upper-secondary\"\nblock = {block:?}\nallow = {allow:?}\n\
         deny = {deny:?}\nallow_only = {only}\nkeywords = {keywords}\nsafesearch = {safe}\n\
         youtube = \"{youtube}\"\ncanaries = {canaries}\nanswer = \"{answer}\"\n{}",
        during.replace("NAME", name)
    )
}

/// A profile that changes little of another one: mostly tighter.
fn near(base: Profile, change: Profile, mask: u16) -> Profile {
    let (mut block, mut allow, mut deny, mut flags, mut choices) = base;
    let has = |bit: u16| mask & (1 << bit) != 0;
    if has(0) {
        block = [0, 1, 2].map(|n| block[n] || change.0[n]);
    }
    if has(1) {
        deny.extend(change.2);
    }
    if has(2) {
        choices = [0, 1, 2]
            .map(|n| choices[n].max(change.4[n]))
            .into_iter()
            .chain([choices[3]])
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
    }
    if has(3) {
        flags[0] |= change.3[0];
        flags[1] |= change.3[1];
    }
    if has(4) && has(5) {
        allow = change.1;
    }
    // Other lessons: what they open and close is a reason of its own.
    if has(9) && has(10) {
        flags[2..].copy_from_slice(&change.3[2..]);
    }
    if has(6) && has(7) && has(8) {
        block = change.0;
        flags = change.3;
        choices = change.4;
    }
    (block, allow, deny, flags, choices)
}

fn overrides() -> impl Strategy<Value = Vec<StoredOverride>> {
    let names = prop::sample::subsequence(NAMES.to_vec(), 1..=3);
    let kind = prop::sample::select(vec!["exam", "lesson", "allow"]);
    let group = prop::sample::select(vec!["a", "b", "c", "*", "*"]);
    let one = (kind, group, 0_u64..1440, 1_u64..300, names, any::<bool>(), any::<bool>());
    let one = one.prop_map(|(kind, group, from, length, names, denies, opens)| {
        let times = [from, from + length].map(|minute| MIDNIGHT + minute * 60);
        let is_lesson = kind == "lesson";
        let deny = if denies && is_lesson { vec!["plain.example".into()] } else { Vec::new() };
        let categories = if opens && is_lesson { vec!["social".into()] } else { Vec::new() };
        StoredOverride { deny, categories, ..stored(kind, group, &names, times) }
    });
    prop::collection::vec(one, 0..=2)
}

#[derive(Debug, Clone)]
struct Case {
    config: String,
    overrides: Vec<StoredOverride>,
}

fn cases() -> impl Strategy<Value = Case> {
    let rest = (profile(), profile(), any::<[u16; 2]>(), any::<[bool; 2]>());
    let lists = prop::bool::weighted(0.2);
    let rest = (profile(), rest, overrides(), 0_u32..288, lists);
    rest.prop_map(|(a, (b, c, masks, [is_protected, is_closed]), overrides, start, answers)| {
        let (b, c) = (near(a.clone(), b, masks[0]), near(a.clone(), c, masks[1]));
        let mut config = String::from("default_group = \"a\"\n[school]\ntimezone = \"Asia/Ho_Chi_Minh\"\n");
        let _ = write!(config, "[rebinding]\nprotect = {is_protected}\n");
        config += "[lists]\nstarter = false\n";
        for (number, (group, body)) in GROUPS.iter().zip([&a, &b, &c]).enumerate() {
            let _ = write!(config, "[[group]]\nname = \"{group}\"\nprofile = \"{group}\"\nclients = [\"10.{number}.0.0/16\"]\n\
                 server_names = [\"{group}.dns.example\"]\nmacs = [\"a0:36:9f:00:00:0{number}\"]\n"
            );
            config += &words(group, body);
        }
        let clock = |n: u32| format!("{:02}:{:02}", n % 288 * 5 / 60, n % 288 * 5 % 60);
        let _ = write!(config, "[[schedule]]\nname = \"lessons\"\ntimes = [\"{}-{}\"]\n",
            clock(start),
            clock(start + 40)
        );
        for category in LISTED {
            let _ = write!(config, "[[lists.source]]\ncategory = \"{category}\"\npath = \"{category}.txt\"\n");
        }
        if answers {
            config += "[[lists.source]]\ncategory = \"violence\"\npath = \"answers.rpz\"\n";
        }
        if is_closed {
            config += "[[lists.source]]\ncategory = \"adult\"\npath = \"gone.txt\"\n";
        }
        Case { config, overrides }
    })
}

const FILES: [(&str, &str); 4] = [
    ("games.txt", "games.example\nboth.example\n"),
    ("social.txt", "chat.example\nboth.example\n"),
    ("gambling.txt", "bet.example\n"),
    ("answers.rpz", "$TTL 60\n@ SOA a. b. 1 1 1 1 1\nboth.example CNAME safe.example.\n"),
];

fn core(case: &Case, around: u64) -> Option<Core> {
    let folder = Folder::new(&case.config, &FILES);
    folder.policy_around(around, case.overrides.clone()).ok().map(Core::new)
}

/// The address of a client in the networks of a group.
fn client(group: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, group, 0, 5)
}

fn by_mac(group: u8) -> Claims {
    Claims { mac: Some(format!("a0:36:9f:00:00:0{group}").parse().unwrap()), ..Claims::NONE }
}

fn by_name(group: u8) -> Claims {
    let name = format!("{}.dns.example", GROUPS[usize::from(group)]);
    Claims { server_name: Some(name.as_str().into()), ..Claims::NONE }
}

/// Whether a client of `strict` never gets what one of `base` does not.
fn lets_more_through(
    snapshot: &Snapshot,
    (strict, base): (GroupId, GroupId),
    (name, qtype): (&Folded, u16),
    now: Now,
) -> Option<String> {
    let hashed = snapshot.hashed(name);
    let decide = |group| snapshot.decide(snapshot.rules_at(group, now), &hashed, qtype);
    let (ours, theirs) = (decide(strict), decide(base));
    let is_more = match (&ours, &theirs) {
        (Verdict::Block(_) | Verdict::Special(_) | Verdict::Canary(_), _)
        | (_, Verdict::Special(_)) => false,
        (_, Verdict::Block(_) | Verdict::Canary(_)) | (Verdict::Pass(_), Verdict::Safe(..)) => true,
        (Verdict::Pass(_) | Verdict::Safe(..), Verdict::Pass(_) | Verdict::Safe(..)) => false,
    };
    if is_more {
        return Some(format!("{ours:?} instead of {theirs:?}"));
    }
    let shield = |verdict: &Verdict| match verdict {
        Verdict::Pass(pass) | Verdict::Safe(pass, _) => Some(pass.is_shield()),
        _ => None,
    };
    let (ours, theirs) = (shield(&ours)?, shield(&theirs)?);
    let targets = NAMES.map(|name| Folded::from_name(&Name::from_text(name).unwrap()));
    let inside: [IpAddr; 1] = ["10.9.9.9".parse().unwrap()];
    for target in &targets {
        let aliases = std::slice::from_ref(target);
        let review = |group, is_shielded| {
            let active = snapshot.rules_at(group, now);
            let of_name = snapshot.explain_answer(active, &hashed, is_shielded, aliases, &[]);
            let of_address = snapshot.explain_answer(active, &hashed, is_shielded, &[], &inside);
            [of_name.is_some(), of_address.is_some()]
        };
        let (ours, theirs) = (review(strict, ours), review(base, theirs));
        if ours.iter().zip(&theirs).any(|(ours, theirs)| *theirs && !*ours) {
            return Some(format!("what it points to: {ours:?} instead of {theirs:?}"));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_claim_from_outside_lets_nothing_through_that_is_blocked_without_it(
        case in cases(),
        time in 0_u64..86_400,
        is_trusted in prop::bool::weighted(0.9),
    ) {
        let Some(core) = core(&case, MIDNIGHT + time) else {
            return Err(TestCaseError::reject("the policy is refused"));
        };
        let trust = if is_trusted { Trust::Synced } else { Trust::Untrusted };
        let now = Now { trust, ..synced(MIDNIGHT + time) };
        for (base, claimed) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
            let claims = by_mac(claimed);
            let placement = core.snapshot.group_of(identity(client(base), &claims), now);
            let is_accepted = placement.group == GroupId(claimed);
            prop_assert!(is_accepted || placement.group == GroupId(base));
            let pair = (GroupId(claimed), GroupId(base));
            // What is told of it is what was judged.
            prop_assert_eq!(core.snapshot.looser(pair.0, pair.1, now).is_none(), is_accepted);
            // It stays so until then.
            for civil in [placement.until - 1, now.civil + 60, now.civil + 3600] {
                if is_trusted && (now.civil..placement.until).contains(&civil) {
                    let later = core.snapshot.group_of(identity(client(base), &claims), synced(civil));
                    prop_assert_eq!(later.group, placement.group);
                }
            }
            if !is_accepted {
                continue;
            }
            for name in NAMES.iter().chain(&OTHERS) {
                for name in [(*name).to_owned(), format!("x.{name}")] {
                    let folded = Folded::from_name(&Name::from_text(&name).unwrap());
                    for qtype in [rtype::A, rtype::HTTPS] {
                        let more = lets_more_through(&core.snapshot, pair, (&folded, qtype), now);
                        prop_assert!(more.is_none(), "{name} {pair:?}: {more:?}\n{case:#?}");
                    }
                }
            }
        }
    }

    /// No answer is kept beyond the time at which the device would get another one, for its claim may
    /// be judged otherwise then.
    #[test]
    fn an_answer_does_not_outlive_its_placement(case in cases(), time in 0_u64..86_400) {
        let Some(core) = core(&case, MIDNIGHT + time) else {
            return Err(TestCaseError::reject("the policy is refused"));
        };
        let now = synced(MIDNIGHT + time);
        for (base, claimed) in [(0, 1), (0, 2), (1, 0)] {
            let claims = by_name(claimed);
            let from = Origin { claims: claims.clone(), ..origin(client(base)) };
            for name in NAMES {
                let wire = Name::from_text(name).unwrap();
                let asked = query(&wire, rtype::A);
                let reply = core.resolve_from(&asked, &from, now, |forward| {
                    an_address(&query(&forward.question().name, rtype::A))
                });
                let folded = Folded::from_name(&wire);
                let is_blocked = |civil| {
                    let now = synced(civil);
                    let group = core.snapshot.group_of(identity(client(base), &claims), now).group;
                    let rules = core.snapshot.rules_at(group, now);
                    let verdict = core.snapshot.decide(rules, &core.snapshot.hashed(&folded), rtype::A);
                    matches!(verdict, Verdict::Block(_))
                };
                let was_blocked = reply.outcome.blocked.is_some();
                let kept = first_ttl(&reply.octets).map_or(0, u64::from);
                for civil in (now.civil..now.civil + kept).step_by(60) {
                    prop_assert_eq!(is_blocked(civil), was_blocked, "{} {} {} {}\n{:#?}", name, base, claimed, civil, case);
                }
            }
        }
    }
}

/// Else the laws above would say little.
#[test]
fn policies_at_random_are_comparable_often_enough() {
    use proptest::strategy::ValueTree as _;

    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut moved, mut refused) = (0, 0, std::collections::BTreeSet::new());
    for _ in 0..80 {
        let (case, time) = (cases(), 0_u64..86_400).new_tree(&mut runner).unwrap().current();
        let now = synced(MIDNIGHT + time);
        let core = core(&case, now.civil).unwrap();
        for claimed in [1, 2] {
            let claims = by_mac(claimed);
            let found = core.snapshot.explain_group(identity(client(0), &claims), now);
            moved += usize::from(found.placement.until < u64::MAX);
            match core.snapshot.looser(GroupId(claimed), GroupId(0), now) {
                None => accepted += 1,
                Some(rule) => _ = refused.insert(rule.id()),
            }
        }
    }
    assert!(accepted > 30 && moved > 15, "{accepted} {moved}");
    let all = [
        Looser::Categories,
        Looser::Names,
        Looser::Keywords,
        Looser::SafeSearch,
        Looser::Canaries,
        Looser::Answer,
    ];
    let missing: Vec<&str> =
        all.map(Looser::id).into_iter().filter(|id| !refused.contains(id)).collect();
    assert!(missing.is_empty(), "never a reason: {missing:?}");
}
