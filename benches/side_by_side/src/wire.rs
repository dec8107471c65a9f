//! A connection to a distant operator: every byte takes half a round trip in each direction.

use std::hint;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The time that TCP's handshake appears to take. This machine's kernel completes it at once.
#[derive(Clone, Copy)]
pub enum Handshake {
    AtOnce,
    /// The first byte waits for as long as it would on a real wire.
    TakesARoundTrip,
}

/// How exactly the bytes arrive.
#[derive(Clone, Copy)]
pub enum Arrival {
    /// On time, by a busy loop at the end of each wait.
    OnTime,
    /// Some 0.1 ms late, without a busy loop, which many connections could not share one CPU with.
    Late,
}

impl Arrival {
    /// The end of a wait that is spent in a loop: the longest delay with which a sleeping thread wakes up.
    fn busy(self) -> Duration {
        match self {
            Self::OnTime => Duration::from_micros(300),
            Self::Late => Duration::ZERO,
        }
    }
}

/// Starts a wire to `far_end` for the rest of the process, and returns the address of its near end.
///
/// It uses threads, because asynchronous timers have a resolution of a millisecond, which would count four times in a
/// verification.
pub fn lay(
    far_end: SocketAddr,
    round_trip: Duration,
    handshake: Handshake,
    arrival: Arrival,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let open_at = match handshake {
                Handshake::AtOnce => Instant::now(),
                Handshake::TakesARoundTrip => Instant::now() + round_trip,
            };
            // If the far end has gone, the connection closes.
            let _ = TcpStream::connect(far_end).and_then(|far| join(&near, &far, round_trip / 2, open_at, arrival));
        }
    });
    Ok(address)
}

fn join(near: &TcpStream, far: &TcpStream, one_way: Duration, open_at: Instant, arrival: Arrival) -> io::Result<()> {
    for (from, to) in [(near, far), (far, near)] {
        to.set_nodelay(true)?;
        let (mut from, to) = (from.try_clone()?, to.try_clone()?);
        let (sender, receiver) = channel();
        thread::spawn(move || take_in(&mut from, one_way, open_at, &sender));
        thread::spawn(move || give_out(to, &receiver, arrival));
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

fn give_out(mut to: TcpStream, receiver: &Receiver<(Instant, Vec<u8>)>, arrival: Arrival) {
    for (arrives, bytes) in receiver {
        thread::sleep(arrives.saturating_duration_since(Instant::now()).saturating_sub(arrival.busy()));
        while Instant::now() < arrives {
            hint::spin_loop();
        }
        if bytes.is_empty() || to.write_all(&bytes).is_err() {
            let _ = to.shutdown(std::net::Shutdown::Write);
            return;
        }
    }
}
