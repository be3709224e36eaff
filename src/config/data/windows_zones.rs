//! Time zones by the names that Windows gives them (CLDR `windowsZones`): Outlook writes no others.

/// `Windows name = IANA zone`, a line each.
const TEXT: &str = include_str!("../../../blocklists/windows-zones.txt");

/// The IANA zone of a Windows name.
pub fn iana_zone(windows: &str) -> Option<&'static str> {
    let mut rows = TEXT.lines().filter(|line| !line.starts_with('#'));
    rows.find_map(|line| {
        let (name, zone) = line.split_once(" = ")?;
        name.eq_ignore_ascii_case(windows).then_some(zone)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_zone_that_is_shipped() {
        let rows = TEXT.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut count = 0;
        for row in rows {
            let (name, zone) = row.split_once(" = ").unwrap();
            assert_eq!(iana_zone(name), Some(zone));
            jiff::tz::TimeZone::get(zone).unwrap();
            count += 1;
        }
        assert_eq!(count, 139);
        assert_eq!(iana_zone("se asia standard time"), Some("Asia/Bangkok"));
        assert_eq!(iana_zone("Hanoi Standard Time"), None);
    }
}
