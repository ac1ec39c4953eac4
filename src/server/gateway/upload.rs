//! A CSV file that a client uploads: it is kept whole, as the original of an import.

use axum::http::{HeaderMap, header};

use super::spool::record::File;
use crate::server::http::v1::file_name;
use crate::server::ingest::mask;

/// What a file is called where nobody named it.
const UNNAMED: &str = "upload.csv";

/// Whether a body of this content type may hold one.
pub(super) fn may_be(content_type: &str) -> bool {
    is_csv(content_type) || essence(content_type).eq_ignore_ascii_case("multipart/form-data")
}

/// The file in a request's whole body.
pub(super) fn file(headers: &HeaderMap, body: &[u8]) -> Option<File> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    if is_csv(content_type) {
        let disposition = headers.get(header::CONTENT_DISPOSITION).and_then(|value| value.to_str().ok());
        let name = disposition.and_then(file_name).unwrap_or_else(|| UNNAMED.to_owned());
        return (!body.is_empty()).then(|| File {
            name,
            bytes: body.to_vec(),
        });
    }
    if !may_be(content_type) {
        return None;
    }
    let mut parts = mask::form_parts(content_type, body).into_iter();
    parts.find_map(|part| {
        let head = String::from_utf8_lossy(part.head);
        let field = |name: &str| {
            head.lines().find_map(|line| {
                let (own, value) = line.split_once(':')?;
                own.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let name = field("content-disposition").and_then(|disposition| file_name(&disposition))?;
        let is_one = name.to_ascii_lowercase().ends_with(".csv") || field("content-type").is_some_and(|kind| is_csv(&kind));
        is_one.then(|| File {
            name,
            bytes: part.content.to_vec(),
        })
    })
}

fn is_csv(content_type: &str) -> bool {
    essence(content_type).eq_ignore_ascii_case("text/csv")
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&'static str, &str)], body: &[u8]) -> Option<(String, Vec<u8>)> {
        let headers = pairs.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.insert(*name, value.parse().unwrap());
            headers
        });
        file(&headers, body).map(|file| (file.name, file.bytes))
    }

    #[test]
    fn a_csv_body_is_a_file() {
        let csv = ("content-type", "Text/CSV; charset=utf-8");
        assert_eq!(found(&[csv], b"a,b\n1,2\n"), Some((UNNAMED.into(), b"a,b\n1,2\n".to_vec())));
        let named = ("content-disposition", "attachment; filename=\"../people.csv\"");
        assert_eq!(found(&[csv, named], b"a\n").unwrap().0, "people.csv");
        assert_eq!(found(&[csv], b""), None);
        assert_eq!(found(&[("content-type", "application/json")], b"{}"), None);
    }

    #[test]
    fn the_csv_part_of_a_form_is_a_file() {
        let form = ("content-type", "multipart/form-data; boundary=x");
        let body = b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n\
            --x\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\
            --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people.CSV\"\r\n\r\na,b\r\n1,2\r\n\r\n--x--\r\n";
        assert_eq!(found(&[form], body), Some(("people.CSV".into(), b"a,b\r\n1,2\r\n".to_vec())));
        let typed = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"people\"\r\nContent-Type: text/csv\r\n\r\na\r\n--x--\r\n";
        assert_eq!(found(&[form], typed), Some(("people".into(), b"a".to_vec())));
        let none = b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\na,b\r\n--x--\r\n";
        assert_eq!(found(&[form], none), None);
        assert_eq!(found(&[form], b"no form at all"), None);
    }
}
