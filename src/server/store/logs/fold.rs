//! Any case: texts and needles are folded the same way before they meet.
//!
//! Folding is letter by letter (`char::to_lowercase`), so that a part of a text folds to a part of the folded text.
//! Bytes that are not UTF-8 stay as they are.

/// Writes the folded form of `bytes` into `out`, which is emptied first.
pub(super) fn fold_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if bytes.is_ascii() {
        out.extend_from_slice(bytes);
        out.make_ascii_lowercase();
        return;
    }
    let mut buffer = [0; 4];
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_ascii() {
                out.push(letter.to_ascii_lowercase() as u8);
            } else {
                for lower in letter.to_lowercase() {
                    out.extend_from_slice(lower.encode_utf8(&mut buffer).as_bytes());
                }
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
}

/// The folded form of a text.
pub(super) fn fold(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    fold_into(bytes, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_alphabet_fold() {
        assert_eq!(fold("ÀÉ Σ Ж K".as_bytes()), "àé σ ж k".as_bytes());
        assert_eq!(fold("ABC\0Z".as_bytes()), b"abc\0z");
    }

    #[test]
    fn bytes_that_are_no_text_stay() {
        assert_eq!(fold(&[b'A', 0xFF, 0xC3, b'B']), [b'a', 0xFF, 0xC3, b'b']);
    }
}
