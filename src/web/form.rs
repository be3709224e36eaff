//! Fields of a form or of a query, as browsers send them (`application/x-www-form-urlencoded`).

use url::form_urlencoded;

/// The most fields of one form.
const MOST_FIELDS: usize = 32;

/// Fields by name; the first of each name counts.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads fields; what is behind the first 32 is left out.
    pub fn read(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).take(MOST_FIELDS);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let fields = Fields::read(b"by=C%C3%B4+Lan%&a&a=2");
        assert_eq!((fields.get("by"), fields.get("a")), (Some("Cô Lan%"), Some("")));
        assert_eq!(fields.get("b"), None);
    }
}
