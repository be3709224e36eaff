//! Names that many people ask for: those of the guard and of the starter lists people use most, each
//! also below `www`, a CDN label and a hashed label.

use lachan::dns::name::{Folded, Name};

const LISTS: [&str; 5] = [
    include_str!("../../blocklists/guard.txt"),
    include_str!("../../blocklists/essential.txt"),
    include_str!("../../blocklists/starter/social.txt"),
    include_str!("../../blocklists/starter/video.txt"),
    include_str!("../../blocklists/starter/ads_trackers.txt"),
];

/// Wire names.
pub(crate) fn popular() -> Vec<Vec<u8>> {
    let lines = LISTS.iter().flat_map(|list| list.lines());
    let names = lines.map(|line| line.trim_start_matches('=').trim());
    let names = names.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let below = ["", "www.", "static-cdn3.eu-west.", "d3f9a1c07be24558a6.img."];
    names
        .flat_map(|name| below.map(|labels| format!("{labels}{name}")))
        .filter_map(|name| Name::from_text(&name).ok())
        .map(|name| name.as_wire().to_vec())
        .collect()
}

/// The same names in lower case.
pub(crate) fn folded(names: &[Vec<u8>]) -> Vec<Folded> {
    names.iter().map(|wire| Folded::from_wire(wire).unwrap().0).collect()
}
