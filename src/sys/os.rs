//! The few things only the system can do: memory given back, a thread that steps aside,
//! a file as memory, a process that leaves no image of itself.
//!
//! All `unsafe` code of the program is here, but for that of datagrams (`udp/batch.rs`).

use std::fs::File;
use std::io;

use memmap2::{Mmap, UncheckedAdvice};

/// Octets that the kernel is asked to work on in one call. A thread that steps aside does so
/// between calls: kernels may let a call end, or go on for milliseconds, before others run.
pub const PIECE: usize = 256 << 10;

/// A file as memory. It must be one that this program wrote and nobody writes to any more:
/// a file of the state directory, which is written beside, renamed, and from then on only
/// removed; or one that is being built.
///
/// # Errors
///
/// The error of the system.
#[expect(unsafe_code, reason = "what a mapping shows is the file's, which Rust cannot watch")]
pub fn map(file: &File) -> io::Result<Mapped> {
    // SAFETY: the octets must not change while the mapping lives. The state directory is
    // this program's alone (mode 0700), and it replaces files there, never writes into
    // them. Should somebody do it all the same, the readers of packs use every number
    // through checked slices: a changed octet gives a wrong answer, not a wild read.
    unsafe { Mmap::map(file) }.map(Mapped)
}

/// A file as memory, which is given back a piece at a time.
#[derive(Debug)]
pub struct Mapped(Mmap);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Mapped {
    #[expect(unsafe_code, reason = "pages can be given back under a reader's feet")]
    fn drop(&mut self) {
        let length = self.0.len();
        for place in (0..length).step_by(PIECE) {
            let piece = PIECE.min(length - place);
            // SAFETY: it is a file's pages that are let go, and who looked again would see the
            // same octets; but nobody can: this is the end of the only owner.
            let _ =
                unsafe { self.0.unchecked_advise_range(UncheckedAdvice::DontNeed, place, piece) };
        }
    }
}

/// Pieces of at least this many octets go back to the system when freed.
pub const RETURNED_FROM: usize = 128 << 10;
/// The lowest priority there is (nice).
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Sets the allocator up. To be called once, before threads start.
///
/// Lists come and go in pieces of 128 KiB and more. glibc's allocator learns from
/// the first of them that such pieces are common, and from then on keeps them in a
/// heap that never shrinks: each reload would leave its own size behind. Fixing the
/// threshold keeps large pieces apart, and freed means returned.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt is the only way to fix glibc's threshold from inside")]
pub fn return_memory() {
    let threshold = i32::try_from(RETURNED_FROM).unwrap_or(i32::MAX);
    // SAFETY: mallopt takes two integers and touches only the allocator's own settings;
    // no other thread runs yet.
    let was_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, threshold) };
    if was_set == 0 {
        tracing::debug!("the allocator keeps its own threshold");
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn return_memory() {}

/// What adjtimex(2) returns while nobody keeps the clock right.
#[cfg(target_os = "linux")]
const TIME_ERROR: i32 = 5;
/// The status bit of the same meaning.
#[cfg(target_os = "linux")]
const STA_UNSYNC: i32 = 0x40;

/// True where the kernel's clock follows a time server.
///
/// A filter of system calls may forbid the question, some by ending the process: then it is not
/// asked. With `deploy/systemd/kernel-clock.conf` the unit's filter allows it.
#[cfg(target_os = "linux")]
pub fn is_clock_synced() -> bool {
    static MAY_ASK: std::sync::LazyLock<bool> = std::sync::LazyLock::new(survives_asking);
    *MAY_ASK && ask_kernel_clock()
}

/// The state of adjtimex(2); false where it is refused.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library does not ask the kernel for this")]
fn ask_kernel_clock() -> bool {
    // SAFETY: `timex` is plain numbers, for which zeros are right; with `modes` 0 the call
    // only reads, and writes into the struct that it is given.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    state >= 0 && state != TIME_ERROR && timex.status & STA_UNSYNC == 0
}

/// Whether the question is survived: under a filter of system calls a child asks it first.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library has no child that only makes one call")]
fn survives_asking() -> bool {
    // seccomp(2) modes: 0 is none.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if status.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "0"])) {
        return true;
    }
    // SAFETY: the child makes two system calls and ends: no lock, no allocation, nothing that
    // other threads of the parent could have left half done. It leaves no core behind.
    let child = unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
            ask_kernel_clock();
            libc::_exit(0);
        }
        child
    };
    let mut how = 0;
    // SAFETY: `child` is ours and was not waited for; `how` is written to.
    child > 0 && unsafe { libc::waitpid(child, &raw mut how, 0) } == child && how == 0
}

/// Elsewhere nobody is asked.
#[cfg(not(target_os = "linux"))]
pub fn is_clock_synced() -> bool {
    false
}

/// Makes the calling thread step aside for all others: lists are read while queries
/// are answered, perhaps on the only core.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library has no priorities")]
pub fn step_aside() {
    // SAFETY: setpriority takes three integers; on Linux "process 0" is the calling thread.
    let failed = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, LOWEST) } != 0;
    if failed {
        tracing::debug!("the priority stays as it is");
    }
}

/// Elsewhere a thread's priority is not its own.
#[cfg(not(target_os = "linux"))]
pub fn step_aside() {}

/// From now on this process leaves no core dump, and other processes of its user cannot
/// read its memory. There is no way back: what was secret once stays so.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library knows neither")]
pub fn leave_no_image() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: setrlimit reads the structure it is given, and prctl takes integers here;
    // both change only what the kernel keeps about this process.
    let (limit, dumpable) = unsafe {
        (
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none),
            libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0),
        )
    };
    // Either is enough; a service manager may have done the first and forbidden it here.
    if limit != 0 && dumpable != 0 {
        tracing::warn!("core dumps cannot be switched off here; see to it that none are kept");
    }
}

/// Elsewhere it is for the system's settings to say.
#[cfg(not(target_os = "linux"))]
pub fn leave_no_image() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    #[expect(unsafe_code, reason = "what is to be tested is what the system has noted")]
    fn no_image_is_left() {
        super::leave_no_image();
        let mut limit = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
        // SAFETY: getrlimit fills the structure it is given; prctl takes integers here.
        let (failed, dumpable) = unsafe {
            (
                libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit),
                libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0),
            )
        };
        assert_eq!((failed, limit.rlim_cur, limit.rlim_max, dumpable), (0, 0, 0, 0));
    }
}

/// Files that are enough: each question over UDP that waits for upstream has a socket.
#[cfg(unix)]
const FILES: libc::rlim_t = 65_536;

/// Raises the number of files that may be open, as far as that is allowed: a shell's usual
/// 1,024 are fewer than the queries that may wait.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library has no resource limits")]
pub fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes to the structure it is given, setrlimit reads it.
    let failed = unsafe {
        let failed = libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0;
        let wanted = FILES.min(limit.rlim_max);
        let is_enough = limit.rlim_cur >= wanted;
        limit.rlim_cur = wanted;
        failed || !is_enough && libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) != 0
    };
    if failed {
        tracing::debug!("the number of open files stays as it is");
    }
}
