//! What a person decides about a review, from the command line or from a page.

use crate::lang::{Message, messages};
use crate::load::in_force::Current;
use crate::overrides::allow::reason;
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::request::person;
use crate::overrides::{AllowRequest, StoredOverride};
use crate::policy::group::time::{Now, Trust};
use crate::reviews::ReviewBook;
use crate::reviews::request::AskedSite;
use crate::reviews::stored::{ReviewWord, StoredReview};

/// The reviews beside the policy in force, at one time.
pub struct ReviewDesk<'a> {
    /// The policy in force.
    pub current: &'a Current,
    /// The reviews.
    pub book: &'a ReviewBook,
    /// The time.
    pub now: Now,
}

impl ReviewDesk<'_> {
    /// Allows a name until a day; a review of it is closed with the same word.
    ///
    /// # Errors
    ///
    /// Why not, for people; nothing has changed.
    pub fn allow(&self, request: AllowRequest) -> Result<StoredOverride, Message> {
        let site = site(&request.name)?;
        if self.now.trust == Trust::Untrusted {
            return Err(OverrideRefusal::Clock.message());
        }
        let request = AllowRequest { name: site.text(), ..request };
        let begun = self.current.allow(&request, self.now.civil);
        let begun = begun.map_err(|refusal| refusal.message())?;
        let StoredOverride { by, reason, .. } = begun.clone();
        self.book.allowed(&site, ReviewWord { by, reason });
        Ok(begun)
    }

    /// Ends every allow of a name; its review is open again.
    ///
    /// # Errors
    ///
    /// Why not, for people.
    pub fn revoke(&self, name: &str, by: &str) -> Result<StoredOverride, Message> {
        let site = site(name)?;
        let by = person(by).map_err(|refusal| refusal.message())?;
        let allows = self.current.in_force().allows_at(self.now.civil);
        let mut ended = None;
        // Several groups may have one each.
        for one in allows.into_iter().filter(|one| one.names.contains(&site.text())) {
            let end = self.current.end(one.id, by, self.now.civil);
            ended = Some(end.map_err(|refusal| refusal.message())?);
        }
        let ended = ended.ok_or_else(|| messages::review_no_allow(site.text()))?;
        self.book.revoked(&site);
        Ok(ended)
    }

    /// Closes a review without opening its name.
    ///
    /// # Errors
    ///
    /// Why not, for people; nothing has changed.
    pub fn deny(&self, name: &str, by: &str, why: &str) -> Result<StoredReview, Message> {
        let site = site(name)?;
        let by = person(by).map_err(|refusal| refusal.message())?.to_owned();
        let reason = reason(why).map_err(|refusal| refusal.message())?.to_owned();
        let closed = self.book.deny(&site, &ReviewWord { by, reason }, self.now.civil);
        closed.ok_or_else(|| messages::review_no_row(site.text()))
    }
}

/// The site that a text names.
///
/// # Errors
///
/// That it names none, for people.
pub(super) fn site(text: &str) -> Result<AskedSite, Message> {
    AskedSite::read(text).map_err(|_| messages::review_no_site(plain(text)))
}

/// The beginning of a text, as it may be shown.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|one| !one.is_control()).take(80).collect()
}
