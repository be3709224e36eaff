use std::collections::BTreeSet;

use super::*;

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn folded(text: &str) -> Folded {
    Folded::from_name(&name(text))
}

fn recent() -> RecentNames {
    let sample = PopularSample::new(["a.vn", "b.vn", "c.vn"].map(name));
    RecentNames::new(Arc::new(sample), (1, 2))
}

/// What noting does behind the filters.
fn ask(recent: &RecentNames, text: &str, clients: impl IntoIterator<Item = u64>) {
    let seen = recent.seen.load();
    for client in clients {
        recent.count(&seen, &folded(text), client, 1);
    }
}

#[test]
fn a_bit_is_set_by_ten_clients_or_more_and_never_by_fewer() {
    for boot in 0..200 {
        let sample = Arc::new(PopularSample::new([name("a.vn")]));
        let recent = RecentNames::new(sample, (boot, 7));
        // Nine clients, however often they ask.
        ask(&recent, "a.vn", (0..9).cycle().take(900));
        assert!(!recent.seen.load().has(0), "boot {boot}");
        ask(&recent, "www.a.vn", 9..40);
        assert!(recent.seen.load().has(0), "boot {boot}");
    }
}

#[test]
fn what_is_kept_has_no_name_and_comes_back_for_the_same_sample_alone() {
    let before = recent();
    ask(&before, "b.vn", 0..60);
    ask(&before, "secret.example", 0..60);
    let text = before.kept();
    assert!(!text.contains("secret") && !text.contains("b.vn"), "{text}");
    let after = recent();
    assert!(after.take(&text));
    assert_eq!(after.names(), [name("b.vn")]);
    let other = PopularSample::new(["b.vn", "a.vn", "c.vn"].map(name));
    let other = RecentNames::new(Arc::new(other), (1, 2));
    assert!(!other.take(&text));
    assert_eq!(other.names(), []);
    for torn in ["", "lachan-seen 1", &text[..text.len() - 3], &text.replace("lachan-seen 1", "2")]
    {
        assert!(!recent().take(torn), "{torn:?}");
    }
}

#[test]
fn the_share_that_is_not_known_counts_what_a_new_process_has_forgotten() {
    let before = recent();
    assert_eq!(before.unknown_permille(), None);
    ask(&before, "other.example", 0..50);
    assert_eq!(before.unknown_permille(), Some(0), "it is in memory");
    ask(&before, "a.vn", 0..50);
    assert!(before.unknown_permille().unwrap() < 10);
    // Monday morning: the bit is there, the other name is not.
    let after = recent();
    assert!(after.take(&before.kept()));
    assert_eq!(after.names(), [name("a.vn")]);
    assert!((500..800).contains(&after.unknown_permille().unwrap()));
}

#[test]
fn the_table_is_bounded_and_gives_whole_names_only() {
    let recent = recent();
    let seen = recent.seen.load();
    let many = CELLS as u64 * 3;
    for number in 0..many {
        recent.count(&seen, &folded(&format!("host-{number}.example")), 1, 1);
    }
    let long = format!("{}.example", "x".repeat(63));
    recent.count(&seen, &folded(&format!("{long}.{long}")), 1, 1);
    let names = recent.names();
    assert!(names.len() > CELLS / 2 && names.len() <= CELLS, "{}", names.len());
    let own: BTreeSet<Name> =
        (0..many).map(|number| name(&format!("host-{number}.example"))).collect();
    assert!(names.iter().all(|one| own.contains(one)));
    // A cell that two writers spoilt is no name.
    let cell = recent.cells.iter().find(|cell| cell.mark.load(Relaxed) != 0).unwrap();
    cell.words[1].fetch_xor(1, Relaxed);
    assert_eq!(recent.names().len(), names.len() - 1);
    assert!(recent.unknown_permille().unwrap() > 600);
}

#[test]
fn another_sample_forgets_the_bits() {
    let recent = recent();
    ask(&recent, "a.vn", 0..60);
    recent.follow(&Arc::new(PopularSample::new(["a.vn", "b.vn", "c.vn"].map(name))));
    assert!(recent.seen.load().has(0));
    recent.follow(&Arc::new(PopularSample::new(["b.vn", "a.vn"].map(name))));
    assert!(!recent.seen.load().has(0) && !recent.seen.load().has(1));
}
