//! What the documents promise: their configs load, and the tests that they name exist.

use std::fs;
use std::path::Path;

use lachan::config::load_text;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The code blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_config_that_a_newcomer_copies_loads() {
    for page in ["README.md", "docs/guide/school.md", "docs/guide/school.vi.md"] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let configs = blocks(&text, "toml");
        assert!(!configs.is_empty(), "{page} shows a config");
        for config in configs {
            if let Err(mistakes) = load_text(config, page, root()) {
                panic!("\n{mistakes}");
            }
        }
    }
}

/// A test as `docs/reference/standards.md` names it: a scenario, or a file and a function.
fn is_test(named: &str) -> bool {
    let (file, function) = named.split_once("::").unwrap_or((named, ""));
    let folder = if file.starts_with("src/") { root().to_owned() } else { root().join("tests") };
    let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
    if function.is_empty() {
        return file.starts_with("scenarios/") && !text.is_empty();
    }
    let before = text.split_once(&format!("fn {function}(")).map_or("", |(before, _)| before);
    before.trim_end().trim_end_matches("async").trim_end().ends_with("test]")
}

#[test]
fn the_table_of_standards_names_tests_that_exist() {
    let text = fs::read_to_string(root().join("docs/reference/standards.md")).unwrap();
    // A line of hyphens is below a header.
    let below = text.lines().skip(1).chain([""]);
    let rows = text
        .lines()
        .zip(below)
        .filter(|(line, below)| line.starts_with("| ") && !below.starts_with("|---"));
    let mut faults = Vec::new();
    let mut count = 0;
    for (row, _) in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let tests: Vec<&str> = cells.last().unwrap().split('`').skip(1).step_by(2).collect();
        if cells.len() != 4 || tests.is_empty() {
            faults.push(format!("no four cells, or no test: {row}"));
        }
        count += tests.len();
        faults.extend(tests.iter().filter(|test| !is_test(test)).map(|test| format!("no {test}")));
    }
    // What is named below the tables.
    let prose = text.rsplit("\n\n").next().unwrap();
    for test in prose.split('`').skip(1).step_by(2).filter(|word| word.contains("::")) {
        faults.extend((!is_test(test)).then(|| format!("no {test}")));
    }
    assert!(count > 30, "{count} tests are named");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn each_yes_of_the_checklists_names_a_test_and_each_no_says_why() {
    let text = fs::read_to_string(root().join("docs/reference/checklists.md")).unwrap();
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| Criterion");
    let mut faults = Vec::new();
    let mut answers = [0; 3];
    for row in text.lines().filter(is_row) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, answer, why, tests] = cells[..] else {
            faults.push(format!("no four cells: {row}"));
            continue;
        };
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        match ["yes", "partly", "no"].iter().position(|known| *known == answer) {
            Some(found) => answers[found] += 1,
            None => faults.push(format!("another answer: {row}")),
        }
        if why.is_empty() || named.is_empty() != (answer == "no") {
            faults.push(format!("no reason, or no test, or a test of what is not: {row}"));
        }
        faults.extend(named.iter().filter(|test| !is_test(test)).map(|test| format!("no {test}")));
    }
    assert!(answers.iter().all(|count| *count > 9), "yes, partly, no: {answers:?}");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn each_law_of_privacy_names_a_test_of_its_own() {
    let text = fs::read_to_string(root().join("docs/concepts/privacy.md")).unwrap();
    for number in 1..=10 {
        let start = format!("| P{number} |");
        let row = text.lines().find(|line| line.starts_with(&start)).unwrap();
        assert!(row.contains(&format!("::p{number}_")), "{row}");
    }
    let mut named = text.split('`').skip(1).step_by(2).filter(|word| word.contains(".rs::"));
    assert_eq!(named.clone().count(), 19);
    assert_eq!(named.find(|test| !is_test(test)), None);
}

#[test]
fn each_attack_of_the_threat_model_names_a_test_or_what_is_not_defended() {
    let text = fs::read_to_string(root().join("docs/concepts/threat-model.md")).unwrap();
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| attack |");
    let (mut faults, mut count) = (Vec::new(), 0);
    for row in text.lines().filter(is_row) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, defence, tests, left] = cells[..] else {
            faults.push(format!("no four cells: {row}"));
            continue;
        };
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        count += named.len();
        // What has no test is not called defended.
        if defence.is_empty() || named.is_empty() && left.is_empty() {
            faults.push(format!("neither a test nor what is left: {row}"));
        }
        faults.extend(named.iter().filter(|test| !is_test(test)).map(|test| format!("no {test}")));
    }
    assert!(count > 40, "{count} tests are named");
    assert!(faults.is_empty(), "{faults:#?}");
}

/// What `deploy/department/door.yml` lets through is what a gateway exports: a label that it does not
/// know would be taken off each pushed series.
#[test]
fn the_departments_door_knows_each_label_of_the_metrics() {
    let door = fs::read_to_string(root().join("deploy/department/door.yml")).unwrap();
    let known = door.split_once("regex: \"(__name__|").and_then(|(_, rest)| rest.split_once(")\""));
    let known: Vec<&str> = known.expect("the rule of all labels").0.split('|').collect();
    let text = fs::read_to_string(root().join("docs/reference/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `lachan_"));
    let cells = rows.map(|row| row.split('|').nth(3).unwrap());
    let exported: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let unknown: Vec<_> = exported.iter().filter(|label| !known.contains(label)).collect();
    assert!(exported.len() > 30 && unknown.is_empty(), "door.yml does not know {unknown:?}");
    // With `__name__`, `school`, `via`, `job`: fewer than the store takes of a series.
    assert!(known.len() + 4 < 64, "{}; -maxLabelsPerTimeseries of the department", known.len());
}

/// Each file that series pass offers one rule, in a comment, that drops raw counts of the categories that
/// the yearly report hides; a rule without one of them would leave it in.
#[test]
fn the_rule_against_raw_counts_has_each_category_that_the_report_hides() {
    let text = fs::read_to_string(root().join("blocklists/categories.toml")).unwrap();
    let rows = text.split("[[category]]").filter(|row| row.contains("\nprivacy = \"sensitive\""));
    let mut hidden: Vec<&str> =
        rows.map(|row| row.split("id = \"").nth(1).unwrap().split('"').next().unwrap()).collect();
    hidden.push("protected");
    hidden.sort_unstable();
    let regex = format!(
        "lachan_(blocked|observed)_total;({})|lachan_source_matches_total;.*",
        hidden.join("|")
    );
    let rule =
        format!("- action: drop\n  source_labels: [__name__, category]\n  regex: \"{regex}\"\n");
    for file in [
        "deploy/department/door.yml",
        "deploy/department/vmagent.yml",
        "deploy/prometheus/prometheus.yml",
        "deploy/school/prometheus-agent.yml",
        "deploy/school/vmagent.yml",
        "docs/guide/department-monitoring.md",
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let is_doc = file.contains(".md");
        // Of a scrape it stands two blanks deeper, below the key that a comment has, too.
        let before = if file.ends_with("door.yml") { "#" } else { "    #  " };
        let lines: Vec<String> = rule.lines().map(|line| format!("{before}{line}\n")).collect();
        let commented = lines.concat();
        assert!(text.contains(if is_doc { &rule } else { &commented }), "{file}");
        let needs_key = !is_doc && !file.ends_with("door.yml");
        assert!(
            !needs_key || text.contains("    #metric_relabel_configs:\n    #  - action"),
            "{file}"
        );
    }
}
