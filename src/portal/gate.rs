//! The gate: what every request passes before a page sees it, and what every reply carries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::config::PortalSettings;
use crate::metrics::labels::PortalReply;
use crate::policy::Claims;
use crate::portal::form::MAX_BODY;
use crate::portal::pages::{block, check};
use crate::portal::refusal::PageRefusal;
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::web::door::Ends;
use crate::web::head::{self, HostParts, Site, is_from_elsewhere, only};

/// What a page may load and do: its own style, scripts in files of ours, forms to itself.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
                              img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                              base-uri 'none'; frame-ancestors 'none'";

/// What every reply carries, unless its page says otherwise. The referrer goes to this portal only:
/// without any, browsers hide the Origin of a form from the server that the form came from.
const HEAD: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_POLICY),
    ("cache-control", "no-store"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Lets a request through to the pages, or answers it.
pub(super) async fn pass(
    State(portal): State<Arc<Portal>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&portal, &request) {
        Admission::Pages(visitor) => {
            request.extensions_mut().insert(*visitor);
            let response = next.run(request).await;
            let status = response.status();
            let is_refused = status.is_client_error() || status.is_server_error();
            portal.count(if is_refused { PortalReply::Refused } else { PortalReply::Page });
            response
        }
        Admission::Reply(kind, response) => {
            portal.count(kind);
            *response
        }
    };
    for (name, value) in HEAD {
        let name = HeaderName::from_static(name);
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What comes of a request at the gate.
enum Admission {
    /// Its visitor may see pages.
    Pages(Box<Visitor>),
    /// It is answered at once.
    Reply(PortalReply, Box<Response>),
}

impl Admission {
    /// The refusal of a client without business here.
    fn refused(reason: PageRefusal) -> Self {
        Self::Reply(PortalReply::Refused, Box::new(reason.bare()))
    }

    /// The refusal of a visitor.
    fn turned_down(reason: PageRefusal, visitor: &Visitor) -> Self {
        Self::Reply(PortalReply::Refused, Box::new(reason.page(visitor)))
    }

    /// The only page under a Host; a refusal where there is none.
    fn only(kind: PortalReply, page: Option<Response>) -> Self {
        page.map_or_else(
            || Self::refused(PageRefusal::Host),
            |response| Self::Reply(kind, Box::new(response)),
        )
    }
}

fn admit(portal: &Portal, request: &Request) -> Admission {
    let Some(&ends) = request.extensions().get::<Ends>() else {
        return Admission::refused(PageRefusal::Unreadable);
    };
    let in_force = portal.current.in_force();
    if !in_force.snapshot.answers(ends.peer.ip()) {
        return Admission::refused(PageRefusal::NotHere);
    }
    let uri = request.uri();
    let Some((host, parts)) =
        head::host(request.headers(), uri).and_then(|host| Some((host, HostParts::of(host)?)))
    else {
        return Admission::refused(PageRefusal::Host);
    };
    let diagnosis = portal.staff.overblock.diagnosis.state();
    // Of what a device claims, a page sees the hardware address alone.
    let claims = Claims { mac: portal.devices.mac_of(ends.peer.ip()), ..Claims::NONE };
    let known = (ends, &claims, (portal.now)());
    let visitor = Visitor::of(in_force, known, uri.path(), uri.query()).under(diagnosis);
    let Some(settings) = visitor.settings() else {
        return Admission::refused(PageRefusal::Off);
    };
    let is_read = *request.method() == Method::GET || *request.method() == Method::HEAD;
    match asked_for(settings, ends, &parts) {
        AskedFor::Portal => {}
        AskedFor::Check if is_read => {
            let page = check::of(portal, &visitor, settings, (&parts, ends, uri.path()));
            return Admission::only(PortalReply::Page, page);
        }
        AskedFor::Other if is_read => {
            let page = block::of(portal, &visitor, settings, &parts);
            return Admission::only(PortalReply::Block, page);
        }
        AskedFor::Check | AskedFor::Other => return Admission::refused(PageRefusal::Host),
    }
    if *request.method() == Method::POST {
        if !is_made_here(request.headers(), host) {
            return Admission::turned_down(PageRefusal::Elsewhere, &visitor);
        }
        let length = only(request.headers(), &header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.parse::<u64>().ok());
        if length.is_some_and(|length| length > MAX_BODY as u64) {
            return Admission::turned_down(PageRefusal::TooLong, &visitor);
        }
    } else if !is_read {
        return Admission::turned_down(PageRefusal::Method, &visitor);
    }
    Admission::Pages(Box::new(visitor))
}

/// What a Host is of.
enum AskedFor {
    /// The portal: by its name, or by an address at which it is.
    Portal,
    /// A name that exists to be asked for.
    Check,
    /// Any other name: it may be of a site that lets its name resolve to this machine.
    Other,
}

fn asked_for(settings: &PortalSettings, ends: Ends, host: &HostParts<'_>) -> AskedFor {
    match host.site {
        Site::Address(address) => {
            let is_own = settings.addresses.contains(&address);
            if is_own || address.to_canonical() == ends.local.ip() {
                AskedFor::Portal
            } else {
                AskedFor::Other
            }
        }
        Site::Name(name) => {
            let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
            let own = settings.shown_name();
            let below = name.strip_suffix(&own).and_then(|rest| rest.strip_suffix(".check."));
            match below {
                Some(label) if !label.is_empty() && !label.contains('.') => AskedFor::Check,
                _ if name == own => AskedFor::Portal,
                _ => AskedFor::Other,
            }
        }
    }
}

/// Whether a page of this portal made a request that changes something. Browsers say so by Origin;
/// one that does not may say it by Sec-Fetch-Site.
fn is_made_here(headers: &HeaderMap, host: &str) -> bool {
    if headers.contains_key(header::ORIGIN) {
        return !is_from_elsewhere(headers, "http", host);
    }
    only(headers, &HeaderName::from_static("sec-fetch-site")) == Some("same-origin")
}
