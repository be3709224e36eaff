//! One entry of `servers`: a text, or a table with keys for this server alone.

use std::fmt;

use serde::de::{
    Deserialize, Deserializer, Error, MapAccess, Visitor, value::MapAccessDeserializer,
};
use toml::Spanned;

/// One entry of `servers`.
#[derive(Debug)]
pub(crate) struct ServerEntry {
    /// The server, as it is written.
    pub(crate) server: String,
    /// Whether names are sent to it in letters of random case.
    pub(crate) case_randomisation: Option<bool>,
}

/// The table, as it is written.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryTable {
    server: String,
    #[serde(default)]
    case_randomisation: Option<bool>,
}

/// A list of servers, each with its place, if it was given.
pub(crate) type Servers = Option<Spanned<Vec<Spanned<ServerEntry>>>>;

/// The entries of a list that may be absent, each with its text's place.
pub(crate) fn entries(servers: &Servers) -> impl Iterator<Item = &Spanned<ServerEntry>> {
    servers.iter().flat_map(Spanned::get_ref)
}

impl<'de> Deserialize<'de> for ServerEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entry;

        impl<'de> Visitor<'de> for Entry {
            type Value = ServerEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a server in quotes, or a table with `server`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ServerEntry, E> {
                Ok(ServerEntry { server: text.to_owned(), case_randomisation: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ServerEntry, A::Error> {
                let table = EntryTable::deserialize(MapAccessDeserializer::new(map))?;
                let EntryTable { server, case_randomisation } = table;
                Ok(ServerEntry { server, case_randomisation })
            }
        }

        deserializer.deserialize_any(Entry)
    }
}
