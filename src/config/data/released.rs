//! Tables that a release brings in the place of those compiled in.
//!
//! Law: a table that the release does not have is the one compiled in. Categories that block keep the
//! places that they have in the table compiled in, and new ones stand behind them: the counters of a
//! running gateway are by place.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::category::Taxonomy;
use crate::config::data::answers::{self, ReviewAnswer};
use crate::config::data::safesearch::{self, SafeSearch};
use crate::config::data::services::{self, KeptNames, Services};
use crate::config::data::starter::{self, ShippedEssential};
use crate::config::data::taxonomy;
use crate::config::errors::ConfigErrors;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::matcher::keyword::KeywordRules;
use crate::policy::CanaryKind;

const CATEGORIES: &str = "categories.toml";
const ESSENTIAL: &str = "essential.txt";
const GUARD: &str = "guard.txt";
const CANARIES: &str = "canaries.txt";
const SAFESEARCH: &str = "safesearch.toml";
const BUNDLES: &str = "bundles.toml";
const SERVICES: &str = "services.toml";
const KEYWORDS: &str = "keywords.txt";
const POPULAR: &str = "popular.txt";
/// What the department answered to schools.
pub const ANSWERS: &str = "answers.toml";

/// The tables in effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleasedData(Arc<BTreeMap<&'static str, String>>);

impl ReleasedData {
    /// The names of the files that a gateway uses.
    pub const FILES: [&str; 10] = [
        CATEGORIES, ESSENTIAL, GUARD, CANARIES, SAFESEARCH, BUNDLES, SERVICES, KEYWORDS, POPULAR,
        ANSWERS,
    ];

    /// Tables of these texts; `read` has the text of a file, if the release brings it.
    pub fn new(mut read: impl FnMut(&'static str) -> Option<String>) -> Self {
        let texts = Self::FILES.into_iter().filter_map(|file| Some((file, read(file)?)));
        Self(Arc::new(texts.collect()))
    }

    /// The same without the files that cannot be used, and their faults.
    pub fn usable(self) -> (Self, Vec<ConfigErrors>) {
        let mut faults = Vec::new();
        let mut good = BTreeMap::new();
        // Keywords and services are of categories, and services are kept from guarded and
        // essential names: those come first.
        for file in Self::FILES {
            let Some(text) = self.0.get(file) else { continue };
            good.insert(file, text.clone());
            let tried = Self(Arc::new(good.clone()));
            if let Some(fault) = tried.fault(file) {
                good.remove(file);
                faults.push(fault);
            }
        }
        (Self(Arc::new(good)), faults)
    }

    fn fault(&self, file: &str) -> Option<ConfigErrors> {
        match file {
            CATEGORIES => self.taxonomy().err(),
            ESSENTIAL => self.essential().err(),
            GUARD => self.guarded().err(),
            CANARIES => self.canaries().err(),
            SAFESEARCH => self.safesearch().err(),
            BUNDLES => self.bundles().err(),
            SERVICES => self.services_fault(),
            POPULAR => self.popular().err(),
            ANSWERS => self.answers().err(),
            _ => self.keyword_fault(),
        }
    }

    fn services_fault(&self) -> Option<ConfigErrors> {
        self.services(&self.taxonomy().ok()?).err()
    }

    fn keyword_fault(&self) -> Option<ConfigErrors> {
        let taxonomy = self.taxonomy().ok()?;
        let parse = |text: &str| KeywordRules::parse(text, &taxonomy).map(drop);
        self.parsed(KEYWORDS, starter::KEYWORDS, parse).err()
    }

    /// The texts of the release, for comparisons.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        self.0.values()
    }

    /// The keyword rules of the release; none where it has none.
    pub fn keywords(&self) -> Option<&str> {
        self.0.get(KEYWORDS).map(String::as_str)
    }

    /// The categories.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn taxonomy(&self) -> Result<Taxonomy, ConfigErrors> {
        self.parsed(CATEGORIES, starter::CATEGORIES, |text| {
            let found = taxonomy::parse(text)?;
            let own = starter::taxonomy()?;
            let is_moved = own.iter().find(|(id, row)| {
                let place = found.find(&row.id);
                if row.is_positive { place.is_none() } else { place != Some(*id) }
            });
            match is_moved.filter(|_| self.0.contains_key(CATEGORIES)) {
                None => Ok(found),
                Some((_, row)) => {
                    Err(vec![Diagnostic::new(0..0, messages::update_category_moved(&row.id))])
                }
            }
        })
    }

    /// The essential names.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn essential(&self) -> Result<Vec<ShippedEssential>, ConfigErrors> {
        self.parsed(ESSENTIAL, starter::ESSENTIAL, starter::parse_essential)
    }

    /// The guarded names, each with the ids of the categories that exist to block it.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn guarded(&self) -> Result<Vec<(Name, Vec<String>)>, ConfigErrors> {
        self.parsed(GUARD, starter::GUARD, starter::parse_guarded)
    }

    /// The canary names.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn canaries(&self) -> Result<Vec<(CanaryKind, Name)>, ConfigErrors> {
        self.parsed(CANARIES, starter::CANARIES, starter::parse_canaries)
    }

    /// The search engines with a safe mode.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn safesearch(&self) -> Result<SafeSearch, ConfigErrors> {
        self.parsed(SAFESEARCH, starter::SAFESEARCH, safesearch::parse)
    }

    /// The popular sample, in the order of its file.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn popular(&self) -> Result<Vec<Name>, ConfigErrors> {
        Ok(self.popular_with_purposes()?.into_iter().map(|(name, _)| name).collect())
    }

    /// The same, each name with the ids of the categories that exist to block it.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn popular_with_purposes(&self) -> Result<Vec<(Name, Vec<String>)>, ConfigErrors> {
        self.parsed(POPULAR, starter::POPULAR, starter::parse_guarded)
    }

    /// The bundles of names.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn bundles(&self) -> Result<BTreeMap<String, Vec<Name>>, ConfigErrors> {
        self.parsed(BUNDLES, starter::BUNDLES, starter::parse_bundles)
    }

    /// What the department answered to names that schools forwarded; none without a release.
    ///
    /// # Errors
    ///
    /// The mistakes of the file.
    pub fn answers(&self) -> Result<Vec<ReviewAnswer>, ConfigErrors> {
        self.parsed(ANSWERS, "", answers::parse)
    }

    /// The services of the release, and those compiled in that it does not have; none where it has no
    /// table. A word that a school uses means something whichever of the two is newer.
    ///
    /// # Errors
    ///
    /// The mistakes of the file; names that it must not have among them.
    pub fn services(&self, taxonomy: &Taxonomy) -> Result<Option<Arc<Services>>, ConfigErrors> {
        let Some(text) = self.0.get(SERVICES) else { return Ok(None) };
        let kept = KeptNames { guarded: self.guarded()?, essential: self.essential()? };
        let parse = |text: &str| services::parse(text, taxonomy, Some(&kept));
        let mut services = self.parsed(SERVICES, text, parse)?;
        for (id, service) in services::embedded() {
            services.entry(id.clone()).or_insert_with(|| service.clone());
        }
        Ok(Some(Arc::new(services)))
    }

    fn parsed<T>(
        &self,
        file: &str,
        embedded: &str,
        parse: impl FnOnce(&str) -> Result<T, Vec<Diagnostic>>,
    ) -> Result<T, ConfigErrors> {
        let (from, text) = match self.0.get(file) {
            Some(text) => ("release", text.as_str()),
            None => ("built-in", embedded),
        };
        parse(text).map_err(|mistakes| ConfigErrors::new(&format!("{from} {file}"), text, mistakes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_a_release_stands_in_and_a_mistaken_one_does_not() {
        let data = ReleasedData::new(|file| match file {
            ESSENTIAL => Some("## time\ntime.example\n".into()),
            GUARD => Some("a..b\n".into()),
            KEYWORDS => Some("nonsense zq\n".into()),
            _ => None,
        });
        assert!(data.guarded().is_err());
        let (data, faults) = data.usable();
        assert_eq!((data.essential().unwrap().len(), faults.len()), (1, 2));
        assert!(data.keywords().is_none());
        assert!(faults[0].to_string().contains("release guard.txt"), "{}", faults[0]);
        assert_eq!(data.guarded().unwrap(), ReleasedData::default().guarded().unwrap());
    }

    #[test]
    fn services_of_a_release_stand_in_and_one_that_closes_more_does_not() {
        let row = |id: &str, name: &str| {
            format!(
                "[source.s]\nrepository = \"r\"\ncommit = \"c\"\n[service.{id}]\nvi = \"A\"\nen = \"A\"\n\
                 [[service.{id}.from]]\nsource = \"s\"\nfile = \"f\"\nnames = [\"{name}\"]\n"
            )
        };
        let of = |text: String, guard: &str| {
            let guard = guard.to_owned();
            ReleasedData::new(move |file| match file {
                SERVICES => Some(text.clone()),
                GUARD => Some(guard.clone()),
                _ => None,
            })
        };
        let taxonomy = starter::taxonomy().unwrap();
        let own = services::embedded();
        let read = |data: &ReleasedData| data.services(&taxonomy).unwrap().unwrap();
        let data = of(row("tiktok", "tok.example"), "");
        let services = read(&data);
        assert_eq!(services["tiktok"].names, [Name::from_text("tok.example").unwrap()]);
        assert_eq!((services.len(), &services["zalo"]), (own.len(), &own["zalo"]));
        assert_eq!(read(&of(row("new", "new.example"), "")).len(), own.len() + 1);
        // The guard of the release counts: a candidate with such a table is refused, and one that
        // lies here is told and not used.
        let data = of(row("tiktok", "tok.example"), "www.tok.example\n");
        assert!(data.services(&taxonomy).unwrap_err().to_string().contains("`www.tok.example`"));
        let (data, faults) = data.usable();
        assert!(faults.len() == 1 && faults[0].to_string().contains("release services.toml:10:"));
        assert_eq!(data.services(&taxonomy).unwrap(), None);
    }

    #[test]
    fn categories_are_only_added() {
        let turned = starter::CATEGORIES.replacen("id = \"adult\"", "id = \"adults\"", 1);
        assert_ne!(turned, starter::CATEGORIES, "the file has another form");
        let data = ReleasedData::new(|file| (file == CATEGORIES).then(|| turned.clone()));
        assert!(data.taxonomy().is_err());
    }
}
