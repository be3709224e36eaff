//! `service:` and `bundle:` in every list of names: what they stand for, and every mistake.

use std::path::Path;

use insta::assert_snapshot;

use lachan::config::{Config, load, load_text};
use lachan::dns::name::Name;

use super::{group_of, mistakes, right};

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

/// The config of a text with a department's policy beside it.
fn under(department: &str, text: &str) -> Result<Config, String> {
    let text = format!("[department]\npolicy = \"department.toml\"\n{text}");
    let read = |_: &Path| Ok(department.to_owned());
    load(&text, "gateway.toml", Path::new("/etc/lachan"), Some(&read))
        .map_err(|errors| errors.to_string())
}

const EVERYWHERE: &str = "\
[[schedule]]
name = \"lessons\"
days = [\"mon-fri\"]
[[group]]
name = \"default\"
profile = \"p\"
[profile.p]
allow = [\"service:wikipedia\"]
allow_only = [\"service:kahoot\"]
deny = [\"service:tiktok\", \"plain.example\"]
[profile.p.during.lessons]
allow = [\"service:duolingo\"]
deny = [\"service:youtube\"]
";

#[test]
fn a_service_stands_wherever_names_stand() {
    let config = right(EVERYWHERE);
    let group = group_of(&config, "default");
    let services = config.words.services();
    let names = |id: &str| services[id].names.clone();
    assert_eq!(group.allow, [names("wikipedia"), names("kahoot")].concat());
    assert_eq!(group.deny, [names("tiktok"), vec![name("plain.example")]].concat());
    assert_eq!(group.during[0].allow, names("duolingo"));
    assert_eq!(group.during[0].deny, names("youtube"));
    assert!(group.is_allow_only && names("tiktok").contains(&name("tiktokv.com")));
    let of: Vec<&str> =
        config.words.services_of(&name("www.TikTok.com")).map(|(id, _)| id).collect();
    assert_eq!(of, ["tiktok"]);
}

#[test]
fn a_department_has_the_words_that_are_built_in() {
    let config = under(
        "name = \"Sở\"\ndeny = [\"service:tiktok\"]\nallow = [\"bundle:windows\", \"service:azota\"]\n",
        "",
    )
    .unwrap();
    assert!(config.department.deny.contains(&name("tiktok.com")));
    assert!(config.department.allow.contains(&name("azota.vn")));
    assert!(config.department.allow.contains(&name("msftconnecttest.com")));
    // What it denies is locked for a school that allows the service, name by name.
    let config = under(
        "name = \"Sở\"\ndeny = [\"tiktok.com\"]\n",
        "[profile.p]\nallow = [\"service:tiktok\"]\n[[group]]\nname = \"default\"\nprofile = \"p\"\n",
    )
    .unwrap();
    assert_snapshot!(config.void.to_string(), @r#"
    gateway.toml:4:10: `tiktok.com` cannot be let through: Sở denies `tiktok.com`
      |
    4 | allow = ["service:tiktok"]
      |          ^^^^^^^^^^^^^^^^
    hint: remove it from `allow`; only the department can open it
    "#);
    assert_snapshot!(
        under("deny = [\"bundle:own\", \"service:olm\"]\n", "").unwrap_err(), @r#"
    department.toml:1:9: unknown bundle `own`; known are `android`, `apple`, `fonts-and-scripts`, `google-classroom`, `microsoft-365`, `windows`
      |
    1 | deny = ["bundle:own", "service:olm"]
      |         ^^^^^^^^^^^^
    department.toml:1:23: `service:olm` stands for no name yet: nobody looked its names up
      |
    1 | deny = ["bundle:own", "service:olm"]
      |                       ^^^^^^^^^^^^^
    hint: write its names themselves, or a bundle of them
    "#);
}

#[test]
fn a_word_that_there_is_not_is_a_mistake_with_the_nearest() {
    let shown = mistakes("[profile.p]\ndeny = [\"service:tiktk\"]\nblock = [\"service:tiktok\"]\n");
    // Every service is known, in the order of their ids.
    let (first, last) = ("`aliexpress`, `apple-music`", "`youtube`, `zalo`, `zing-mp3`, `zoom`");
    let (before, rest) = shown.split_once(first).unwrap();
    let (between, after) = rest.split_once(last).unwrap();
    assert!(between.contains("`tiktok`") && between.contains("`lien-quan`"), "{between}");
    assert_snapshot!(format!("{before}…{after}"), @r#"
    gateway.toml:2:9: unknown service `tiktk`; known are …
      |
    2 | deny = ["service:tiktk"]
      |         ^^^^^^^^^^^^^^^
    hint: did you mean `tiktok`?
    gateway.toml:3:10: `service:tiktok` stands for names, and here stand categories
      |
    3 | block = ["service:tiktok"]
      |          ^^^^^^^^^^^^^^^^
    hint: write it in `deny` to block its names, in `allow` to let them through
    "#);
}

#[test]
fn a_service_of_no_verified_name_is_told_and_stops_nobody() {
    let text =
        "[profile.p]\nallow = [\"service:olm\"]\n[[group]]\nname = \"default\"\nprofile = \"p\"\n";
    let config = load_text(text, "gateway.toml", Path::new("")).unwrap();
    assert!(config.default_group().allow.is_empty());
    assert_snapshot!(config.void.to_string(), @r#"
    gateway.toml:2:10: `service:olm` stands for no name yet: nobody looked its names up
      |
    2 | allow = ["service:olm"]
      |          ^^^^^^^^^^^^^
    hint: write its names themselves, or a bundle of them
    "#);
}
