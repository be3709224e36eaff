//! Datagrams by the batch: `recvmmsg` and `sendmmsg`, with their memory and ancillary data.
//!
//! A [`Batch`] owns the memory of 64 queries and their replies for the life of its worker;
//! nothing is allocated for a datagram. Queries start a little more than a page apart, so that
//! their first octets do not compete for one set of the processor's cache; replies are written one
//! behind the other.
//!
//! A lone query never waits for others: the call returns as soon as one datagram is there.
//! Replies leave from the address that was asked: a socket that is bound to one address has no
//! other, and one that is bound to all gets the address with each datagram (`IP_PKTINFO`,
//! RFC 3542) and sets it for the reply. The interface is the routing table's choice; the scope
//! of a link-local client is in its address.
//!
//! All `unsafe` code of the listeners is here: system calls with pointers into memory of this
//! batch. Law: its vectors must never be resized, so that pointers into them stay valid.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr::{from_mut, from_ref, null_mut};

/// Datagrams that are received and sent at once.
pub const BATCH: usize = 64;
/// The longest query that is read; a question and its options take a few hundred octets.
const MAX_QUERY: usize = 4096;
/// Octets between the starts of two queries.
const STRIDE: usize = MAX_QUERY + 128;
/// The longest reply that is sent, and the room of each; longer ones are truncated.
const MAX_DATAGRAM: usize = crate::dns::message::MAX_UDP as usize;
/// Octets of an address of either family, as the kernel writes it.
const NAME: usize = size_of::<libc::sockaddr_in6>();
/// Octets of ancillary data: one header, and the longer of the two structures behind it.
const CONTROL: usize = 64;

/// A client's address, as the kernel wrote it.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
struct Name([u8; NAME]);

/// Ancillary data of one datagram.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

impl Name {
    const EMPTY: Self = Self([0; NAME]);

    /// The address in it.
    #[inline]
    fn address(&self) -> SocketAddr {
        let octets = &self.0;
        let family = u16::from_ne_bytes([octets[0], octets[1]]);
        let port = u16::from_be_bytes([octets[2], octets[3]]);
        if i32::from(family) == libc::AF_INET6 {
            let (ip, scope) = (octets[8..].first_chunk(), octets[24..].first_chunk());
            let ip = Ipv6Addr::from(*ip.unwrap_or(&[0; 16]));
            let scope = u32::from_ne_bytes(*scope.unwrap_or(&[0; 4]));
            return std::net::SocketAddrV6::new(ip, port, 0, scope).into();
        }
        (Ipv4Addr::from(*octets[4..].first_chunk().unwrap_or(&[0; 4])), port).into()
    }

    /// Its length for the kernel.
    fn length(&self) -> libc::socklen_t {
        let is_v6 = i32::from(u16::from_ne_bytes([self.0[0], self.0[1]])) == libc::AF_INET6;
        let length = if is_v6 { NAME } else { size_of::<libc::sockaddr_in>() };
        length as libc::socklen_t
    }
}

/// The client of a datagram and the address it was sent to: all that a late reply needs.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    client: Name,
    /// The address that was asked, where the socket has several.
    local: Option<IpAddr>,
}

impl Path {
    /// The client.
    #[inline]
    pub fn client(&self) -> SocketAddr {
        self.client.address()
    }

    /// The address that was asked, where the socket has several.
    #[inline]
    pub fn local(&self) -> Option<IpAddr> {
        self.local
    }

    /// Sends a reply along it.
    ///
    /// # Errors
    ///
    /// The system's error: there is no room, or no route to the client any more.
    #[expect(unsafe_code, reason = "the standard library cannot send from a chosen address")]
    pub fn send(&self, socket: &UdpSocket, reply: &[u8]) -> io::Result<()> {
        let mut part =
            libc::iovec { iov_base: reply.as_ptr().cast_mut().cast(), iov_len: reply.len() };
        let mut control = Control([0; CONTROL]);
        // SAFETY: all zeroes is an empty message.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_name = from_ref(&self.client).cast_mut().cast();
        message.msg_namelen = self.client.length();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        if let Some(local) = self.local {
            message.msg_controllen = control.leave_from(local) as _;
            message.msg_control = from_mut(&mut control).cast();
        }
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: every pointer is to a local variable or to a borrow that outlives the call; the
        // kernel only reads through them.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// The position of the data of the first ancillary message: behind its header.
const DATA: usize = size_of::<libc::cmsghdr>();

impl Control {
    /// Sets the source address of a datagram; returns the length for the kernel.
    fn leave_from(&mut self, local: IpAddr) -> usize {
        match local {
            IpAddr::V4(local) => {
                // in_pktinfo: interface 0 (the routing table's choice), local address, unused.
                let mut data = [0; size_of::<libc::in_pktinfo>()];
                data[4..8].copy_from_slice(&local.octets());
                self.set(libc::IPPROTO_IP, libc::IP_PKTINFO, &data)
            }
            IpAddr::V6(local) => {
                // in6_pktinfo: local address, interface 0.
                let mut data = [0; size_of::<libc::in6_pktinfo>()];
                data[..16].copy_from_slice(&local.octets());
                self.set(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &data)
            }
        }
    }

    #[expect(unsafe_code, reason = "the header's fields differ between C libraries")]
    fn set(&mut self, level: i32, kind: i32, data: &[u8]) -> usize {
        // SAFETY: all fields are integers, for which zeroes are valid.
        let mut header: libc::cmsghdr = unsafe { zeroed() };
        header.cmsg_len = (DATA + data.len()) as _;
        header.cmsg_level = level;
        header.cmsg_type = kind;
        // SAFETY: the array is larger than the header and aligned for it.
        unsafe { from_mut(self).cast::<libc::cmsghdr>().write(header) };
        self.0[DATA..DATA + data.len()].copy_from_slice(data);
        (DATA + data.len()).next_multiple_of(size_of::<usize>())
    }

    /// The address that a datagram was sent to, if the kernel reports it.
    #[expect(unsafe_code, reason = "the header's fields differ between C libraries")]
    fn asked(&self, length: u64) -> Option<IpAddr> {
        if !(DATA as u64..=CONTROL as u64).contains(&length) {
            return None;
        }
        // SAFETY: the array is larger than the header and aligned for it; its fields are integers,
        // for which any octets are valid.
        let header = unsafe { from_ref(self).cast::<libc::cmsghdr>().read() };
        match (header.cmsg_level, header.cmsg_type) {
            // The local address that answers: for a broadcast, not the one it was sent to.
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                self.0[DATA + 4..].first_chunk().map(|&ip| IpAddr::V4(Ipv4Addr::from(ip)))
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                self.0[DATA..].first_chunk().map(|&ip| IpAddr::V6(Ipv6Addr::from(ip)))
            }
            _ => None,
        }
    }
}

/// Memory for a batch of queries and their replies, for one thread.
pub struct Batch {
    incoming: Vec<libc::mmsghdr>,
    /// The targets of the headers' pointers.
    _parts_in: Vec<libc::iovec>,
    names: Vec<Name>,
    controls_in: Vec<Control>,
    queries: Vec<u8>,
    /// Octets of ancillary data that are requested: none where the socket has one address.
    control_room: usize,
    /// Datagrams now in it.
    received: usize,
    outgoing: Vec<libc::mmsghdr>,
    parts_out: Vec<libc::iovec>,
    controls_out: Vec<Control>,
    replies: Vec<u8>,
    /// Replies now in it.
    ready: usize,
}

impl Batch {
    /// Memory for the datagrams of a socket; with room for the address of each if the socket
    /// `has_many_addresses`.
    #[expect(unsafe_code, reason = "the only way to make a header on every C library")]
    pub fn new(has_many_addresses: bool) -> Self {
        // SAFETY: all zeroes is an empty message.
        let empty: libc::mmsghdr = unsafe { zeroed() };
        let control_room = if has_many_addresses { CONTROL } else { 0 };
        let mut names = vec![Name::EMPTY; BATCH];
        let mut controls_in = vec![Control([0; CONTROL]); BATCH];
        let mut queries = vec![0; STRIDE * BATCH];
        let mut parts_in: Vec<libc::iovec> = (0..BATCH)
            .map(|n| libc::iovec {
                iov_base: queries.as_mut_ptr().wrapping_add(n * STRIDE).cast(),
                iov_len: MAX_QUERY,
            })
            .collect();
        let incoming = (0..BATCH).map(|n| {
            let mut header = empty;
            header.msg_hdr.msg_name = names.as_mut_ptr().wrapping_add(n).cast();
            header.msg_hdr.msg_namelen = NAME as _;
            header.msg_hdr.msg_iov = parts_in.as_mut_ptr().wrapping_add(n);
            header.msg_hdr.msg_iovlen = 1;
            if has_many_addresses {
                header.msg_hdr.msg_control = controls_in.as_mut_ptr().wrapping_add(n).cast();
                header.msg_hdr.msg_controllen = control_room as _;
            }
            header
        });
        let incoming = incoming.collect();
        let nothing = libc::iovec { iov_base: null_mut(), iov_len: 0 };
        Self {
            incoming,
            _parts_in: parts_in,
            names,
            controls_in,
            queries,
            control_room,
            received: 0,
            outgoing: vec![empty; BATCH],
            parts_out: vec![nothing; BATCH],
            controls_out: vec![Control([0; CONTROL]); if has_many_addresses { BATCH } else { 0 }],
            replies: vec![0; MAX_DATAGRAM * BATCH],
            ready: 0,
        }
    }

    /// Waits for a datagram, and receives all that are there already; returns their number.
    ///
    /// # Errors
    ///
    /// The system's error; mostly that nothing arrived within the socket's time limit.
    #[expect(unsafe_code, reason = "the standard library receives one datagram a call")]
    pub fn receive(&mut self, socket: &UdpSocket, may_wait: bool) -> io::Result<usize> {
        // The kernel has overwritten the lengths.
        for header in self.incoming.iter_mut().take(self.received) {
            header.msg_hdr.msg_namelen = NAME as _;
            header.msg_hdr.msg_controllen = self.control_room as _;
        }
        self.received = 0;
        let flags = if may_wait { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT };
        // SAFETY: `incoming` has BATCH headers; their pointers are into vectors of this batch,
        // which are never resized and are not borrowed now.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.incoming.as_mut_ptr(),
                BATCH as u32,
                flags as _,
                null_mut(),
            )
        };
        self.received = usize::try_from(count).map_err(|_| io::Error::last_os_error())?.min(BATCH);
        Ok(self.received)
    }

    /// The received queries.
    #[inline]
    pub fn queries(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let received = self.incoming.iter().take(self.received).enumerate();
        received.map(|(n, header)| {
            let length = (header.msg_len as usize).min(MAX_QUERY);
            self.queries.get(n * STRIDE..n * STRIDE + length).unwrap_or(&[])
        })
    }

    /// Calls `answer` with each query, its number and the room for its reply; `answer` returns
    /// the octets of it to send, or `None`.
    #[inline]
    pub fn answer(
        &mut self,
        mut answer: impl FnMut(usize, &[u8], &Path, &mut [u8]) -> Option<usize>,
    ) {
        self.ready = 0;
        let mut at = 0;
        for n in 0..self.received {
            let Some(header) = self.incoming.get(n) else { break };
            let length = (header.msg_len as usize).min(MAX_QUERY);
            let local = match self.control_room {
                0 => None,
                _ => self
                    .controls_in
                    .get(n)
                    .and_then(|control| control.asked(header.msg_hdr.msg_controllen as u64)),
            };
            let path = Path { client: self.names.get(n).copied().unwrap_or(Name::EMPTY), local };
            let query = self.queries.get(n * STRIDE..n * STRIDE + length).unwrap_or(&[]);
            let Some(room) = self.replies.get_mut(at..at + MAX_DATAGRAM) else { break };
            if let Some(length) = answer(n, query, &path, room) {
                let length = length.min(MAX_DATAGRAM);
                self.lay_out(n, at, length, local);
                at += length;
            }
        }
    }

    /// Queues the reply to datagram `n`, which lies at `at`, to be sent next.
    fn lay_out(&mut self, n: usize, at: usize, length: usize, local: Option<IpAddr>) {
        let slot = self.ready;
        let (Some(header), Some(part), Some(name)) =
            (self.outgoing.get_mut(slot), self.parts_out.get_mut(slot), self.names.get(n))
        else {
            return;
        };
        part.iov_base = self.replies.as_mut_ptr().wrapping_add(at).cast();
        part.iov_len = length;
        let header = &mut header.msg_hdr;
        header.msg_namelen = name.length();
        header.msg_name = self.names.as_mut_ptr().wrapping_add(n).cast();
        header.msg_iovlen = 1;
        header.msg_iov = self.parts_out.as_mut_ptr().wrapping_add(slot);
        if let (Some(local), Some(control)) = (local, self.controls_out.get_mut(slot)) {
            header.msg_controllen = control.leave_from(local) as _;
            header.msg_control = self.controls_out.as_mut_ptr().wrapping_add(slot).cast();
        }
        self.ready += 1;
    }

    /// Sends the replies; returns how many the kernel refused.
    ///
    /// Those are lost, as any datagram may be: the client retries.
    #[expect(unsafe_code, reason = "the standard library sends one datagram a call")]
    pub fn send(&mut self, socket: &UdpSocket) -> usize {
        let (mut done, mut failed) = (0, 0);
        while let Some(rest) = self.outgoing.get_mut(done..self.ready).filter(|r| !r.is_empty()) {
            let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
            // SAFETY: the count is the length of the slice; the headers' pointers are into vectors
            // of this batch, which are never resized and are not borrowed now.
            let sent = unsafe {
                libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as u32, flags as _)
            };
            if let Ok(sent @ 1..) = usize::try_from(sent) {
                done += sent;
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => {}
                // No room: there is none for the next either.
                io::ErrorKind::WouldBlock => {
                    failed += self.ready - done;
                    break;
                }
                // An unreachable client does not hold up those behind it.
                _ => {
                    failed += 1;
                    done += 1;
                }
            }
        }
        self.ready = 0;
        failed
    }
}

/// Requests the destination address with each datagram.
///
/// # Errors
///
/// The system's error.
pub fn ask_for_addresses(socket: &UdpSocket, is_ipv6: bool) -> io::Result<()> {
    let (level, option) = if is_ipv6 {
        (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)
    } else {
        (libc::IPPROTO_IP, libc::IP_PKTINFO)
    };
    set(socket, level, option, 1)
}

/// Forbids fragmentation of replies (RFC 9715 §3.1): fragments can be spoofed one by one, and
/// replies of at most 1,232 octets fit every path. Reported path sizes are ignored.
pub fn never_fragment(socket: &UdpSocket, is_ipv6: bool) {
    let (level, option) = if is_ipv6 {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER)
    } else {
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER)
    };
    // An old kernel without the option still sends.
    let _ = set(socket, level, option, libc::IP_PMTUDISC_PROBE);
}

/// Sizes the kernel's buffers of a socket, past the system's limit where that is allowed.
///
/// [`Kernel::of`] reports their real size.
pub fn size_buffers(socket: &UdpSocket, octets: i32) {
    let pairs = [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)];
    for (forced, asked) in pairs {
        // A smaller buffer is no error: the listener works with it.
        let _ = set(socket, libc::SOL_SOCKET, forced, octets)
            .or_else(|_| set(socket, libc::SOL_SOCKET, asked, octets));
    }
}

#[expect(unsafe_code, reason = "options that no safe interface has")]
fn set(socket: &UdpSocket, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the pointer is to a local integer, whose size is passed as the length.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            from_ref(&value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The kernel's report of a socket's buffers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Room for received datagrams in octets, the kernel's own bookkeeping included.
    pub receive_buffer: u32,
    /// Octets of it in use.
    pub receive_used: u32,
    /// Datagrams dropped for want of room since the socket was opened: as `SO_RXQ_OVFL`, but
    /// without ancillary data on each datagram.
    pub dropped: u32,
}

impl Kernel {
    /// The report on a socket.
    #[expect(unsafe_code, reason = "an option that no safe interface has")]
    pub fn of(socket: &UdpSocket) -> Self {
        // SK_MEMINFO_*: used and room to receive, to send; three more; backlog; drops.
        let mut info = [0_u32; 9];
        let mut length = size_of_val(&info) as libc::socklen_t;
        // SAFETY: both pointers are to local variables; the length is the size of the array.
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                SO_MEMINFO,
                info.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let [receive_used, receive_buffer, .., dropped] = info;
        if result == 0 { Self { receive_buffer, receive_used, dropped } } else { Self::default() }
    }
}

/// Not in every C library's headers; the same number on every architecture but SPARC, PA-RISC
/// and the like.
const SO_MEMINFO: libc::c_int = 55;

#[cfg(test)]
mod tests;
