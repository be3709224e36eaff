//! Exports are read back by the readers of lists, and block what the list blocks at the level.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;

use proptest::prelude::*;

use super::level::LevelPolicy;
use super::{Export, ExportError, ExportFormat, ExportReport, Lost};
use crate::blocklist::{Format, ScopeChoice, parse};
use crate::category::{CategoryId, Level};
use crate::dns::name::{Folded, Name};
use crate::pack::{Compiler, SEED};
use crate::rule::{Action, Effect, Rule, Scope};

/// The categories of lists here, by number.
const CATEGORIES: [&str; 4] = ["adult", "safe", "ads_trackers", "legal_request"];
/// The first response policy zone among the sources.
const ZONES: u16 = 4;

fn wire(name: &str) -> Vec<u8> {
    Name::from_text(name).unwrap().as_wire().to_vec()
}

fn rule(category: usize, scope: Scope, effect: Effect, action: Action) -> Rule {
    let source = if effect == Effect::Rpz { ZONES } else { 0 } + category as u16;
    Rule { category: CategoryId::new(category).unwrap(), scope, effect, action, source }
}

fn adult(scope: Scope, effect: Effect) -> Rule {
    rule(0, scope, effect, Action::Default)
}

/// A gateway of a level with these rules.
fn policy(level: Level, rules: &[(Vec<u8>, Rule)]) -> LevelPolicy {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("release.pack");
    let mut compiler = Compiler::new(SEED, CATEGORIES.map(str::to_owned));
    for (wire, rule) in rules {
        compiler.add(wire, *rule).unwrap();
    }
    fs::write(&path, compiler.finish(Cursor::new(Vec::new())).unwrap().into_inner()).unwrap();
    LevelPolicy::of(level, scratch.path()).unwrap()
}

fn named(level: Level, rules: &[(&str, Rule)]) -> LevelPolicy {
    let rules: Vec<_> = rules.iter().map(|(name, rule)| (wire(name), *rule)).collect();
    policy(level, &rules)
}

fn is_blocked(policy: &LevelPolicy, name: &str) -> bool {
    policy.fate(&Folded::from_name(&Name::from_text(name).unwrap())).is_block()
}

fn export_max(
    policy: &LevelPolicy,
    format: ExportFormat,
    max: Option<u64>,
    popular: &[&str],
) -> Result<(String, ExportReport), ExportError> {
    let popular: Vec<Name> = popular.iter().map(|name| Name::from_text(name).unwrap()).collect();
    let export = Export { policy, format, max, popular: &popular, serial: Some(7) };
    let mut out = Vec::new();
    let report = export.write(&mut out)?;
    Ok((String::from_utf8(out).unwrap(), report))
}

fn export(policy: &LevelPolicy, format: ExportFormat) -> (String, ExportReport) {
    export_max(policy, format, None, &[]).unwrap()
}

/// The lines that are no comment and no head.
fn rules_of(text: &str) -> Vec<&str> {
    let is_rule =
        |line: &&str| !line.starts_with(['#', '!', ';', '$', '@']) || line.starts_with("@@");
    text.lines().filter(is_rule).collect()
}

/// The policy of an export, as a list of `adult`; no line of it may be rejected.
fn read_back(text: &str, format: Format) -> LevelPolicy {
    let parsed = parse(text.as_bytes(), format, ScopeChoice::AsFormat);
    assert_eq!(parsed.rejects, BTreeMap::new(), "{:?}\n{text}", parsed.examples);
    let rules: Vec<(Vec<u8>, Rule)> = parsed
        .rules()
        .map(|one| (one.name.to_vec(), rule(0, one.scope, one.effect, one.action)))
        .collect();
    policy(Level::Primary, &rules)
}

#[test]
fn every_format_says_what_it_can_of_scopes_and_exceptions() {
    let policy = named(
        Level::Primary,
        &[
            ("tree.vn", adult(Scope::Subtree, Effect::Add)),
            ("fine.tree.vn", adult(Scope::Subtree, Effect::Clear)),
            ("deep.fine.tree.vn", adult(Scope::Subtree, Effect::Add)),
            ("alone.vn", adult(Scope::Exact, Effect::Add)),
            ("under.vn", adult(Scope::Below, Effect::Add)),
            ("plain.vn", adult(Scope::Subtree, Effect::Add)),
            ("more.plain.vn", adult(Scope::Subtree, Effect::Add)),
        ],
    );
    let shown = |format| rules_of(&export(&policy, format).0).join("\n");
    assert_eq!(
        shown(ExportFormat::Rpz),
        "alone.vn CNAME .\nplain.vn CNAME .\n*.plain.vn CNAME .\ntree.vn CNAME .\n*.tree.vn CNAME .\n\
         fine.tree.vn CNAME rpz-passthru.\n*.fine.tree.vn CNAME rpz-passthru.\n\
         deep.fine.tree.vn CNAME .\n*.deep.fine.tree.vn CNAME .\n*.under.vn CNAME ."
    );
    assert_eq!(
        shown(ExportFormat::Abp),
        "|alone.vn^\n||plain.vn^\n||tree.vn^\n@@||fine.tree.vn^\n||deep.fine.tree.vn^$important\n\
         ||under.vn^\n@@|under.vn^"
    );
    assert_eq!(shown(ExportFormat::Domains), "plain.vn\ndeep.fine.tree.vn");
    assert_eq!(
        shown(ExportFormat::Adlist),
        "0.0.0.0 alone.vn\n0.0.0.0 plain.vn\n0.0.0.0 www.plain.vn\n0.0.0.0 more.plain.vn\n\
         0.0.0.0 tree.vn\n0.0.0.0 www.tree.vn\n0.0.0.0 deep.fine.tree.vn\n0.0.0.0 www.under.vn"
    );
    assert!(shown(ExportFormat::Hosts).contains(":: alone.vn"));
    let (_, report) = export(&policy, ExportFormat::Domains);
    let lost = |kind| report.lost.get(&kind).copied().unwrap_or(0);
    assert_eq!([Lost::Exact, Lost::Below, Lost::Exception].map(lost), [1, 1, 1]);
}

#[test]
fn a_level_blocks_its_categories_and_nobody_blocks_what_schools_need() {
    let rules = [
        ("track.vn", rule(2, Scope::Subtree, Effect::Add, Action::Default)),
        ("naked.vn", adult(Scope::Subtree, Effect::Add)),
        ("good.naked.vn", rule(1, Scope::Subtree, Effect::Add, Action::Default)),
        ("order.vn", rule(3, Scope::Subtree, Effect::Add, Action::Default)),
        ("moet.gov.vn", rule(3, Scope::Subtree, Effect::Add, Action::Default)),
        ("google.com", adult(Scope::Subtree, Effect::Add)),
        ("ntp.org", adult(Scope::Subtree, Effect::Add)),
    ];
    for level in Level::ALL {
        let policy = named(level, &rules);
        let (text, report) = export(&policy, ExportFormat::Rpz);
        let has = |line: &str| text.lines().any(|one| one == line);
        assert!(has("naked.vn CNAME .") || level == Level::Preschool, "{level:?}\n{text}");
        assert!(has("*.order.vn CNAME .") || level == Level::Preschool, "{level:?}\n{text}");
        assert_eq!(
            has("track.vn CNAME ."),
            is_blocked(&policy, "track.vn") && level != Level::Preschool
        );
        assert!(!has("moet.gov.vn CNAME ."), "{level:?}\n{text}");
        // An allow list is no list that blocks.
        assert!(!has("google.com CNAME .") || level == Level::Preschool, "{level:?}\n{text}");
        assert!(!has("pool.ntp.org CNAME ."), "{level:?}\n{text}");
        assert!(has("pool.ntp.org CNAME rpz-passthru."), "{level:?}\n{text}");
        assert!(report.lost.contains_key(&Lost::Guarded));
    }
}

#[test]
fn an_allow_list_is_a_zone_or_nothing() {
    let rules = [("good.vn", rule(1, Scope::Subtree, Effect::Add, Action::Default))];
    let policy = named(Level::Preschool, &rules);
    let (text, _) = export(&policy, ExportFormat::Rpz);
    let lines = rules_of(&text);
    for line in ["* CNAME .", "good.vn CNAME rpz-passthru.", "*.good.vn CNAME rpz-passthru."] {
        assert!(lines.contains(&line), "{line}\n{text}");
    }
    // Names that exist in the zone would hide the wildcard above them.
    assert!(lines.contains(&"vn CNAME .") && lines.contains(&"*.vn CNAME ."), "{text}");
    for format in
        [ExportFormat::Domains, ExportFormat::Hosts, ExportFormat::Adlist, ExportFormat::Abp]
    {
        let refused = export_max(&policy, format, None, &[]).unwrap_err();
        assert!(matches!(refused, ExportError::AllowList { .. }), "{refused}");
    }
}

#[test]
fn a_limit_keeps_what_many_use_and_then_the_first_categories() {
    let mut rules = vec![
        ("famous.vn".to_owned(), rule(2, Scope::Subtree, Effect::Add, Action::Default)),
        ("other.vn".to_owned(), rule(2, Scope::Subtree, Effect::Add, Action::Default)),
        ("cdn.used.vn".to_owned(), rule(2, Scope::Exact, Effect::Add, Action::Default)),
    ];
    for number in 0..5 {
        rules.push((format!("n{number}.vn"), adult(Scope::Subtree, Effect::Add)));
    }
    let rules: Vec<_> = rules.iter().map(|(name, rule)| (name.as_str(), *rule)).collect();
    let policy = named(Level::Primary, &rules);
    let of = |format, max| {
        let (text, report) =
            export_max(&policy, format, Some(max), &["cdn.used.vn", "www.famous.vn"]).unwrap();
        assert!(report.rules <= max, "{text}");
        (rules_of(&text).join(" "), report)
    };
    let (text, report) = of(ExportFormat::Domains, 3);
    assert_eq!(text, "famous.vn n0.vn n1.vn");
    assert_eq!(report.left_out, BTreeMap::from([("adult".into(), 3), ("ads_trackers".into(), 1)]));
    // Two lines a name.
    let (text, _) = of(ExportFormat::Adlist, 4);
    assert_eq!(text, "0.0.0.0 famous.vn 0.0.0.0 www.famous.vn 0.0.0.0 cdn.used.vn");
    assert_eq!(of(ExportFormat::Rpz, 0).0, "");
    assert_eq!(of(ExportFormat::Domains, 100).1.left_out, BTreeMap::new());
}

#[test]
fn sealed_categories_are_refused_and_equal_lists_give_equal_octets() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("release.pack");
    let mut compiler = Compiler::new(SEED, ["csam".to_owned()]);
    compiler.add(&wire("a.vn"), adult(Scope::Subtree, Effect::Add)).unwrap();
    fs::write(&path, compiler.finish(Cursor::new(Vec::new())).unwrap().into_inner()).unwrap();
    let sealed = LevelPolicy::of(Level::Primary, scratch.path()).unwrap();
    let refused = export_max(&sealed, ExportFormat::Domains, None, &[]).unwrap_err();
    assert!(matches!(refused, ExportError::Sealed(_)), "{refused}");

    let mut rules = vec![
        ("b.vn", adult(Scope::Subtree, Effect::Add)),
        ("a.b.vn", adult(Scope::Subtree, Effect::Clear)),
        ("c.vn", adult(Scope::Exact, Effect::Add)),
    ];
    let first = export(&named(Level::Primary, &rules), ExportFormat::Rpz);
    rules.reverse();
    assert_eq!(export(&named(Level::Primary, &rules), ExportFormat::Rpz), first);
}

#[test]
fn odd_names_never_become_other_rules() {
    let odd = [&b"\x01*\x03odd\x02vn\0"[..], b"\x05a.b;c\x02vn\0", b"\x02\xc3\xa9\x02vn\0"];
    let rules: Vec<_> =
        odd.iter().map(|wire| (wire.to_vec(), adult(Scope::Subtree, Effect::Add))).collect();
    let policy = policy(Level::Primary, &rules);
    for format in [ExportFormat::Rpz, ExportFormat::Domains, ExportFormat::Hosts, ExportFormat::Abp]
    {
        let (text, report) = export(&policy, format);
        assert_eq!(rules_of(&text), [""; 0], "{text}");
        assert_eq!(report.lost.get(&Lost::OddName), Some(&3));
    }
}

/// The answer of a zone to a program that looks for the wildcard of the closest name that exists.
fn by_closest(text: &str, name: &str) -> bool {
    let answers: BTreeMap<&str, &str> =
        rules_of(text).iter().filter_map(|line| line.split_once(" CNAME ")).collect();
    let mut exist: BTreeSet<&str> = BTreeSet::new();
    for owner in answers.keys() {
        let mut rest = *owner;
        exist.insert(rest);
        while let Some((_, above)) = rest.split_once('.') {
            exist.insert(above);
            rest = above;
        }
    }
    let mut answer = answers.get(name).copied();
    let mut rest = name;
    while answer.is_none() {
        let Some((_, above)) = rest.split_once('.') else { break };
        rest = above;
        if exist.contains(above) {
            answer = answers.get(format!("*.{above}").as_str()).copied();
            break;
        }
    }
    answer.is_some_and(|answer| answer != "rpz-passthru.")
}

/// The answer of a program in which an exception wins however short its name is.
fn by_adguard(text: &str, name: &str) -> bool {
    let mut best = (0, false);
    for line in rules_of(text) {
        let (rule, is_pass) = line.strip_prefix("@@").map_or((line, false), |rest| (rest, true));
        let (rule, weight) = rule.strip_suffix("$important").map_or((rule, 1), |rest| (rest, 3));
        let inner = rule.trim_start_matches('|').trim_end_matches('^');
        let is_below = rule.starts_with("||") && name.ends_with(&format!(".{inner}"));
        let weight = weight + usize::from(is_pass);
        if (name == inner || is_below) && weight > best.0 {
            best = (weight, !is_pass);
        }
    }
    best.1
}

/// Names in a small tree, so that rules meet.
fn names() -> impl Strategy<Value = String> {
    let label = prop_oneof![Just("a"), Just("b")];
    proptest::collection::vec(label, 0..4).prop_map(|labels| {
        labels.into_iter().chain(["school", "vn"]).collect::<Vec<&str>>().join(".")
    })
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let scope = prop_oneof![Just(Scope::Exact), Just(Scope::Subtree), Just(Scope::Below)];
    let kind = prop_oneof![
        4 => Just((Effect::Add, Action::Default)),
        1 => Just((Effect::AddImportant, Action::Default)),
        3 => Just((Effect::Clear, Action::Default)),
        1 => Just((Effect::ClearImportant, Action::Default)),
        1 => Just((Effect::Rpz, Action::NxDomain)),
        1 => Just((Effect::Rpz, Action::Passthru)),
        1 => Just((Effect::Rpz, Action::NoData)),
    ];
    (0..CATEGORIES.len(), scope, kind)
        .prop_map(|(category, scope, (effect, action))| rule(category, scope, effect, action))
}

/// Every name of the small tree, and one below each of which nothing is said.
fn every_name() -> Vec<String> {
    let mut names = vec!["school.vn".to_owned()];
    let mut from = 0;
    for _ in 0..4 {
        let until = names.len();
        for place in from..until {
            names.push(format!("a.{}", names[place]));
            names.push(format!("b.{}", names[place]));
        }
        from = until;
    }
    names.extend(names.clone().iter().map(|name| format!("other.{name}")));
    names
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// The law: no format blocks what the level lets pass; a zone and Adblock rules block the same.
    #[test]
    fn exports_block_what_the_list_blocks(
        rules in proptest::collection::vec((names(), a_rule()), 1..12)
    ) {
        let rules: Vec<_> = rules.iter().map(|(name, rule)| (wire(name), *rule)).collect();
        let policy = policy(Level::Primary, &rules);
        let (zone, _) = export(&policy, ExportFormat::Rpz);
        let (abp, of_abp) = export(&policy, ExportFormat::Abp);
        let (domains, _) = export(&policy, ExportFormat::Domains);
        let (hosts, _) = export(&policy, ExportFormat::Hosts);
        let by_zone = read_back(&zone, Format::Rpz);
        let by_abp = read_back(&abp, Format::Adblock);
        let by_domains = read_back(&domains, Format::Domains);
        let by_hosts = read_back(&hosts, Format::Hosts);
        let is_whole = !of_abp.lost.contains_key(&Lost::Exception);
        for name in every_name() {
            let wanted = is_blocked(&policy, &name);
            prop_assert_eq!(is_blocked(&by_zone, &name), wanted, "{}\n{}", name, zone);
            prop_assert_eq!(by_closest(&zone, &name), wanted, "{}\n{}", name, zone);
            if is_whole {
                prop_assert_eq!(is_blocked(&by_abp, &name), wanted, "{}\n{}", name, abp);
                prop_assert_eq!(by_adguard(&abp, &name), wanted, "{}\n{}", name, abp);
            }
            prop_assert!(wanted || !is_blocked(&by_domains, &name), "{}\n{}", name, domains);
            prop_assert!(wanted || !is_blocked(&by_hosts, &name), "{}\n{}", name, hosts);
        }
        for (wire, _) in &rules {
            let name = Name::from_wire(wire).unwrap().0.to_string();
            prop_assert_eq!(is_blocked(&by_hosts, &name), is_blocked(&policy, &name), "{}", hosts);
        }
    }
}
