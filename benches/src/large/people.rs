//! What people ask for: a page as the browser loads it, and what stands on it.

use serde_json::Value;

use super::days::Span;
use crate::Outcome;
use crate::http::Client;
use crate::server::Server;

/// The call that brings the Logs tab's page.
pub const LOGS: &str = "logs?";

/// How much of what was asked for an answer has.
pub struct Answered {
    pub rows: usize,
    /// How many logs there are: exactly, or at least.
    pub total: Option<(u64, bool)>,
    /// How far into the range it was searched, where that is not all of it: a share.
    pub searched: Option<f64>,
}

impl Answered {
    /// What a page of the Logs tab has, in words.
    pub fn words(&self) -> String {
        let rows = format!("{} rows", self.rows);
        let of = match self.total {
            Some((total, true)) => format!(" of {}", super::days::grouped(total)),
            Some((total, false)) => format!(" of {}+", super::days::grouped(total)),
            None => String::new(),
        };
        match self.searched {
            Some(share) => format!("a part: {rows}, told how far it got: {:.1} % of the range", share * 100.0),
            None => format!("{rows}{of}"),
        }
    }
}

/// What the browser asks the server for behind the Logs tab, for arguments as its address has them: a call below `/api/`, up to its own arguments.
pub fn data_path(call: &str, project: &str, arguments: &str) -> String {
    let mut encoded = String::new();
    for byte in arguments.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("/api/{call}project={project}&query={encoded}")
}

/// Whether a page says that it is a part of what was asked for, and how far it got.
pub fn is_part(page: &[u8]) -> bool {
    const SAID: &[u8] = b"class=\"searched\"";
    page.windows(SAID.len()).any(|window| window == SAID)
}

/// The Logs tab's data.
pub fn data(client: &mut Client, path: &str) -> Outcome<Value> {
    let answer = client.get(path)?;
    if answer.code != 200 {
        return Err(format!("{path} answered {}: {}", answer.code, String::from_utf8_lossy(&answer.body)).into());
    }
    Ok(serde_json::from_slice(&answer.body)?)
}

/// How much of it there is.
pub fn answered(data: &Value) -> Outcome<Answered> {
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let (from, to) = (number(&data["range"][0]), number(&data["range"][1]));
    let total = &data["total"];
    Ok(Answered {
        rows: data["rows"].as_array().ok_or_else(|| format!("no rows in {data}"))?.len(),
        total: total["Exact"]
            .as_u64()
            .map(|total| (total, true))
            .or_else(|| total["AtLeast"].as_u64().map(|total| (total, false))),
        searched: data["searched"][0]
            .as_i64()
            .map(|at| (to - at) as f64 / (to - from).max(1) as f64),
    })
}

/// How many logs of applications the server has stored within a range: from its counts, which are exact.
pub fn stored(server: &Server, span: Span) -> Outcome<u64> {
    let mut client = Client::new(&server.host, &server.cookie)?;
    let data = data(&mut client, &data_path(LOGS, &server.project, &span.arguments()))?;
    match answered(&data)?.total {
        Some((total, true)) => Ok(total),
        _ => Err("the logs of the whole range are not counted exactly".into()),
    }
}
