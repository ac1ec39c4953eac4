//! A receiver of webhooks that costs next to nothing: one thread, kept-alive connections, and the time at which each event came.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::Outcome;
use crate::http::header;

/// How an endpoint answers; which one is meant is the path's number.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// At once.
    Takes,
    /// After a while.
    Slow(Duration),
    /// Never.
    Dead,
}

/// What happened when, in microseconds since the board was made; 0 for what has not happened.
pub struct Board {
    begun: Instant,
    pub manners: Vec<Manner>,
    pub posted: Vec<AtomicU64>,
    pub accepted: Vec<AtomicU64>,
    /// By endpoint, by event: when it came first.
    pub delivered: Vec<Vec<AtomicU64>>,
    /// Deliveries that have not come yet to endpoints that take at once.
    missing: AtomicUsize,
}

fn zeros(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

impl Board {
    pub fn new(events: usize, manners: Vec<Manner>) -> Arc<Self> {
        let taking = manners.iter().filter(|manner| matches!(manner, Manner::Takes)).count();
        Arc::new(Self {
            begun: Instant::now(),
            posted: zeros(events),
            accepted: zeros(events),
            delivered: manners.iter().map(|_| zeros(events)).collect(),
            missing: AtomicUsize::new(events * taking),
            manners,
        })
    }

    /// Notes that something happened now, if it has not happened before.
    pub fn note(&self, place: &AtomicU64) -> bool {
        let now = (self.begun.elapsed().as_micros() as u64).max(1);
        place.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub fn missing(&self) -> usize {
        self.missing.load(Ordering::SeqCst)
    }

    fn came(&self, endpoint: usize, body: &[u8]) {
        // A body without a number is a request of the bare loop's.
        let place = number(body).and_then(|number| self.delivered[endpoint].get(number));
        if place.is_some_and(|place| self.note(place)) && matches!(self.manners[endpoint], Manner::Takes) {
            self.missing.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// The event's number, as `"data":{"n":123`.
fn number(body: &[u8]) -> Option<usize> {
    const BEFORE: &[u8] = b"\"data\":{\"n\":";
    let start = find(body, BEFORE)? + BEFORE.len();
    let digits = body[start..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
}

pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// A running receiver; ends when it is dropped.
pub struct Receiver {
    pub port: u16,
    _running: oneshot::Sender<()>,
}

impl Receiver {
    pub fn start(board: Arc<Board>) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (running, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = ended => {}
                    _ = listen(listener, board) => {}
                }
            });
        });
        Ok(Self { port, _running: running })
    }
}

async fn listen(listener: TcpListener, board: Arc<Board>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream, Arc::clone(&board)));
    }
}

/// Answers one connection's requests until it ends.
async fn serve(mut stream: TcpStream, board: Arc<Board>) -> Option<()> {
    let mut buffer = Vec::with_capacity(8 << 10);
    loop {
        let (head, body) = message(&mut stream, &mut buffer).await?;
        let path = head.split(' ').nth(1)?.strip_prefix('/')?;
        let endpoint: usize = path.parse().ok()?;
        board.came(endpoint, &body);
        match board.manners[endpoint] {
            Manner::Takes => {}
            Manner::Slow(wait) => tokio::time::sleep(wait).await,
            Manner::Dead => std::future::pending().await,
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()?;
    }
}

/// Reads one request or answer: its head, lower-cased, and its body.
pub async fn message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let head_end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).to_ascii_lowercase();
    let length: usize = header(&head, "content-length").map_or(Some(0), |length| length.parse().ok())?;
    while buffer.len() < head_end + length {
        more(stream, buffer).await?;
    }
    let body = buffer[head_end..head_end + length].to_vec();
    buffer.drain(..head_end + length);
    Some((head, body))
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(buffer).await.ok()?;
    (read > 0).then_some(())
}
