//! Numbers the TCP connections, so that a test can see which requests shared one.

use std::io;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};

use crate::operator::Operator;

pub(crate) struct NumberingListener {
    pub socket: TcpListener,
    pub operator: Arc<Operator>,
}

/// Stands where axum has the peer's address: here that is always this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    pub number: usize,
}

impl Listener for NumberingListener {
    type Io = TcpStream;
    type Addr = Connection;

    async fn accept(&mut self) -> (TcpStream, Connection) {
        let (stream, _) = Listener::accept(&mut self.socket).await;
        // Nagle's algorithm would only add milliseconds to what a benchmark measures; without the option it still works.
        let _ = stream.set_nodelay(true);
        (stream, Connection { number: self.operator.number_connection() })
    }

    fn local_addr(&self) -> io::Result<Connection> {
        Ok(Connection { number: 0 })
    }
}

impl Connected<IncomingStream<'_, NumberingListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, NumberingListener>) -> Self {
        *stream.remote_addr()
    }
}
