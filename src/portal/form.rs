//! Forms: how a page shows one, and how it gets what was filled in.
//!
//! Every form is a POST that the gate has let through, so one that this portal's own page made.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use axum::response::Response;
use maud::{Markup, html};

use crate::portal::refusal::PageRefusal;
use crate::portal::visitor::Visitor;
use crate::web::form::Fields;
use crate::web::head::only;

/// The longest body, in octets.
pub(super) const MAX_BODY: usize = 16 << 10;
/// The type of a form's body.
const TYPE: &str = "application/x-www-form-urlencoded";

/// What was filled in.
#[derive(Debug)]
pub(super) struct Submitted(pub(super) Fields);

impl<S: Sync> FromRequest<S> for Submitted {
    type Rejection = Response;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Response> {
        let visitor = request.extensions().get::<Visitor>().cloned();
        let refuse = |reason: PageRefusal| {
            visitor.as_ref().map_or_else(|| reason.bare(), |visitor| reason.page(visitor))
        };
        let given = only(request.headers(), &header::CONTENT_TYPE).unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default().trim();
        if !given.eq_ignore_ascii_case(TYPE) {
            return Err(refuse(PageRefusal::Unreadable));
        }
        match to_bytes(request.into_body(), MAX_BODY).await {
            Ok(body) => Ok(Self(Fields::read(&body))),
            Err(_) => Err(refuse(PageRefusal::TooLong)),
        }
    }
}

/// A form that is sent to `path`, with these fields and buttons in it.
pub(super) fn post(visitor: &Visitor, path: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(visitor.link(path)) accept-charset="utf-8" autocomplete="off" {
            (fields)
        }
    }
}
