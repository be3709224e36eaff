//! The lists that schools really use, in their own syntax, against a reference.
//!
//! The reference reads each syntax in another way than the program does: the
//! whole text as words and pieces, sets of strings, no line numbers, no wire form.
//! The lists are data from outside the repository (`kit::data`).

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use lachan::blocklist::{Format, ListRefusal, Parsed, Reject, ScopeChoice, parse};
use lachan::dns::name::Name;
use lachan::rule::Effect;

use crate::kit::data;

/// A rule as a string: what is between the name and its reach says which.
type Rules = BTreeSet<String>;

fn lists() -> Option<PathBuf> {
    data::lists("real_lists", &["raw"]).map(|dir| dir.join("raw"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory").map(|e| e.expect("a file").path());
    let mut files: Vec<_> =
        entries.flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] }).collect();
    files.sort();
    files
}

/// The format a file is in, as its maintainers call it.
fn format_of(file: &str) -> Format {
    let has = |parts: &[&str]| parts.iter().any(|part| file.contains(part));
    if has(&["doh-ipv4", "doh-ipv6"]) {
        Format::Addresses
    } else if has(&[".abp.", "ABP", "UBO", "adblock", "abpvn_"]) {
        Format::Adblock
    } else if has(&["dnsmasq"]) {
        Format::Dnsmasq
    } else if has(&["unbound"]) {
        Format::Unbound
    } else if file.ends_with("hosts") {
        Format::Hosts
    } else {
        Format::Domains
    }
}

/// A name that can be listed, in its ASCII form; none for anything else.
fn name(text: &str) -> Option<String> {
    let text = text.trim_end_matches('\r');
    let text = match text.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.chars().all(char::is_numeric) => host,
        _ => text,
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let ascii = idna::domain_to_ascii(text).ok()?;
    let labels: Vec<&str> = ascii.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let is_number = labels.last()?.chars().all(|c| c.is_ascii_digit());
    let is_name = labels.len() > 1 && labels.iter().all(is_label) && ascii.len() <= 253;
    (is_name && !is_number).then_some(ascii)
}

fn rule(text: &str, reach: &str) -> Option<String> {
    name(text).map(|name| format!("{name} {reach}"))
}

/// What the text says, read the naive way.
fn reference(text: &str, format: Format) -> Rules {
    let lines = text.split('\n').map(str::trim);
    let uncommented = lines
        .clone()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.find(" #").or(line.find("\t#")).map_or(line, |at| line[..at].trim_end()));
    match format {
        Format::Hosts => uncommented
            .flat_map(|line| line.split(&[' ', '\t']).skip(1).collect::<Vec<_>>())
            .filter_map(|word| rule(word, "Exact Add"))
            .collect(),
        Format::Dnsmasq => text
            .split('\n')
            .filter(|line| line.starts_with("local=/") || line.starts_with("server=/"))
            .filter_map(|line| rule(line.split('/').nth(1)?, "Subtree Add"))
            .collect(),
        Format::Unbound => text
            .split("local-zone: \"")
            .skip(1)
            .filter_map(|rest| rule(rest.split('"').next()?, "Subtree Add"))
            .collect(),
        Format::Addresses => uncommented
            .filter_map(|line| {
                let one = |address: IpAddr| IpNet::from(address);
                let net = line.parse::<IpNet>().ok().or_else(|| line.parse().ok().map(one));
                net.map(|net| net.to_string())
            })
            .collect(),
        Format::Adblock => lines.filter_map(adblock).collect(),
        _ => uncommented
            .filter(|line| !line.contains([' ', '\t', '/']))
            .filter_map(|line| {
                rule(line.trim_start_matches("*.").trim_start_matches('.'), "Subtree Add")
            })
            .collect(),
    }
}

/// One line of an Adblock list that says a whole host and nothing else.
fn adblock(line: &str) -> Option<String> {
    if line.starts_with(['!', '[', '#']) {
        return None;
    }
    let (rest, effect) = match line.strip_prefix("@@") {
        Some(rest) => (rest, "Clear"),
        None => (line, "Add"),
    };
    if let Some(host) = rest.strip_prefix("||") {
        let host = host.strip_suffix("^$all").or(host.strip_suffix('^'))?;
        return rule(host, &format!("Subtree {effect}")).filter(|_| !host.ends_with('.'));
    }
    let is_name = effect == "Add"
        && rest.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        && !rest.starts_with(['-', '.'])
        && !rest.ends_with('.');
    if is_name { rule(rest, "Exact Add") } else { None }
}

fn found(parsed: &Parsed) -> Rules {
    if parsed.format == Format::Addresses {
        return parsed.addresses.iter().map(|rule| rule.net.to_string()).collect();
    }
    parsed
        .rules()
        .map(|rule| {
            let name = Name::from_wire(rule.name).expect("a name").0.to_string();
            format!("{} {:?} {:?}", name.trim_end_matches('.'), rule.scope, rule.effect)
        })
        .collect()
}

/// The faults of one file, in words.
fn faults(path: &Path, raw: &Path) -> Vec<String> {
    let file = path.strip_prefix(raw).expect("below").with_extension("");
    let file = file.display().to_string();
    let text = zstd::decode_all(fs::File::open(path).expect("a file")).expect("zstd");
    let format = format_of(&file);
    let parsed = parse(&text, Format::Auto, ScopeChoice::AsFormat);
    let text = String::from_utf8(text).expect("UTF-8");
    let mut faults = Vec::new();
    if parsed.format != format {
        faults.push(format!("{file}: is {}, detected {}", format.id(), parsed.format.id()));
    }
    let (ours, theirs) = (found(&parsed), reference(&text, format));
    for (only, who) in
        [(ours.difference(&theirs), "only here"), (theirs.difference(&ours), "missed")]
    {
        faults.extend(only.take(5).map(|rule| format!("{file}: {who}: {rule}")));
    }
    // These speak of URLs only.
    let is_usable = !file.contains("UBL") && !file.contains(".urls.");
    match parsed.verdict() {
        Err(ListRefusal::Empty { .. }) if !is_usable => {}
        Err(refusal) => faults.push(format!("{file}: {refusal}")),
        Ok(()) if !is_usable => faults.push(format!("{file}: is not about hosts")),
        Ok(()) => {}
    }
    let rejects: Vec<String> =
        parsed.rejects.iter().map(|(reject, count)| format!("{} {count}", reject.id())).collect();
    eprintln!(
        "{file}: {} {} of {} lines; {}",
        format.id(),
        ours.len(),
        parsed.lines,
        rejects.join(", ")
    );
    faults
}

#[test]
fn real_lists_are_read_as_they_are_meant() {
    let Some(raw) = lists() else { return };
    let files: Vec<PathBuf> =
        files(&raw).into_iter().filter(|path| !path.to_string_lossy().contains(".tar.")).collect();
    let half = files.len() / 2;
    let (first, second) = files.split_at(half);
    let check = |part: &[PathBuf]| -> Vec<String> {
        part.iter().flat_map(|path| faults(path, &raw)).collect()
    };
    let found = std::thread::scope(|scope| {
        let other = scope.spawn(|| check(second));
        [check(first), other.join().expect("no panic")].concat()
    });
    assert!(files.len() > 90, "only {} lists", files.len());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn what_poisons_other_filters_is_not_taken_from_real_lists() {
    let Some(raw) = lists() else { return };
    let read = |file: &str| {
        let text = zstd::decode_all(fs::File::open(raw.join(file)).expect("a file")).expect("zstd");
        parse(&text, Format::Auto, ScopeChoice::AsFormat)
    };
    let abpvn = read("abpvn/abpvn.abp.txt.zst");
    let wires: BTreeSet<&[u8]> = abpvn.rules().map(|rule| rule.name).collect();
    for name in ["zaloweb", "uniad", "autodaily.vn", "laodong.vn", "game24h.vn"] {
        let name = Name::from_text(name).expect("a name");
        assert!(!wires.contains(name.as_wire()), "{name}");
    }
    assert!(abpvn.rules().all(|rule| rule.effect == Effect::Add));
    for reject in [Reject::Cosmetic, Reject::PathRule, Reject::Modifier, Reject::Prefix] {
        assert!(abpvn.rejects.contains_key(&reject), "{reject:?}");
    }
    let urls = read("ut1/adult.urls.txt.zst");
    assert!(urls.rejects.get(&Reject::PathRule) > Some(&1000));
    assert!(urls.is_empty());
    let redirector = read("ut1/redirector.domains.txt.zst");
    assert_eq!(redirector.format, Format::Domains);
    assert!(redirector.addresses.is_empty());
    assert!(redirector.rejects.get(&Reject::Address) > Some(&20_000));
}
