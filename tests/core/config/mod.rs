//! The config as its operator meets it: the reference file, what it means, and (in the files
//! beside this one) every message.

use std::path::{Path, PathBuf};

use lachan::blocklist::{Format, ScopeChoice};
use lachan::category::CategorySet;
use lachan::config::{Config, ConfigErrors, load_text};
use lachan::dns::name::Name;
use lachan::lang::Lang;
use lachan::policy::{AnswerMode, GroupRules};

mod before;
mod evidence;
mod group;
mod held;
mod layers;
mod local;
mod portal;
mod section;
mod served;
mod shape;
mod source;
mod update;
mod words;

const GATEWAY: &str = include_str!("../../../config/gateway.toml");

fn load(text: &str) -> Result<Config, String> {
    load_text(text, "gateway.toml", Path::new("/etc/lachan")).map_err(|errors| errors.to_string())
}

/// The config of a text that has nothing wrong.
fn right(text: &str) -> Config {
    load(text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// What the operator reads.
fn mistakes(text: &str) -> String {
    let read = load_text(text, "gateway.toml", Path::new("/etc/lachan"));
    let errors = read.expect_err("a mistake");
    expect_vietnamese(&errors);
    errors.to_string()
}

fn group_of<'a>(config: &'a Config, name: &str) -> &'a GroupRules {
    config.groups.iter().find(|group| group.name == name).expect("a group of this name")
}

/// The ids of a set, in the order of the taxonomy.
fn ids(config: &Config, set: CategorySet) -> Vec<&str> {
    set.iter().map(|category| config.taxonomy.category(category).id.as_str()).collect()
}

/// The categories that a profile may let through at level `staff`.
fn loose(config: &Config, set: CategorySet) -> Vec<&str> {
    ids(config, set.without(config.taxonomy.locked_for(lachan::category::Level::Staff)))
}

//------------ The reference file ----------------------------------------------

#[test]
fn the_reference_is_accepted_and_equals_the_defaults() {
    assert_eq!(right(GATEWAY), Config::embedded());
    assert_eq!(right(""), Config::default());
}

/// The reference with every key that is commented out put in force.
fn reference_in_full() -> String {
    let in_force = |line: &str| {
        let rest = line.strip_prefix('#').filter(|rest| !rest.is_empty() && !rest.starts_with(' '));
        rest.unwrap_or(line).to_owned()
    };
    GATEWAY.lines().map(in_force).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_examples_of_the_reference_are_accepted_too() {
    let config = right(&reference_in_full());
    assert_eq!(config.groups.len(), 2);
    assert_eq!(config.lists.sources[0].path, Path::new("/etc/lachan/lists/gambling.txt"));
    let fetch = config.lists.sources[1].fetch.as_ref().expect("a download");
    assert_eq!((fetch.every.as_secs(), fetch.timeout.as_secs()), (86_400, 300));
    assert_eq!((fetch.max_octets, fetch.min_percent), (256 << 20, 50));
    assert_eq!(config.lists.sealed[0].key, Path::new("/etc/lachan/lists/authority.key"));
    assert_eq!(config.lists.tls_roots, Some(PathBuf::from("/etc/lachan/lists/roots.pem")));
    assert_eq!(config.upstream.tls_roots, Some(PathBuf::from("/etc/lachan/roots.pem")));
}

/// The keys that the file may have below a table, found by giving one that it cannot have.
///
/// `None` if `header` does not open a table.
fn keys_below(header: &str) -> Option<Vec<String>> {
    let shown = mistakes(&format!("{header}\n__probe = 1\n"));
    let known = shown.lines().next()?.split_once("unknown key `__probe`; the keys here are ")?.1;
    Some(known.split(", ").map(|key| key.trim_matches('`').to_owned()).collect())
}

/// The header of every table, and the keys in it that are no tables themselves.
fn tables() -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut open = vec![String::new()];
    while let Some(header) = open.pop() {
        let path = header.trim_matches(['[', ']']);
        let mut plain = Vec::new();
        // The keys of this one are categories.
        let keys = keys_below(&header).expect("a table").into_iter().filter(|k| k != "fail_mode");
        for key in keys {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            // A table, a table that can stand many times, or tables by name.
            let headers = [
                format!("[{below}]"),
                format!("[[{below}]]"),
                // The reference names profiles and bundles `office`, schedules `lessons`.
                format!("[{below}.{}]", if key == "during" { "lessons" } else { "office" }),
            ];
            match headers.into_iter().find(|header| keys_below(header).is_some()) {
                // A server is a text, and a table only where it has a key of its own.
                Some(header) if key != "servers" => open.push(header),
                _ => plain.push(key),
            }
        }
        found.push((header, plain));
    }
    found
}

#[test]
fn the_reference_shows_every_key_of_every_table() {
    let full = reference_in_full();
    let tables = tables();
    assert_eq!(tables.len(), 28, "the top, its tables, and those that can stand many times");
    for (header, keys) in tables {
        // A table that can stand many times may be shown more than once.
        let shown = match header.as_str() {
            "" => vec![full.as_str()],
            header => full.split(&format!("\n{header}\n")).skip(1).collect(),
        };
        assert!(!shown.is_empty(), "{header} is not in config/gateway.toml");
        let tables: Vec<Vec<&str>> = shown
            .iter()
            .map(|shown| shown.lines().take_while(|line| !line.starts_with('[')).collect())
            .collect();
        for key in keys {
            let starts = |line: &&str| line.starts_with(&format!("{key} = "));
            let places = tables.iter().filter_map(|table| {
                let before = table.iter().position(&starts).map(|place| place.checked_sub(1));
                before.map(|before| before.is_some_and(|line| table[line].starts_with("# ")))
            });
            let places: Vec<bool> = places.collect();
            assert!(!places.is_empty(), "{header} {key} is not in the reference");
            assert!(places.contains(&true), "{header} {key} has no sentence above it");
        }
    }
}

//------------ Meaning ---------------------------------------------------------

#[test]
fn without_a_file_everyone_is_a_pupil_of_a_primary_school() {
    let config = Config::embedded();
    let [default] = config.groups.as_slice() else { panic!("one group") };
    assert_eq!((default.name.as_str(), default.clients.len()), ("default", 0));
    let [with_level] = &right("[school]\nlevel = \"primary\"\n").groups[..] else { panic!("one") };
    assert_eq!(default, with_level);
    assert!(default.block.contains(config.taxonomy.find("games").expect("games")));
    assert_eq!(default.block.intersection(default.locked), default.locked);
    assert!(default.block.intersection(default.observe).is_empty());
}

#[test]
fn a_group_takes_its_level_from_the_profile_then_itself_then_the_school() {
    let config = right(
        r#"
        school.level = "primary"
        profile.adults = { level = "staff" }
        group = [
            { name = "a", clients = ["10.1.0.0/16"], profile = "adults" },
            { name = "b", clients = ["10.2.0.0/16"], level = "staff" },
            { name = "c", clients = ["10.3.0.0/16"] },
        ]
        "#,
    );
    assert_eq!(group_of(&config, "a").block, group_of(&config, "b").block);
    assert_eq!(group_of(&config, "c").block, config.default_group().block);
    assert_ne!(group_of(&config, "a").block, group_of(&config, "c").block);
}

#[test]
fn a_profile_with_block_is_complete_but_for_locks() {
    let config = right(
        r#"
        [[group]]
        name = "default"
        profile = "p"
        [profile.p]
        level = "staff"
        block = ["games"]
        observe = ["social"]
        allow = ["Lib.Example"]
        deny = ["x.example"]
        answer = "zero"
        "#,
    );
    let group = config.default_group();
    assert_eq!(loose(&config, group.block), ["games"]);
    assert_eq!(ids(&config, group.observe), ["social"]);
    assert_eq!(group.block.intersection(group.locked), group.locked);
    assert!(group.locked.contains(config.taxonomy.find("csam").expect("csam")));
    assert_eq!(group.allow, [Name::from_text("lib.example").expect("a name")]);
    assert_eq!(group.deny, [Name::from_text("x.example").expect("a name")]);
    assert_eq!(group.answer, AnswerMode::Zero);
}

#[test]
fn an_empty_block_still_blocks_what_is_locked() {
    let config = right("profile.p.block = []\ngroup = [{ name = \"default\", profile = \"p\" }]\n");
    let group = config.default_group();
    assert_eq!(group.block, group.locked);
    assert!(group.block.contains(config.taxonomy.find("adult").expect("adult")));
}

#[test]
fn observe_without_block_moves_a_category_out_of_the_defaults() {
    let config = right(
        r#"
        profile.p.observe = ["games"]
        group = [
            { name = "default" },
            { name = "club", clients = ["10.1.0.0/16"], profile = "p", answer = "refused" },
        ]
        "#,
    );
    let games = CategorySet::EMPTY.with(config.taxonomy.find("games").expect("games"));
    let (default, club) = (config.default_group(), group_of(&config, "club"));
    assert_eq!(club.block, default.block.without(games));
    assert_eq!(club.observe, default.observe.union(games));
    assert_eq!((default.answer, club.answer), (AnswerMode::NxDomain, AnswerMode::Refused));
}

#[test]
fn lessons_block_and_safe_variants_are_observed() {
    let config = right("school.level = \"lower-secondary\"\n");
    let group = config.default_group();
    let has = |set: CategorySet, id: &str| set.contains(config.taxonomy.find(id).expect("an id"));
    assert!(has(group.block, "social"), "`lessons` without a timetable");
    assert!(has(group.observe, "video"), "`safe`");
    assert!(!has(group.block, "safe") && !has(group.observe, "safe"));
}

#[test]
fn the_default_group_is_named_or_called_default_or_made() {
    let pupils = "[[group]]\nname = \"pupils\"\nclients = [\"10.0.0.0/8\"]\n";
    let made = right(pupils);
    assert_eq!((made.groups.len(), made.default_group().name.as_str()), (2, "default"));
    let named = right(&format!("default_group = \"pupils\"\n{pupils}"));
    assert_eq!((named.groups.len(), named.default_group().name.as_str()), (1, "pupils"));
    let called = right(&format!("{pupils}[[group]]\nname = \"default\"\n"));
    assert_eq!((called.groups.len(), called.default_group), (2, 1));
}

#[test]
fn paths_are_relative_to_the_file_and_labels_are_as_written() {
    let config = right(
        r#"
        [[lists.source]]
        category = "gambling"
        path = "lists/g.hosts"
        format = "hosts"
        scope = "subtree"
        [[lists.source]]
        category = "adult"
        path = "/srv/adult.txt"
        "#,
    );
    let [gambling, adult] = config.lists.sources.as_slice() else { panic!("two sources") };
    assert_eq!(gambling.path, Path::new("/etc/lachan/lists/g.hosts"));
    assert_eq!(gambling.label, "lists/g.hosts");
    assert_eq!((gambling.format, gambling.scope), (Format::Hosts, ScopeChoice::Subtree));
    assert_eq!(adult.path, Path::new("/srv/adult.txt"));
    assert_eq!((adult.format, adult.scope), (Format::Auto, ScopeChoice::AsFormat));
}

#[test]
fn networks_are_prefixes_or_single_addresses() {
    let config = right(
        "[[group]]\nname = \"a\"\nclients = [\"10.0.0.7\", \"2001:db8::1\", \"0.0.0.0/0\"]\n",
    );
    let shown: Vec<String> =
        group_of(&config, "a").clients.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["10.0.0.7/32", "2001:db8::1/128", "0.0.0.0/0"]);
}

#[test]
fn free_ports_may_stand_twice() {
    let config = right(
        "[listen]\ndns = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n[admin]\nlisten = \"127.0.0.1:0\"\n",
    );
    assert_eq!(config.listen.dns.len(), 2);
}

//------------ Languages --------------------------------------------------------

/// Fails for a mistake or a hint without Vietnamese; each text of these tests with a mistake is
/// checked.
fn expect_vietnamese(errors: &ConfigErrors) {
    for mistake in errors.mistakes() {
        // The TOML reader words the grammar's mistakes, in English.
        let is_grammar = mistake.message.in_lang(Lang::En).contains("expected `");
        let has_vietnamese = mistake.message.is_in(Lang::Vi);
        assert!(has_vietnamese || is_grammar, "add to src/lang/messages: {:?}", mistake.message);
        let hint = mistake.hint.as_ref();
        assert!(hint.is_none_or(|hint| hint.is_in(Lang::Vi)), "add to src/lang/messages: {hint:?}");
    }
}

#[test]
fn a_config_in_vietnamese_is_refused_in_vietnamese() {
    insta::assert_snapshot!(mistakes(
        "[school]\nlang = \"vi\"\nlevel = \"primery\"\n[profile.p]\nobserve = [\"gambling\", \"gams\"]\n"
    ), @r#"
    gateway.toml:3:9: không có cấp học `primery`; hiện có `preschool`, `primary`, `lower-secondary`, `upper-secondary`, `boarding`, `continuing`, `staff`
      |
    3 | level = "primery"
      |         ^^^^^^^^^
    gợi ý: có phải ý bạn là `primary`?
    gateway.toml:5:12: `gambling` không thể mở: danh mục khóa nhóm này với mọi người
      |
    5 | observe = ["gambling", "gams"]
      |            ^^^^^^^^^^
    gợi ý: bỏ khỏi `observe`; nhà trường không được nới lỏng
    gateway.toml:5:24: không có nhóm nội dung `gams`; hiện có `csam`, `legal_request`, `adult`, `nudify`, `gambling`, `dating`, `violence`, `drugs`, `self_harm`, `extremism`, `fraud`, `malware`, `bypass`, `hacking`, `social`, `games`, `video`, `piracy`, `ai_chat`, `crypto`, `ads_trackers`, `cheating`, `risky_infra`, `fake_news`, `unsafe_search`, `safe`
      |
    5 | observe = ["gambling", "gams"]
      |                        ^^^^^^
    gợi ý: có phải ý bạn là `games`?
    "#);
}

//------------ Hostile input ---------------------------------------------------

#[test]
fn no_change_of_an_octet_makes_reading_panic() {
    let text = reference_in_full();
    let octets = text.as_bytes();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..1000 {
        // xorshift64: the same changes on every run.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut changed = octets.to_vec();
        let place = usize::try_from(random >> 16).expect("64 bits") % changed.len();
        changed[place] = random.to_le_bytes()[0];
        // The shell refuses a file that is not UTF-8 before it comes here.
        let _ = load(&String::from_utf8_lossy(&changed));
    }
    for end in (0..octets.len()).step_by(7) {
        let _ = load(&String::from_utf8_lossy(&octets[..end]));
    }
}
