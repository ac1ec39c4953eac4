//! Mails by SMTP, through the mail server that is configured. What they say, and when they are sent again, is for others.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::config::Config;

/// How long the mail server may take over one command.
const COMMAND: Duration = Duration::from_secs(10);
/// How long a whole mail may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Why mails cannot be sent, or one was not.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The URL names no mail server. It may hold a password, so it is not repeated.
    #[error("--smtp-url names no mail server: smtps://USER:PASSWORD@HOST, or smtp://HOST:PORT with or without ?tls=required")]
    Url,
    /// Who mails come from is no address.
    #[error("--smtp-from {0:?} is no address: audit-log@example.com, or Audit log <audit-log@example.com>")]
    From(String),
    /// The mail cannot be written.
    #[error("the mail cannot be written: {0}")]
    Letter(String),
    /// The mail server did not take it.
    #[error("{0}")]
    Server(String),
    /// The mail server takes too long.
    #[error("the mail server did not take it within {} s", PATIENCE.as_secs())]
    Slow,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The same at each attempt, so that a mail server can tell that it has come before.
    pub id: String,
    /// When it was written, in milliseconds since 1970.
    pub at: i64,
    /// To whom.
    pub to: String,
    /// In one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// The way to the mail server.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// What stands behind the `@` of a mail's id.
    host: String,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The transport knows a password.
        out.debug_struct("Mailer").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Mailer {
    /// As it is configured; none where it is not.
    pub fn of(config: &Config) -> Result<Option<Self>, MailError> {
        let (Some(url), Some(from)) = (&config.smtp_url, &config.smtp_from) else {
            return Ok(None);
        };
        let from: Mailbox = from.parse().map_err(|_| MailError::From(from.clone()))?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.tell()).map_err(|_| MailError::Url)?;
        Ok(Some(Self {
            transport: builder.timeout(Some(COMMAND)).build(),
            host: from.email.domain().to_owned(),
            from,
        }))
    }

    /// Sends a mail: it is over once the mail server has taken it.
    pub async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = self.message(letter)?;
        let sent = tokio::time::timeout(PATIENCE, self.transport.send(message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(MailError::Server(told(&error))),
            Err(_) => Err(MailError::Slow),
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, MailError> {
        let wrong = |error: &dyn std::error::Error| MailError::Letter(error.to_string());
        let to: Mailbox = letter
            .to
            .parse()
            .map_err(|error: lettre::address::AddressError| wrong(&error))?;
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(one_line(&letter.subject))
            .date(UNIX_EPOCH + Duration::from_millis(letter.at.max(0).unsigned_abs()))
            .message_id(Some(format!("<{}@{}>", letter.id, self.host)))
            // Who is away answers people, not programs (RFC 3834).
            .raw_header(HeaderValue::new(auto, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| wrong(&error))
    }
}

/// What went wrong, with what it came of.
fn told(error: &lettre::transport::smtp::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_words = inner.to_string();
        if !words.contains(&inner_words) {
            words.push_str(": ");
            words.push_str(&inner_words);
        }
        cause = inner.source();
    }
    words
        .chars()
        .take(500)
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// A head has one line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str, from: &str) -> Config {
        Config {
            smtp_url: Some(url.to_owned().into()),
            smtp_from: Some(from.to_owned()),
            ..Config::default()
        }
    }

    #[tokio::test]
    async fn what_is_configured_is_checked_and_no_password_is_told() {
        assert!(Mailer::of(&Config::default()).unwrap().is_none());
        let mailer = Mailer::of(&config("smtp://ada:hunter2@mail.example.com:25", "Audit log <a@example.com>"));
        let mailer = mailer.unwrap().unwrap();
        assert!(!format!("{mailer:?}").contains("hunter2"));
        for url in [
            "mail.example.com",
            "http://ada:hunter2@mail.example.com",
            "smtp://ada:hunter2@mail.example.com?tls=maybe",
            "",
        ] {
            let error = Mailer::of(&config(url, "a@example.com")).unwrap_err();
            assert!(
                matches!(error, MailError::Url) && !error.to_string().contains("hunter2"),
                "{url}: {error}"
            );
        }
        assert!(matches!(Mailer::of(&config("smtp://h", "nobody")), Err(MailError::From(_))));
    }

    #[tokio::test]
    async fn a_letter_is_one_mail_to_one_address_whatever_is_in_it() {
        let mailer = Mailer::of(&config("smtp://127.0.0.1:1", "a@example.com")).unwrap().unwrap();
        let letter = Letter {
            id: "alm_1".to_owned(),
            at: 1_795_348_800_000,
            to: "ada@example.com".to_owned(),
            subject: "Fired: Über\r\nBcc: eve@example.com".to_owned(),
            text: "One\n.\nTwo ü".to_owned(),
        };
        let message = mailer.message(&letter).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
        assert!(
            head.contains("Message-ID: <alm_1@example.com>") && head.contains("Auto-Submitted: auto-generated"),
            "{head}"
        );
        assert!(head.contains("Date: Sun, 22 Nov 2026 12:00:00"), "{head}");
        assert_eq!(message.envelope().to().len(), 1);
        for to in ["a@b.c, d@e.f", "a@b.c\r\nTo: d@e.f", ""] {
            let other = Letter {
                to: to.to_owned(),
                ..letter.clone()
            };
            assert!(mailer.message(&other).is_err(), "{to:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told() {
        let mailer = Mailer::of(&config("smtp://127.0.0.1:1", "a@example.com")).unwrap().unwrap();
        let letter = Letter {
            id: "alm_1".to_owned(),
            at: 0,
            to: "ada@example.com".to_owned(),
            subject: "a".to_owned(),
            text: "b".to_owned(),
        };
        let error = mailer.send(&letter).await.unwrap_err().to_string();
        assert!(error.contains("refused"), "{error}");
    }
}
