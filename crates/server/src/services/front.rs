//! The front of a service: how large a message each method takes, and who is to blame for one that cannot be read.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures_util::{TryFutureExt, future::MapOk};
use http::{Request, Response};
use tonic::{Status, body::Body, server::NamedService};
use tower::Service;

use crate::status::Fault;

/// One service twice, with a smaller and a larger bound on messages; each call goes to the one that its method needs.
#[derive(Clone)]
pub(crate) struct Front<S> {
    /// Takes messages of ordinary calls.
    pub(crate) calls: S,
    /// Takes messages of uploads.
    pub(crate) uploads: S,
    /// Names of the methods that are uploads.
    pub(crate) upload_methods: &'static [&'static str],
}

impl<S: NamedService> NamedService for Front<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Front<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = MapOk<S::Future, fn(Response<Body>) -> Response<Body>>;

    /// Generated services are always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default();
        let answered = if self.upload_methods.contains(&method) {
            self.uploads.call(request)
        } else {
            self.calls.call(request)
        };
        answered.map_ok(blame)
    }
}

/// The same answer, unless it blames the server for a request that is not of its type.
fn blame(response: Response<Body>) -> Response<Body> {
    match Fault::undecodable(response.headers()) {
        None => response,
        Some(fault) => Status::from(fault).into_http(),
    }
}
