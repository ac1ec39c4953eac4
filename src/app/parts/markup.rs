//! Markup written as text, where views would cost too much: rows by the dozen whose cells never change by themselves.
//! The browser reads such a text within a millisecond; views would be made one by one, on the server and again on taking over.

use std::fmt::{Arguments, Display, Formatter, Result, Write as _};

/// A text as markup that a browser reads as that text and nothing else, in an element or in a quoted attribute (HTML, 13.1.2.4 and 13.1.4).
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(
    /// The text.
    pub &'a str,
);

impl Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let mut plain = 0;
        for (place, byte) in self.0.bytes().enumerate() {
            let written = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\'' => "&#39;",
                // HTML has no way to write these; a reader drops or changes them.
                0 => "\u{2400}",
                b'\r' => "\u{240d}",
                _ => continue,
            };
            formatter.write_str(&self.0[plain..place])?;
            formatter.write_str(written)?;
            plain = place + 1;
        }
        formatter.write_str(&self.0[plain..])
    }
}

/// Appends words.
pub fn put(out: &mut String, words: Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(words);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_means_something_is_written_otherwise() {
        assert_eq!(
            Escaped("a<b> & \"c\" 'd' \0\r ü").to_string(),
            "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; \u{2400}\u{240d} ü"
        );
        assert_eq!(Escaped("").to_string(), "");
    }
}
