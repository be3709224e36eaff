//! Versions of the program that officers signed: which file, for which machines.
//!
//! Laws: a version is a target of people's, with the digest of its package, or it does not exist; a
//! rollout only chooses among these. What is compared is `MAJOR.MINOR.PATCH` by semantic versioning.

use semver::Version;

use super::layout;

/// The most octets of a version.
const MAX_VERSION: usize = 32;

/// The name of the package.
pub const PACKAGE: &str = "lachan";

/// The version of this program.
pub const OWN: &str = env!("CARGO_PKG_VERSION");

/// A package of the program: version and architecture, in Debian's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramPackage {
    /// The version, with the package's revision.
    pub version: String,
    /// The architecture.
    pub architecture: String,
}

impl ProgramPackage {
    /// The package of a file's name, `lachan_VERSION_ARCHITECTURE.deb`.
    pub fn of_file(name: &str) -> Option<Self> {
        let mut words = name.strip_suffix(".deb")?.split('_');
        let (name, version, architecture) = (words.next()?, words.next()?, words.next()?);
        (name == PACKAGE && words.next().is_none()).then_some(())?;
        Self::new(version, architecture)
    }

    /// The package of a target; `None` for a target that is none.
    pub fn of_target(target: &str) -> Option<Self> {
        let rest = target.strip_prefix(layout::PROGRAMS)?.strip_suffix(".deb")?;
        let (version, architecture) = rest.split_once('/')?;
        Self::new(version, architecture)
    }

    /// A version for the architecture of this program.
    pub fn of_own(version: &str) -> Self {
        Self { version: version.to_owned(), architecture: own_architecture().to_owned() }
    }

    /// The name of its file, as [`ProgramPackage::of_file`] reads it.
    pub fn file_name(&self) -> String {
        format!("{PACKAGE}_{}_{}.deb", self.version, self.architecture)
    }

    /// Name, version and architecture in its control file.
    pub fn control(&self) -> String {
        format!("{PACKAGE} {} {}", self.version, self.architecture)
    }

    /// Its target.
    pub fn target(&self) -> String {
        layout::program(&self.version, &self.architecture)
    }

    fn new(version: &str, architecture: &str) -> Option<Self> {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let is_known = is_version(version)
            && (1..=16).contains(&architecture.len())
            && architecture.chars().all(is_word);
        let made = || Self { version: version.to_owned(), architecture: architecture.to_owned() };
        is_known.then(made)
    }
}

/// Whether a text is a version of a package: `MAJOR.MINOR.PATCH`, and a revision after `-`.
pub fn is_version(text: &str) -> bool {
    let number = text.split_once('-').map_or(text, |(number, _)| number);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    text.len() <= MAX_VERSION
        && text.chars().all(is_plain)
        && !text.ends_with(['.', '-'])
        && !text.contains("..")
        && Version::parse(number).is_ok()
}

/// Whether the version `own` is below `least`; a version that is none is above every one.
pub fn is_below(own: &str, least: &str) -> bool {
    match (Version::parse(own), Version::parse(least)) {
        (Ok(own), Ok(least)) => own < least,
        (own, _) => own.is_ok(),
    }
}

/// The architecture of this program, in Debian's word.
pub fn own_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "armhf",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_version_and_an_architecture_and_nothing_leads_out() {
        let package = ProgramPackage::of_file("lachan_0.2.0-1_arm64.deb").unwrap();
        assert_eq!((package.version.as_str(), package.architecture.as_str()), ("0.2.0-1", "arm64"));
        assert_eq!(package.file_name(), "lachan_0.2.0-1_arm64.deb");
        assert_eq!(package.target(), "programs/0.2.0-1/arm64.deb");
        assert_eq!(ProgramPackage::of_target(&package.target()), Some(package));
        for wrong in [
            "other_0.2.0_arm64.deb",
            "lachan_0.2.0.deb",
            "lachan_0.2_arm64.deb",
            "lachan_0.2.0_arm64_x.deb",
            "lachan_0.2.0-.._arm64.deb",
            "lachan_0.2.0_../x.deb",
            "lachan_0.2.0_arm64.tar",
        ] {
            assert_eq!(ProgramPackage::of_file(wrong), None, "{wrong}");
        }
        assert_eq!(ProgramPackage::of_target("lists/1.full.zst"), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_below("0.9.0", "0.10.0") && !is_below("0.10.0", "0.10.0"));
        assert!(!is_below("1.0.0", "0.10.0"));
        assert!(is_below("1.0.0", "soon"), "what cannot be read may need anything");
    }
}
