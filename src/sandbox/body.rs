//! Response bodies, with the faults that damage them on the wire.

use super::faults::FaultKind;
use super::http::Reply;
use hyper::Response;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// One piece of an enormous response.
const BLANKS: &[u8] = &[b' '; 64 * 1024];

/// Makes hyper close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection dropped on purpose")]
pub(super) struct Dropped;

/// Turns a reply into a response, with the fault applied.
pub(super) fn on_the_wire(reply: Reply, fault: Option<&FaultKind>) -> Response<Sent> {
    let full = reply.body;
    let length = Some(full.len());
    let sent = match fault {
        Some(FaultKind::EmptyBody) => Sent::complete(Bytes::new()),
        Some(FaultKind::Truncate) => {
            Sent { length, rest: full.slice(..full.len() / 2), then: Then::Break, ..Sent::complete(Bytes::new()) }
        }
        Some(FaultKind::Drip) => Sent { then: Then::Drip, ..Sent::complete(full) },
        Some(FaultKind::Enormous { blanks, chunked }) => {
            let length = (!chunked).then(|| blanks.saturating_add(full.len()));
            Sent { length, blanks: *blanks, ..Sent::complete(full) }
        }
        Some(FaultKind::NotUtf8) => Sent::complete(not_utf8(&full)),
        _ => Sent::complete(full),
    };
    let mut response = Response::builder().status(reply.status);
    let mut headers = reply.headers;
    if let Some(FaultKind::WrongType { content_type }) = fault {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        headers.push(("content-type".to_owned(), content_type.clone()));
    }
    for (name, value) in &headers {
        response = response.header(name, value);
    }
    // Only a fault with an invalid header fails here. An empty response is a fault as well.
    response.body(sent).unwrap_or_else(|_| Response::new(Sent::complete(Bytes::new())))
}

/// Returns the text with an invalid UTF-8 byte in every string, or at the end if there is no string.
fn not_utf8(text: &[u8]) -> Bytes {
    let mut damaged = Vec::with_capacity(text.len() + 1);
    for (number, part) in text.split_inclusive(|byte| *byte == b'"').enumerate() {
        damaged.extend_from_slice(part);
        if number % 2 == 0 {
            damaged.push(0xff);
        }
    }
    Bytes::from(damaged)
}

/// A response body. It announces `length` bytes, or no length, and a fault can make it break off or drip.
pub(super) struct Sent {
    length: Option<usize>,
    /// Blanks still to be sent before the rest.
    blanks: usize,
    rest: Bytes,
    then: Then,
    wait: Option<Pin<Box<tokio::time::Sleep>>>,
}

/// The end of a body.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    End,
    Break,
    Drip,
}

impl Sent {
    fn complete(body: Bytes) -> Sent {
        Sent { length: Some(body.len()), blanks: 0, rest: body, then: Then::End, wait: None }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if let Some(wait) = &mut self.wait {
            std::task::ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
        if self.blanks > 0 {
            let step = self.blanks.min(BLANKS.len());
            self.blanks -= step;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(BLANKS).slice(..step)))));
        }
        if self.rest.is_empty() {
            return Poll::Ready((self.then == Then::Break).then_some(Err(Dropped)));
        }
        let step = if self.then == Then::Drip { 1 } else { self.rest.len() };
        let part = self.rest.split_to(step);
        // Wait before the next byte or the break, so that the bytes so far really leave.
        self.wait = match self.then {
            Then::End => None,
            Then::Break => Some(Box::pin(tokio::time::sleep(Duration::from_millis(20)))),
            Then::Drip => Some(Box::pin(tokio::time::sleep(Duration::from_secs(1)))),
        };
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.blanks == 0 && self.then != Then::Break
    }

    fn size_hint(&self) -> SizeHint {
        let exact = |length| SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX));
        self.length.map_or_else(SizeHint::new, exact)
    }
}
