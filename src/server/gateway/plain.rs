//! A body as it was before it was compressed: secrets inside a gzip are not found where they are looked for, and nobody could read it.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// What a recorded body is when it is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// As it came.
    Itself,
    /// What it was before it was compressed, up to the bound; whether there is more.
    Was(Vec<u8>, bool),
    /// Nobody here can read it.
    Unreadable,
}

/// Undoes a `Content-Encoding`, as far as the bytes that are there go, and no further than `bound`.
pub(super) fn plain(coding: Option<&str>, bytes: &[u8], bound: usize) -> Plain {
    let mut codings = coding
        .unwrap_or_default()
        .split(',')
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity");
    let Some(coding) = codings.next() else { return Plain::Itself };
    if bytes.is_empty() {
        return Plain::Itself;
    }
    // One on top of another is not met in the wild.
    if codings.next().is_some() {
        return Plain::Unreadable;
    }
    match coding.as_str() {
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(bytes), bound),
        // Said to be zlib, sent without its head by some.
        "deflate" => match read(ZlibDecoder::new(bytes), bound) {
            Plain::Unreadable => read(DeflateDecoder::new(bytes), bound),
            plain => plain,
        },
        "br" => read(brotli_decompressor::Decompressor::new(bytes, 4_096), bound),
        "zstd" => zstd::stream::read::Decoder::new(bytes).map_or(Plain::Unreadable, |decoder| read(decoder, bound)),
        _ => Plain::Unreadable,
    }
}

/// Reads until the end, the bound, or the place where the bytes are cut.
fn read(mut from: impl Read, bound: usize) -> Plain {
    let (mut out, mut chunk) = (Vec::new(), [0; 8_192]);
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Plain::Was(out, false),
            Ok(length) => {
                let room = bound - out.len();
                out.extend_from_slice(&chunk[..length.min(room)]);
                if length > room {
                    return Plain::Was(out, true);
                }
            }
            Err(_) if out.is_empty() => return Plain::Unreadable,
            Err(_) => return Plain::Was(out, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"a text that is long enough to be worth it: a text that is long enough to be worth it";

    fn was(bytes: &[u8]) -> Plain {
        Plain::Was(bytes.to_vec(), false)
    }

    #[test]
    fn what_was_compressed_is_read() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(TEXT).unwrap();
        let gzip = gzip.finish().unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(TEXT).unwrap();
        assert_eq!(plain(Some("gzip"), &gzip, 1_000), was(TEXT));
        assert_eq!(plain(Some(" GZIP "), &gzip, 1_000), was(TEXT));
        assert_eq!(plain(Some("deflate"), &zlib.finish().unwrap(), 1_000), was(TEXT));
        assert_eq!(plain(Some("deflate"), &deflate.finish().unwrap(), 1_000), was(TEXT));
        assert_eq!(plain(Some("zstd"), &zstd::encode_all(TEXT, 1).unwrap(), 1_000), was(TEXT));
        // `printf hello | brotli -c`
        let brotli = [0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03];
        assert_eq!(plain(Some("br"), &brotli, 1_000), was(b"hello"));
    }

    #[test]
    fn nothing_is_read_past_the_bound_or_the_cut() {
        let long = vec![b'a'; 1 << 20];
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&long).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(plain(Some("gzip"), &gzip, 100), Plain::Was(vec![b'a'; 100], true));
        let Plain::Was(some, true) = plain(Some("gzip"), &gzip[..gzip.len() / 2], 1 << 20) else {
            panic!("half of it can be read");
        };
        assert!(!some.is_empty() && some.len() < long.len());
    }

    #[test]
    fn what_nobody_can_read_is_not_guessed_at() {
        for (coding, bytes) in [
            ("gzip", TEXT),
            ("zstd", TEXT),
            ("br", TEXT),
            ("gzip, br", TEXT),
            ("own", TEXT),
        ] {
            assert_eq!(plain(Some(coding), bytes, 1_000), Plain::Unreadable, "{coding}");
        }
        for coding in [None, Some(""), Some("identity")] {
            assert_eq!(plain(coding, TEXT, 1_000), Plain::Itself);
        }
        assert_eq!(plain(Some("gzip"), b"", 1_000), Plain::Itself, "an answer to HEAD");
    }
}
