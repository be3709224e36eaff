//! The words that go with a blocked answer.

use crate::category::{CategoryId, Taxonomy};
use crate::policy::Snapshot;

/// Category and reference code; of protected categories the code alone.
pub(crate) fn of(taxonomy: &Taxonomy, digest: u64, in_words: bool) -> Vec<Box<[u8]>> {
    let code = |place: usize| format!("ref={place:02}-{:06x}", digest & 0xff_ffff);
    let mut texts: Vec<Box<[u8]>> = taxonomy
        .iter()
        .map(|(id, row)| {
            let code = code(id.index() + 1);
            let text = if row.is_protected || !in_words {
                code
            } else {
                format!("category={} {code}", row.id)
            };
            text.into_bytes().into()
        })
        .collect();
    texts.push(code(0).into_bytes().into());
    texts
}

impl Snapshot {
    /// The words that go with a blocked answer.
    #[inline]
    pub fn text(&self, category: Option<CategoryId>) -> &[u8] {
        let place = category.map_or(self.texts.len() - 1, CategoryId::index);
        self.texts.get(place).map_or(&[], |text| text)
    }
}
