//! One call, from its headers to its last trailer: admitted, timed, contained, logged.
//!
//! It is one future without boxes rather than a stack of layers, since it runs on every call.
//! Nothing of what is asked or answered is logged: method, code, time, request id and peer only.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};
use tonic::{Status, body::Body, service::Routes};
use tower::Service;

use super::{
    body::{CallBody, End, Whole},
    connection::Connection,
    deadline::{self, Deadline},
    identity::REQUEST_ID_HEADER,
    method::{Class, Method, Shape},
};
use crate::status::{AnswerCode, Fault};

/// Answers one request.
pub(super) async fn answer(
    connection: Arc<Connection>,
    routes: Routes,
    request: Request<Incoming>,
) -> Result<Response<CallBody>, Infallible> {
    let mut call = Call::begin(connection, &request);
    let (mut response, end) = match call.admit(request.headers()) {
        Ok(deadline) => (call.run(routes, request, deadline).await, call.end(deadline)),
        Err(fault) => (Status::from(fault).into_http(), None),
    };
    response.headers_mut().insert(REQUEST_ID_HEADER, call.request_id.clone());
    call.record(response.headers());
    if end.is_none() {
        call.leave();
    }
    Ok(response.map(|body| CallBody::new(body, call, end)))
}

/// A call under way. Dropping it gives its place back, counts it and writes its log line.
#[derive(Debug)]
pub(super) struct Call {
    connection: Arc<Connection>,
    method: &'static Method,
    request_id: HeaderValue,
    started: Instant,
    /// The class in which it holds a place.
    seat: Option<Class>,
    /// What it was answered with, once that is known.
    code: Option<AnswerCode>,
}

impl Call {
    fn begin(connection: Arc<Connection>, request: &Request<Incoming>) -> Self {
        connection.core.counters.count_call();
        connection.call_begins();
        Self {
            method: Method::of(request.uri().path()),
            request_id: connection.core.lots.request_id(request.headers()),
            started: Instant::now(),
            seat: None,
            code: None,
            connection,
        }
    }

    /// Finds its deadline and takes its place.
    fn admit(&mut self, headers: &HeaderMap) -> Result<Deadline, Fault> {
        let core = &self.connection.core;
        let limit = deadline::limit(headers, self.method.shape, &core.settings)?;
        if limit.is_some_and(|limit| limit.is_zero()) {
            return Err(Fault::Deadline);
        }
        core.gates.enter(self.method.class).inspect_err(|_| core.counters.count_shed())?;
        self.seat = Some(self.method.class);
        Ok(Deadline::after(limit))
    }

    /// Runs the handler up to the deadline, and holds a panic in.
    async fn run(
        &self,
        mut routes: Routes,
        mut request: Request<Incoming>,
        deadline: Deadline,
    ) -> Response<Body> {
        request.extensions_mut().insert(deadline);
        let handler = AssertUnwindSafe(async move { routes.call(request.map(Whole)).await }).catch_unwind();
        let outcome = match deadline.at() {
            Some(at) => timeout_at(at, handler).await,
            None => Ok(handler.await),
        };
        let fault = match outcome {
            Ok(Ok(Ok(response))) => return response,
            Ok(Err(_panic)) => self.contain_panic(),
            Err(_elapsed) => Fault::Deadline,
        };
        Status::from(fault).into_http()
    }

    /// What ends the answer if it does not end by itself; unary answers and uploads have nothing more to wait for.
    fn end(&self, deadline: Deadline) -> Option<End> {
        let connection = Arc::clone(&self.connection);
        match self.method.shape {
            Shape::Unary | Shape::Job | Shape::Upload => None,
            Shape::Download => Some(Box::pin(async move { passed(deadline).await })),
            Shape::Subscription => Some(Box::pin(async move {
                tokio::select! {
                    fault = passed(deadline) => fault,
                    fault = connection.retired() => fault,
                }
            })),
        }
    }

    /// Counts and logs a panic of the handler. What it said may hold the caller's data, and is left out.
    pub(super) fn contain_panic(&self) -> Fault {
        self.connection.core.counters.count_panic();
        tracing::error!(
            target: "sidecart::rpc",
            method = self.method.path,
            request_id = self.request_id.to_str().unwrap_or_default(),
            "a handler panicked"
        );
        Fault::Internal
    }

    /// Notes the code in headers or trailers, if there is one.
    pub(super) fn record(&mut self, headers: &HeaderMap) {
        self.code = AnswerCode::in_headers(headers).or(self.code);
    }

    /// Notes that the answer ended without trailers, if that is so.
    pub(super) fn record_end(&mut self) {
        self.code = self.code.or(Some(AnswerCode::INTERNAL));
    }

    fn leave(&mut self) {
        if let Some(class) = self.seat.take() {
            self.connection.core.gates.leave(class);
        }
    }

    fn log(&self, code: AnswerCode, took: Duration) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "sidecart::rpc",
                    method = self.method.path,
                    code = code.name(),
                    elapsed_us = took.as_micros() as u64,
                    request_id = self.request_id.to_str().unwrap_or_default(),
                    peer = %self.connection.peer,
                    "rpc"
                )
            };
        }
        if code.is_server_fault() {
            line!(error);
            return;
        }
        line!(info);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.leave();
        self.connection.call_ends();
        let (code, took) = (self.code.unwrap_or(AnswerCode::CANCELLED), self.started.elapsed());
        self.connection.core.counters.count_end(self.method, code, took);
        self.log(code, took);
    }
}

/// Ready once the deadline has passed.
async fn passed(deadline: Deadline) -> Fault {
    match deadline.at() {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
    Fault::Deadline
}
