//! The frame of every page: one document, one style sheet of ours, two languages.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::lang::{Lang, Message, messages};
use crate::portal::menu::MENU;
use crate::portal::visitor::Visitor;

/// The style sheet.
const STYLE: &str = include_str!("style.css");
/// The path of the style sheet.
pub(super) const STYLE_PATH: &str = "/style.css";

/// A page of the portal for a visitor.
pub(super) fn page(
    visitor: &Visitor,
    status: StatusCode,
    title: Message,
    body: Markup,
) -> Response {
    let title = visitor.say(title);
    let menu = html! {
        (other_language(visitor))
        nav aria-label=(visitor.say(messages::portal_menu())) {
            ul {
                @for entry in MENU {
                    li {
                        a href=(visitor.link(entry.path))
                            aria-current=[visitor.is_at(entry.path).then_some("page")] {
                            (visitor.say((entry.short)()))
                        }
                    }
                }
            }
        }
    };
    let frame = Frame { lang: visitor.lang, base: Some(""), notice: notice(visitor) };
    (status, document(&frame, &title, menu, body)).into_response()
}

/// What frames a page, beside its title and menu.
struct Frame<'a> {
    lang: Lang,
    /// Where the style sheet is, without its path, if the page has one.
    base: Option<&'a str>,
    /// What is said of a person that looks at what is blocked.
    notice: Option<String>,
}

/// What every page says while somebody looks at what is blocked.
fn notice(visitor: &Visitor) -> Option<String> {
    let on = visitor.diagnosis.as_ref()?;
    let at = i64::try_from(on.until).ok().and_then(|at| Timestamp::from_second(at).ok())?;
    let until =
        visitor.in_force.config().school.zone().to_datetime(at).strftime("%H:%M").to_string();
    Some(visitor.say(messages::diagnosis_notice(&on.group, until)))
}

/// A page without a menu, for a visitor that asked for another site; `base` is where the style sheet
/// is, without its path.
pub(super) fn bare(visitor: &Visitor, base: &str, title: Message, body: Markup) -> Markup {
    let frame = Frame { lang: visitor.lang, base: Some(base), notice: notice(visitor) };
    document(&frame, &visitor.say(title), html! {}, body)
}

/// A page without style and menu, for a client that has no business here.
#[expect(clippy::needless_pass_by_value, reason = "a page makes a message where it says it")]
pub(super) fn stranger(lang: Lang, title: Message, body: Markup) -> Markup {
    document(&Frame { lang, base: None, notice: None }, &title.in_lang(lang), html! {}, body)
}

fn document(frame: &Frame<'_>, title: &str, menu: Markup, body: Markup) -> Markup {
    let Frame { lang, base, notice } = frame;
    let (lang, base) = (*lang, *base);
    let kept = match notice {
        None => messages::portal_nothing_kept(),
        Some(_) => messages::diagnosis_kept(),
    };
    let say = |message: Message| message.in_lang(lang);
    let (menu, body) = (PreEscaped(menu.into_string()), PreEscaped(body.into_string()));
    html! {
        (DOCTYPE)
        html lang=(lang.id()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " – Lá Chắn" }
                @if let Some(base) = base {
                    link rel="stylesheet" href={ (base) (STYLE_PATH) };
                }
                link rel="icon" href="data:,";
            }
            body {
                a.skip href="#content" { (say(messages::portal_skip())) }
                header {
                    p.brand { (say(messages::portal_brand())) }
                    (menu)
                }
                @if let Some(notice) = notice { p.card role="status" { strong { (notice) } } }
                main #content tabindex="-1" {
                    h1 { (title) }
                    (body)
                }
                footer { p { (say(kept)) } }
            }
        }
    }
}

/// What a page under another name may load: the style sheet of the portal at `base`.
pub(super) fn style_policy(base: &str) -> String {
    format!(
        "default-src 'none'; style-src {base}; img-src data:; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

/// A reply with a policy of its own for what it may load and do.
pub(super) fn with_policy(mut response: Response, policy: &str) -> Response {
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A link to the same page in the other language.
pub(super) fn other_language(visitor: &Visitor) -> Markup {
    html! {
        p.language {
            a href=(visitor.in_other_language()) lang=(other(visitor.lang).id()) {
                (visitor.say(messages::portal_other_language()))
            }
        }
    }
}

/// The other language.
fn other(lang: Lang) -> Lang {
    if lang == Lang::En { Lang::Vi } else { Lang::En }
}

/// The style sheet; the block page of another site's name uses it, too.
pub(super) async fn style() -> Response {
    let head = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (head, STYLE).into_response()
}
