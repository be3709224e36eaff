//! Keyword rules from outside: the shipped set on the names that shaped it, every rule set against
//! a naive reading of the grammar (`keywords/naive.rs`), and the shipped set on real lists
//! (`keywords/lists.rs`).

use lachan::category::Taxonomy;
use lachan::config::data::taxonomy;
use lachan::dns::name::{Folded, Name};
use lachan::matcher::keyword::{KeywordRules, Keywords, Tier};

mod lists;
mod naive;

const SHIPPED: &str = include_str!("../../../blocklists/keywords.txt");

fn categories() -> Taxonomy {
    taxonomy::parse(include_str!("../../../blocklists/categories.toml")).unwrap()
}

fn compile(text: &str) -> Keywords {
    match KeywordRules::parse(text, &categories()) {
        Ok(rules) => Keywords::compile(rules),
        Err(mistakes) => {
            let shown: String =
                mistakes.iter().map(|mistake| mistake.render("keywords.txt", text)).collect();
            panic!("{shown}")
        }
    }
}

fn folded(name: &str) -> Folded {
    Folded::from_name(&Name::from_text(name).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// `block adult`, `observe gambling`, or `-`: what decides, blocks before observations.
fn verdict(keywords: &Keywords, taxonomy: &Taxonomy, name: &str) -> String {
    let found = keywords.lookup(&folded(name));
    let first = found.block.first().map(|id| (Tier::Block, id));
    let first = first.or_else(|| found.observe.first().map(|id| (Tier::Observe, id)));
    first.map_or("-".into(), |(tier, id)| format!("{} {}", tier.id(), taxonomy.category(id).id))
}

/// Checks `(name, expected)` against the shipped set and shows all differences at once.
fn expect(claims: &[(&str, &str)]) {
    let (keywords, taxonomy) = (compile(SHIPPED), categories());
    let wrong: Vec<String> = claims
        .iter()
        .filter_map(|(name, expected)| {
            let found = verdict(&keywords, &taxonomy, name);
            (found != *expected).then(|| {
                let rules = keywords.trace(&folded(name));
                format!("{name}: expected {expected}, found {found} by {rules:?}")
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_boundary_rule_holds_on_the_names_that_forced_it() {
    expect(&[
        // 1. Games in French, and the site it looks like.
        ("jeuxvideos.com", "-"),
        ("www.jeuxvideo24.com", "-"),
        ("xvideos.example", "block adult"),
        ("xvideo-hd.example", "block adult"),
        // 2. A shield kills a hit that starts inside it, and no other in the label.
        ("essexcamping.com", "-"),
        ("essexsexcam.com", "block adult"),
        ("sexcamping.example", "block adult"),
        // 3. Identifiers are not words; short words count where names are registered.
        ("fb88d35d-3299-4c4f-8a9c-1f2e3d4c5b6a.resources.example", "-"),
        ("fb88vn.com", "block gambling"),
        ("bk8d4asi.micpn.com", "-"),
        ("bk8.example", "block gambling"),
        ("bk8.bk8xyz.example.vn", "-"),
        // 4. Banks in Italy and Spain; shooting fish in Viet Nam.
        ("banca5.com", "-"),
        ("abanca.com", "-"),
        ("bancadoithuong.example", "block gambling"),
        // 5. Hubs and softness.
        ("nanohub.org", "-"),
        ("technohub.example", "-"),
        ("axosoft.com", "-"),
        ("exosome.example", "-"),
        ("nohu-vip.example", "block gambling"),
        ("xosomienbac247.example", "block gambling"),
        // 6. Brands inside other words.
        ("kubetail.com", "-"),
        ("kubet77.example", "block gambling"),
        ("sunwing.ca", "-"),
        ("sunwin.example", "block gambling"),
        ("iwin.com", "-"),
        ("iwin68.example", "block gambling"),
        ("thabet.example", "-"),
        ("thabet99.example", "block gambling"),
        ("germanclub.example", "-"),
        ("avalontv.example", "-"),
        // 7. Vietnamese without its accents.
        ("danhbacongty.example", "-"),
        ("danhba-cong-ty.example", "-"),
        ("danhbac88.example", "block gambling"),
        ("nhacaitao.example", "-"),
        ("nhacaiuytin.example", "block gambling"),
        ("baucu.example", "-"),
        ("baucuaonline.example", "-"),
        ("baucua.example", "block gambling"),
        ("quatvn.example", "observe adult"),
        ("cacuocmo.example", "-"),
        ("cacuoc.example", "block gambling"),
        // 8. Other languages and places.
        ("zhentai.example", "-"),
        ("shentaiwang.example", "-"),
        ("chentai.example", "-"),
        ("hentaivn.example", "block adult"),
        ("pornthip.example", "-"),
        ("siriporn.example", "-"),
        ("pornic.fr", "-"),
        ("pornichet.fr", "-"),
        ("xxxlutz.at", "-"),
        ("milforddailynews.com", "-"),
        ("milf-x.example", "block adult"),
        // 9. 88 says nothing.
        ("f88.vn", "-"),
        ("truong88.example", "-"),
        ("fb88.example", "block gambling"),
        // 10. A wing is no win.
        ("68wing.com", "-"),
        ("68win.example", "block gambling"),
        // 11. Protected space.
        ("taixiu.gov.vn", "-"),
        ("casino.thpt.edu.vn", "-"),
        ("kubet.org.vn", "-"),
        ("poker.mit.edu", "-"),
        ("casino.example.vn", "block gambling"),
    ]);
}

#[test]
fn words_of_other_trades_are_left_alone() {
    expect(&[
        ("alphabet.com", "-"),
        ("abet.org", "-"),
        ("tibet.net", "-"),
        ("bet-shemesh.example", "observe gambling"),
        ("24better.com", "-"),
        ("win10help.example", "-"),
        ("bookavisit.example", "-"),
        ("sussex.ac.uk", "-"),
        ("bankofessex.com", "-"),
        ("safesex.example", "-"),
        ("convoyeurs.example", "-"),
        ("pussycatdolls.example", "-"),
        ("salon88.example", "-"),
    ]);
}

#[test]
fn accents_hide_nothing_and_look_alikes_match_nothing() {
    expect(&[
        ("tàixỉu.vn", "block gambling"),
        ("nổhũ88.vn", "block gambling"),
        ("xổsố.vn", "block gambling"),
        ("lôđề88.vn", "block gambling"),
        ("nhàcáiuytín.vn", "block gambling"),
        ("đánhbạc.vn", "block gambling"),
        ("xócđĩa.vn", "block gambling"),
        ("xn--tixu-0na8507b.vn", "block gambling"),
        // Shooting fish alone is a bank without its accents, and so no rule.
        ("bắncá.vn", "-"),
        ("tiếngviệt.vn", "-"),
        ("chínhphủ.vn", "-"),
        // Cyrillic о; the rest of the label reads `casino`.
        ("casinо.example", "-"),
        // Not decodable.
        ("xn--99999999.example", "-"),
    ]);
}

#[test]
fn registry_labels_and_a_leading_www_are_not_inspected() {
    let keywords = compile(
        "block gambling *com*\nblock gambling *www-1*\nblock gambling *vn*\nblock gambling *blogspot*",
    );
    let hits = |name: &str| !keywords.lookup(&folded(name)).block.is_empty();
    assert!(!hits("www.truong.com.vn"));
    assert!(!hits("com.vn"));
    assert!(hits("a.www-1.truong.vn"));
    // The private section is not a registry: its labels are inspected.
    assert!(hits("truong.blogspot.com"));
}

#[test]
fn top_level_domains_and_their_protection() {
    let keywords = compile("tld block gambling bet\ntld observe adult bet\nprotect truong.bet");
    let found = keywords.lookup(&folded("bat-ky.bet"));
    assert_eq!((found.block.is_empty(), found.observe.is_empty()), (false, false));
    assert_eq!(keywords.lookup(&folded("thu-vien.truong.bet")).block.first(), None);
    assert_eq!(keywords.lookup(&folded("bet.example")).block.first(), None);
}

#[test]
fn the_trace_names_each_rule_its_line_and_the_label() {
    let keywords = compile("# rules\nblock gambling *taixiu*\n\nobserve gambling |tai# # why\n");
    let name = folded("tai8.taixiu-taixiu.vn");
    let trace: Vec<String> = keywords
        .trace(&name)
        .iter()
        .map(|hit| {
            format!("{} {} line {} label {}", hit.tier.id(), hit.pattern, hit.line, hit.label)
        })
        .collect();
    // `tai` has three letters and so counts in the registered label only.
    assert_eq!(trace, ["block *taixiu* line 2 label 1"]);
    let trace = keywords.trace(&folded("tai8.vn"));
    assert_eq!(trace.first().map(|hit| (hit.pattern, hit.line)), Some(("|tai#", 4)));
}

#[test]
fn the_digest_follows_the_meaning_and_not_the_order() {
    let digest = |text: &str| compile(text).digest();
    let one = digest("block adult *abc*\nshield abcd\nprotect x.vn\n");
    assert_eq!(one, digest("# note\nprotect X.vn.\nshield abcd\n\nblock adult *abc*\n"));
    assert_ne!(one, digest("observe adult *abc*\nshield abcd\nprotect x.vn\n"));
    assert_ne!(one, digest("block gambling *abc*\nshield abcd\nprotect x.vn\n"));
    assert_ne!(one, digest("block adult *abc*\nprotect x.vn\n"));
}

#[test]
fn very_many_rules_take_the_small_automaton_and_mean_the_same() {
    use std::fmt::Write as _;
    let mut text = String::from("block gambling ^taixiu$\n");
    for n in 0..6000 {
        writeln!(text, "observe adult ^w{n}x$").unwrap();
    }
    let keywords = compile(&text);
    assert_eq!(keywords.len(), 6001);
    let found = keywords.lookup(&folded("taixiu.w5999x.vn"));
    assert_eq!((found.block.is_empty(), found.observe.is_empty()), (false, false));
    assert!(keywords.lookup(&folded("w6000x.vn")).observe.is_empty());
}

#[test]
fn the_shipped_set_reads_without_a_mistake_and_without_a_repetition() {
    let mut lines: Vec<&str> =
        SHIPPED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let all = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), all, "a line stands twice");
    assert!(compile(SHIPPED).len() > 500);
}
