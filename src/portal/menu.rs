//! The menu of every page.

use crate::lang::{Message, messages};

/// A text of the menu.
type Label = fn() -> Message;

/// One entry: where it leads, its word in the menu, and what the first page says of it.
pub(super) struct MenuEntry {
    /// The path.
    pub(super) path: &'static str,
    /// The word: all of them stand in two lines on a phone.
    pub(super) short: Label,
    /// The whole sentence.
    pub(super) long: Label,
}

/// The menu of every page; a page with an entry adds its line.
pub(super) const MENU: &[MenuEntry] = &[
    MenuEntry { path: "/", short: messages::portal_home, long: messages::portal_home },
    MenuEntry { path: "/blocked", short: messages::menu_blocked, long: messages::blocked_menu },
    MenuEntry { path: "/review", short: messages::menu_review, long: messages::portal_review },
    MenuEntry { path: "/check", short: messages::menu_check, long: messages::check_menu },
    MenuEntry { path: "/staff", short: messages::menu_staff, long: messages::staff_menu },
];
