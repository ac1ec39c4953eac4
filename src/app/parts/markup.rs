//! Markup written as text, where views would cost too much: rows by the dozen whose cells never change by themselves.
//! The browser reads such a text within a millisecond; views would be made one by one, on the server and again on taking over.

use std::fmt::{Arguments, Display, Formatter, Result, Write as _};

use crate::model::format::put_digits;

/// A text as markup that a browser reads as that text and nothing else, in an element or in a quoted attribute (HTML, 13.1.2.4 and 13.1.4).
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(
    /// The text.
    pub &'a str,
);

impl Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        each_part(self.0, |part| formatter.write_str(part))
    }
}

/// Hands on a text part by part, as a browser is to be told it.
fn each_part<E>(text: &str, mut tell: impl FnMut(&str) -> std::result::Result<(), E>) -> std::result::Result<(), E> {
    let mut plain = 0;
    for (place, byte) in text.bytes().enumerate() {
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
        tell(&text[plain..place])?;
        tell(written)?;
        plain = place + 1;
    }
    tell(&text[plain..])
}

/// Markup that is written piece by piece: [`Markup::raw`] for what is markup already, [`Markup::text`] for whatever somebody said. For what a page has a
/// thousand of: nothing goes through the formatter.
#[derive(Debug)]
pub struct Markup(String);

impl Markup {
    /// None yet, with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Appends markup.
    pub fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Appends a text, as [`Escaped`] writes it.
    pub fn text(&mut self, text: &str) -> &mut Self {
        // Nothing here can fail: a String takes every part.
        let _ = each_part::<std::convert::Infallible>(text, |part| {
            self.0.push_str(part);
            Ok(())
        });
        self
    }

    /// Appends a whole number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        put_digits(&mut self.0, number, 1);
        self
    }

    /// What was written.
    pub fn done(self) -> String {
        self.0
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

    #[test]
    fn pieces_stand_one_after_another() {
        let mut markup = Markup::with_capacity(0);
        markup.raw("<b title=\"").text("a<\"b\">").raw("\">");
        for number in [0, 7, 10, 18_204, u64::MAX] {
            markup.number(number).raw(" ");
        }
        assert_eq!(
            markup.done(),
            "<b title=\"a&lt;&quot;b&quot;&gt;\">0 7 10 18204 18446744073709551615 "
        );
    }
}
