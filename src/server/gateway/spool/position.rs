//! A place in a spool: which segment, and how many bytes into it.

use std::fmt;
use std::str::FromStr;

/// A place in a spool; later ones are greater. Written as `12.3456`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The segment's number.
    pub(crate) segment: u64,
    /// Bytes from its beginning.
    pub(crate) offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.segment, self.offset)
    }
}

/// A text that is no place in a spool.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place in a spool, such as 12.3456")]
pub(crate) struct NoPosition(String);

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let wrong = || NoPosition(text.chars().take(50).collect());
        let (segment, offset) = text.trim().split_once('.').ok_or_else(wrong)?;
        let number = |digits: &str| {
            let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| is_plain).ok_or_else(wrong)
        };
        Ok(Self {
            segment: number(segment)?,
            offset: number(offset)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Position {
            segment: 12,
            offset: 3_456,
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!("12.3456\n".parse(), Ok(place));
        for bad in [
            "",
            "12",
            "12.",
            ".1",
            "a.b",
            "-1.2",
            "+1.2",
            "1.2.3",
            "99999999999999999999.0",
        ] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }
}
