//! The config that an export is made from.

use std::path::Path;

use crate::config::Config;
use crate::lang::Message;
use crate::load::assemble::read_config;

/// Reads a config and makes something of it; what is refused has the file in front.
pub(super) fn from_config(
    path: &Path,
    make: impl FnOnce(&Config) -> Result<String, Message>,
) -> Result<String, String> {
    let config = read_config(Some(path)).map_err(|error| error.to_string())?;
    let lang = config.school.lang;
    make(&config).map_err(|refused| format!("{}: {}", path.display(), refused.in_lang(lang)))
}
