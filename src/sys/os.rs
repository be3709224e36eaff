//! Calls to the system that the standard library lacks: allocator threshold, thread priority, state of
//! the kernel's clock, core dumps, limit of open files, the neighbour table, descriptors that processes
//! hand each other.
//!
//! All `unsafe` code is here, but for mapped files and datagrams (`serve/listener/udp_batch`).

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;

use tokio::io::unix::AsyncFd;

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

/// The descriptors that the service manager passed at the start, `count` of them from 3 on
/// (`sd_listen_fds(3)`). Law: must be called once, before other descriptors are opened: it owns them.
#[expect(unsafe_code, reason = "a number in the environment says which descriptors are ours")]
pub fn passed_descriptors(count: usize) -> Vec<OwnedFd> {
    /// The first after standard input, output and error.
    const FIRST: i32 = 3;
    // No environment makes this allocate without bound.
    let last = FIRST.saturating_add(i32::try_from(count.min(4096)).unwrap_or(0));
    let own = |number| {
        // SAFETY: fcntl takes integers here; a number that is not open fails. One that is open was
        // passed for this process, which has opened nothing there, so it has no other owner.
        unsafe {
            let is_open = libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) == 0;
            is_open.then(|| OwnedFd::from_raw_fd(number))
        }
    };
    (FIRST..last).map_while(own).collect()
}

/// Sends a message with a copy of a descriptor (unix(7), `SCM_RIGHTS`).
///
/// # Errors
///
/// The error of the system.
#[expect(unsafe_code, reason = "the standard library sends no descriptors")]
pub fn send_with_descriptor(
    socket: &UnixDatagram,
    octets: &[u8],
    sent: BorrowedFd<'_>,
) -> io::Result<()> {
    const NUMBER: libc::c_uint = size_of::<libc::c_int>() as libc::c_uint;
    // Words, as a header of control data is aligned; more of them than CMSG_SPACE of one descriptor.
    let mut control = [0_u64; 8];
    let mut piece =
        libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
    // SAFETY: `msghdr` consists of integers and pointers, for which zeroes are valid. All that it points
    // to outlives the call, which only reads. CMSG_FIRSTHDR is inside `control`, which is large enough
    // for one header and one number: CMSG_SPACE is 24 octets at most.
    let failed = unsafe {
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut piece;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(NUMBER) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(NUMBER) as _;
        libc::CMSG_DATA(header).cast::<libc::c_int>().write_unaligned(sent.as_raw_fd());
        libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) < 0
    };
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
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

/// What a file system has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Octets that a user other than root can still write.
    pub free: u64,
    /// Files that can still be made; none where the file system has no such limit.
    pub files: Option<u64>,
    /// Whether it is mounted read-only.
    pub is_read_only: bool,
}

/// What the file system of a path has left (statvfs(3)).
///
/// # Errors
///
/// The error of the system.
#[cfg(unix)]
#[expect(unsafe_code, reason = "the standard library does not know file systems")]
#[expect(clippy::unnecessary_cast, reason = "machines of 32 bits have shorter numbers")]
pub fn file_system(path: &std::path::Path) -> io::Result<FileSystem> {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: `statvfs` consists of integers, for which zeroes are valid; the call reads the string up
    // to its NUL and writes to the struct, and both outlive it.
    let (failed, found) = unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut found) != 0, found)
    };
    if failed {
        return Err(io::Error::last_os_error());
    }
    Ok(FileSystem {
        free: (found.f_bavail as u64).saturating_mul(found.f_frsize as u64),
        files: (found.f_files > 0).then_some(found.f_favail as u64),
        is_read_only: found.f_flag & libc::ST_RDONLY != 0,
    })
}

/// Freed allocations of at least this many octets return to the system.
pub const RETURNED_FROM: usize = 128 << 10;
/// The lowest priority there is (nice).
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Fixes the allocator's mmap threshold, and bounds its arenas by the processor's cores. Must be called once,
/// before other threads start.
///
/// Reloads allocate and free lists in pieces of 128 KiB and more. glibc raises its threshold when
/// the first such piece is freed, and serves later ones from a heap that never shrinks: each
/// reload would add its own size to the process. With a fixed threshold each large piece is a
/// mapping of its own, which returns to the system when it is freed.
///
/// glibc gives a thread an arena of its own, up to eight for each core, and each keeps what its threads once
/// needed at once: memory grows for as long as threads come to new work, a quarter of an hour and more. More
/// arenas than threads that can run at a time serve nobody.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt is the only way to set glibc's allocator from inside")]
pub fn return_memory() {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
    for (option, value) in
        [(libc::M_MMAP_THRESHOLD, RETURNED_FROM), (libc::M_ARENA_MAX, cores.max(2))]
    {
        let value = i32::try_from(value).unwrap_or(i32::MAX);
        // SAFETY: mallopt takes two integers and changes only the allocator's own settings; no other
        // thread runs yet.
        let was_set = unsafe { libc::mallopt(option, value) };
        if was_set == 0 {
            tracing::debug!(option, "the allocator keeps its own setting");
        }
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
    // SAFETY: flock takes two integers; the descriptor is open, as `file` is borrowed.
    let failed = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0;
    match io::Error::last_os_error() {
        _ if !failed => Ok(true),
        error if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        error => Err(error),
    }
}

/// The account under which this process acts, by its number; 0 is root.
#[expect(unsafe_code, reason = "the standard library does not say it")]
pub fn own_account() -> u32 {
    // SAFETY: geteuid takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Tells a child to end (SIGTERM), so that it can clear up first.
#[expect(unsafe_code, reason = "the standard library only kills")]
pub fn tell_to_end(child: &std::process::Child) {
    let Ok(process) = libc::pid_t::try_from(child.id()) else { return };
    // SAFETY: kill takes two integers; the child is not waited for yet, so its number is no other process's.
    unsafe { libc::kill(process, libc::SIGTERM) };
}

/// Dissolves the association of a UDP socket with its peer. A port that the kernel drew is released
/// with it: the next connect draws another (connect(2), `AF_UNSPEC`).
///
/// # Errors
///
/// The error of the system.
#[expect(unsafe_code, reason = "the standard library has no address of the unspecified family")]
pub fn dissolve(socket: &impl AsRawFd) -> io::Result<()> {
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
