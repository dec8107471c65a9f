//! Accepts connections, with or without TLS, and numbers them, so that a test can see which requests shared one.

use std::io;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::operator::Operator;
use crate::tls::Duplex;

pub(crate) struct NumberingListener {
    socket: TcpListener,
    operator: Arc<Operator>,
    /// Connections in their TLS handshake. One that never completes it must not block the others.
    in_handshake: JoinSet<Option<(Box<dyn Duplex>, Connection)>>,
}

/// Replaces the peer's address in axum, because the peer is always this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    pub number: usize,
}

impl NumberingListener {
    pub(crate) fn new(socket: TcpListener, operator: Arc<Operator>) -> Self {
        Self { socket, operator, in_handshake: JoinSet::new() }
    }

    fn begin(&mut self, stream: TcpStream) -> Option<(Box<dyn Duplex>, Connection)> {
        // Nagle's algorithm would only add milliseconds to a benchmark's results, so a failure to set the option is
        // ignored.
        let _ = stream.set_nodelay(true);
        let connection = Connection { number: self.operator.number_connection() };
        if self.operator.tls.is_none() {
            return Some((Box::new(stream), connection));
        }
        let operator = Arc::clone(&self.operator);
        self.in_handshake.spawn(async move {
            let tls = operator.tls.as_ref()?;
            // If the client does not trust the certificate, the connection ends here without a request.
            Some((tls.accept(stream).await.ok()?, connection))
        });
        None
    }
}

impl Listener for NumberingListener {
    type Io = Box<dyn Duplex>;
    type Addr = Connection;

    async fn accept(&mut self) -> (Box<dyn Duplex>, Connection) {
        loop {
            let ready = tokio::select! {
                (stream, _) = Listener::accept(&mut self.socket) => self.begin(stream),
                Some(handshake) = self.in_handshake.join_next() => handshake.ok().flatten(),
            };
            if let Some(ready) = ready {
                return ready;
            }
        }
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
