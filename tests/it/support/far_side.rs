//! A raw socket in front of the sandbox or another server. It forwards requests, and injects the faults a test chooses.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_environment::{find, read_message};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The fate of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is forwarded and answered.
    None,
    /// The request is read and not forwarded, and the connection is reset.
    ResetUnserved,
    /// The request is read and not forwarded, and the connection is closed properly.
    CloseUnserved,
    /// The operator acts on the request, and a reset replaces its answer.
    ResetServed,
    /// The connection is closed in the middle of the answer's head.
    CloseInHead,
    /// The connection is reset in the middle of the answer's head.
    ResetInHead,
    /// The connection is reset after the answer's head.
    ResetBehindHead,
    /// The body is shorter than its content-length, then the connection closes.
    TruncateBody,
    /// The request is read and never answered.
    Hang,
    /// The body is sent byte by byte, with 100 ms in between.
    Drip,
    /// The answer is HTTP/1.0, and its body ends when the connection does.
    Http10,
    /// The answer is valid, and the connection is closed after it without `connection: close`.
    CloseBehind,
    /// These bytes are the answer. The request is not forwarded, and the connection stays open.
    Answer(&'static str),
}

/// The way in which an idle connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Close,
    Reset,
    /// With an answer to a request that was never sent, as some load balancers do.
    RequestTimeout,
}

type Plan = Box<dyn FnMut(&str) -> Fault + Send>;

/// The socket in front of one endpoint.
pub struct FarSide {
    pub url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    server: SocketAddr,
    plan: Mutex<Plan>,
    requests: AtomicUsize,
    connections: AtomicUsize,
    open: watch::Sender<usize>,
    ended: watch::Sender<End>,
    /// The number of connections that [`Fault::CloseBehind`] is closing.
    closing: watch::Sender<usize>,
    crossed: Mutex<Vec<String>>,
}

impl FarSide {
    /// Listens in front of a sandbox, and forwards every request until a fault is chosen.
    pub async fn of(sandbox: &sandbox::Sandbox) -> Self {
        Self::of_server(&sandbox.base_url()).await
    }

    /// Listens in front of the server at this address.
    pub async fn of_server(url: &str) -> Self {
        let server = url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server,
            plan: Mutex::new(Box::new(|_| Fault::None)),
            requests: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            open: watch::Sender::new(0),
            ended: watch::Sender::new(End::Close),
            closing: watch::Sender::new(0),
            crossed: Mutex::default(),
        });
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { url, shared, server }
    }

    /// Injects this fault into every request from now on.
    pub fn always(&self, fault: Fault) {
        self.plan(move |_| fault);
    }

    /// Injects this fault into the next request.
    pub fn once(&self, fault: Fault) {
        let mut next = Some(fault);
        self.plan(move |_| next.take().unwrap_or(Fault::None));
    }

    /// Chooses the fault for each request from its text.
    pub fn plan(&self, plan: impl FnMut(&str) -> Fault + Send + 'static) {
        *self.shared.plan.lock().unwrap() = Box::new(plan);
    }

    /// The number of requests that arrived, forwarded or not.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The number of connections that were accepted.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Takes the requests that the client sent before it noticed [`Fault::CloseBehind`], which stay unanswered. They are
    /// not among [`Self::requests`].
    pub async fn crossed(&self) -> Vec<String> {
        self.shared.closing.subscribe().wait_for(|closing| *closing == 0).await.unwrap();
        std::mem::take(&mut *self.shared.crossed.lock().unwrap())
    }

    /// Waits until there is a connection.
    pub async fn connected(&self) {
        self.shared.open.subscribe().wait_for(|open| *open > 0).await.unwrap();
    }

    /// Ends every idle connection, and waits until all have ended.
    pub async fn end_idle(&self, end: End) {
        self.shared.ended.send_replace(end);
        self.shared.open.subscribe().wait_for(|open| *open == 0).await.unwrap();
    }
}

impl Drop for FarSide {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A URL that refuses connections while the socket exists.
pub fn refusing() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

/// A URL to which connecting never completes while the sockets exist: the queue is full, and nothing is accepted from
/// it.
pub async fn unaccepting() -> ((TcpListener, TcpStream), String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let filler = TcpStream::connect(address).await.unwrap();
    ((listener, filler), format!("http://{address}"))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        shared.open.send_modify(|open| *open += 1);
        let (shared, ended) = (Arc::clone(&shared), shared.ended.subscribe());
        tokio::spawn(async move {
            // An error is either an injected fault, or the client has disconnected.
            let _ = serve(stream, &shared, ended).await;
            shared.open.send_modify(|open| *open -= 1);
        });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared, mut ended: watch::Receiver<End>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let mut first = [0; 8];
        tokio::select! {
            peeked = stream.peek(&mut first) => {
                if peeked? == 0 {
                    return Ok(());
                }
            }
            _ = ended.changed() => {
                let how = *ended.borrow();
                return end(stream, how).await;
            }
        }
        let request = read_message(&mut stream).await?;
        let fault = (shared.plan.lock().unwrap())(&String::from_utf8_lossy(&request));
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let answer = match fault {
            Fault::ResetUnserved => return reset(stream),
            Fault::CloseUnserved => return Ok(()),
            Fault::Hang => return stream.read(&mut first).await.map(drop),
            Fault::Answer(answer) => answer.as_bytes().to_vec(),
            _ => forward(shared.server, &request).await?,
        };
        let body_at = find(&answer, b"\r\n\r\n").unwrap_or(answer.len() - 4) + 4;
        let (head, body) = answer.split_at(body_at);
        match fault {
            Fault::ResetServed => return reset(stream),
            Fault::CloseInHead => return stream.write_all(&head[..body_at / 2]).await,
            Fault::ResetInHead => {
                stream.write_all(&head[..body_at / 2]).await?;
                return reset(stream);
            }
            Fault::ResetBehindHead => {
                stream.write_all(head).await?;
                return reset(stream);
            }
            Fault::TruncateBody => return stream.write_all(&answer[..answer.len() - 1]).await,
            Fault::Drip => {
                stream.write_all(head).await?;
                for byte in body.chunks(1) {
                    stream.write_all(byte).await?;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            Fault::Http10 => {
                let head = String::from_utf8_lossy(head).replacen("HTTP/1.1", "HTTP/1.0", 1);
                let head = head.replacen("content-length:", "x-length:", 1);
                return stream.write_all(&[head.as_bytes(), body].concat()).await;
            }
            Fault::CloseBehind => {
                shared.closing.send_modify(|closing| *closing += 1);
                let crossed = close_behind(&mut stream, &answer).await;
                shared.crossed.lock().unwrap().extend(crossed);
                shared.closing.send_modify(|closing| *closing -= 1);
                return Ok(());
            }
            _ => stream.write_all(&answer).await?,
        }
    }
}

/// Answers, closes our half of the connection, and returns the request that crosses with that. A client has a second to
/// notice.
async fn close_behind(stream: &mut TcpStream, answer: &[u8]) -> Option<String> {
    stream.write_all(answer).await.ok()?;
    stream.shutdown().await.ok()?;
    let request = timeout(Duration::from_secs(1), read_message(stream)).await.ok()?.ok()?;
    Some(String::from_utf8_lossy(&request).into_owned())
}

async fn end(mut stream: TcpStream, end: End) -> io::Result<()> {
    match end {
        End::Close => Ok(()),
        End::Reset => reset(stream),
        End::RequestTimeout => {
            let answer = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await
        }
    }
}

fn reset(stream: TcpStream) -> io::Result<()> {
    stream.set_zero_linger()?;
    drop(stream);
    Ok(())
}

/// Forwards a request on a new connection, and removes the `connection` header that results from it.
async fn forward(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let line_end = find(request, b"\r\n").unwrap_or(0) + 2;
    let (line, rest) = request.split_at(line_end);
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&[line, b"connection: close\r\n", rest].concat()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if let Some(at) = find(&answer, b"connection: close\r\n") {
        answer.drain(at..at + b"connection: close\r\n".len());
    }
    Ok(answer)
}
