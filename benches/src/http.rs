//! A client that costs next to nothing, so that two cores measure the server: one connection, kept alive, whole answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::Outcome;

/// One kept-alive connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    host: String,
    headers: String,
}

/// An answer: its code, its head, its body.
pub struct Answer {
    pub code: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Client {
    /// Connects; `headers` (each ended by `\r\n`) go with every request.
    pub fn new(host: &str, headers: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            host: host.to_owned(),
            headers: headers.to_owned(),
        })
    }

    /// Connects anew: a server closes what was idle for long.
    pub fn connect_again(&mut self) -> Outcome<()> {
        *self = Self::new(&self.host, &self.headers)?;
        Ok(())
    }

    /// Sends a request and reads its whole answer.
    pub fn send(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Outcome<Answer> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            self.headers,
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        self.answer()
    }

    /// Reads a page.
    pub fn get(&mut self, path: &str) -> Outcome<Answer> {
        self.send("GET", path, "text/plain", b"")
    }

    fn answer(&mut self) -> Outcome<Answer> {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err("the server closed the connection".into());
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let code = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or("no status code")?;
        let lower = head.to_ascii_lowercase();
        let mut body = Vec::new();
        if let Some(length) = header(&lower, "content-length") {
            body.resize(length.parse()?, 0);
            self.stream.read_exact(&mut body)?;
        } else if lower.contains("transfer-encoding: chunked") {
            self.chunks(&mut body)?;
        }
        Ok(Answer { code, head, body })
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Outcome<()> {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16)?;
            let start = body.len();
            body.resize(start + length, 0);
            self.stream.read_exact(&mut body[start..])?;
            self.stream.read_line(&mut String::new())?;
            if length == 0 {
                return Ok(());
            }
        }
    }
}

/// A header's value in a head that was lower-cased.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}
