//! Real lists, whole, against an independent reference.
//!
//! Three categories of real names are written as text lists and served by the real
//! binary. The reference below shares no code with it: sets of strings, and a walk over
//! the dots of the name asked for.
//!
//! The lists are data from outside the repository (`kit::data`).

use std::collections::HashSet;
use std::time::Duration;

use crate::kit::data;
use crate::support::{Answer, Ask, Gateway, PUPIL, TWO_GROUPS, Upstream};

/// Categories in the taxonomy's order, each with its file of names.
const LISTS: [(&str, &str); 3] = [
    ("adult", "categories/adult.txt.zst"),
    ("gambling", "categories/gambling.txt.zst"),
    ("malware", "categories/malware-phishing.txt.zst"),
];
const POPULAR: &str = "popular/combined-popular.txt.zst";
/// Names asked of each kind.
const ASKED: usize = 1000;

const PROFILES: &str = r#"
[profile.pupils]
level = "lower-secondary"
block = ["adult", "gambling", "malware"]

[profile.staff]
level = "staff"
block = []
"#;

/// What the reference knows: names as strings, nothing else.
struct Reference<'a> {
    lists: Vec<(&'a str, HashSet<&'a str>)>,
    essential: HashSet<&'a str>,
    canaries: HashSet<&'a str>,
}

/// What an answer must be.
#[derive(Debug, PartialEq, Eq)]
enum Expected<'a> {
    Blocked(&'a str),
    Canary,
    Upstream,
}

impl<'a> Reference<'a> {
    fn expects(&self, name: &str) -> Expected<'a> {
        if is_listed(&self.canaries, name) {
            return Expected::Canary;
        }
        // `=name` is exactly that name.
        let is_essential = self.essential.contains(format!("={name}").as_str());
        if is_essential || is_listed(&self.essential, name) {
            return Expected::Upstream;
        }
        let mut found = self.lists.iter().filter(|(_, names)| is_listed(names, name));
        found.next().map_or(Expected::Upstream, |(category, _)| Expected::Blocked(category))
    }
}

/// Whether a name or what is behind one of its dots is in the set.
fn is_listed(names: &HashSet<&str>, name: &str) -> bool {
    let behind_dots = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]);
    std::iter::once(name).chain(behind_dots).any(|suffix| names.contains(suffix))
}

/// The lines of a file of ours, without comments, and without what is before a space.
fn own_names(text: &str) -> HashSet<&str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().last()).collect()
}

/// `count` of `names`, evenly spread.
fn spread<'a>(names: &[&'a str], count: usize) -> Vec<&'a str> {
    assert!(names.len() >= count, "only {} names", names.len());
    (0..count).map(|number| names[number * names.len() / count]).collect()
}

/// What an answer was.
fn seen(answer: &Answer) -> String {
    let ede = answer.ede().map_or(String::new(), |(code, text)| format!(" EDE {code} {text}"));
    format!("{} {:?}{ede}", answer.rcode(), answer.answers())
}

/// Whether an answer is what the reference expects.
fn agrees(answer: &Answer, expected: &Expected<'_>) -> bool {
    match expected {
        Expected::Upstream => answer.rcode() == "NOERROR" && answer.answers() == ["A 192.0.2.1"],
        Expected::Canary => answer.rcode() == "NXDOMAIN" && answer.ede().is_some(),
        Expected::Blocked(category) => {
            let wanted = format!("category={category} ");
            answer.rcode() == "NXDOMAIN"
                && answer.soa().is_some()
                && answer.ede().is_some_and(|(code, text)| code == 15 && text.starts_with(&wanted))
        }
    }
}

#[test]
fn real_lists_are_answered_as_a_set_of_strings_would() {
    let needed: Vec<&str> = LISTS.iter().map(|(_, file)| *file).chain([POPULAR]).collect();
    let Some(dir) = data::lists("real_lists", &needed) else { return };
    let texts = LISTS.map(|(category, file)| (category, data::text(&dir.join(file))));
    let popular = data::text(&dir.join(POPULAR));
    let reference = Reference {
        lists: texts.iter().map(|(category, text)| (*category, text.lines().collect())).collect(),
        essential: own_names(include_str!("../../blocklists/essential.txt")),
        canaries: own_names(include_str!("../../blocklists/canaries.txt")),
    };
    let upstream = Upstream::start();
    let sources = texts.iter().map(|(category, _)| {
        format!("\n[[lists.source]]\ncategory = \"{category}\"\npath = \"{category}.txt\"\n")
    });
    // Keywords would find some of the popular names too.
    let groups = TWO_GROUPS.replace("[lists]", "[lists]\nuse_keywords = false");
    let config = groups + PROFILES + &sources.collect::<String>();
    let plan = Gateway::plan(&config).upstream(&upstream);
    let plan = texts
        .iter()
        .fold(plan, |plan, (category, text)| plan.file(&format!("{category}.txt"), text));
    let gateway = plan.start_within(Duration::from_secs(60));

    let listed: Vec<&str> = texts.iter().flat_map(|(_, text)| text.lines()).collect();
    let exact_and_below = |(number, name): (usize, &&str)| {
        if number.is_multiple_of(2) { (*name).to_owned() } else { format!("a-label.{name}") }
    };
    let asked: Vec<String> =
        spread(&listed, ASKED).iter().enumerate().map(exact_and_below).collect();
    let popular: Vec<&str> = popular.lines().collect();
    let (mut blocked, mut wrong) = (0, Vec::new());
    for name in asked.iter().map(String::as_str).chain(spread(&popular, ASKED)) {
        let expected = reference.expects(name);
        let answer = Ask::new(name, "A").from(PUPIL).edns(1232).expect(gateway.dns);
        blocked += usize::from(matches!(expected, Expected::Blocked(_)));
        if !agrees(&answer, &expected) {
            wrong.push(format!("{name}: expected {expected:?}, seen {}", seen(&answer)));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!((ASKED..2 * ASKED).contains(&blocked), "{blocked} names were to be blocked");
    let listed = listed.iter().collect::<HashSet<_>>().len();
    eprintln!(
        "{listed} names listed; asked {ASKED} listed and {ASKED} popular ones: {blocked} blocked, \
         no answer differs from the reference"
    );
}
