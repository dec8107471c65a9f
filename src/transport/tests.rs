use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use url::Url;

use super::deadline::Deadline;
use super::{Answer, MAX_BODY, Request, Transport, TransportError};

/// A far side that gives every request the same answer.
struct FarSide {
    url: Url,
    /// The number of the connection that closes when it receives its next request.
    closes: Arc<AtomicUsize>,
    /// The heads of requests, each with the number of its connection.
    requests: UnboundedReceiver<(usize, String)>,
    /// The numbers of the connections, as they are accepted.
    connections: UnboundedReceiver<usize>,
}

impl FarSide {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/path?query=hush", listener.local_addr().unwrap()).parse().unwrap();
        let (request, requests) = unbounded_channel();
        let (connection, connections) = unbounded_channel();
        let answer = answer.into();
        let closes = Arc::new(AtomicUsize::new(usize::MAX));
        let closing = Arc::clone(&closes);
        tokio::spawn(async move {
            for number in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                connection.send(number).unwrap();
                let (request, answer, closing) = (request.clone(), answer.clone(), Arc::clone(&closing));
                tokio::spawn(async move {
                    while let Some(head) = read_head(&mut stream).await {
                        request.send((number, head)).unwrap();
                        if closing.load(Ordering::Relaxed) == number {
                            return;
                        }
                        stream.write_all(&answer).await.unwrap();
                    }
                });
            }
        });
        Self { url, closes, requests, connections }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn send(transport: &Transport, to: &Url) -> Result<Answer, TransportError> {
    let request = Request::new(Method::GET, to.clone());
    transport.send(request, Deadline::after(Duration::from_secs(10))).await
}

/// The result of one request that gets this answer.
async fn receive(answer: impl Into<Vec<u8>>) -> Result<Answer, TransportError> {
    let far_side = FarSide::answering(answer).await;
    send(&Transport::new(&[]).unwrap(), &far_side.url).await
}

fn with_body(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
}

#[tokio::test]
async fn every_request_has_a_user_agent_and_asks_for_an_uncompressed_answer() {
    let mut far_side = FarSide::answering(with_body(b"")).await;
    send(&Transport::new(&[]).unwrap(), &far_side.url).await.unwrap();
    let (_, head) = far_side.requests.recv().await.unwrap();
    for header in ["GET /path?query=hush HTTP/1.1", "accept-encoding: identity", "user-agent: number-verification/"] {
        assert!(head.contains(header), "{header}: {head}");
    }
}

#[tokio::test]
async fn bodies_are_read_up_to_64_kib() {
    for (name, length, fits) in [("the limit", MAX_BODY, true), ("one byte more", MAX_BODY + 1, false)] {
        let body = vec![b' '; length];
        for (how, answer) in [("content-length", with_body(&body)), ("chunked", chunked(&body))] {
            match receive(answer).await {
                Ok(answer) => assert!(fits && answer.body.len() == length, "{name}, {how}"),
                Err(error) => assert!(!fits && matches!(error, TransportError::TooLarge), "{name}, {how}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn harmless_deviations_are_accepted() {
    let folded = b"HTTP/1.1 200 OK\r\nx-note: one\r\n  and two\r\ncontent-length: 10\r\n\r\n{\"good\":1}";
    for (name, answer) in [
        ("a byte order mark", with_body(b"\xEF\xBB\xBF{\"good\":1}")),
        ("a byte order mark and white space", with_body(b"\xEF\xBB\xBF \r\n{\"good\":1}\n")),
        ("a folded header", folded.to_vec()),
    ] {
        let answer = receive(answer).await.unwrap();
        assert_eq!(answer.json_object::<Value>(), Some(json!({ "good": 1 })), "{name}");
    }
}

#[tokio::test]
async fn only_an_object_is_a_json_object() {
    for body in ["", "[1]", "1", "\"{}\"", "{\"cut\":", "{}{}", "\u{FEFF}\u{FEFF}{}", "x{}"] {
        let answer = receive(with_body(body.as_bytes())).await.unwrap();
        assert_eq!(answer.json_object::<Value>(), None, "{body}");
    }
}

#[tokio::test]
async fn error_names_the_innermost_cause_and_no_address() {
    for (answer, reason) in [
        ("HTTP/1.1 200 OK\r\n(bad): header\r\n\r\n", "no usable answer: invalid HTTP header parsed"),
        ("HTTP/9.9 200 OK\r\n\r\n", "no usable answer: invalid HTTP version parsed"),
        ("<html>", "no usable answer: invalid HTTP version parsed"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
            "no usable answer: Invalid chunk size line: missing size digit",
        ),
    ] {
        assert_eq!(receive(answer).await.unwrap_err().to_string(), reason, "{answer:?}");
    }
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refusing = format!("http://{address}/?query=hush").parse().unwrap();
    let error = send(&Transport::new(&[]).unwrap(), &refusing).await.unwrap_err();
    assert_eq!(error.to_string(), "no usable answer: Connection refused (os error 111)");
}

#[tokio::test]
async fn request_uses_the_connection_opened_ahead() {
    let mut far_side = FarSide::answering(with_body(b"")).await;
    let transport = Transport::new(&[]).unwrap();
    transport.open_ahead(&far_side.url);
    transport.open_ahead(&far_side.url);
    assert_eq!(far_side.connections.recv().await, Some(0), "opened without a request");
    for _ in 0..2 {
        send(&transport, &far_side.url).await.unwrap();
        assert_eq!(far_side.requests.recv().await.unwrap().0, 0);
        transport.open_ahead(&far_side.url);
    }
    assert!(far_side.connections.is_empty(), "no other connection was made");
}

#[tokio::test]
async fn connection_is_opened_ahead_if_the_last_one_closed_with_its_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    ] {
        let mut far_side = FarSide::answering(answer).await;
        let transport = Transport::new(&[]).unwrap();
        send(&transport, &far_side.url).await.unwrap();
        assert_eq!(far_side.connections.recv().await, Some(0));
        transport.open_ahead(&far_side.url);
        assert_eq!(far_side.connections.recv().await, Some(1), "{answer}");
    }
}

#[tokio::test]
async fn idle_time_of_a_connection_decides_whether_a_request_is_sent_again() {
    for (name, the_idle_one_closes, sent_again) in [("idle", true, true), ("answered a moment ago", false, false)] {
        let mut far_side = FarSide::answering(with_body(b"")).await;
        let transport = Transport::new(&[]).unwrap();
        let both = || async { tokio::join!(send(&transport, &far_side.url), send(&transport, &far_side.url)) };
        assert!(matches!(both().await, (Ok(_), Ok(_))), "{name}");
        assert_eq!(
            (far_side.connections.recv().await, far_side.connections.recv().await),
            (Some(0), Some(1)),
            "{name}"
        );
        // Only time makes a connection idle, so there is no condition to wait for.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        while far_side.requests.try_recv().is_ok() {}
        send(&transport, &far_side.url).await.unwrap();
        let (used, _) = far_side.requests.recv().await.unwrap();

        far_side.closes.store(if the_idle_one_closes { 1 - used } else { used }, Ordering::Relaxed);
        let (one, other) = tokio::join!(send(&transport, &far_side.url), send(&transport, &far_side.url));
        let failed = usize::from(one.is_err()) + usize::from(other.is_err());
        let retried = [one, other].into_iter().flatten().filter(|answer| answer.retried).count();
        assert_eq!((failed, retried), if sent_again { (0, 1) } else { (1, 0) }, "{name}");
    }
}
