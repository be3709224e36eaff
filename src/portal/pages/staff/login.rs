//! Logging in: with a code, the PIN or a token.

use axum::response::Response;
use maud::{Markup, html};

use crate::lang::messages;
use crate::portal::form::post;
use crate::portal::layout::page;
use crate::portal::pages::staff::known::{Notice, PATH, back_with, caller};
use crate::portal::state::Portal;
use crate::portal::visitor::Visitor;
use crate::staff::refusal::StaffRefusal;
use crate::staff::sessions::Role;
use crate::staff::token::Token;
use crate::web::form::Fields;

/// The path that a form is sent to.
const LOGIN: &str = "/staff/login";

/// The page, with what is said above it.
pub(super) fn show(portal: &Portal, visitor: &Visitor, notice: Option<&Notice>) -> Response {
    let visitor = &visitor.on(PATH);
    let has_pin = portal.staff.desk.codes().has_pin();
    let body = html! {
        (Notice::show(notice, visitor))
        (code(visitor))
        @if visitor.is_staff {
            @if has_pin { (pin(visitor)) }
            (token(visitor, "technician"))
            (token(visitor, "inspector"))
        } @else {
            p.soft { (visitor.say(messages::staff_other_network())) }
        }
    };
    page(visitor, Notice::status(notice), messages::staff_login(), body)
}

fn code(visitor: &Visitor) -> Markup {
    html! {
        section.card {
            h2 { (visitor.say(messages::staff_with_code())) }
            (post(visitor, LOGIN, &html! {
                input type="hidden" name="way" value="code";
                label for="code" { (visitor.say(messages::staff_code())) }
                input.code #code name="code" maxlength="40" autocapitalize="characters"
                    spellcheck="false" required aria-describedby="code-hint";
                p.soft #code-hint { (visitor.say(messages::staff_code_hint())) }
                (name(visitor, "code-name"))
                button { (visitor.say(messages::staff_login())) }
            }))
        }
    }
}

fn pin(visitor: &Visitor) -> Markup {
    let groups = &visitor.in_force.config().groups;
    html! {
        section.card {
            h2 { (visitor.say(messages::staff_with_pin())) }
            (post(visitor, LOGIN, &html! {
                input type="hidden" name="way" value="pin";
                label for="pin" { (visitor.say(messages::staff_pin())) }
                input #pin name="pin" type="password" inputmode="numeric" maxlength="12" required;
                (name(visitor, "pin-name"))
                label for="pin-room" { (visitor.say(messages::staff_room())) }
                select #pin-room name="room" {
                    @for group in groups { option value=(group.name) { (group.name) } }
                }
                button { (visitor.say(messages::staff_login())) }
            }))
        }
    }
}

fn token(visitor: &Visitor, way: &str) -> Markup {
    let is_technician = way == "technician";
    let (title, file) = if is_technician {
        (messages::staff_with_token(), Token::TECHNICIAN)
    } else {
        (messages::staff_as_inspector(), Token::INSPECTOR)
    };
    let (field, hint) = (format!("{way}-token"), format!("{way}-hint"));
    html! {
        section.card {
            h2 { (visitor.say(title)) }
            (post(visitor, LOGIN, &html! {
                input type="hidden" name="way" value=(way);
                label for=(field) { (visitor.say(messages::staff_token())) }
                input #(field) name="token" type="password" maxlength="128" required
                    aria-describedby=(hint);
                p.soft #(hint) { (visitor.say(messages::staff_token_hint(file))) }
                @if is_technician { (name(visitor, "technician-name")) }
                button { (visitor.say(messages::staff_login())) }
            }))
        }
    }
}

fn name(visitor: &Visitor, field: &str) -> Markup {
    let hint = format!("{field}-hint");
    html! {
        label for=(field) { (visitor.say(messages::staff_name())) }
        input #(field) name="name" maxlength="60" required aria-describedby=(hint);
        p.soft #(hint) { (visitor.say(messages::staff_name_hint())) }
    }
}

/// Judges what was filled in: a session with its cookie, or the page again. Nothing of it is shown.
pub(super) async fn receive(portal: &Portal, visitor: &Visitor, fields: &Fields) -> Response {
    let field = |name: &str| fields.get(name).unwrap_or_default();
    let (desk, caller, now) = (&portal.staff.desk, caller(visitor), (portal.now)());
    let begun = match field("way") {
        "code" => desk.with_code((field("code"), field("name")), &caller, now).await,
        "pin" => {
            let room = field("room");
            let config = visitor.in_force.config();
            if config.groups.iter().any(|group| group.name == room) {
                desk.with_pin((field("pin"), field("name"), room), &caller, now).await
            } else {
                Err(StaffRefusal::Wrong)
            }
        }
        "technician" => {
            desk.with_token(Role::Technician, (field("token"), field("name")), &caller, now)
        }
        "inspector" => desk.with_token(Role::Inspector, (field("token"), ""), &caller, now),
        _ => Err(StaffRefusal::Wrong),
    };
    match begun {
        Ok(id) => back_with(visitor, Some(&id.text())),
        Err(refusal) => show(portal, visitor, Some(&Notice::bad(refusal.message()))),
    }
}
