//! Refusals: each has a page of its own, which repeats nothing of the request.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::lang::{Lang, Message, messages};
use crate::portal::layout;
use crate::portal::visitor::Visitor;

/// Why a request gets no page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageRefusal {
    /// No page has this path.
    NotFound,
    /// The page has no such method.
    Method,
    /// The client is on no network of the school.
    NotHere,
    /// The Host is of another site.
    Host,
    /// The request or its form cannot be read.
    Unreadable,
    /// Another site's page made the request, or the request names no origin.
    Elsewhere,
    /// The body is longer than any form.
    TooLong,
    /// The config has no portal any more.
    Off,
}

impl PageRefusal {
    fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotHere | Self::Elsewhere => StatusCode::FORBIDDEN,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Off => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn texts(self) -> (Message, Message) {
        match self {
            Self::NotFound => (messages::portal_not_found(), messages::portal_not_found_text()),
            Self::Method => (messages::portal_no_method(), messages::portal_no_method_text()),
            Self::NotHere => (messages::portal_not_here(), messages::portal_not_here_text()),
            Self::Host => (messages::portal_no_host(), messages::portal_no_host_text()),
            Self::Unreadable => {
                (messages::portal_bad_request(), messages::portal_bad_request_text())
            }
            Self::Elsewhere => {
                (messages::portal_from_elsewhere(), messages::portal_from_elsewhere_text())
            }
            Self::TooLong => (messages::portal_too_long(), messages::portal_too_long_text()),
            Self::Off => (messages::portal_is_off(), messages::portal_is_off_text()),
        }
    }

    /// The page for a visitor of the portal.
    pub(super) fn page(self, visitor: &Visitor) -> Response {
        let (title, text) = self.texts();
        let body = html! {
            p { (visitor.say(text)) }
            p { a href=(visitor.link("/")) { (visitor.say(messages::portal_back_home())) } }
        };
        layout::page(visitor, self.status(), title, body)
    }

    /// The page for a client that has no business here: without style, links and menu, in both
    /// languages.
    pub(super) fn bare(self) -> Response {
        let (title, text) = self.texts();
        let body = html! {
            p { (text.in_lang(Lang::Vi)) }
            h2 lang="en" { (title.in_lang(Lang::En)) }
            p lang="en" { (text.in_lang(Lang::En)) }
        };
        (self.status(), layout::stranger(Lang::Vi, title, body)).into_response()
    }
}
