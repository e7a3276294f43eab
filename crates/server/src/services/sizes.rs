//! How large a message each method takes: uploads take larger ones than other calls of the same service.

use std::task::{Context, Poll};

use http::Request;
use tonic::{body::Body, server::NamedService};
use tower::Service;

/// One service twice, with a smaller and a larger bound on messages; each call goes to the one that its method needs.
#[derive(Clone)]
pub(crate) struct BySize<S> {
    /// Takes messages of ordinary calls.
    pub(crate) calls: S,
    /// Takes messages of uploads.
    pub(crate) uploads: S,
    /// Names of the methods that are uploads.
    pub(crate) upload_methods: &'static [&'static str],
}

impl<S: NamedService> NamedService for BySize<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for BySize<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    /// Generated services are always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default();
        if self.upload_methods.contains(&method) {
            return self.uploads.call(request);
        }
        self.calls.call(request)
    }
}
