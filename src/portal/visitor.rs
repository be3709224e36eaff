//! The visitor of one request: the group of its address, and the language it reads.
//!
//! Law: a visitor lives as long as its request. Nothing here is kept, counted by client or logged.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::category::Level;
use crate::config::PortalSettings;
use crate::lang::{Lang, Message};
use crate::load::in_force::InForce;
use crate::overblock::diagnosis::DiagnosisState;
use crate::policy::group::time::Now;
use crate::policy::{Claims, Group, GroupId, GroupRules, Identity};
use crate::web::door::Ends;
use crate::web::form::Fields;

/// The visitor of one request, under one policy.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// The policy that all of a page is made by.
    pub(super) in_force: Arc<InForce>,
    /// The client's address: for limits, never for a page or a log.
    pub(super) client: IpAddr,
    /// The group that its queries are judged by.
    pub(super) group: GroupId,
    /// The language of the page.
    pub(super) lang: Lang,
    /// Whether it is on a network of staff.
    pub(super) is_staff: bool,
    /// The path that was asked for, for the link to the other language.
    path: String,
    /// The diagnostic mode that is on: every page says so.
    pub(super) diagnosis: Option<DiagnosisState>,
}

impl Visitor {
    /// The visitor at one end of a connection.
    pub(super) fn of(
        in_force: Arc<InForce>,
        (ends, claims, now): (Ends, &Claims, Now),
        path: &str,
        query: Option<&str>,
    ) -> Self {
        let client = ends.peer.ip();
        let config = in_force.config();
        // A group may be bound to a DNS listener: the one at the address that was reached.
        let asked = config.listen.dns.iter().find(|dns| dns.ip() == ends.local.ip());
        let asked = asked.copied().unwrap_or(SocketAddr::new(ends.local.ip(), 0));
        let identity = Identity { client, local: asked, claims };
        let group = in_force.snapshot.group_of(identity, now).group;
        let fields = Fields::read(query.unwrap_or_default().as_bytes());
        let lang = if fields.get("lang") == Some(Lang::En.id()) { Lang::En } else { Lang::Vi };
        let mut staff = config.portal.iter().flat_map(|portal| &portal.staff_networks);
        let is_staff = staff.any(|network| network.contains(&client));
        let path = plain_path(path).to_owned();
        Self { client, group, lang, is_staff, path, in_force, diagnosis: None }
    }

    /// The same, while somebody looks at what is blocked.
    pub(super) fn under(self, diagnosis: Option<DiagnosisState>) -> Self {
        Self { diagnosis, ..self }
    }

    /// A message in the visitor's language.
    #[expect(clippy::needless_pass_by_value, reason = "a page makes a message where it says it")]
    pub(super) fn say(&self, message: Message) -> String {
        message.in_lang(self.lang)
    }

    /// A path of the portal that keeps the language.
    pub(super) fn link(&self, path: &str) -> String {
        in_lang(path, self.lang)
    }

    /// The same visitor on the page at a path: where a form is sent to there is no page of its own.
    pub(super) fn on(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// This page in the other language.
    pub(super) fn in_other_language(&self) -> String {
        in_lang(&self.path, if self.lang == Lang::En { Lang::Vi } else { Lang::En })
    }

    /// Whether this is the page at a path.
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.path == path
    }

    /// The group in force.
    pub(super) fn group(&self) -> &Group {
        self.in_force.snapshot.group(self.group)
    }

    /// The group as configured; groups keep their order.
    pub(super) fn rules(&self) -> &GroupRules {
        let config = self.in_force.config();
        let rules = config.groups.get(usize::from(self.group.0));
        rules.unwrap_or_else(|| config.default_group())
    }

    /// The age of the people in its group.
    pub(super) fn level(&self) -> Level {
        self.rules().level
    }

    /// The portal's settings.
    pub(super) fn settings(&self) -> Option<&PortalSettings> {
        self.in_force.config().portal.as_ref()
    }
}

/// A path for a link: one with two slashes in front would lead to another site.
fn plain_path(path: &str) -> &str {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/_.-~%".contains(&octet);
    if path.starts_with("//") || !path.bytes().all(is_plain) { "/" } else { path }
}

/// A path in a language; Vietnamese is what a page has without being asked.
fn in_lang(path: &str, lang: Lang) -> String {
    match lang {
        Lang::Vi => path.to_owned(),
        Lang::En => format!("{path}{}lang=en", if path.contains('?') { '&' } else { '?' }),
    }
}

/// The gate has put it there.
impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The fields of the query of a request.
#[derive(Debug, Clone)]
pub(super) struct QueryFields(pub(super) Fields);

impl<S: Sync> FromRequestParts<S> for QueryFields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Fields::read(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}
