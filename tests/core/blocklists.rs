//! Every list format: each line of `tests/blocklists/FORMAT*.txt`, and what becomes of it.
//!
//! The snapshot beside a fixture shows the lines with their rules, or with the
//! reason why there is none. The format must be found out without being told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lachan::blocklist::{Format, Parsed, Reject, ScopeChoice, parse};
use lachan::dns::name::Name;
use lachan::lang::Lang;
use lachan::rule::{Action, LocalData};

fn read(text: &str, format: Format) -> Parsed {
    parse(text.as_bytes(), format, ScopeChoice::AsFormat)
}

/// The lines of `text` in pieces that stand alone: parentheses keep zone file lines together.
fn pieces(text: &str, format: Format) -> Vec<Vec<&str>> {
    let mut pieces: Vec<Vec<&str>> = Vec::new();
    let mut depth = 0;
    for line in text.lines() {
        if depth > 0 {
            pieces.last_mut().expect("an open piece").push(line);
        } else {
            pieces.push(vec![line]);
        }
        if format == Format::Rpz {
            let code = line.split(';').next().unwrap_or("");
            depth += code.matches('(').count();
            depth -= code.matches(')').count();
        }
    }
    pieces
}

/// What is rejected of `text` and would not be without lines `from` to `to`.
fn rejected_in(text: &str, format: Format, from: usize, to: usize) -> Vec<Reject> {
    let blanked: Vec<&str> = text
        .lines()
        .enumerate()
        .map(|(at, line)| if (from..to).contains(&at) { "" } else { line })
        .collect();
    let without = read(&(blanked.join("\n") + "\n"), format).rejects;
    let with = read(text, format).rejects;
    let count = |map: &BTreeMap<Reject, u32>, reject| map.get(&reject).copied().unwrap_or(0);
    Reject::ALL
        .into_iter()
        .flat_map(|r| vec![r; count(&with, r).saturating_sub(count(&without, r)) as usize])
        .collect()
}

fn show_action(action: Action, data: &[LocalData]) -> String {
    let Action::Local(number) = action else {
        return if action == Action::Default { String::new() } else { format!(" {action:?}") };
    };
    let data = &data[usize::from(number)];
    let target = data.cname.iter().map(|target| format!("CNAME {target}"));
    let records = data.records.iter().map(|(rtype, rdata)| match (rtype, &**rdata) {
        (1, &[a, b, c, d]) => format!("A {a}.{b}.{c}.{d}"),
        _ => format!("TYPE{rtype} {}", rdata.escape_ascii()),
    });
    format!(" Local {}: {}", number, target.chain(records).collect::<Vec<_>>().join(", "))
}

fn show(text: &str, format: Format) -> String {
    let parsed = read(text, format);
    let mut out = format!(
        "{}: {} lines, {} rules for names, {} for more, {} for addresses, {} answers\n",
        parsed.format.id(),
        parsed.lines,
        parsed.len(),
        parsed.targets.len(),
        parsed.addresses.len(),
        parsed.data.len()
    );
    for (reject, count) in &parsed.rejects {
        let held = if reject.counts_against_source() { "bad" } else { "ignored" };
        writeln!(out, "{held}: {count} {}: {}", reject.id(), reject.message().in_lang(Lang::En))
            .expect("a String");
    }
    let mut from = 0;
    for piece in pieces(text, format) {
        let to = from + piece.len();
        for (line, number) in piece.iter().zip(from + 1..) {
            writeln!(out, "{number:3}  {line}").expect("a String");
        }
        let here = |line: u32| (from + 1..=to).contains(&(line as usize));
        for rule in parsed.rules().filter(|rule| here(rule.line)) {
            let name = Name::from_wire(rule.name).expect("a name").0;
            let action = show_action(rule.action, &parsed.data);
            writeln!(out, "       + {name} {:?} {:?}{action}", rule.scope, rule.effect)
                .expect("a String");
        }
        for rule in parsed.targets.iter().filter(|rule| here(rule.line)) {
            let text = rule.target.text(rule.scope);
            let action = show_action(rule.action, &parsed.data);
            writeln!(out, "       + {text} {:?}{action}", rule.effect).expect("a String");
        }
        for rule in parsed.addresses.iter().filter(|rule| here(rule.line)) {
            let action = show_action(rule.action, &parsed.data);
            writeln!(out, "       + {}{action}", rule.net).expect("a String");
        }
        for reject in rejected_in(text, format, from, to) {
            writeln!(out, "       - {}", reject.id()).expect("a String");
        }
        from = to;
    }
    out
}

#[test]
fn every_syntax_has_its_rules_or_its_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/blocklists");
    let mut seen = Vec::new();
    let mut paths: Vec<_> =
        fs::read_dir(&root).expect("fixtures").map(|e| e.expect("a file").path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "txt")) {
        let name = path.file_stem().expect("a name").to_str().expect("UTF-8");
        let text = fs::read_to_string(path).expect("a fixture");
        let id = name.split('-').next().expect("a format");
        let format = Format::ALL.into_iter().find(|f| f.id() == id).expect("a format");
        assert_eq!(read(&text, Format::Auto).format, format, "{name}: detected");
        let settings = {
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(&root);
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings
        };
        settings.bind(|| insta::assert_snapshot!(name, show(&text, format)));
        seen.push(format);
    }
    for format in Format::ALL {
        assert!(format == Format::Auto || seen.contains(&format), "{} has no fixture", format.id());
    }
}
