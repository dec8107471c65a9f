//! A long wire: every byte takes half a round trip in each direction.

use std::io;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Starts a wire to `far_end` for the rest of the process; the address of its near end.
///
/// The kernel of this machine takes every connection at once. `with_tcp_handshake` makes the first byte wait the
/// round trip that TCP's own handshake would take on a real wire.
///
/// It works with threads, because asynchronous timers are a millisecond coarse, which would count four times in a
/// verification.
pub fn lay(far_end: SocketAddr, round_trip: Duration, with_tcp_handshake: bool) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let open_at = Instant::now() + if with_tcp_handshake { round_trip } else { Duration::ZERO };
            // A far end that is gone shows as a closed connection.
            let _ = TcpStream::connect(far_end).and_then(|far| join(&near, &far, round_trip / 2, open_at));
        }
    });
    Ok(address)
}

fn join(near: &TcpStream, far: &TcpStream, one_way: Duration, open_at: Instant) -> io::Result<()> {
    for (from, to) in [(near, far), (far, near)] {
        to.set_nodelay(true)?;
        let (mut from, to) = (from.try_clone()?, to.try_clone()?);
        let (sender, receiver) = channel();
        thread::spawn(move || take_in(&mut from, one_way, open_at, &sender));
        thread::spawn(move || give_out(to, &receiver));
    }
    Ok(())
}

fn take_in(from: &mut TcpStream, one_way: Duration, open_at: Instant, sender: &Sender<(Instant, Vec<u8>)>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        let arrives = Instant::now().max(open_at) + one_way;
        if sender.send((arrives, buffer[..read].to_vec())).is_err() || read == 0 {
            return;
        }
    }
}

fn give_out(mut to: TcpStream, receiver: &Receiver<(Instant, Vec<u8>)>) {
    for (arrives, bytes) in receiver {
        thread::sleep(arrives.saturating_duration_since(Instant::now()));
        if bytes.is_empty() || to.write_all(&bytes).is_err() {
            let _ = to.shutdown(std::net::Shutdown::Write);
            return;
        }
    }
}
