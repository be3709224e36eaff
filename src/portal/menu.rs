//! The menu: the pages that every page leads to.

use crate::lang::{Message, messages};

/// A label of the menu.
type Label = fn() -> Message;

/// The menu of every page; a page with an entry adds its line.
pub(super) const MENU: &[(&str, Label)] = &[
    ("/", messages::portal_home),
    ("/blocked", messages::blocked_menu),
    ("/review", messages::portal_review),
    ("/check", messages::check_menu),
    ("/staff", messages::staff_menu),
];
