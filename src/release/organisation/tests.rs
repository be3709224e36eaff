//! The registry: the example of every key, two geographies, and mistakes with their places.

use std::fmt::Write as _;

use super::*;

const EXAMPLE: &str = include_str!("../../../config/org.example.toml");

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// The mistakes of a text, each as `line: message`, with its hint.
fn mistakes(text: &str) -> Vec<String> {
    let mistakes = SchoolRegistry::parse(text).expect_err("a mistake");
    let rendered = mistakes.iter().map(|one| one.render("org", text));
    rendered.map(|one| one.lines().filter(|line| !line.contains(" | ")).collect()).collect()
}

#[test]
fn the_example_is_read_in_old_and_new_geography() {
    let registry = SchoolRegistry::parse(EXAMPLE).unwrap();
    assert_eq!(registry.name, "Sở Giáo dục và Đào tạo Ví Dụ");
    assert_eq!((registry.departments.len(), registry.hotlines.len()), (1, 1));
    let thuong = registry.school("thcs-thuong").unwrap();
    let commune = |date| registry.commune(thuong, day(date)).map(|unit| unit.name.as_str());
    assert_eq!(commune("2025-06-30"), Some("Xã Thượng"));
    assert_eq!(commune("2025-07-01"), Some("Xã Sông Xanh"));
    let th = registry.school("th-song-xanh").unwrap();
    assert_eq!(registry.commune(th, day("2025-06-30")), None, "its unit was not there");
    for school in registry.schools() {
        let old = registry.old_unit(school).unwrap();
        assert_eq!((old.id.as_str(), old.kind.as_str()), ("huyen-song-xanh", "district"));
    }
    let open = |first, last| registry.schools_open(day(first), day(last)).count();
    assert_eq!(open("2025-11-16", "2026-11-15"), 3, "one closed within the period");
    assert_eq!(open("2026-06-01", "2026-11-15"), 2);
    assert_eq!(open("2000-01-01", "2000-12-31"), 2, "one was not opened yet");
}

#[test]
fn a_registry_stands_beside_boxes_and_may_be_empty() {
    let boxes = "[[box]]\nschool = \"a\"\nbox = \"1\"\nkey = \"ab\"\npinned_at = 1\n";
    assert_eq!(SchoolRegistry::parse(boxes), Ok(SchoolRegistry::default()));
    assert_eq!(
        SchoolRegistry::parse(&format!("{EXAMPLE}\n{boxes}")),
        SchoolRegistry::parse(EXAMPLE)
    );
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_is_allowed() {
    for (from, to, told) in [
        ("\"thcs-thuong\"", "\"thcs thuong\"", "`id` cannot be `thcs thuong`"),
        ("\"lower-secondary\"", "\"lower-secondery\"", "they are preschool, primary"),
        ("\"lower-secondary\"", "\"staff\"", "`staff` is no level of a school"),
        ("\"1998-09-05\"", "\"05/09/1998\"", "`opened` cannot be `05/09/1998`: write a date as"),
        ("\"2026-05-31\"", "\"2009-05-31\"", "`closed` is before `opened`"),
        ("unit = \"xa-ha\"", "unit = \"xa-hà\"", "no [[unit]] has this id"),
        ("id = \"xa-ha\"", "id = \"xa-thuong\"", "the id `xa-thuong` stands in two [[unit]]"),
        ("id = \"th-song-xanh\"", "id = \"thcs-thuong\"", "stands in two [[school]]"),
        ("name = \"THCS Thượng\"", "name = \" \"", "`name` has one line of 1 to 200 characters"),
        ("closed =", "shut =", "unknown field `shut`, expected one of `id`"),
        ("[[hotline]]", "[[hotlines]]", "unknown field `hotlines`"),
        ("kind = \"tư thục\"", "kind = 7", "invalid type: integer"),
        (
            "parent = \"vi-du\"\nvalid_from",
            "parent = \"xa-song-xanh\"\nvalid_from",
            "`parent` come to no end",
        ),
    ] {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        let line = 1 + EXAMPLE[..EXAMPLE.find(from).unwrap()].matches('\n').count();
        let mistakes = mistakes(&text);
        assert!(mistakes.iter().any(|one| one.contains(told)), "{told}: {mistakes:?}");
        let is_placed = |one: &String| one.starts_with(&format!("org:{line}:"));
        // A unit that is given another's id is missed where it is named.
        assert!(mistakes.iter().any(is_placed), "{line}: {mistakes:?}");
    }
    let near = EXAMPLE.replacen("unit = \"xa-ha\"", "unit = \"xa-haa\"", 1);
    assert!(mistakes(&near)[0].contains("did you mean `xa-ha`"), "{:?}", mistakes(&near));
    let endless = EXAMPLE.replacen("valid_to = \"2025-06-30\"\nsuccessor", "successor", 1);
    assert!(mistakes(&endless)[0].contains("has a last day"), "{:?}", mistakes(&endless));
}

/// A registry of so many schools.
fn large(schools: usize) -> String {
    let mut text = String::from("[[unit]]\nid = \"u\"\nname = \"U\"\nkind = \"commune\"\n");
    for number in 0..schools {
        let _ = write!(
            text,
            "[[school]]\nid = \"s{number}\"\nname = \"S\"\nlevel = \"primary\"\nunit = \"u\"\n"
        );
    }
    text
}

#[test]
fn a_registry_is_bounded() {
    let registry = SchoolRegistry::parse(&large(MAX_SCHOOLS)).unwrap();
    assert_eq!(registry.schools().len(), MAX_SCHOOLS);
    let told = mistakes(&large(MAX_SCHOOLS + 1));
    assert!(told[0].contains("there are 10001 [[school]]; there may be 10000"), "{told:?}");
    let wrong = large(2_000).replace("\"primary\"", "\"first\"");
    assert_eq!(mistakes(&wrong).len(), 50, "a file of another kind does not flood");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(\\[\\[(unit|school|hotline)\\]\\]\n|[a-z_]{1,9} = \"[^\"]{0,9}\"\n|.{0,9}){0,9}") {
        let _ = SchoolRegistry::parse(&text);
    }
}
