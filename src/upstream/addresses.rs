//! Addresses in an answer, for the names that this program itself looks up.

use std::net::IpAddr;

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::RData;

/// The addresses in the answer section; none of what cannot be read.
pub fn addresses(message: &[u8]) -> Vec<IpAddr> {
    let Ok(message) = Message::from_vec(message) else { return Vec::new() };
    let address = |data: &RData| match data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
        _ => None,
    };
    message.answers.iter().filter_map(|record| address(&record.data)).collect()
}

/// The texts in the answer section, the strings of each joined; none of what cannot be read.
pub fn texts(message: &[u8]) -> Vec<Vec<u8>> {
    let Ok(message) = Message::from_vec(message) else { return Vec::new() };
    let text = |data: &RData| match data {
        RData::TXT(txt) => Some(txt.txt_data.iter().flatten().copied().collect()),
        _ => None,
    };
    message.answers.iter().filter_map(|record| text(&record.data)).collect()
}
