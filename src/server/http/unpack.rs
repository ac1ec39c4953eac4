//! Bodies that come compressed (`Content-Encoding`): what comes out has the bound of a body that did not, and its place in the budget.

use std::io::Read;

use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::MultiGzDecoder;

use super::limits::{Limits, ReadBody, too_large};
use crate::server::error::ApiError;

/// Bytes that are unpacked at once.
const STEP: usize = 64 << 10;
/// The budget is asked for so many bytes at once.
const HELD_AT_ONCE: usize = 1 << 20;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
}

impl Packing {
    /// What the headers say; 415 where it is anything else.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let said = headers.get(header::CONTENT_ENCODING).map(|said| said.as_bytes().trim_ascii());
        match said {
            None | Some(b"") => Ok(Self::Identity),
            Some(said) if said.eq_ignore_ascii_case(b"identity") => Ok(Self::Identity),
            Some(said) if said.eq_ignore_ascii_case(b"gzip") => Ok(Self::Gzip),
            Some(_) => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Content-Encoding must be gzip or identity",
            )),
        }
    }

    /// The body as it was before it was packed, of at most `most` bytes. Takes a while: for a thread that may wait.
    pub(crate) fn unpacked(self, limits: &Limits, body: ReadBody, most: usize) -> Result<ReadBody, ApiError> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => gunzip(limits, body, most),
        }
    }
}

fn gunzip(limits: &Limits, mut body: ReadBody, most: usize) -> Result<ReadBody, ApiError> {
    let packed = body.bytes.clone();
    let mut packed = MultiGzDecoder::new(&*packed);
    let (mut bytes, mut held) = (Vec::new(), 0);
    let mut step = vec![0; STEP];
    loop {
        let length = packed
            .read(&mut step)
            .map_err(|error| ApiError::unreadable(format!("the body is no gzip: {error}")))?;
        if length == 0 {
            break;
        }
        if bytes.len() + length > most {
            return Err(too_large((bytes.len() + length) as u64, most));
        }
        if bytes.len() + length > held {
            limits.hold_more(&mut body, HELD_AT_ONCE)?;
            held += HELD_AT_ONCE;
        }
        bytes.extend_from_slice(&step[..length]);
    }
    body.bytes = bytes.into();
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::body::Body;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::server::clock::Clock;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    async fn unpacked(limits: &Limits, bytes: Vec<u8>, most: usize) -> Result<ReadBody, ApiError> {
        let body = limits.read(&HeaderMap::new(), Body::from(bytes), 1 << 30).await.unwrap();
        Packing::Gzip.unpacked(limits, body, most)
    }

    #[tokio::test]
    async fn what_was_packed_comes_out() {
        let limits = Limits::new(1, Clock::System);
        let text = b"abc".repeat(100_000);
        assert_eq!(unpacked(&limits, packed(&text), text.len()).await.unwrap().bytes, text);
        let twice = [packed(b"a"), packed(b"b")].concat();
        assert_eq!(
            &*unpacked(&limits, twice, 2).await.unwrap().bytes,
            b"ab",
            "members follow each other"
        );
    }

    #[tokio::test]
    async fn what_is_none_or_too_large_is_refused() {
        let limits = Limits::new(1, Clock::System);
        let whole = packed(b"a body");
        let status = async |bytes: Vec<u8>, most| unpacked(&limits, bytes, most).await.map(drop).map_err(|error| error.status());
        assert_eq!(
            status(whole[..whole.len() - 1].to_vec(), 9).await,
            Err(StatusCode::BAD_REQUEST)
        );
        assert_eq!(status(b"a body".to_vec(), 9).await, Err(StatusCode::BAD_REQUEST));
        assert_eq!(status([&whole[..], b"x"].concat(), 9).await, Err(StatusCode::BAD_REQUEST));
        assert_eq!(status(whole.clone(), 5).await, Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(status(whole, 6).await, Ok(()));
    }

    #[tokio::test]
    async fn a_small_body_that_becomes_a_large_one_takes_a_large_ones_place() {
        let limits = Limits::new(1, Clock::System);
        let zeros = packed(&vec![0; 100 << 20]);
        assert!(zeros.len() < 1 << 20, "{}", zeros.len());
        let first = unpacked(&limits, zeros.clone(), 128 << 20).await.unwrap();
        let second = unpacked(&limits, zeros.clone(), 128 << 20).await.unwrap();
        let third = unpacked(&limits, zeros.clone(), 128 << 20).await.unwrap_err();
        assert_eq!(third.status(), StatusCode::TOO_MANY_REQUESTS);
        drop((first, second));
        assert!(unpacked(&limits, zeros, 128 << 20).await.is_ok());
    }

    #[test]
    fn other_packings_are_refused() {
        let of = |said: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, said.parse().unwrap());
            Packing::of(&headers).ok()
        };
        assert_eq!(
            (of("GZIP"), of("identity"), of("")),
            (Some(Packing::Gzip), Some(Packing::Identity), Some(Packing::Identity))
        );
        assert_eq!((of("zstd"), of("deflate"), of("gzip, gzip")), (None, None, None));
        assert_eq!(Packing::of(&HeaderMap::new()).ok(), Some(Packing::Identity));
    }
}
