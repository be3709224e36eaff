//! The menu of every page.

use crate::lang::{Message, messages};

/// A text of the menu.
type Label = fn() -> Message;

/// One entry: where it leads, its word in the menu, and what the first page says of it.
pub(super) struct Entry {
    /// The path.
    pub(super) path: &'static str,
    /// The word: all of them stand in two lines on a phone.
    pub(super) short: Label,
    /// The whole sentence.
    pub(super) long: Label,
}

/// The menu of every page; a page with an entry adds its line.
pub(super) const MENU: &[Entry] = &[
    Entry { path: "/", short: messages::portal_home, long: messages::portal_home },
    Entry { path: "/blocked", short: messages::menu_blocked, long: messages::blocked_menu },
    Entry { path: "/review", short: messages::menu_review, long: messages::portal_review },
    Entry { path: "/check", short: messages::menu_check, long: messages::check_menu },
    Entry { path: "/staff", short: messages::menu_staff, long: messages::staff_menu },
];
