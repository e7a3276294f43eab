//! A client that sends and receives bytes. On the wire a unary call is a stream of one message.

use std::net::SocketAddr;

use prost::bytes::{Buf, BufMut};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};

/// A connection.
pub(crate) struct Wire(Channel);

impl Wire {
    /// Connects.
    pub(crate) async fn to(addr: SocketAddr) -> Self {
        Self(Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap())
    }

    /// Sends messages to a method of package `sidecart.v1` and waits for its answer.
    pub(crate) async fn call(&self, path: &str, messages: Vec<Vec<u8>>) -> Result<Vec<u8>, Status> {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await.unwrap();
        let path = PathAndQuery::try_from(format!("/sidecart.v1.{path}")).unwrap();
        let request = Request::new(tokio_stream::iter(messages));
        Ok(grpc.client_streaming(request, path, Bytes).await?.into_inner())
    }
}

/// Messages as they are.
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining()).to_vec()))
    }
}
