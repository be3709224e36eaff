//! Scenarios cite steps of `docs/concepts/decision-order.md`; each citation leads somewhere.

use std::collections::BTreeSet;
use std::path::Path;

use super::file::directory;

const ORDER: &str = include_str!("../../../docs/concepts/decision-order.md");
/// What stands between the name of the document and the numbers of its steps, and between those.
const BETWEEN: [&str; 7] = ["step", "steps", "and", "to", "before", "in", "itself"];

/// The numbers of the steps, in the order of the document.
fn steps() -> Vec<u32> {
    let number = |line: &str| line.split_once(". **").and_then(|(number, _)| number.parse().ok());
    ORDER.lines().filter_map(number).collect()
}

/// The steps that a text cites behind each name of the document; of a range, all.
fn cited(text: &str) -> Vec<u32> {
    let comment = |line: &str| line.trim_start_matches(['#', '/', '!', ' ']).to_owned();
    let text: Vec<String> = text.lines().map(comment).collect();
    let mut found = Vec::new();
    for rest in text.join(" ").split("decision-order.md").skip(1) {
        let mut is_range = false;
        for word in rest.split_whitespace() {
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
            if let Ok(number) = bare.parse() {
                let first =
                    if is_range { found.last().map_or(number, |last| last + 1) } else { number };
                found.extend(first..=number);
            } else if !bare.is_empty() && !BETWEEN.contains(&bare) {
                break;
            }
            if word.contains([':', ')', '.']) {
                break;
            }
            is_range = bare == "to";
        }
    }
    found
}

#[test]
fn citations_are_read() {
    for (text, steps) in [
        ("# decision-order.md, step 7: 8 of them", vec![7]),
        ("# x (decision-order.md, steps 3, 11\n# and 13), and 14", vec![3, 11, 13]),
        ("# decision-order.md, step 5 before 6 to 8, and step 9: an", vec![5, 6, 7, 8, 9]),
        ("# decision-order.md, step 10 before 12, and the 2 overrides", vec![10, 12]),
        ("//! (`docs/concepts/decision-order.md`, step 20). 4", vec![20]),
        ("# as in decision-order.md and 3 others: 4", vec![3]),
    ] {
        assert_eq!(cited(text), steps, "{text}");
    }
}

#[test]
fn each_cited_step_is_in_the_order_and_each_step_is_cited() {
    let steps = steps();
    assert!(steps.iter().copied().eq(1..=steps.len() as u32), "{steps:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scenarios = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let mut all = BTreeSet::new();
    for path in scenarios.chain([root.join("src/policy/tables/local_zones.rs")]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let cites = cited(&text);
        let wrong: Vec<_> = cites.iter().filter(|step| !steps.contains(step)).collect();
        assert!(wrong.is_empty(), "{}: no steps {wrong:?} in the order", path.display());
        assert_eq!(text.contains("decision-order.md"), !cites.is_empty(), "{}", path.display());
        all.extend(cites);
    }
    let uncited: Vec<_> = steps.iter().filter(|step| !all.contains(step)).collect();
    assert!(uncited.is_empty(), "no scenario is about steps {uncited:?}");
}
