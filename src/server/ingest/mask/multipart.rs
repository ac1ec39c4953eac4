//! Multipart forms (RFC 7578): a field is masked by its name, or as JSON where it holds JSON. Files stay as they are.

use memchr::memmem;

use super::names::NameKind;
use super::{MASK, MaskRules, json, looks_like_json};

/// A piece of a multipart form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    /// The headers of a part.
    Head(&'a [u8]),
    /// What a part holds, beside its headers.
    Content {
        /// Its headers.
        head: &'a [u8],
        /// What it holds.
        content: &'a [u8],
    },
}

/// The body with its secrets masked; none where there were none, or where its boundary is not known.
pub(super) fn mask(rules: &MaskRules, content_type: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    each(content_type, bytes, |piece| match piece {
        Piece::Head(_) => None,
        Piece::Content { head, content } => masked_content(rules, head, content),
    })
}

/// A part of a multipart form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormPart<'a> {
    /// Its headers.
    pub(crate) head: &'a [u8],
    /// What it holds.
    pub(crate) content: &'a [u8],
}

/// The parts of a form, as far as they have headers; none where its boundary is not known.
pub(crate) fn form_parts<'a>(content_type: &str, bytes: &'a [u8]) -> Vec<FormPart<'a>> {
    let found = delimiter(content_type, bytes).map(|delimiter| places(&delimiter, bytes));
    let part = |(from, content_from, content_to): (usize, usize, usize)| FormPart {
        head: &bytes[from..content_from],
        content: &bytes[content_from..content_to],
    };
    found.into_iter().flatten().map(part).collect()
}

/// Where each part's headers begin, and where its content begins and ends.
fn places(delimiter: &[u8], bytes: &[u8]) -> Vec<(usize, usize, usize)> {
    let mut starts: Vec<usize> = memmem::find_iter(bytes, delimiter).collect();
    starts.push(bytes.len());
    let place = |part: &[usize]| {
        let from = (part[0] + delimiter.len()).min(part[1]);
        content(bytes, from, part[1]).map(|(content_from, content_to)| (from, content_from, content_to))
    };
    starts.windows(2).filter_map(place).collect()
}

/// Whether its boundary is known, and stands in it.
pub(super) fn has_parts(content_type: &str, bytes: &[u8]) -> bool {
    delimiter(content_type, bytes).is_some_and(|delimiter| memmem::find(bytes, &delimiter).is_some())
}

/// The body with each piece as it is masked; none where none is, or where its boundary is not known.
pub(super) fn each(content_type: &str, bytes: &[u8], mask: impl Fn(Piece<'_>) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let delimiter = delimiter(content_type, bytes)?;
    let mut out = Vec::new();
    let mut copied = 0;
    for (from, content_from, content_to) in places(&delimiter, bytes) {
        let (head, content) = (&bytes[from..content_from], &bytes[content_from..content_to]);
        for (at, piece) in [(from, Piece::Head(head)), (content_from, Piece::Content { head, content })] {
            if let Some(masked) = mask(piece) {
                out.extend_from_slice(&bytes[copied..at]);
                out.extend_from_slice(&masked);
                copied = match piece {
                    Piece::Head(_) => content_from,
                    Piece::Content { .. } => content_to,
                };
            }
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&bytes[copied..]);
    Some(out)
}

fn masked_content(rules: &MaskRules, head: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    let name = field_name(head).unwrap_or_default();
    let is_secret = match rules.names.kind(name.as_bytes()) {
        NameKind::Secret => !content.is_empty(),
        NameKind::Card => json::is_card_number(content),
        NameKind::Plain => false,
    };
    if is_secret {
        return (content != MASK.as_bytes()).then(|| MASK.as_bytes().to_vec());
    }
    if looks_like_json(content) {
        json::mask(rules, content).bytes
    } else {
        None
    }
}

/// `--` and the boundary, from the content type, else from the body's first line.
fn delimiter(content_type: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let named = content_type.split(';').find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.trim().trim_matches('"').to_owned())
    });
    if let Some(boundary) = named.filter(|boundary| !boundary.is_empty()) {
        return Some(format!("--{boundary}").into_bytes());
    }
    let line = bytes.split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    (line.len() > 2 && line.starts_with(b"--")).then(|| line.to_vec())
}

/// Where a part's content lies: past the empty line, up to the line end before the next boundary.
fn content(bytes: &[u8], from: usize, to: usize) -> Option<(usize, usize)> {
    let part = &bytes[from..to];
    let crlf = memmem::find(part, b"\r\n\r\n").map(|at| at + 4);
    let lf = memmem::find(part, b"\n\n").map(|at| at + 2);
    let start = match (crlf, lf) {
        (Some(crlf), Some(lf)) => crlf.min(lf),
        (Some(start), None) | (None, Some(start)) => start,
        (None, None) => return None,
    };
    let content = &part[start..];
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    Some((from + start, from + start + content.len()))
}

fn field_name(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let line = head.lines().find(|line| {
        line.get(..20)
            .is_some_and(|name| name.eq_ignore_ascii_case("content-disposition:"))
    })?;
    line.split(';').find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("name")
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"xYx\"";

    fn masked(content_type: &str, body: &str) -> String {
        let rules = MaskRules::default();
        let once =
            mask(&rules, content_type, body.as_bytes()).map_or(body.to_owned(), |bytes| String::from_utf8(bytes).expect("text"));
        assert_eq!(
            mask(&rules, content_type, once.as_bytes()),
            None,
            "masking twice changes nothing"
        );
        once
    }

    fn form(password: &str, token: &str) -> String {
        format!(
            "--xYx\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{password}\r\n--xYx\r\ncontent-disposition: form-data; name=\"file\"; \
             filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n\r\n1,2\r\n--xYx\r\nContent-Disposition: form-data; name=meta\r\n\r\n\
             {{\"token\": \"{token}\"}}\r\n--xYx--\r\n"
        )
    }

    #[test]
    fn fields_are_masked_by_name_and_as_json() {
        assert_eq!(masked(TYPE, &form("p\r\nq", "abc")), form("masked", "masked"));
        assert_eq!(masked("multipart/form-data", &form("p", "abc")), form("masked", "masked"));
    }

    #[test]
    fn what_is_broken_stays() {
        for body in [
            "",
            "--xYx",
            "--xYx--",
            "no boundary at all",
            "--xYx\r\nContent-Disposition: form-data; name=\"password\"",
        ] {
            assert_eq!(masked(TYPE, body), body);
        }
    }

    #[test]
    fn a_part_that_was_cut_off_is_masked_to_its_end() {
        let cut = "--xYx\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nabc";
        assert!(masked(TYPE, cut).ends_with("\r\n\r\nmasked"));
    }
}
