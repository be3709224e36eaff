//! Any octets as an emergency document: read or refused, and within the limits.
#![no_main]

use lachan::release::emergency::{CATEGORIES, Emergency, MAX_ENTRIES};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(read) = Emergency::parse(octets, |name| name.label_count() == 3) else { return };
    assert!(read.taken.len() + read.refused.len() <= MAX_ENTRIES);
    for (name, entry) in read.taken {
        assert!(name.label_count() >= 2 && CATEGORIES.contains(&entry.category.as_str()));
    }
});
