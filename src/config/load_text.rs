//! Text → [`Config`]: the one way to make one.

use std::path::Path;

use crate::config::data::released::ReleasedData;
use crate::config::errors::{ConfigErrors, lang_of};
use crate::config::external::{Externals, FileReader, Outside};
use crate::config::layers::words::NameWords;
use crate::config::model::Config;
use crate::config::sections::state::StateSettings;
use crate::config::{check, file};

impl Config {
    /// The config of an empty file: what runs when there is none.
    pub fn embedded() -> Self {
        match load_text("", "built-in defaults", Path::new("")) {
            Ok(config) => config,
            Err(errors) => unreachable!("the defaults are tested to hold together: {errors}"),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::embedded()
    }
}

/// Reads a config from `text`, which came from `path`.
///
/// Relative paths in it are taken from `base_dir`. Nothing is opened here.
///
/// # Errors
///
/// Every mistake of meaning; or the first mistake of shape (syntax, an unknown
/// key, a wrong type), behind which meaning cannot be seen.
///
/// # Examples
///
/// ```
/// # use std::path::Path;
/// # use lachan::config::load_text;
/// let config = load_text("[block]\nttl = \"10s\"\n", "gateway.toml", Path::new("/etc/lachan"))?;
/// assert_eq!(config.block.ttl.as_secs(), 10);
/// assert_eq!(config.default_group().name, "default");
/// # Ok::<(), lachan::config::ConfigErrors>(())
/// ```
pub fn load_text(text: &str, path: &str, base_dir: &Path) -> Result<Config, ConfigErrors> {
    load(text, path, base_dir, None)
}

/// As [`load_text`], with the other files that it names: the department's policy, calendars.
///
/// Without a reader each of them counts as empty.
///
/// # Errors
///
/// Every mistake of the first file that has any: the others before the config, which builds
/// on them.
pub fn load(
    text: &str,
    path: &str,
    base_dir: &Path,
    reader: Option<FileReader<'_>>,
) -> Result<Config, ConfigErrors> {
    load_in(text, path, base_dir, &Outside { texts: reader, ..Outside::default() })
}

/// As [`load`], judged by all that a config depends on beside its text.
///
/// # Errors
///
/// As [`load`].
pub fn load_in(
    text: &str,
    path: &str,
    base_dir: &Path,
    outside: &Outside<'_>,
) -> Result<Config, ConfigErrors> {
    let lang = lang_of(text);
    let wrong = |mistakes| ConfigErrors::new(path, text, mistakes).in_lang(lang);
    let file: file::shape::File =
        file::shape::parse(text).map_err(|mistake| wrong(vec![mistake]))?;
    let release = outside.release.filter(|_| file.update.root.is_some()).and_then(|read| {
        let dir = file.state.dir.as_ref().map(|dir| base_dir.join(dir.get_ref()));
        read(&StateSettings { dir, ..StateSettings::default() })
    });
    let data = release.as_ref().map_or_else(ReleasedData::default, |one| one.data.clone());
    let (taxonomy, safesearch) = (data.taxonomy()?, data.safesearch()?);
    let words = NameWords::new(data.bundles()?, data.services(&taxonomy)?);
    let known = (&taxonomy, &safesearch, &words);
    let externals =
        Externals::read(&file, base_dir, known, outside).map_err(|errors| errors.in_lang(lang))?;
    let mut config =
        check::check(&file, base_dir, taxonomy, safesearch, words, externals).map_err(wrong)?;
    config.warned = config.warned.of(path, text).in_lang(lang);
    config.void = config.void.of(path, text).in_lang(lang);
    config.data = data;
    if let Some(release) = release {
        // People signed what a release removes; nobody here is asked again.
        config.lists.min_percent = 0;
        config.lists.packs = Some(release.directory);
        config.lists.older_packs = release.older;
        config.texts.extend(config.data.texts().cloned());
    }
    Ok(config)
}
