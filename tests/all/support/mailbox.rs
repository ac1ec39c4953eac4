//! A mail server that takes mails on a loopback port, in plain SMTP or behind TLS from who signs in, remembers them, and refuses or waits as it is told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use audit_log::server::config::Config;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Ports that were configured and nobody serves yet.
static BOUND: LazyLock<Mutex<HashMap<u16, std::net::TcpListener>>> = LazyLock::new(Mutex::default);

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    /// Who signed in, as `AUTH PLAIN` says it: nothing, the name, the password, with NUL between (RFC 4616).
    pub signed_in: Option<String>,
    /// Head and text.
    pub data: String,
}

/// How a mail server is come in by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Plain SMTP.
    Open,
    /// TLS from the first byte.
    Tls,
    /// `STARTTLS` on the open connection.
    StartTls,
}

impl Mail {
    /// A line of its head.
    pub fn head(&self, name: &str) -> &str {
        let lines = self.data.split("\r\n\r\n").next().unwrap().lines();
        let found = lines
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Its text, as people read it.
    pub fn text(&self) -> String {
        self.data
            .split_once("\r\n\r\n")
            .unwrap()
            .1
            .replace("=\r\n", "")
            .replace("=3D", "=")
            .replace("\r\n", "\n")
    }
}

/// The mail server; gone with the runtime.
#[derive(Clone)]
pub struct Mailbox {
    mails: Arc<Mutex<Vec<Mail>>>,
    refusals: Arc<AtomicUsize>,
    /// No answer comes any more once a mail was given.
    holds: Arc<AtomicBool>,
    /// How many mails are held.
    held: Arc<AtomicUsize>,
    /// How many signed in, or tried.
    names: Arc<AtomicUsize>,
}

impl Mailbox {
    /// Lets a service know of a mail server that [`Mailbox::serve`] will be.
    pub fn configure(config: &mut Config) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        BOUND.lock().unwrap().insert(port, listener);
        config.smtp_url = Some(format!("smtp://127.0.0.1:{port}").into());
        config.smtp_from = Some("Audit log <audit-log@example.com>".to_owned());
    }

    /// Serves the one that a service was told of.
    pub fn serve(config: &Config) -> Self {
        let url = config.smtp_url.as_ref().unwrap().tell();
        let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
        let listener = BOUND.lock().unwrap().remove(&port).unwrap();
        Self::listen(TcpListener::from_std(listener).unwrap(), Door::Open, None)
    }

    /// Serves one behind TLS, of its own port; gives that, and the certificate for `localhost` as a file holds it.
    pub async fn behind_tls(door: Door) -> (Self, u16, String) {
        let (acceptor, certificate) = super::self_signed::acceptor("localhost");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (
            Self::listen(listener, door, Some(acceptor)),
            port,
            super::pem("CERTIFICATE", &certificate),
        )
    }

    fn listen(listener: TcpListener, door: Door, acceptor: Option<TlsAcceptor>) -> Self {
        let mailbox = Self {
            mails: Arc::default(),
            refusals: Arc::default(),
            holds: Arc::default(),
            held: Arc::default(),
            names: Arc::default(),
        };
        let all = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(all.clone().let_in(stream, door, acceptor.clone()));
            }
        });
        mailbox
    }

    async fn let_in(self, mut stream: TcpStream, door: Door, acceptor: Option<TlsAcceptor>) -> Option<()> {
        let Some(acceptor) = acceptor else {
            return self.talk(BufReader::new(stream), true).await;
        };
        if door == Door::StartTls {
            let mut plain = BufReader::new(&mut stream);
            say(&mut plain, "220 mailbox").await?;
            while hear(&mut plain).await? != "STARTTLS" {
                say(&mut plain, "250-mailbox\r\n250 STARTTLS").await?;
            }
            say(&mut plain, "220 go on").await?;
        }
        let stream = acceptor.accept(stream).await.ok()?;
        self.talk(BufReader::new(stream), door == Door::Tls).await
    }

    /// Refuses the next mails for now.
    pub fn refuse(&self, count: usize) {
        self.refusals.store(count, Ordering::SeqCst);
    }

    /// Gives no answer to the next mails, or does again.
    pub fn hold(&self, holds: bool) {
        self.holds.store(holds, Ordering::SeqCst);
    }

    /// Waits until a mail is held.
    pub async fn until_held(&self) {
        for _ in 0..3_000 {
            if self.held.load(Ordering::SeqCst) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no mail came");
    }

    /// How often somebody said a name and a password.
    pub fn names(&self) -> usize {
        self.names.load(Ordering::SeqCst)
    }

    /// What came, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(self, mut stream: BufReader<S>, greets: bool) -> Option<()> {
        let (mut from, mut to, mut signed_in) = (String::new(), String::new(), None);
        if greets {
            say(&mut stream, "220 mailbox").await?;
        }
        loop {
            let line = hear(&mut stream).await?;
            let path = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            let path = path.map_or_else(String::new, |(path, _)| path.to_owned());
            let answer = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => "250-mailbox\r\n250 AUTH PLAIN",
                "AUTH" => {
                    self.names.fetch_add(1, Ordering::SeqCst);
                    let said = data_encoding::BASE64.decode(line.rsplit(' ').next()?.as_bytes()).ok()?;
                    signed_in = String::from_utf8(said).ok();
                    "235 known"
                }
                "MAIL" => {
                    from = path;
                    "250 from whom is known"
                }
                "RCPT"
                    if self
                        .refusals
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                        .is_ok() =>
                {
                    "451 come back later"
                }
                "RCPT" => {
                    to = path;
                    "250 to whom is known"
                }
                "DATA" => {
                    say(&mut stream, "354 go on").await?;
                    let data = take(&mut stream).await?;
                    let mail = Mail {
                        from: from.clone(),
                        to: to.clone(),
                        signed_in: signed_in.clone(),
                        data,
                    };
                    if self.holds.load(Ordering::SeqCst) {
                        self.held.fetch_add(1, Ordering::SeqCst);
                        std::future::pending::<()>().await;
                    }
                    self.mails.lock().unwrap().push(mail);
                    "250 taken"
                }
                "QUIT" => {
                    say(&mut stream, "221 bye").await?;
                    return None;
                }
                _ => "250 fine",
            };
            say(&mut stream, answer).await?;
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, line: &str) -> Option<()> {
    stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()
}

async fn hear<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

async fn take<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut data = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == ".\r\n" {
            return Some(data);
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
