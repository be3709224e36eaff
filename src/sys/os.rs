//! Calls to the system that the standard library lacks: allocator threshold, thread priority, file
//! mappings, state of the kernel's clock, core dumps, limit of open files, the neighbour table.
//!
//! All `unsafe` code is here, but for that of datagrams (`serve/listener/udp_batch`).

use std::fs::File;
use std::io;

use memmap2::{Mmap, UncheckedAdvice};
use tokio::io::unix::AsyncFd;

/// Octets of one call that would be long otherwise. A thread of low priority yields between calls:
/// a kernel may run a call to its end, for milliseconds, before it runs other threads.
pub const PIECE: usize = 256 << 10;

/// Maps a file read-only. Law: nothing may write to the file while it is mapped. That holds for
/// a file of the state directory that this program wrote: it is written under another name,
/// renamed, and from then on only removed. It holds for a finished file before its renaming too.
///
/// # Errors
///
/// The error of the system.
#[expect(unsafe_code, reason = "what a mapping shows is the file's, which Rust cannot watch")]
pub fn map(file: &File) -> io::Result<Mapped> {
    // SAFETY: the octets must not change while the mapping exists. Only this program uses the
    // state directory (mode 0700), and it replaces files there and never writes into them. If
    // another program does, a changed octet gives a wrong answer and no access out of bounds:
    // readers of packs use every number through checked slices.
    unsafe { Mmap::map(file) }.map(Mapped)
}

/// A read-only mapping of a file, whose pages are released a piece at a time.
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
            // SAFETY: a read-only mapping of a file that nobody writes, at its last owner;
            // MADV_DONTNEED only drops clean pages, which would be read again from the file.
            let _ =
                unsafe { self.0.unchecked_advise_range(UncheckedAdvice::DontNeed, place, piece) };
        }
    }
}

/// Ignores SIGHUP until somebody waits for it: a reload that is asked for while a policy is first read
/// must not end the program. What is read then is the newest anyway.
#[expect(unsafe_code, reason = "the standard library has no signals")]
pub fn ignore_hangup() {
    // SAFETY: SIG_IGN runs no code; tokio replaces it where reloads begin to be waited for.
    unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
}

/// A socket that hears of changes of the neighbour table, of both families (rtnetlink(7)), without
/// waiting. The kernel alone can send to it: another process would need `CAP_NET_ADMIN`.
///
/// # Errors
///
/// The error of the system: a filter of system calls may refuse it.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library has no netlink")]
pub fn neighbour_socket() -> io::Result<File> {
    use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

    /// The bit of `RTNLGRP_NEIGH`, which is group 3.
    const NEIGHBOURS: u32 = 1 << 2;
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: socket(2) takes three numbers; what it returns is a new descriptor that nobody else has,
    // or negative.
    let socket = unsafe {
        let number = libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE);
        if number < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(number)
    };
    // SAFETY: `sockaddr_nl` consists of integers, for which zeroes are valid; bind(2) reads it with its
    // own size, and it outlives the call.
    let failed = unsafe {
        let mut address: libc::sockaddr_nl = std::mem::zeroed();
        address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        address.nl_groups = NEIGHBOURS;
        let size = size_of_val(&address) as libc::socklen_t;
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size)
    } != 0;
    if failed { Err(io::Error::last_os_error()) } else { Ok(File::from(socket)) }
}

/// Other systems tell of their neighbours in other ways.
#[cfg(not(target_os = "linux"))]
pub fn neighbour_socket() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A file that a task can wait for: a socket of the kernel.
///
/// # Errors
///
/// The error of the system, as for a file on a disk, which has nothing to wait for.
#[expect(unsafe_code, reason = "the library asks that the descriptor stay open")]
pub fn awaited(file: File) -> io::Result<AsyncFd<File>> {
    // SAFETY: the file owns its descriptor, which stays open and the same until both are dropped.
    Ok(unsafe { AsyncFd::register(file) }?)
}

/// The number of the interface with this name now (RFC 3493 §4.1); none while there is none.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library has no interfaces")]
pub fn interface_number(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: if_nametoindex reads the string up to its NUL; it outlives the call.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number != 0).then_some(number)
}

/// Freed allocations of at least this many octets return to the system.
pub const RETURNED_FROM: usize = 128 << 10;
/// The lowest priority there is (nice).
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Fixes the allocator's mmap threshold. Must be called once, before other threads start.
///
/// Reloads allocate and free lists in pieces of 128 KiB and more. glibc raises its threshold when
/// the first such piece is freed, and serves later ones from a heap that never shrinks: each
/// reload would add its own size to the process. With a fixed threshold each large piece is a
/// mapping of its own, which returns to the system when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt is the only way to fix glibc's threshold from inside")]
pub fn return_memory() {
    let threshold = i32::try_from(RETURNED_FROM).unwrap_or(i32::MAX);
    // SAFETY: mallopt takes two integers and changes only the allocator's own settings; no other
    // thread runs yet.
    let was_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, threshold) };
    if was_set == 0 {
        tracing::debug!("the allocator keeps its own threshold");
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn return_memory() {}

/// The result of adjtimex(2) for a clock that is not synchronised.
#[cfg(target_os = "linux")]
const TIME_ERROR: i32 = 5;
/// The status bit of the same meaning.
#[cfg(target_os = "linux")]
const STA_UNSYNC: i32 = 0x40;

/// True where the kernel's clock follows a time server.
///
/// A filter of system calls (seccomp) may refuse adjtimex(2), or end the process that calls it:
/// then it is not called. With `deploy/systemd/kernel-clock.conf` the unit's filter allows it.
#[cfg(target_os = "linux")]
pub fn is_clock_synced() -> bool {
    static MAY_ASK: std::sync::LazyLock<bool> = std::sync::LazyLock::new(survives_asking);
    *MAY_ASK && ask_kernel_clock()
}

/// Whether adjtimex(2) reports a synchronised clock; false where it is refused.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library does not ask the kernel for this")]
fn ask_kernel_clock() -> bool {
    // SAFETY: `timex` consists of integers, for which zeroes are valid; with `modes` 0 the call
    // sets no clock, and writes only into that struct, which outlives it.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    state >= 0 && state != TIME_ERROR && timex.status & STA_UNSYNC == 0
}

/// Whether a call of adjtimex(2) is survived: under seccomp a child process tries it first.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library has no child that only makes one call")]
fn survives_asking() -> bool {
    // seccomp(2) modes: 0 is none.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if status.lines().any(|line| line.split_whitespace().eq(["Seccomp:", "0"])) {
        return true;
    }
    // SAFETY: the child makes two system calls and exits. It takes no lock and allocates nothing,
    // so it uses no state that another thread of the parent may have left half changed.
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
    // SAFETY: `child` is a child of this process that was not waited for; `how` outlives the call.
    child > 0 && unsafe { libc::waitpid(child, &raw mut how, 0) } == child && how == 0
}

/// Other systems do not report it.
#[cfg(not(target_os = "linux"))]
pub fn is_clock_synced() -> bool {
    false
}

/// Gives the calling thread the lowest priority: lists are read while queries are answered,
/// perhaps on the only core.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library has no priorities")]
pub fn step_aside() {
    // SAFETY: setpriority takes three integers; on Linux "process 0" is the calling thread.
    let failed = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, LOWEST) } != 0;
    if failed {
        tracing::debug!("the priority stays as it is");
    }
}

/// Other systems have no priority of a thread alone.
#[cfg(not(target_os = "linux"))]
pub fn step_aside() {}

/// Locks an open file for this process alone, until it is closed; false while another has it.
///
/// # Errors
///
/// The error of the system.
#[expect(unsafe_code, reason = "the standard library has locks of files from Rust 1.89 on")]
pub fn try_lock(file: &File) -> io::Result<bool> {
    use std::os::fd::AsRawFd as _;
    // SAFETY: flock takes two integers; the descriptor is open, as `file` is borrowed.
    let failed = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0;
    match io::Error::last_os_error() {
        _ if !failed => Ok(true),
        error if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        error => Err(error),
    }
}

/// Dissolves the association of a UDP socket with its peer. A port that the kernel drew is released
/// with it: the next connect draws another (connect(2), `AF_UNSPEC`).
///
/// # Errors
///
/// The error of the system.
#[expect(unsafe_code, reason = "the standard library has no address of the unspecified family")]
pub fn dissolve(socket: &impl std::os::fd::AsRawFd) -> io::Result<()> {
    let family = libc::AF_UNSPEC as libc::sa_family_t;
    // SAFETY: `sockaddr` consists of integers, for which zeroes are valid; connect reads it, and
    // it outlives the call. The descriptor is open: `socket` is borrowed.
    let failed = unsafe {
        let mut nobody: libc::sockaddr = std::mem::zeroed();
        nobody.sa_family = family;
        let length = size_of::<libc::sockaddr>() as libc::socklen_t;
        libc::connect(socket.as_raw_fd(), &raw const nobody, length) != 0
    };
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Switches off core dumps of this process: the memory of a resolver has names that were asked for, and
/// addresses of clients. True where none is written to a file.
///
/// A program that the kernel hands dumps to (`core_pattern` with `|`) is told the limit; that of systemd
/// keeps nothing then.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library has no resource limits")]
pub fn leave_no_core() -> bool {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: setrlimit reads the struct, which outlives the call.
    let failed = unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) } != 0;
    !failed
}

/// On other systems the system's settings decide.
#[cfg(not(target_os = "linux"))]
pub fn leave_no_core() -> bool {
    false
}

/// Switches off core dumps of this process, and the reading of its memory by other processes of
/// its user. Law: they must never be switched on again, since a secret stays one.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the standard library does not know it")]
pub fn leave_no_image() {
    let is_limited = leave_no_core();
    // SAFETY: prctl takes integers here, and changes only a setting of this process.
    let failed = unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) } != 0;
    // Either is enough; a service manager may have set the limit, and refuse the call here.
    if failed && !is_limited {
        tracing::warn!("core dumps cannot be switched off here; see to it that none are kept");
    }
}

/// On other systems the system's settings decide.
#[cfg(not(target_os = "linux"))]
pub fn leave_no_image() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    #[expect(unsafe_code, reason = "what is to be tested is what the system has noted")]
    fn no_image_is_left() {
        super::leave_no_image();
        let mut limit = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
        // SAFETY: getrlimit writes to the struct, which outlives it; prctl takes integers here.
        let (failed, dumpable) = unsafe {
            (
                libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit),
                libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0),
            )
        };
        assert_eq!((failed, limit.rlim_cur, limit.rlim_max, dumpable), (0, 0, 0, 0));
    }
}

/// Wanted limit of open files: each query over UDP that waits for upstream has a socket.
#[cfg(unix)]
const FILES: libc::rlim_t = 65_536;

/// The limit of open files.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library has no resource limits")]
pub fn file_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes to the struct, which outlives the call.
    let failed = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0;
    if failed { FILES } else { limit.rlim_cur }
}

/// Raises the limit of open files as far as the hard limit allows: a shell's usual 1,024 are
/// fewer than the queries that may wait.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library has no resource limits")]
pub fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes to the struct and setrlimit reads it; it outlives both calls.
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
