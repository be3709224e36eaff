//! The gate: what every request passes before a page sees it, and what every reply carries.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::config::PortalSettings;
use crate::portal::form::MAX_BODY;
use crate::portal::pages::block;
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
const HEAD: [(&str, &str); 7] = [
    ("content-security-policy", CONTENT_POLICY),
    ("cache-control", "no-store"),
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Lets a request through to the pages, or answers it.
pub(super) async fn pass(
    State(portal): State<Arc<Portal>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&portal, &request) {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(response) => *response,
    };
    for (name, value) in HEAD {
        let name = HeaderName::from_static(name);
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// The visitor of a request that may see pages; else the reply.
fn admit(portal: &Portal, request: &Request) -> Result<Visitor, Box<Response>> {
    let refuse = |reason: PageRefusal| Box::new(reason.bare());
    let ends = request.extensions().get::<Ends>().copied();
    let ends = ends.ok_or_else(|| refuse(PageRefusal::Unreadable))?;
    let in_force = portal.current.in_force();
    if !in_force.snapshot.answers(ends.peer.ip()) {
        return Err(refuse(PageRefusal::NotHere));
    }
    let uri = request.uri();
    let host = head::host(request.headers(), uri).ok_or_else(|| refuse(PageRefusal::Host))?;
    let parts = HostParts::of(host).ok_or_else(|| refuse(PageRefusal::Host))?;
    let visitor = Visitor::of(in_force, ends, uri.path(), uri.query());
    let settings = visitor.settings().ok_or_else(|| refuse(PageRefusal::Off))?;
    let method = request.method();
    if !is_own(settings, ends, &parts) {
        let is_read = *method == Method::GET || *method == Method::HEAD;
        let blocked = is_read.then(|| block::of(portal, &visitor, settings, &parts)).flatten();
        return Err(blocked.map_or_else(|| refuse(PageRefusal::Host), Box::new));
    }
    if *method == Method::POST {
        if !is_made_here(request.headers(), host) {
            return Err(Box::new(PageRefusal::Elsewhere.page(&visitor)));
        }
        let length = only(request.headers(), &header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.parse::<u64>().ok());
        if length.is_some_and(|length| length > MAX_BODY as u64) {
            return Err(Box::new(PageRefusal::TooLong.page(&visitor)));
        }
    } else if *method != Method::GET && *method != Method::HEAD {
        return Err(Box::new(PageRefusal::Method.page(&visitor)));
    }
    Ok(visitor)
}

/// Whether a Host is the portal: by its name, or by an address at which it is. Any other name may
/// be of a site that resolves its name to this machine.
fn is_own(settings: &PortalSettings, ends: Ends, host: &HostParts<'_>) -> bool {
    let is_here = |address: IpAddr| {
        address.to_canonical() == ends.local.ip() || settings.addresses.contains(&address)
    };
    match host.site {
        Site::Address(address) => is_here(address),
        Site::Name(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name.eq_ignore_ascii_case(&settings.shown_name())
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
