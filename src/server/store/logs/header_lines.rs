//! Headers as people read, copy and look for them: a line `name: value` each.
//!
//! They are kept as one JSON object, where a quote has a backslash before it and no text goes from a name over to its value. Whoever searches means the
//! lines; signatures are made of them, and what a search opens is read as them. Ingest makes a signature of every log, so this reads bytes
//! and copies slices rather than build a tree.

use std::ops::Range;

/// Adds the lines of headers that are kept so. What is no object of texts and arrays of texts is added as it is: nothing that is stored is out of reach.
pub(super) fn push(json: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut reader = Reader { json, at: 0 };
    if reader.object(out).is_none() || reader.next().is_some() {
        out.truncate(start);
        out.extend_from_slice(json);
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// The next byte that says something, if there is one; it is not passed.
    fn next(&mut self) -> Option<u8> {
        while self.json.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.json.get(self.at).copied()
    }

    /// Passes a byte that has to come next.
    fn pass(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// Passes the comma before one more, or the end; says whether there is one more.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        let next = self.next()?;
        self.at += 1;
        (next == b',' || next == end).then_some(next == b',')
    }

    fn object(&mut self, out: &mut Vec<u8>) -> Option<()> {
        self.pass(b'{')?;
        if self.next()? == b'}' {
            return self.pass(b'}');
        }
        loop {
            let start = out.len();
            self.string(out)?;
            let name = start..out.len();
            self.pass(b':')?;
            if self.next()? == b'[' {
                self.values(name, out)?;
            } else {
                self.value(out)?;
            }
            if !self.goes_on(b'}')? {
                return Some(());
            }
        }
    }

    /// The rest of a line whose name is written.
    fn value(&mut self, out: &mut Vec<u8>) -> Option<()> {
        out.extend_from_slice(b": ");
        self.string(out)?;
        out.push(b'\n');
        Some(())
    }

    /// A header that came more than once: each value has a line of its own.
    fn values(&mut self, name: Range<usize>, out: &mut Vec<u8>) -> Option<()> {
        self.pass(b'[')?;
        if self.next()? == b']' {
            out.truncate(name.start);
            return self.pass(b']');
        }
        loop {
            self.value(out)?;
            if !self.goes_on(b']')? {
                return Some(());
            }
            out.extend_from_within(name.clone());
        }
    }

    /// A string's text, copied where it has no escapes.
    fn string(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let start = self.at;
        self.pass(b'"')?;
        let rest = &self.json[self.at..];
        let found = memchr::memchr2(b'"', b'\\', rest)?;
        if rest[found] == b'"' {
            out.extend_from_slice(&rest[..found]);
            self.at += found + 1;
            return Some(());
        }
        let mut end = self.at + found;
        while *self.json.get(end)? != b'"' {
            end += if self.json[end] == b'\\' { 2 } else { 1 };
        }
        self.at = end + 1;
        let text: String = serde_json::from_slice(&self.json[start..self.at]).ok()?;
        out.extend_from_slice(text.as_bytes());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> String {
        let mut out = b"before".to_vec();
        push(json.as_bytes(), &mut out);
        let text = String::from_utf8(out).expect("text");
        text.strip_prefix("before").expect("what was there stays").to_owned()
    }

    #[test]
    fn each_header_is_a_line_without_escapes() {
        assert_eq!(lines("{}"), "");
        assert_eq!(
            lines(r#"{"ETag":"W/\"abc\"","Vary":["a","b\\\u0000"],"X":"é \u00e9","empty":"","none":[]}"#),
            "ETag: W/\"abc\"\nVary: a\nVary: b\\\0\nX: é é\nempty: \n"
        );
        assert_eq!(lines(" { \"a\" : [ \"1\" , \"2\" ] } \n"), "a: 1\na: 2\n");
    }

    #[test]
    fn what_is_no_object_of_headers_is_there_as_it_is() {
        for odd in [
            "",
            "[]",
            "{",
            r#"{"a":1}"#,
            r#"{"a":"b"}x"#,
            r#"{"a":"b","c"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"b\"#,
        ] {
            assert_eq!(lines(odd), odd);
        }
    }
}
