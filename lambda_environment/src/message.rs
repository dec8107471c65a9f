use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Reads one HTTP message: its head, and the number of bytes in its `content-length`.
///
/// # Errors
/// The connection ended before the message did, or its length is not a number.
pub async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        if let Some(body_at) = find(&message, b"\r\n\r\n").map(|at| at + 4) {
            let head = String::from_utf8_lossy(&message[..body_at]).to_ascii_lowercase();
            let length = head.split("\r\ncontent-length:").nth(1).and_then(|rest| rest.split("\r\n").next());
            let length: usize = length.map_or(Ok(0), |length| length.trim().parse()).map_err(io::Error::other)?;
            if message.len() >= body_at + length {
                return Ok(message);
            }
        }
        if stream.read_buf(&mut message).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The position of some bytes in others.
#[must_use]
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
