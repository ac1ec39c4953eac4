//! HTTP/1.1 as it is on the wire: messages read byte by byte, and an upstream that answers with bytes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Nothing here takes so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A message: its first line, its header lines in their order, its body without chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub start: String,
    pub headers: Vec<String>,
    pub body: Vec<u8>,
    pub trailers: Vec<String>,
    /// Whether it came to its end.
    pub is_whole: bool,
}

impl Message {
    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn code(&self) -> u16 {
        self.start
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or_else(|| panic!("{self:?}"))
    }
}

/// Reads a message; none where the connection has ended. `to_head`: it answers a HEAD.
pub async fn read(stream: &mut BufReader<impl AsyncRead + Unpin>, to_head: bool) -> Option<Message> {
    let mut message = Message::default();
    let head = lines(stream).await?;
    let mut head = head.into_iter();
    message.start = head.next()?;
    message.headers = head.collect();
    let is_answer = message.start.starts_with("HTTP/");
    let is_empty = to_head || (is_answer && (matches!(message.code(), 204 | 304) || message.code() < 200));
    if is_empty {
        message.is_whole = true;
    } else if message.header("transfer-encoding").is_some() {
        chunks(stream, &mut message).await;
    } else if let Some(length) = message.header("content-length").map(|length| length.parse().unwrap()) {
        let mut body = stream.take(length);
        let _cut = body.read_to_end(&mut message.body).await;
        message.is_whole = message.body.len() as u64 == length;
    } else if is_answer {
        message.is_whole = stream.read_to_end(&mut message.body).await.is_ok();
    } else {
        message.is_whole = true;
    }
    Some(message)
}

/// Lines up to an empty one.
async fn lines(stream: &mut BufReader<impl AsyncRead + Unpin>) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        if line.is_empty() {
            return Some(lines);
        }
        lines.push(line);
    }
}

async fn chunks(stream: &mut BufReader<impl AsyncRead + Unpin>, message: &mut Message) {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let Ok(length) = u64::from_str_radix(line.trim().split(';').next().unwrap(), 16) else {
            return;
        };
        if length == 0 {
            if let Some(trailers) = lines(stream).await {
                message.trailers = trailers;
                message.is_whole = true;
            }
            return;
        }
        let before = message.body.len() as u64;
        let _cut = (&mut *stream).take(length).read_to_end(&mut message.body).await;
        if message.body.len() as u64 - before < length || stream.read_line(&mut String::new()).await.is_err() {
            return;
        }
    }
}

/// Sends bytes on a connection of their own and reads the answers that come until it closes.
pub async fn ask(address: SocketAddr, bytes: &[u8]) -> Vec<Message> {
    let asking = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A server may refuse what it has not read to its end.
        let _refused = stream.write_all(bytes).await;
        let mut stream = BufReader::new(stream);
        let mut answers = Vec::new();
        while let Some(answer) = read(&mut stream, bytes.starts_with(b"HEAD ")).await {
            answers.push(answer);
        }
        answers
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("the connection did not close")
}

/// Sends a request, and gives its one answer.
pub async fn ask_once(address: SocketAddr, request: &str) -> Message {
    let mut answers = ask(address, request.as_bytes()).await;
    assert_eq!(answers.len(), 1, "{request}: {answers:?}");
    answers.pop().unwrap()
}

type Decide = dyn Fn(&Message) -> Vec<u8> + Send + Sync;

/// An upstream on a loopback port that answers with bytes, and remembers what came; gone with the runtime.
#[derive(Clone)]
pub struct Wire {
    pub port: u16,
    seen: Arc<Mutex<Vec<Message>>>,
}

impl Wire {
    /// Answers each request with what `decide` gives; nothing closes the connection.
    pub async fn start(decide: impl Fn(&Message) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, decide)
    }

    /// The same, on a port that was there before.
    pub fn on(listener: TcpListener, decide: impl Fn(&Message) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let wire = Self {
            port: listener.local_addr().unwrap().port(),
            seen: Arc::default(),
        };
        let decide: Arc<Decide> = Arc::new(decide);
        let seen = Arc::clone(&wire.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(answer(stream, Arc::clone(&decide), Arc::clone(&seen)));
            }
        });
        wire
    }

    /// Always the same answer.
    pub async fn saying(answer: &'static str) -> Self {
        Self::start(move |_| answer.as_bytes().to_vec()).await
    }

    pub fn seen(&self) -> Vec<Message> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(stream: TcpStream, decide: Arc<Decide>, seen: Arc<Mutex<Vec<Message>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream, false).await {
        let answer = decide(&request);
        seen.lock().unwrap().push(request);
        if answer.is_empty() || stream.get_mut().write_all(&answer).await.is_err() {
            return;
        }
    }
}
