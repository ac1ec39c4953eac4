//! Reading a file, or a range of it, part by part.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, Stream};

use super::{FileError, Files, PART, purpose};

/// A file to be read.
#[derive(Clone, Debug)]
pub struct Reader {
    files: Files,
    file: String,
    bytes: u64,
    sealed: bool,
}

impl Reader {
    pub(super) const fn new(files: Files, file: String, bytes: u64, sealed: bool) -> Self {
        Self {
            files,
            file,
            bytes,
            sealed,
        }
    }

    /// Bytes of the plain file.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A range of the plain file, a part at a time.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = Result<Bytes, FileError>> + Send + 'static {
        let range = range.start..range.end.min(self.bytes);
        stream::try_unfold((self, range), |(reader, range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let number = range.start / PART as u64;
            let part = reader.part(number).await?;
            let begins = number * PART as u64;
            let from = (range.start - begins) as usize;
            let to = ((range.end - begins) as usize).min(part.len());
            Ok(Some((part.slice(from..to), (reader, begins + to as u64..range.end))))
        })
    }

    /// One part of the plain file.
    async fn part(&self, number: u64) -> Result<Bytes, FileError> {
        let content = self.files.get_part(&self.file, number).await?;
        let begins = number * PART as u64;
        let wanted = (self.bytes - begins).min(PART as u64) as usize;
        let this = self.clone();
        let opened = tokio::task::spawn_blocking(move || this.open(number, &content)).await;
        let plain = opened.map_err(|_| self.broken())??;
        if plain.len() == wanted {
            Ok(plain.into())
        } else {
            Err(self.broken())
        }
    }

    fn open(&self, number: u64, content: &[u8]) -> Result<Vec<u8>, FileError> {
        let unsealed;
        let frame = if self.sealed {
            unsealed = self
                .files
                .key
                .open(&purpose(&self.file, number), content)
                .ok_or_else(|| self.broken())?;
            &unsealed
        } else {
            content
        };
        zstd::bulk::decompress(frame, PART).map_err(|_| self.broken())
    }

    fn broken(&self) -> FileError {
        FileError::Broken(self.file.clone())
    }
}
