//! Policies at random: config and files, and names that every step of the order may speak of.

use std::fmt::Write as _;

use proptest::prelude::*;

/// Names that something is said of, and one of which nothing is.
pub(crate) const NAMES: [&str; 24] = [
    "games.example",
    "both.example",
    "bet.example",
    "chat.example",
    "good.example",
    "own.example",
    "denied.example",
    "lms.example",
    "ordered.example",
    "pass.example",
    "taixiu-x.example",
    "plain.example",
    "pool.ntp.org",
    "tongdai111.vn",
    "mask.icloud.com",
    "use-application-dns.net",
    "www.google.com",
    "duckduckgo.com",
    "www.youtube.com",
    "printer.local",
    "localhost",
    "nas.school.lan",
    "dc.zone.example",
    "paper.example",
];

/// Files beside the config, the same for every policy.
pub(crate) const FILES: [(&str, &str); 6] = [
    ("games.txt", "games.example\nboth.example\npass.example\n"),
    ("social.txt", "chat.example\nboth.example\npaper.example\n"),
    ("gambling.txt", "bet.example\n"),
    ("legal.txt", "ordered.example\n"),
    ("safe.txt", "good.example\n"),
    (
        "pass.rpz",
        "$TTL 60\n@ SOA a. b. 1 1 1 1 1\npass.example CNAME rpz-passthru.\nnodata.both.example CNAME *.\n",
    ),
];

const LISTS: &str = r#"
[[lists.source]]
category = "violence"
path = "pass.rpz"
[[lists.source]]
category = "games"
path = "games.txt"
[[lists.source]]
category = "social"
path = "social.txt"
[[lists.source]]
category = "gambling"
path = "gambling.txt"
[[lists.source]]
category = "legal_request"
path = "legal.txt"
[[lists.source]]
category = "safe"
path = "safe.txt"
"#;

/// A policy.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// All of the config behind the groups `pupils` and `staff`, which have profiles of these names.
    pub(crate) config: String,
    /// The department's file.
    pub(crate) department: String,
}

fn some(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(words, 0..=words.len())
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

/// The body of a profile.
fn profile() -> impl Strategy<Value = String> {
    let plain = (
        one_of(&[
            "",
            "block = [\"games\", \"gambling\"]\n",
            "block = []\n",
            "block = [\"social\"]\n",
        ]),
        some(&["own.example", "games.example", "www.google.com", "taixiu-x.example"]),
        some(&["denied.example", "good.example", "games.example", "duckduckgo.com", "lms.example"]),
        one_of(&["", "", "", "allow_only = true\n", "allow_only = false\n"]),
    );
    let other = (
        one_of(&["", "keywords = true\n", "keywords = false\n"]),
        one_of(&[
            "",
            "safesearch = \"off\"\n",
            "safesearch = \"all\"\n",
            "safesearch = [\"google\"]\n",
        ]),
        one_of(&["", "youtube = \"off\"\n", "youtube = \"strict\"\n"]),
        one_of(&["", "canaries = \"off\"\n", "canaries = [\"icloud\"]\n"]),
        one_of(&["", "answer = \"zero\"\n", "answer = \"nodata\"\n", "answer = \"refused\"\n"]),
    );
    (plain, other).prop_map(|((block, allow, deny, only), (keywords, safe, youtube, canaries, answer))| {
        format!(
            "{block}allow = {allow:?}\ndeny = {deny:?}\n{only}{keywords}{safe}{youtube}{canaries}{answer}"
        )
    })
}

/// Policies; `edges` has schedules and their windows in them.
pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    let level = one_of(&["preschool", "primary", "lower-secondary", "upper-secondary"]);
    let during = one_of(&[
        "",
        "block = [\"social\"]\n",
        "observe = [\"games\"]\n",
        "allow_only = true\n",
        "block = [\"games\"]\nobserve = [\"social\"]\n",
    ]);
    let department = (
        some(&["lms.example", "games.example", "good.example"]),
        some(&["lms.x.example", "denied.example", "dc.zone.example"]),
        one_of(&[
            "",
            "[[lock]]\nsafesearch = [\"bing\"]\n",
            "[defaults.staff]\nyoutube = \"strict\"\n",
        ]),
    );
    let rest = (0_u32..288, 1_u32..287, any::<bool>(), any::<bool>());
    (level, profile(), profile(), during, department, rest).prop_map(
        |(level, pupils, staff, during, (allow, deny, more), (start, length, closed, has_sources))| {
            let clock = |n: u32| format!("{:02}:{:02}", n % 288 * 5 / 60, n % 288 * 5 % 60);
            let mut config = format!(
                "[profile.pupils]\nlevel = \"{level}\"\n{pupils}\n[profile.staff]\nlevel = \"staff\"\n{staff}\n\
                 [profile.pupils.during.night]\n{during}\n\
                 [[schedule]]\nname = \"lessons\"\ntimes = [\"{}-{}\"]\n\
                 [[schedule]]\nname = \"night\"\ntimes = [\"22:00-05:00\"]\n\
                 [department]\npolicy = \"department.toml\"\n{LISTS}",
                clock(start),
                clock(start + length),
            );
            if closed {
                config += "[[lists.source]]\ncategory = \"adult\"\npath = \"gone.txt\"\n";
            }
            if has_sources {
                let _ = write!(
                    config,
                    "[local]\nrecords = [\"nas.school.lan A 10.0.0.1\", \"games.example A 10.0.0.2\"]\n\
                     [[forward]]\nzone = \"zone.example\"\nservers = [\"udp://127.0.0.1:{{upstream}}\"]\n"
                );
            }
            let department = format!("allow = {allow:?}\ndeny = {deny:?}\n{more}");
            Policy { config, department }
        },
    )
}

/// Questions: a name, perhaps one below it, and a type.
pub(crate) fn questions(count: usize) -> impl Strategy<Value = Vec<(String, u16, bool)>> {
    let name = (prop::sample::select(NAMES.to_vec()), one_of(&["", "", "x.", "nodata."]));
    let name = name.prop_map(|(name, below)| format!("{below}{name}"));
    let qtype = prop::sample::select(vec![1_u16, 1, 1, 28, 65, 255]);
    prop::collection::vec((name, qtype, any::<bool>()), count)
}
