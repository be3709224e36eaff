//! Safe search, `YouTube` and canaries as layers: what they come to, and what a lock forbids.

use insta::assert_snapshot;
use lachan::config::Config;
use lachan::policy::CanaryKind;
use lachan::policy::group::enforcement::Enforcement;
use proptest::prelude::*;

use super::group_of;
use super::layers::{UNDER, with, wrong};

/// What a group is held to, in words; an engine with one mode by its id.
fn words(config: &Config, held: &Enforcement) -> String {
    let engines = config.safesearch.engines.words(&held.safe).map(|word| word.to_string());
    let canaries = held.canaries.iter().map(|kind| format!("!{}", kind.id()));
    engines.chain(canaries).collect::<Vec<_>>().join(" ")
}

#[test]
fn department_then_profile_then_group() {
    let department = r#"
        [defaults.staff]
        safesearch = ["google", "bing"]
        youtube = "moderate"
        canaries = ["firefox"]
        [[lock]]
        safesearch = ["google"]
        canaries = ["icloud"]
        levels = ["staff"]
    "#;
    let text = format!(
        "default_group = \"none\"\n{UNDER}\
         [[group]]\nname = \"none\"\nlevel = \"staff\"\n\
         [[group]]\nname = \"profile\"\nclients = [\"10.1.0.0/16\"]\nprofile = \"p\"\n\
         [[group]]\nname = \"group\"\nclients = [\"10.2.0.0/16\"]\nprofile = \"p\"\n\
         safesearch = [\"google\", \"qwant\"]\nyoutube = \"off\"\ncanaries = \"all\"\n\
         [profile.p]\nlevel = \"staff\"\nsafesearch = [\"google\", \"ecosia\"]\nyoutube = \"strict\"\n\
         canaries = [\"icloud\"]\n"
    );
    let config = with(&text, &[("department.toml", department)]).unwrap();
    let of = |name: &str| words(&config, &group_of(&config, name).enforcement);
    assert_eq!(of("none"), "google bing youtube=moderate !firefox !icloud");
    assert_eq!(of("profile"), "google youtube=strict ecosia !icloud");
    assert_eq!(of("group"), "google qwant !firefox !icloud !chrome");
    let baseline = &group_of(&config, "group").enforcement_baseline;
    assert_eq!(words(&config, baseline), "google bing youtube=moderate !firefox !icloud");
    assert_eq!(words(&config, &group_of(&config, "group").enforcement_locked), "google !icloud");
}

#[test]
fn a_lock_tightens_whoever_says_nothing_and_a_school_may_be_stricter() {
    let department = "[[lock]]\nsafesearch = \"all\"\nyoutube = \"moderate\"\n";
    let text = format!(
        "{UNDER}[[group]]\nname = \"default\"\nlevel = \"staff\"\n\
         [[group]]\nname = \"strict\"\nclients = [\"10.1.0.0/16\"]\nlevel = \"staff\"\nyoutube = \"strict\"\n"
    );
    let config = with(&text, &[("department.toml", department)]).unwrap();
    let all = "google bing duckduckgo youtube=MODE yandex pixabay ecosia brave qwant startpage \
        !firefox !icloud !chrome";
    let of = |name: &str| words(&config, &group_of(&config, name).enforcement);
    assert_eq!(of("default"), all.replace("MODE", "moderate"));
    assert_eq!(of("strict"), all.replace("MODE", "strict"));
}

const DEPARTMENT: &str = r#"
name = "Sở Giáo dục và Đào tạo"
contact = "cntt@so.example"
[[lock]]
safesearch = ["google", "bing"]
youtube = "strict"
levels = ["primary"]
reason = "Công văn 12"
[[lock]]
canaries = "all"
"#;

#[test]
fn what_a_lock_forbids_is_refused_with_who_locked_it_and_a_way_out() {
    let text = format!(
        "{UNDER}[[group]]\nname = \"default\"\nlevel = \"primary\"\nprofile = \"p\"\n\
         [[group]]\nname = \"lab\"\nclients = [\"10.1.0.0/16\"]\nlevel = \"primary\"\ncanaries = \"off\"\n\
         youtube = \"off\"\n\
         [profile.p]\nsafesearch = [\"google\"]\nyoutube = \"moderate\"\ncanaries = [\"firefox\"]\n"
    );
    assert_snapshot!(wrong(&text, &[("department.toml", DEPARTMENT)]), @r#"
    gateway.toml:11:12: canaries of `firefox`, `icloud`, `chrome` cannot be off: Sở Giáo dục và Đào tạo locks it for level `primary`
       |
    11 | canaries = "off"
       |            ^^^^^
    hint: name them in `canaries`, or leave the key out; only the department can open it: cntt@so.example
    gateway.toml:12:11: `youtube` must be at least `strict`, not `off`: Sở Giáo dục và Đào tạo locks it for level `primary` (Công văn 12)
       |
    12 | youtube = "off"
       |           ^^^^^
    hint: write `youtube = "strict"`, or leave the key out; only the department can open it: cntt@so.example
    gateway.toml:14:14: safe search of `bing` cannot be off: Sở Giáo dục và Đào tạo locks it for level `primary` (Công văn 12)
       |
    14 | safesearch = ["google"]
       |              ^^^^^^^^^^
    hint: name them in `safesearch`, or leave the key out; only the department can open it: cntt@so.example
    gateway.toml:15:11: `youtube` must be at least `strict`, not `moderate`: Sở Giáo dục và Đào tạo locks it for level `primary` (Công văn 12)
       |
    15 | youtube = "moderate"
       |           ^^^^^^^^^^
    hint: write `youtube = "strict"`, or leave the key out; only the department can open it: cntt@so.example
    gateway.toml:16:12: canaries of `icloud`, `chrome` cannot be off: Sở Giáo dục và Đào tạo locks it for level `primary`
       |
    16 | canaries = ["firefox"]
       |            ^^^^^^^^^^^
    hint: name them in `canaries`, or leave the key out; only the department can open it: cntt@so.example
    "#);
    let vietnamese = text.replace("[department]", "[school]\nlang = \"vi\"\n[department]");
    assert_snapshot!(wrong(&vietnamese, &[("department.toml", DEPARTMENT)]), @r#"
    gateway.toml:13:12: không thể tắt tên báo hiệu của `firefox`, `icloud`, `chrome`: Sở Giáo dục và Đào tạo khóa với cấp `primary`
       |
    13 | canaries = "off"
       |            ^^^^^
    gợi ý: ghi chúng trong `canaries`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: cntt@so.example
    gateway.toml:14:11: `youtube` ít nhất phải là `strict`, không thể là `off`: Sở Giáo dục và Đào tạo khóa với cấp `primary` (Công văn 12)
       |
    14 | youtube = "off"
       |           ^^^^^
    gợi ý: viết `youtube = "strict"`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: cntt@so.example
    gateway.toml:16:14: không thể tắt tìm kiếm an toàn của `bing`: Sở Giáo dục và Đào tạo khóa với cấp `primary` (Công văn 12)
       |
    16 | safesearch = ["google"]
       |              ^^^^^^^^^^
    gợi ý: ghi chúng trong `safesearch`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: cntt@so.example
    gateway.toml:17:11: `youtube` ít nhất phải là `strict`, không thể là `moderate`: Sở Giáo dục và Đào tạo khóa với cấp `primary` (Công văn 12)
       |
    17 | youtube = "moderate"
       |           ^^^^^^^^^^
    gợi ý: viết `youtube = "strict"`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: cntt@so.example
    gateway.toml:18:12: không thể tắt tên báo hiệu của `icloud`, `chrome`: Sở Giáo dục và Đào tạo khóa với cấp `primary`
       |
    18 | canaries = ["firefox"]
       |            ^^^^^^^^^^^
    gợi ý: ghi chúng trong `canaries`, hoặc bỏ khóa này; chỉ cơ quan quản lý mới mở được: cntt@so.example
    "#);
}

#[test]
fn without_a_reason_and_without_a_contact() {
    let text = format!(
        "{UNDER}[[group]]\nname = \"default\"\nlevel = \"primary\"\nprofile = \"p\"\n\
         [profile.p]\nsafesearch = [\"google\"]\nyoutube = \"moderate\"\ncanaries = [\"firefox\"]\n"
    );
    let alone = DEPARTMENT.replace("contact", "#contact").replace("reason", "#reason");
    assert_snapshot!(wrong(&text, &[("department.toml", &alone)]), @r#"
    gateway.toml:8:14: safe search of `bing` cannot be off: Sở Giáo dục và Đào tạo locks it for level `primary`
      |
    8 | safesearch = ["google"]
      |              ^^^^^^^^^^
    hint: name them in `safesearch`, or leave the key out; only the department can open it
    gateway.toml:9:11: `youtube` must be at least `strict`, not `moderate`: Sở Giáo dục và Đào tạo locks it for level `primary`
      |
    9 | youtube = "moderate"
      |           ^^^^^^^^^^
    hint: write `youtube = "strict"`, or leave the key out; only the department can open it
    gateway.toml:10:12: canaries of `icloud`, `chrome` cannot be off: Sở Giáo dục và Đào tạo locks it for level `primary`
       |
    10 | canaries = ["firefox"]
       |            ^^^^^^^^^^^
    hint: name them in `canaries`, or leave the key out; only the department can open it
    "#);
}

#[test]
fn a_lock_that_locks_nothing_and_words_that_are_none() {
    let department = "[[lock]]\n[[lock]]\nsafesearch = \"off\"\nyoutube = \"off\"\ncanaries = []\n\
        [[lock]]\nsafesearch = [\"gogle\"]\nyoutube = \"strickt\"\n\
        [defaults.primary]\nyoutube = [\"strict\"]\ngames = [\"block\"]\ncanaries = \"al\"\n";
    assert_snapshot!(wrong(UNDER, &[("department.toml", department)]), @r#"
    department.toml:1:1: this `[[lock]]` locks nothing
      |
    1 | [[lock]]
      | ^^^^^^^^
    hint: add `category = "…"`, `safesearch = "all"`, `youtube = "strict"` or `canaries = "all"`
    department.toml:3:14: `safesearch` locks nothing here
      |
    3 | safesearch = "off"
      |              ^^^^^
    hint: a lock keeps what is on; write what must be on, or leave the key out
    department.toml:4:11: `youtube` locks nothing here
      |
    4 | youtube = "off"
      |           ^^^^^
    hint: a lock keeps what is on; write what must be on, or leave the key out
    department.toml:5:12: `canaries` locks nothing here
      |
    5 | canaries = []
      |            ^^
    hint: a lock keeps what is on; write what must be on, or leave the key out
    department.toml:7:15: unknown search engine `gogle`; known are `google`, `bing`, `duckduckgo`, `yandex`, `pixabay`, `ecosia`, `brave`, `qwant`, `startpage`
      |
    7 | safesearch = ["gogle"]
      |               ^^^^^^^
    hint: did you mean `google`?
    department.toml:8:11: unknown mode of `youtube` `strickt`; known are `moderate`, `strict`, `off`
      |
    8 | youtube = "strickt"
      |           ^^^^^^^^^
    hint: did you mean `strict`?
    department.toml:10:11: `youtube` is one word, and no array
       |
    10 | youtube = ["strict"]
       |           ^^^^^^^^^^
    department.toml:11:9: `games` is one word, and no array
       |
    11 | games = ["block"]
       |         ^^^^^^^^^
    department.toml:12:12: unknown word for `canaries` `al`; known are `all`, `off`
       |
    12 | canaries = "al"
       |            ^^^^
    hint: did you mean `all`?
    "#);
}

/// One of the words that a layer may say, or nothing.
fn layer() -> impl Strategy<Value = String> {
    let engines = prop::sample::subsequence(vec!["google", "bing", "qwant", "brave"], 0..=4);
    let kinds = prop::sample::subsequence(vec!["firefox", "icloud", "chrome"], 0..=3);
    let modes = prop::sample::select(vec!["off", "moderate", "strict"]);
    let words = (prop::option::of(engines), prop::option::of(modes), prop::option::of(kinds));
    words.prop_map(|(engines, mode, kinds)| {
        let list = |key: &str, words: Option<Vec<&str>>| {
            words.map_or(String::new(), |words| format!("{key} = {words:?}\n"))
        };
        let mode = mode.map_or(String::new(), |mode| format!("youtube = \"{mode}\"\n"));
        list("safesearch", engines) + &mode + &list("canaries", kinds)
    })
}

/// What a layer says of one point, if anything: engines, the mode, kinds.
fn said(layer: &str, key: &str) -> Option<String> {
    let line = layer.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(" = ")?.1.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A config has void words exactly if it says something looser than a lock; what is in force is
    /// at least what is locked, and just what the lowest layer that speaks says beyond it.
    #[test]
    fn a_lower_layer_never_loosens_a_lock(
        lock in layer(), defaults in layer(), profile in layer(), group in layer(),
        level in prop::sample::select(vec!["primary", "lower-secondary", "staff"]),
    ) {
        // A lock that locks nothing is refused by itself.
        let lock: Vec<&str> = lock.lines().filter(|line| !line.ends_with("[]") && !line.contains("off"))
            .collect();
        let lock = lock.join("\n") + "\n";
        let locks = if lock.trim().is_empty() { String::new() } else { format!("[[lock]]\n{lock}") };
        let department = format!("{locks}[defaults.{level}]\n{defaults}");
        let text = format!(
            "{UNDER}[[group]]\nname = \"default\"\nprofile = \"p\"\n{group}[profile.p]\nlevel = \"{level}\"\n{profile}"
        );
        let lowest = |key| said(&group, key).or_else(|| said(&profile, key));
        let covers = |has: &str, needs: &str| {
            needs.split('"').skip(1).step_by(2).all(|word| has.contains(&format!("\"{word}\"")))
        };
        let rank = |word: &str| ["off", "moderate", "strict"].iter().position(|known| word.contains(known));
        let is_looser = ["safesearch", "canaries"].iter().any(|key| {
            lowest(key).zip(said(&lock, key)).is_some_and(|(has, needs)| !covers(&has, &needs))
        }) || lowest("youtube").zip(said(&lock, "youtube"))
            .is_some_and(|(has, needs)| rank(&has) < rank(&needs));
        let config = with(&text, &[("department.toml", &department)]).unwrap();
        let is_void = !config.void.mistakes().is_empty();
        prop_assert_eq!(is_void, is_looser, "{}\n{}\n{}", text, department, config.void);
        let (group, engines) = (config.default_group(), &config.safesearch.engines);
        prop_assert!(group.enforcement.is_at_least(&group.enforcement_locked, engines));
        prop_assert!(group.enforcement_baseline.is_at_least(&group.enforcement_locked, engines));
        for kind in CanaryKind::ALL {
            let spoken = lowest("canaries").or_else(|| said(&defaults, "canaries"));
            let own = spoken.is_none_or(|words| words.contains(kind.id()));
            let locked = group.enforcement_locked.canaries.contains(&kind);
            prop_assert_eq!(group.enforcement.canaries.contains(&kind), own || locked);
        }
        let shown = words(&config, &group.enforcement);
        for engine in ["google", "bing", "qwant", "brave", "ecosia"] {
            let spoken = lowest("safesearch").or_else(|| said(&defaults, "safesearch"));
            let own = spoken.map_or(level != "staff", |words| words.contains(engine));
            let locked = said(&lock, "safesearch").is_some_and(|words| words.contains(engine));
            prop_assert_eq!(shown.split(' ').any(|word| word == engine), own || locked, "{}", engine);
        }
    }
}
