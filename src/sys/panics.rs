//! What is told of a panic: where it was, and words that are in the program.
//!
//! Law: nothing is told that was formatted. A text that is cut at the wrong octet, or an error that is
//! unwrapped, would bring what it is about into the log, and that may be a name that somebody asked for.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};

use tracing::error;

/// What stands in the place of words that were formatted.
const HIDDEN: &str = "what it says is not shown, as it may have a name that was asked for";

/// Tells of panics in the log, from now on and in all threads. `RUST_BACKTRACE=1` adds the functions.
pub fn tell_without_data() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        error!(thread = thread.name(), "panicked at {at}: {}", words(panic.payload()));
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            error!("{trace}");
        }
    }));
}

/// The words of a panic that are in the program; those that were formatted have another type.
fn words(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or(HIDDEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(panics: impl FnOnce() + std::panic::UnwindSafe) -> &'static str {
        words(&*std::panic::catch_unwind(panics).unwrap_err())
    }

    /// The faults that a program makes by mistake, each with a name in what it says.
    #[test]
    fn a_panic_tells_no_name() {
        let name = || std::hint::black_box("zqmarkeré.example").to_owned();
        assert_eq!(told(move || drop(name()[..9].to_owned())), HIDDEN);
        let fault = move || std::hint::black_box(Err::<u8, _>(name()));
        assert_eq!(told(move || assert_eq!(fault().unwrap(), 0)), HIDDEN);
        assert_eq!(told(move || assert_eq!(fault().expect("a name"), 0)), HIDDEN);
        assert_eq!(told(move || assert_eq!(name(), "")), HIDDEN);
        assert_eq!(told(move || unreachable!("{}", name())), HIDDEN);
        assert_eq!(told(move || std::panic::panic_any(name())), HIDDEN);
        assert_eq!(told(|| std::panic::panic_any("a place")), "a place");
    }
}
