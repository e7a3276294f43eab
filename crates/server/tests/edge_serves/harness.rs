//! A small service behind the edge on port 0, and the raw clients that talk to it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use sidecart::v1::{
    DiffSnapshotsRequest, DiffSnapshotsResponse, ExportRequest, ExportResponse, GetSnapshotRequest,
    GetSnapshotResponse, ImportRequest, ImportResponse, ListMerchantsRequest, ListMerchantsResponse,
    ListSnapshotsRequest, ListSnapshotsResponse, RollBackRequest, RollBackResponse, WatchRequest,
    WatchResponse,
    snapshot_service_client::SnapshotServiceClient,
    snapshot_service_server::{SnapshotService, SnapshotServiceServer},
};
use sidecart_server::edge::{Counters, Deadline, Drained, Edge, Settings};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tonic::{Request as Call, Response, Status, Streaming, service::Routes, transport::Channel};

/// The name under which the small service has a health of its own.
pub(crate) const SERVICE: &str = "sidecart.v1.SnapshotService";

/// Bytes that the small service takes.
pub(crate) const REQUEST_MAX: usize = 1_024;

/// What a handler tells the test, and what it waits for.
pub(crate) struct Signals {
    /// One permit for each handler that began to wait.
    pub(crate) arrived: Semaphore,
    /// One permit for each waiting handler that may answer.
    pub(crate) released: Semaphore,
    /// One permit for each handler that was dropped while it waited.
    pub(crate) dropped: Semaphore,
}

/// Waits for one permit and uses it up.
pub(crate) async fn take(signal: &Semaphore) {
    soon(signal.acquire()).await.unwrap().forget();
}

/// The future's outcome, which is not to take long.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future).await.expect("took more than 10 s")
}

struct Dropped<'a>(&'a Semaphore);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// Does what the merchant id says: `wait`, `panic`, or anything else: answer.
struct Obedient(Arc<Signals>);

type Stubborn<T> = stream::BoxStream<'static, Result<T, Status>>;

fn then_nothing<T: Send + 'static>(first: T) -> Stubborn<T> {
    stream::iter([Ok(first)]).chain(stream::pending()).boxed()
}

#[tonic::async_trait]
impl SnapshotService for Obedient {
    type ExportStream = Stubborn<ExportResponse>;
    type WatchStream = Stubborn<WatchResponse>;

    async fn get_snapshot(
        &self,
        call: Call<GetSnapshotRequest>,
    ) -> Result<Response<GetSnapshotResponse>, Status> {
        assert!(Deadline::of(call.extensions()).at().is_some(), "a unary call has a deadline");
        match call.get_ref().merchant_id.as_str() {
            "wait" => {
                let dropped = Dropped(&self.0.dropped);
                self.0.arrived.add_permits(1);
                self.0.released.acquire().await.unwrap().forget();
                std::mem::forget(dropped);
            }
            "panic" => panic!("as told"),
            _ => {}
        }
        Ok(Response::new(GetSnapshotResponse::default()))
    }

    async fn roll_back(&self, _: Call<RollBackRequest>) -> Result<Response<RollBackResponse>, Status> {
        Ok(Response::new(RollBackResponse::default()))
    }

    async fn export(&self, call: Call<ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        if call.get_ref().merchant_id == "panic" {
            return Ok(Response::new(stream::poll_fn(|_| panic!("as told")).boxed()));
        }
        Ok(Response::new(then_nothing(ExportResponse::default())))
    }

    async fn watch(&self, _: Call<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(then_nothing(WatchResponse::default())))
    }

    async fn list_snapshots(
        &self,
        _: Call<ListSnapshotsRequest>,
    ) -> Result<Response<ListSnapshotsResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn diff_snapshots(
        &self,
        _: Call<DiffSnapshotsRequest>,
    ) -> Result<Response<DiffSnapshotsResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn list_merchants(
        &self,
        _: Call<ListMerchantsRequest>,
    ) -> Result<Response<ListMerchantsResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }

    async fn import(&self, _: Call<Streaming<ImportRequest>>) -> Result<Response<ImportResponse>, Status> {
        Err(Status::unimplemented("not needed"))
    }
}

/// The small service, being served.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) signals: Arc<Signals>,
    pub(crate) counters: Arc<Counters>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Drained>,
}

impl Server {
    pub(crate) async fn start(settings: Settings) -> Self {
        let signals = Arc::new(Signals {
            arrived: Semaphore::new(0),
            released: Semaphore::new(0),
            dropped: Semaphore::new(0),
        });
        let service = SnapshotServiceServer::new(Obedient(Arc::clone(&signals)));
        let routes = Routes::new(service.max_decoding_message_size(REQUEST_MAX));
        let edge = Edge::new(routes, &[SERVICE], settings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let counters = edge.counters();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(edge.serve(listener, async move {
            let _ = stopped.await;
        }));
        Self { addr, signals, counters, stop, served }
    }

    /// A channel of its own.
    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.addr)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> SnapshotServiceClient<Channel> {
        SnapshotServiceClient::new(self.channel().await)
    }

    /// A connection of its own, without tonic's client, which keeps time itself.
    pub(crate) async fn raw(&self) -> Raw {
        let stream = TcpStream::connect(self.addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        Raw { sender, closed: tokio::spawn(async move { drop(connection.await) }) }
    }

    /// Asks the server to stop and returns at once; see [`Server::drained`].
    pub(crate) fn stop(self) -> Stopping {
        self.stop.send(()).unwrap();
        Stopping { signals: self.signals, served: self.served }
    }
}

/// A server that was asked to stop.
pub(crate) struct Stopping {
    pub(crate) signals: Arc<Signals>,
    served: JoinHandle<Drained>,
}

impl Stopping {
    pub(crate) async fn drained(self) -> Drained {
        soon(self.served).await.unwrap()
    }
}

/// A bare HTTP/2 client.
pub(crate) struct Raw {
    sender: http2::SendRequest<Full<Bytes>>,
    pub(crate) closed: JoinHandle<()>,
}

impl Raw {
    /// Calls `GetSnapshot` for that merchant; gives the headers with the trailers laid over them.
    pub(crate) async fn get_snapshot(&mut self, merchant_id: &str, headers: &[(&str, &str)]) -> HeaderMap {
        let message =
            GetSnapshotRequest { merchant_id: merchant_id.to_owned(), min_generation: 0 }.encode_to_vec();
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend(message);
        let mut request = Request::post(format!("http://localhost/{SERVICE}/GetSnapshot"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(frame)).unwrap();
        let (parts, body) = soon(self.sender.send_request(request)).await.unwrap().into_parts();
        assert_eq!(parts.status, 200);
        let mut answer = parts.headers;
        answer.extend(soon(body.collect()).await.unwrap().trailers().cloned().unwrap_or_default());
        answer
    }
}

/// Reads until the peer closes.
pub(crate) async fn until_closed(stream: &TcpStream) {
    let mut buffer = [0; 1_024];
    loop {
        soon(stream.readable()).await.unwrap();
        match stream.try_read(&mut buffer) {
            Ok(0) => return,
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

pub(crate) fn get(merchant_id: &str) -> GetSnapshotRequest {
    GetSnapshotRequest { merchant_id: merchant_id.to_owned(), min_generation: 0 }
}

/// Streams as lists of what came and how it ended.
pub(crate) async fn last_of<T>(mut stream: impl Stream<Item = Result<T, Status>> + Unpin) -> Status {
    loop {
        match soon(stream.next()).await {
            Some(Ok(_)) => {}
            Some(Err(status)) => return status,
            None => return Status::ok("the stream ended"),
        }
    }
}
