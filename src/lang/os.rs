//! Errors of the system in the languages of the program.

use std::io;

use rustix::io::Errno;

use crate::lang::{Message, messages};

/// What an error of the system says; in the system's words where it is none of those that disks and typing errors give.
pub(crate) fn os_error(error: &io::Error) -> Message {
    let code = error.raw_os_error().unwrap_or_default();
    match Errno::from_io_error(error) {
        Some(Errno::NOENT) => messages::os_gone(code),
        Some(Errno::ACCESS) => messages::os_denied(code),
        Some(Errno::IO) => messages::os_io(code),
        Some(Errno::NOTDIR) => messages::os_no_directory(code),
        None if error.kind() == io::ErrorKind::TimedOut => messages::os_late(),
        _ => Message::english(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn english_is_what_the_system_says_whatever_the_error() {
        let of_system = (0..140).map(io::Error::from_raw_os_error);
        let ours = [io::ErrorKind::TimedOut, io::ErrorKind::InvalidData, io::ErrorKind::NotFound];
        let ours = ours.map(|kind| io::Error::new(kind, "the disk or mount does not answer"));
        for error in of_system.chain(ours) {
            assert_eq!(os_error(&error).in_lang(Lang::En), error.to_string());
        }
        let gone = os_error(&io::Error::from_raw_os_error(2)).in_lang(Lang::Vi);
        assert_eq!(gone, "không có tệp hay thư mục này (os error 2)");
    }
}
