//! Configs of earlier versions: an upgrade of the program asks nobody to change theirs.
//!
//! Each file of `before/` is what `config/gateway.toml` had on its day, with every key that was not commented out.
//! Law: none of them is ever changed; a key that is renamed goes on being read, with a hint.

use super::right;

#[test]
fn the_config_of_every_version_before_is_read() {
    for (day, text) in [
        ("2026-11-24", include_str!("before/2026-11-24.toml")),
        ("2026-11-25", include_str!("before/2026-11-25.toml")),
        ("2026-11-28", include_str!("before/2026-11-28.toml")),
        ("2026-11-29", include_str!("before/2026-11-29.toml")),
    ] {
        let config = right(text);
        assert_eq!(config.school.id, "school", "{day}");
        assert!(!config.listen.dns.is_empty() && !config.groups.is_empty(), "{day}");
    }
}
