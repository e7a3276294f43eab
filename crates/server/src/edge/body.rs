//! The bodies of a call: the request's, which is whole or broken; and the answer's, which carries its call to the end
//! and breaks off when the call must.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body as HttpBody, Frame, Incoming};
use tonic::{Status, body::Body};

use super::call::Call;
use crate::status::{Fault, cut_short};

/// A request's body that ends only where its sender ended it.
///
/// tonic (0.14.9) takes a stream that the caller cancelled for one that ended well, so that half an upload would pass
/// for a whole one. Here whatever is not the sender's own end is a fault.
pub(super) struct Whole(pub(super) Incoming);

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match std::task::ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            None if self.0.is_end_stream() => Poll::Ready(None),
            None | Some(Err(_)) => Poll::Ready(Some(Err(cut_short()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

/// Ready, with the reason, when an answer must break off.
pub(super) type End = Pin<Box<dyn Future<Output = Fault> + Send>>;

/// An answer's body. Dropping it before its last frame is how a cancelled call is seen.
pub(super) struct CallBody {
    inner: Body,
    call: Call,
    end: Option<End>,
}

impl CallBody {
    pub(super) fn new(inner: Body, call: Call, end: Option<End>) -> Self {
        Self { inner, call, end }
    }

    /// Ends the answer with the fault as its trailers.
    fn break_off(&mut self, fault: Fault) -> Frame<Bytes> {
        self.inner = Body::empty();
        self.end = None;
        let mut trailers = HeaderMap::new();
        if Status::from(fault).add_header(&mut trailers).is_err() {
            tracing::error!(target: "sidecart::rpc", "a fault does not fit its trailers");
        }
        self.call.record(&trailers);
        Frame::trailers(trailers)
    }
}

impl HttpBody for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Some(end) = &mut this.end
            && let Poll::Ready(fault) = end.as_mut().poll(cx)
        {
            return Poll::Ready(Some(Ok(this.break_off(fault))));
        }
        let inner = Pin::new(&mut this.inner);
        let Ok(polled) = catch_unwind(AssertUnwindSafe(|| inner.poll_frame(cx))) else {
            let fault = this.call.contain_panic();
            return Poll::Ready(Some(Ok(this.break_off(fault))));
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.call.record(trailers);
                }
            }
            Poll::Ready(Some(Err(_)) | None) => this.call.record_end(),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
