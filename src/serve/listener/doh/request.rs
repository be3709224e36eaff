//! A request: what it asks for, or why it is refused.

use data_encoding::BASE64URL_NOPAD;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, StatusCode};

use crate::dns::designated::{DOH_MEDIA_TYPE, DOH_PATH};
use crate::dns::message::MAX_MESSAGE;
use crate::metrics::counters::Event;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DohRefusal {
    Path,
    Token,
    Method,
    MediaType,
    Malformed,
    TooLong,
    Timeout,
}

impl DohRefusal {
    /// What is counted of it, its status and its text.
    pub(super) fn parts(self) -> (Option<Event>, StatusCode, &'static str) {
        const NOT_HERE: &str = "DNS over HTTPS is at /dns-query\n";
        match self {
            Self::Path => (Some(Event::DohPath), StatusCode::NOT_FOUND, NOT_HERE),
            // Word for word as a path that is not there: a guess learns nothing. The look-up has counted it.
            Self::Token => (None, StatusCode::NOT_FOUND, NOT_HERE),
            Self::Method => {
                (Some(Event::DohMethod), StatusCode::METHOD_NOT_ALLOWED, "only GET and POST\n")
            }
            Self::MediaType => (
                Some(Event::DohMediaType),
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be application/dns-message\n",
            ),
            Self::Malformed => (
                Some(Event::DohMalformed),
                StatusCode::BAD_REQUEST,
                "there is no DNS message in it\n",
            ),
            Self::TooLong => (
                Some(Event::DohTooLong),
                StatusCode::PAYLOAD_TOO_LARGE,
                "a DNS message has 65535 octets at most\n",
            ),
            Self::Timeout => (
                Some(Event::DohTimeout),
                StatusCode::REQUEST_TIMEOUT,
                "the request took too long\n",
            ),
        }
    }
}

/// The token in the path of a request, if there is one; none for a path of anything else.
pub fn token_of(path: &str) -> Option<Option<&str>> {
    let rest = path.strip_prefix(DOH_PATH)?;
    match rest.strip_prefix('/') {
        None => rest.is_empty().then_some(None),
        Some(token) => (!token.is_empty() && !token.contains('/')).then_some(Some(token)),
    }
}

/// The message in the target of a GET (RFC 8484 §4.1): the first `dns` of its query.
pub fn message_in(target: &str) -> Option<Vec<u8>> {
    let mut fields = target.split('&');
    let text = fields.find_map(|field| field.strip_prefix("dns="))?;
    // Padding is not asked for, and some send it.
    let text = text.trim_end_matches('=');
    BASE64URL_NOPAD.decode(text.as_bytes()).ok().filter(|message| !message.is_empty())
}

/// Whether a value of `Content-Type` is the media type of messages; parameters say nothing of them.
pub fn is_message_type(value: &str) -> bool {
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(DOH_MEDIA_TYPE)
}

/// Checks method and media type of a request.
///
/// # Errors
///
/// [`DohRefusal`].
pub(super) fn check_head(request: &Request<Incoming>) -> Result<(), DohRefusal> {
    if request.method() == Method::GET {
        return Ok(());
    }
    if request.method() != Method::POST {
        return Err(DohRefusal::Method);
    }
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !media_type.is_some_and(is_message_type) {
        return Err(DohRefusal::MediaType);
    }
    if request.body().size_hint().lower() > MAX_MESSAGE as u64 {
        return Err(DohRefusal::TooLong);
    }
    Ok(())
}

/// Reads a body that nobody wants and keeps none of it, up to twice the longest message.
pub(super) async fn passed_over(mut body: Incoming) {
    let mut octets = 0;
    while octets < 2 * MAX_MESSAGE
        && let Some(Ok(frame)) = body.frame().await
    {
        octets += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// The message of a request that [`check_head`] has passed.
///
/// # Errors
///
/// [`DohRefusal`].
pub(super) async fn message_of(request: Request<Incoming>) -> Result<Bytes, DohRefusal> {
    if request.method() == Method::GET {
        let message = request.uri().query().and_then(message_in).ok_or(DohRefusal::Malformed)?;
        return if message.len() > MAX_MESSAGE {
            Err(DohRefusal::TooLong)
        } else {
            Ok(message.into())
        };
    }
    match Limited::new(request.into_body(), MAX_MESSAGE).collect().await {
        Ok(collected) => Ok(collected.to_bytes()).and_then(|message| {
            if message.is_empty() { Err(DohRefusal::Malformed) } else { Ok(message) }
        }),
        Err(error) if error.is::<LengthLimitError>() => Err(DohRefusal::TooLong),
        Err(_) => Err(DohRefusal::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_token_or_none() {
        assert_eq!(token_of("/dns-query"), Some(None));
        assert_eq!(token_of("/dns-query/AbC-_9"), Some(Some("AbC-_9")));
        for other in [
            "/",
            "/dns-query/",
            "/dns-queryx",
            "/dns-query/a/b",
            "/dns-query//",
            "/dns-query/../x",
            "dns-query",
        ] {
            assert_eq!(token_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_target_has_a_message_in_base64url() {
        assert_eq!(message_in("dns=AAEC_-8").as_deref(), Some(&[0, 1, 2, 0xff, 0xef][..]));
        assert_eq!(message_in("a=1&dns=AAE="), Some(vec![0, 1]));
        for wrong in
            ["", "dns", "dns=", "dns=A", "dns=AA+C", "dns=AA/C", "dns=AB", "DNS=AAEC", "dns=%41AEC"]
        {
            assert_eq!(message_in(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_media_type_is_told_by_its_essence() {
        for right in ["application/dns-message", "Application/DNS-Message ; charset=x"] {
            assert!(is_message_type(right), "{right}");
        }
        for wrong in ["", ";", "application/dns-json", "x;application/dns-message"] {
            assert!(!is_message_type(wrong), "{wrong}");
        }
    }
}
