//! Documents: each link leads to a file and, behind `#`, to a heading of it; each page is in the table of
//! contents; each translation has the sections, tables and commands of its original.
//!
//! Absent on purpose: addresses of the Internet. Nothing here needs a network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A document: its lines outside of code blocks, and these blocks, each behind its language.
struct Page {
    path: PathBuf,
    lines: Vec<String>,
    code: Vec<String>,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let (mut lines, mut code, mut open) = (Vec::new(), Vec::new(), None);
        for line in text.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, None) => lines.push(line.to_owned()),
                (None, Some(language)) => open = Some(format!("{language}\n")),
                (Some(_), Some(_)) => code.extend(open.take()),
                (Some(block), None) => block.extend([line, "\n"]),
            }
        }
        assert!(open.is_none(), "{}: a code block has no end", path.display());
        Self { path, lines, code }
    }

    /// Headings: level and text.
    fn headings(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().filter_map(|line| {
            let text = line.trim_start_matches('#');
            let level = line.len() - text.len();
            text.strip_prefix(' ').filter(|_| (1..=6).contains(&level)).map(|text| (level, text))
        })
    }

    /// What can stand behind `#` in a link to this page, as web pages of repositories make it.
    fn anchors(&self) -> BTreeSet<String> {
        let (mut seen, mut anchors) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
        for (_, text) in self.headings() {
            let slug = slug(text);
            let count = seen.entry(slug.clone()).or_default();
            anchors.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
            *count += 1;
        }
        anchors
    }

    /// Targets of links and pictures, those of HTML too; not those in code.
    fn targets(&self) -> Vec<String> {
        let mut found = Vec::new();
        let text: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        let text = without_code(&text.join("\n"));
        for (before, after) in [("](", ')'), ("href=\"", '"'), ("src=\"", '"')] {
            for rest in text.split(before).skip(1) {
                let target = rest.split([after, ' ', '\n']).next().unwrap();
                found.push(target.to_owned());
            }
        }
        found
    }
}

/// A text without its spans of code.
fn without_code(text: &str) -> String {
    // A paragraph bounds a span: a lone backtick must not swallow the rest of the page.
    let bare = |paragraph: &str| paragraph.split('`').step_by(2).collect::<String>();
    text.split("\n\n").map(bare).collect::<Vec<_>>().join("\n\n")
}

/// The anchor of a heading: small letters, digits, hyphens and underscores; a blank is a hyphen.
fn slug(heading: &str) -> String {
    // Of a link its text counts.
    let mut text = String::new();
    for (number, part) in heading.split("](").enumerate() {
        text += if number == 0 { part } else { part.split_once(')').map_or("", |(_, rest)| rest) };
    }
    let keep = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter.is_alphanumeric().then_some(letter),
    };
    text.trim().to_lowercase().chars().filter_map(keep).collect()
}

/// Every document of the repository.
fn pages() -> Vec<Page> {
    let (mut found, mut dirs) = (Vec::new(), vec![root().to_owned()]);
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy();
            let is_ours = !name.starts_with('.') && name != "target" && name != "node_modules";
            if path.is_dir() && is_ours {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(Page::read(path));
            }
        }
    }
    found
}

/// A path without `.` and `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

/// Why a link of a page leads nowhere; `None` if it leads somewhere, or to the Internet.
fn fault(
    page: &Page,
    target: &str,
    anchors: &BTreeMap<PathBuf, BTreeSet<String>>,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) =
        target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let place = match file {
        "" => page.path.clone(),
        file => resolved(&page.path.parent().unwrap().join(file)),
    };
    if !place.starts_with(root()) || !place.exists() {
        return Some("no such file".to_owned());
    }
    let anchor = anchor?;
    match anchors.get(&place) {
        Some(known) if known.contains(anchor) => None,
        Some(known) => Some(format!("no such heading; there are {known:?}")),
        None => Some("an anchor of what is no document".to_owned()),
    }
}

#[test]
fn links_lead_to_files_and_headings() {
    let pages = pages();
    let anchors = pages.iter().map(|page| (page.path.clone(), page.anchors())).collect();
    let (mut dead, mut count) = (Vec::new(), 0);
    for page in &pages {
        for target in page.targets() {
            count += 1;
            let why = fault(page, &target, &anchors);
            dead.extend(why.map(|why| format!("{}: {target}: {why}", page.path.display())));
        }
    }
    assert!(count > 200, "{count} links were found");
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn anchors_are_made_as_repositories_make_them() {
    for (heading, anchor) in [
        ("Port 53 is taken", "port-53-is-taken"),
        ("Emergency list: `emergency/current.json`", "emergency-list-emergencycurrentjson"),
        ("`lachan check FILE [--strict]`, `why`", "lachan-check-file---strict-why"),
        ("See [the guide](guide.md) first", "see-the-guide-first"),
        ("Khi có trục trặc", "khi-có-trục-trặc"),
    ] {
        assert_eq!(slug(heading), anchor);
    }
}

#[test]
fn each_page_is_in_the_table_of_contents() {
    let contents = Page::read(root().join("docs/README.md"));
    let place = |target: &String| resolved(&root().join("docs").join(target));
    let listed: BTreeSet<PathBuf> = contents.targets().iter().map(place).collect();
    let pages = pages();
    let below =
        pages.iter().map(|page| &page.path).filter(|path| path.starts_with(root().join("docs")));
    let absent: Vec<_> =
        below.filter(|path| **path != contents.path && !listed.contains(*path)).collect();
    assert!(absent.is_empty(), "docs/README.md has no line for {absent:#?}");
}

#[test]
fn a_translation_has_the_sections_and_commands_of_its_original() {
    let pages = pages();
    let mut count = 0;
    for page in &pages {
        let name = page.path.to_string_lossy();
        let Some(stem) = name.strip_suffix(".vi.md") else { continue };
        count += 1;
        let original = Page::read(PathBuf::from(format!("{stem}.md")));
        let levels = |page: &Page| page.headings().map(|(level, _)| level).collect::<Vec<_>>();
        assert_eq!(levels(page), levels(&original), "headings of {name}");
        assert_eq!(page.code.len(), original.code.len(), "code blocks of {name}");
        // What runs as it stands is the same, and so what runs the original has run both.
        let runs = |block: &&String| block.starts_with("sh\n");
        assert!(
            page.code.iter().filter(runs).eq(original.code.iter().filter(runs)),
            "sh of {name}"
        );
        let rows = |page: &Page| page.lines.iter().filter(|line| line.starts_with("| ")).count();
        assert_eq!(rows(page), rows(&original), "rows of tables of {name}");
        for (from, to) in [(page, &original), (&original, page)] {
            let other = to.path.file_name().unwrap().to_string_lossy();
            assert!(from.targets().iter().any(|target| *target == other), "no link to {other}");
        }
    }
    assert!(count > 1, "{count} translations");
}
