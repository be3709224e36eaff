//! DNS over UDP, with TCP for what UDP cannot carry.
//!
//! Each query has a port of its own that the kernel draws, an id and letters' case from a CSPRNG
//! (RFC 5452 §9.2). Law: a datagram that is not the reply must never end the wait, since anyone can
//! send one.
//!
//! ```text
//! reply ┬ positive ──────────────────────────────────▶ answer
//!       ├ TC ────────────────────────────▶ TCP ───────▶ answer
//!       ├ letters folded ────────▶ TCP, or in lower case ─┐
//!       ├ negative to mixed case ▶ TCP, or in lower case ─┤ the first socket listens on
//!       └ OPT not understood ────▶ without OPT ───────────┘
//! ```

use std::cell::RefCell;
use std::io::Read;
use std::pin::pin;
use std::time::Duration;

use rand::RngExt;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::time::{Instant, timeout};

use super::Hint;
use super::sockets::{Connected, QuerySockets};
use super::stream::{StreamClient, tcp};
use crate::dns::message::{MAX_MESSAGE, Question};
use crate::upstream::habits::Habits;
use crate::upstream::health::Failure;
use crate::upstream::message::Reply;
use crate::upstream::message::query::{Match, QueryForm, UpstreamQuery};
use crate::upstream::message::reading::Reading;
use crate::upstream::place::Place;

/// The longest wait for TCP where lower case over UDP can say the same.
const TCP_PATIENCE: Duration = Duration::from_millis(300);

/// The wait for an answer with OPT behind one without, where a bare header alone said that OPT was
/// not understood.
const BARE_PATIENCE: Duration = Duration::from_millis(250);

thread_local! {
    /// Memory for a datagram: one for each thread of the runtime.
    static DATAGRAM: RefCell<Box<[u8]>> = RefCell::new(vec![0; MAX_MESSAGE].into());
}

/// Client of a server over UDP.
#[derive(Debug)]
pub(in crate::upstream) struct UdpClient {
    place: Place,
    sockets: QuerySockets,
    tcp: StreamClient,
    habits: Habits,
}

/// A query under way.
struct Sent<'a> {
    query: UpstreamQuery,
    form: QueryForm,
    socket: Connected<'a>,
}

/// A message that may be the reply.
enum Heard {
    /// It is.
    Mine(Reply),
    /// It is but for the letters.
    Folded,
    /// A header with an error, and no question.
    Bare(Failure),
}

impl UdpClient {
    pub(in crate::upstream) fn new(place: Place, randomises: bool) -> Self {
        Self {
            sockets: QuerySockets::default(),
            tcp: tcp(place.clone()),
            place,
            habits: Habits::new(randomises),
        }
    }

    /// What the server was seen not to be able to do.
    pub(in crate::upstream) fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Sends the question, and again in another way where the reply is in doubt.
    pub(in crate::upstream) async fn exchange(
        &self,
        question: &Question,
        hint: &Hint,
    ) -> Result<Reply, Failure> {
        let form = self.habits.form(&question.name, Instant::now());
        let sent = self.send(question, form)?;
        loop {
            match sent.heard().await? {
                Heard::Mine(reply) if reply.reading == Reading::Positive => {
                    if sent.query.has_upper_case() {
                        self.habits.note_folded(false, Instant::now());
                    }
                    if form.edns {
                        self.habits.note_opt();
                    }
                    return Ok(reply);
                }
                // The rest is rare: boxed, so that the usual exchange is small.
                Heard::Mine(reply) if reply.reading == Reading::NotUnderstood => {
                    return Box::pin(self.without_opt(question, &sent, Some(reply))).await;
                }
                Heard::Mine(reply) => {
                    return Box::pin(self.conclude(question, &sent, reply)).await;
                }
                Heard::Folded => return Box::pin(self.unfolded(question, &sent)).await,
                // Anyone may have sent it: other servers are asked, and the wait goes on.
                Heard::Bare(failure) => {
                    hint.give();
                    if form.edns && failure == Failure::NotUnderstood {
                        return Box::pin(self.without_opt(question, &sent, None)).await;
                    }
                }
            }
        }
    }

    /// Asks over TCP: no letter is mixed there.
    async fn over_tcp(&self, question: &Question) -> Result<Reply, Failure> {
        self.tcp.exchange(question, &self.habits).await
    }

    /// Asks where UDP in the usual form was silent: over TCP, or else in lower case.
    pub(in crate::upstream) async fn other_way(
        &self,
        question: &Question,
    ) -> Result<Reply, Failure> {
        match self.over_tcp(question).await {
            Ok(reply) => Ok(reply),
            Err(_) => self.in_lower_case(question, true).await,
        }
    }

    /// Asks over UDP in lower case, without a check of the answer.
    async fn in_lower_case(&self, question: &Question, edns: bool) -> Result<Reply, Failure> {
        let sent = self.send(question, QueryForm { mixed: false, edns })?;
        loop {
            if let Heard::Mine(reply) = sent.heard().await? {
                return if reply.reading == Reading::Truncated {
                    self.whole(question).await
                } else {
                    Ok(reply)
                };
            }
        }
    }

    /// A second opinion where letters may be at fault: over TCP, or else in lower case.
    async fn second(&self, question: &Question, edns: bool) -> Result<Reply, Failure> {
        if self.tcp.is_worth_trying()
            && let Ok(Ok(reply)) = timeout(TCP_PATIENCE, self.over_tcp(question)).await
        {
            return Ok(reply);
        }
        self.in_lower_case(question, edns).await
    }

    /// The whole answer, where the datagram has a part of it.
    async fn whole(&self, question: &Question) -> Result<Reply, Failure> {
        self.over_tcp(question).await.map_err(|_| Failure::Truncated)
    }

    /// The end of an exchange whose reply was understood.
    async fn conclude(
        &self,
        question: &Question,
        sent: &Sent<'_>,
        reply: Reply,
    ) -> Result<Reply, Failure> {
        let is_mixed = sent.query.has_upper_case();
        match reply.reading {
            Reading::Truncated => return self.whole(question).await,
            Reading::Positive => {}
            _ if is_mixed && self.habits.is_doubted(&question.name, Instant::now()) => {
                let second = self.second(question, sent.form.edns).await;
                let Ok(second) = second else { return Ok(reply) };
                let now = Instant::now();
                if second.reading.agrees(reply.reading) {
                    self.habits.note_agreement(&question.name, now);
                } else if second.reading == Reading::Positive {
                    self.habits.note_disagreement(&question.name, now);
                }
                return Ok(second);
            }
            _ => {}
        }
        if is_mixed {
            self.habits.note_folded(false, Instant::now());
        }
        Ok(reply)
    }

    /// A reply came in other letters: spoofed, or of a server that folds them. Only another way of
    /// asking tells; the right letters are still waited for.
    async fn unfolded(&self, question: &Question, sent: &Sent<'_>) -> Result<Reply, Failure> {
        let mut second = pin!(self.second(question, sent.form.edns));
        let mut first = pin!(sent.reply());
        tokio::select! {
            biased;
            reply = &mut first => match reply {
                Ok(reply) => self.conclude(question, sent, reply).await,
                Err(_) => second.await,
            },
            reply = &mut second => match reply {
                Ok(reply) => {
                    self.habits.note_folded(true, Instant::now());
                    Ok(reply)
                }
                Err(_) => Err(Failure::Malformed),
            },
        }
    }

    /// The query's OPT was not understood, or someone says so: asked without it at another port,
    /// while the first goes on listening (RFC 6891 §7).
    async fn without_opt(
        &self,
        question: &Question,
        sent: &Sent<'_>,
        said: Option<Reply>,
    ) -> Result<Reply, Failure> {
        let form = QueryForm { edns: false, ..sent.form };
        let again = self.send(question, form)?;
        let mut second = pin!(again.reply());
        let mut first = pin!(sent.reply());
        let (mut first_ended, mut said) = (false, said);
        loop {
            tokio::select! {
                biased;
                reply = &mut first, if !first_ended => match reply {
                    Ok(reply) if reply.reading == Reading::NotUnderstood => {
                        said = Some(reply);
                        first.set(sent.reply());
                    }
                    Ok(reply) => {
                        self.habits.note_opt();
                        return self.conclude(question, sent, reply).await;
                    }
                    Err(_) => first_ended = true,
                },
                reply = &mut second => {
                    let Ok(mut reply) = reply else {
                        // Only the first may still answer.
                        return match said {
                            Some(said) => Ok(said),
                            None if first_ended => Err(Failure::NotUnderstood),
                            None => first.await,
                        };
                    };
                    reply.reading = reply.reading.without_opt();
                    match reply.reading {
                        Reading::Rejected(_) => {}
                        // Only the server knows id, port and letters.
                        _ if said.is_some() => self.habits.note_without_opt(Instant::now()),
                        _ if first_ended => self.habits.note_bare(Instant::now()),
                        // Forged, if the first is answered all the same.
                        _ => match timeout(BARE_PATIENCE, &mut first).await {
                            Ok(Ok(whole)) if whole.reading != Reading::NotUnderstood => {
                                self.habits.note_opt();
                                return self.conclude(question, sent, whole).await;
                            }
                            _ => self.habits.note_bare(Instant::now()),
                        },
                    }
                    return self.conclude(question, &again, reply).await;
                }
            }
        }
    }

    /// Sends one query, at a port of its own.
    fn send(&self, question: &Question, form: QueryForm) -> Result<Sent<'_>, Failure> {
        let mut random = rand::rng();
        let id = random.random();
        // A draw for 64 letters, not one for each.
        let (mut bits, mut left) = (0_u64, 0);
        let query = UpstreamQuery::new(question, id, form, || {
            if left == 0 {
                (bits, left) = (random.random(), 64);
            }
            left -= 1;
            bits >> left & 1 == 1
        });
        let address = self.place.now().ok_or(Failure::Network)?;
        let socket = self.sockets.connect(address).map_err(|error| local_or_network(&error))?;
        // Not by the readiness of the runtime, which a new socket has yet to learn.
        match SockRef::from(&*socket).send(query.octets()) {
            Ok(_) => Ok(Sent { query, form, socket }),
            Err(error) => Err(local_or_network(&error)),
        }
    }
}

/// The failure of an error of the system: without a free descriptor, port or buffer the server is
/// not at fault.
fn local_or_network(error: &std::io::Error) -> Failure {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN) => {
            Failure::Busy
        }
        _ => Failure::Network,
    }
}

impl Sent<'_> {
    /// The next message that may be the reply; all others are passed over.
    async fn heard(&self) -> Result<Heard, Failure> {
        // ICMP says that nothing listens there: an error without anything to read.
        let interest = Interest::READABLE.add(Interest::ERROR);
        loop {
            let received = self.socket.async_io(interest, || {
                DATAGRAM.with_borrow_mut(|datagram| {
                    let length = (&*SockRef::from(&*self.socket)).read(datagram)?;
                    Ok(self.judge(datagram.get_mut(..length).unwrap_or_default()))
                })
            });
            if let Some(heard) = received.await.map_err(|_| Failure::Network)? {
                return Ok(heard);
            }
        }
    }

    /// The next message that is the reply.
    async fn reply(&self) -> Result<Reply, Failure> {
        loop {
            if let Heard::Mine(reply) = self.heard().await? {
                return Ok(reply);
            }
        }
    }

    fn judge(&self, octets: &mut [u8]) -> Option<Heard> {
        match self.query.judge(octets) {
            Match::Mine => Some(Heard::Mine(Reply::of(octets, &self.query, self.form))),
            Match::OtherCase => Some(Heard::Folded),
            Match::Bare => Some(Heard::Bare(match Reading::of(octets) {
                Reading::Rejected(failure) => failure,
                _ => Failure::NotUnderstood,
            })),
            Match::Other => None,
        }
    }
}
