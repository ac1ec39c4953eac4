//! A receiver of webhooks: it answers as it is told, and remembers what it saw.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With this code, headers and body.
    With(u16, Vec<(&'static str, String)>, String),
    /// With 200 after a while.
    Slowly(Duration),
    /// Never.
    Never,
    /// A byte a second, headers first.
    Drip,
    /// 200 at once, then a byte of the body a second.
    DripBody,
    /// The connection is closed at once.
    Close,
    /// 200, and then a body without end.
    Endless,
}

impl Answer {
    pub fn code(code: u16) -> Self {
        Self::With(code, Vec::new(), String::new())
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

type Decide = dyn Fn(usize, &Seen) -> Answer + Send + Sync;

/// A receiver on a loopback port; gone with the runtime.
#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Receiver {
    /// Starts one that decides by how many requests came before, and by the request.
    pub async fn start(decide: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receiver = Self {
            port,
            seen: Arc::default(),
        };
        let decide: Arc<Decide> = Arc::new(decide);
        let seen = receiver.seen.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, decide.clone(), seen.clone()));
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Waits until so many requests have come.
    pub async fn until(&self, count: usize) -> Vec<Seen> {
        let patience = Instant::now() + Duration::from_secs(30);
        while self.count() < count {
            assert!(Instant::now() < patience, "{} of {count} requests came", self.count());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.seen()
    }
}

async fn serve(mut stream: TcpStream, decide: Arc<Decide>, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        let answer = {
            let mut seen = seen.lock().unwrap();
            let answer = decide(seen.len(), &request);
            seen.push(request);
            answer
        };
        if write(&mut stream, answer).await.is_none() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let head_end = loop {
        if let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        let mut more = [0; 16 << 10];
        let read = stream.read(&mut more).await.ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&more[..read]);
        // Where TLS begins with a handshake (22), an answer in plain text is what a server without TLS gives.
        if buffer.first() == Some(&22) {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok()?;
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let headers: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| value.parse().unwrap());
    while buffer.len() < head_end + length {
        let mut more = [0; 16 << 10];
        let read = stream.read(&mut more).await.ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&more[..read]);
    }
    let body = buffer[head_end..head_end + length].to_vec();
    buffer.drain(..head_end + length);
    Some(Seen { headers, body })
}

/// Answers; none where the connection is over.
async fn write(stream: &mut TcpStream, answer: Answer) -> Option<()> {
    match answer {
        Answer::With(code, headers, body) => {
            let mut text = format!("HTTP/1.1 {code} Said\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            text.push_str(&body);
            stream.write_all(text.as_bytes()).await.ok()
        }
        Answer::Slowly(wait) => {
            tokio::time::sleep(wait).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok()
        }
        Answer::Never => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            None
        }
        Answer::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" {
                stream.write_all(&[*byte]).await.ok()?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            None
        }
        Answer::DripBody => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
                .await
                .ok()?;
            loop {
                stream.write_all(b"x").await.ok()?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Answer::Close => None,
        Answer::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
                .await
                .ok()?;
            loop {
                stream.write_all(&[b'x'; 64 << 10]).await.ok()?;
            }
        }
    }
}
