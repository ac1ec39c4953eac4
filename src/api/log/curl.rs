//! The same request as a `curl` command for a POSIX shell. Secrets are not in it: what was masked becomes a variable to fill in.

use std::fmt::Write as _;

use super::Pair;
use crate::model::format;
use crate::model::log::{BodyKind, Message};

/// Longer bodies are not written into the command.
const MAX_BODY: usize = 100_000;
/// Headers that curl makes itself, or that belong to one connection.
const OWN: [&str; 8] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "accept-encoding",
    "keep-alive",
    "te",
    "upgrade",
];

/// The command.
pub(super) fn command(method: &str, url: &str, headers: &[Pair], request: &Message) -> String {
    let mut comments = String::new();
    let mut words = vec!["curl".to_owned()];
    let body = body_words(request, &mut comments);
    match (method, body.is_empty()) {
        ("GET", true) => {}
        ("HEAD", true) => words.push("--head".to_owned()),
        _ => words.push(format!("-X {}", quoted(method))),
    }
    if url.contains(['[', ']', '{', '}']) {
        // Else curl would take these for patterns of several URLs.
        words.push("--globoff".to_owned());
    }
    words.push(url_word(url, &mut comments));
    for header in headers.iter().filter(|header| !is_own(&header.name)) {
        words.push(format!("-H {}", header_word(header)));
    }
    if headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("accept-encoding"))
    {
        words.push("--compressed".to_owned());
    }
    let has_type = headers.iter().any(|header| header.name.eq_ignore_ascii_case("content-type"));
    if !has_type && !body.is_empty() {
        // Without it curl would call any body a form.
        let content_type = request.content_type.as_deref().unwrap_or_default();
        words.push(format!("-H {}", quoted(&format!("Content-Type: {content_type}"))));
    }
    words.extend(body);
    format!("{comments}{}\n", words.join(" \\\n  "))
}

/// A word in single quotes, in which a shell changes nothing.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn is_own(name: &str) -> bool {
    name.starts_with(':') || OWN.iter().any(|own| name.eq_ignore_ascii_case(own))
}

fn url_word(url: &str, comments: &mut String) -> String {
    if url.split(['=', '&', '?', '#']).any(|part| part == "masked") {
        comments.push_str("# The URL has masked values in it: fill them in.\n");
    }
    if url.starts_with('/') {
        comments.push_str("# Set BASE_URL first, as in https://api.example.com\n");
        return format!("\"$BASE_URL\"{}", quoted(url));
    }
    quoted(url)
}

/// `'Name: value'`, or `"Name: Scheme $NAME"` where the value was masked.
fn header_word(header: &Pair) -> String {
    if !header.masked {
        return quoted(&format!("{}: {}", header.name, header.value));
    }
    let variable: String = header
        .name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    let scheme = header
        .value
        .strip_suffix(" masked")
        .filter(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    match scheme {
        Some(scheme) => format!("{}\"${variable}\"", quoted(&format!("{}: {scheme} ", header.name))),
        None => format!("{}\"${variable}\"", quoted(&format!("{}: ", header.name))),
    }
}

fn body_words(request: &Message, comments: &mut String) -> Vec<String> {
    if request.kind == BodyKind::None || request.body.is_empty() {
        return Vec::new();
    }
    match std::str::from_utf8(&request.body) {
        // A shell's words cannot hold a NUL.
        Ok(text) if text.len() <= MAX_BODY && !text.contains('\0') => {
            if memchr::memmem::find(text.as_bytes(), b"masked").is_some() {
                comments.push_str("# What was masked in the body stands there as \"masked\".\n");
            }
            vec![format!("--data-raw {}", quoted(text))]
        }
        _ => {
            let name = if request.kind == BodyKind::Json {
                "request-body.json"
            } else {
                "request-body"
            };
            let size = format::size(request.body.len() as i64);
            // Writing to a String cannot fail.
            let _ = writeln!(
                comments,
                "# The body ({size}) is not in this command: download it and call it {name}."
            );
            vec![format!("--data-binary @{name}")]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::log::headers::pair;

    fn json(body: &str) -> Message {
        Message {
            kind: BodyKind::Json,
            body: body.as_bytes().to_vec(),
            content_type: Some("application/json".to_owned()),
            ..Message::default()
        }
    }

    fn header(name: &str, value: &str) -> Pair {
        pair(name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_request_is_written_without_its_secrets() {
        let headers = [
            header("Host", "api.example.com"),
            header("Authorization", "Bearer masked"),
            header("X-App-Token", "masked"),
            header("Cookie", "a=masked; b=masked"),
            header("X-Note", "it's $HOME"),
        ];
        let command = command(
            "POST",
            "https://api.example.com/v1/x?a=1",
            &headers,
            &json(r#"{"say":"it's","password":"masked"}"#),
        );
        let wanted = r#"# What was masked in the body stands there as "masked".
curl \
  -X 'POST' \
  'https://api.example.com/v1/x?a=1' \
  -H 'Authorization: Bearer '"$AUTHORIZATION" \
  -H 'X-App-Token: '"$X_APP_TOKEN" \
  -H 'Cookie: '"$COOKIE" \
  -H 'X-Note: it'\''s $HOME' \
  -H 'Content-Type: application/json' \
  --data-raw '{"say":"it'\''s","password":"masked"}'
"#;
        assert_eq!(command, wanted);
    }

    #[test]
    fn what_a_command_cannot_hold_lies_in_a_file() {
        for body in ["x".repeat(MAX_BODY + 1), "a\0b".to_owned()] {
            let command = command("PUT", "/v1/x", &[], &json(&body));
            assert!(command.contains("--data-binary @request-body.json"), "{command}");
            assert!(command.contains("\"$BASE_URL\"'/v1/x'"), "{command}");
        }
    }

    #[test]
    fn a_plain_get_is_plain() {
        assert_eq!(
            command("GET", "https://x.example/a", &[], &Message::default()),
            "curl \\\n  'https://x.example/a'\n"
        );
    }

    #[test]
    fn brackets_of_a_url_are_no_patterns() {
        for url in ["https://x.example/a?ids[]=1", "/a/{id}"] {
            let command = command("GET", url, &[], &Message::default());
            assert!(command.contains("curl \\\n  --globoff \\\n  "), "{command}");
        }
    }

    #[test]
    fn a_shell_reads_back_what_was_written() {
        let body = "{\"a\":\"'$x`y`\\\\\n\"}";
        let command = command("POST", "https://x.example/$(id)?'", &[header("A", "\"b\" 'c'")], &json(body));
        let script = format!("curl() {{ for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }}\n{command}");
        let out = std::process::Command::new("sh")
            .arg("-c")
            .arg(script)
            .output()
            .expect("a shell");
        let words: Vec<String> = out
            .stdout
            .split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let wanted = [
            "-X",
            "POST",
            "https://x.example/$(id)?'",
            "-H",
            "A: \"b\" 'c'",
            "-H",
            "Content-Type: application/json",
            "--data-raw",
            body,
            "",
        ];
        assert_eq!(words, wanted);
    }
}
