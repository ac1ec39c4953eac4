//! Writing a file part by part.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{FileError, Files, PART, purpose};

/// Level of compression: what a core writes at some 300 MB a second.
const LEVEL: i32 = 1;

/// A file that has been written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the plain file.
    pub bytes: u64,
    /// SHA-256 of the plain file, in hexadecimal.
    pub sha256: String,
}

/// Writes a file. Dropped before its end it leaves parts behind, which whoever began it has noted beforehand as doomed.
#[derive(Debug)]
pub struct Writer {
    files: Files,
    file: String,
    sealed: bool,
    waiting: Vec<u8>,
    /// The part that is on its way, and the hash of all up to its end.
    on_its_way: Option<tokio::task::JoinHandle<Result<Sha256, FileError>>>,
    number: u64,
    bytes: u64,
    /// Of the parts that have arrived; whoever is on its way has it meanwhile.
    sha256: Sha256,
}

impl Writer {
    pub(super) fn new(files: Files, file: String, sealed: bool) -> Self {
        Self {
            files,
            file,
            sealed,
            waiting: Vec::with_capacity(PART),
            on_its_way: None,
            number: 0,
            bytes: 0,
            sha256: Sha256::new(),
        }
    }

    /// Bytes written so far.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds to the file.
    pub async fn push(&mut self, mut plain: &[u8]) -> Result<(), FileError> {
        self.bytes += plain.len() as u64;
        while self.waiting.len() + plain.len() >= PART {
            let (fits, rest) = plain.split_at(PART - self.waiting.len());
            self.waiting.extend_from_slice(fits);
            plain = rest;
            self.send().await?;
        }
        self.waiting.extend_from_slice(plain);
        Ok(())
    }

    /// Writes what is left; the file is whole then.
    pub async fn finish(mut self) -> Result<Written, FileError> {
        if !self.waiting.is_empty() {
            self.send().await?;
        }
        self.arrived().await?;
        Ok(Written {
            bytes: self.bytes,
            sha256: HEXLOWER.encode(&self.sha256.finalize()),
        })
    }

    /// Sends a part on its way, once the one before has arrived: while it is hashed, compressed and written the next one fills.
    async fn send(&mut self) -> Result<(), FileError> {
        self.arrived().await?;
        let plain = std::mem::replace(&mut self.waiting, Vec::with_capacity(PART));
        let (files, file, number, sealed) = (self.files.clone(), self.file.clone(), self.number, self.sealed);
        self.number += 1;
        let mut sha256 = std::mem::take(&mut self.sha256);
        self.on_its_way = Some(tokio::spawn(async move {
            let (content, sha256) = {
                let (files, file) = (files.clone(), file.clone());
                let closing = tokio::task::spawn_blocking(move || {
                    sha256.update(&plain);
                    close(&files, &file, number, &plain, sealed).map(|content| (content, sha256))
                });
                closing.await.map_err(|_| FileError::Broken(file_of_panic(number)))??
            };
            files.put_part(&file, number, content).await?;
            Ok(sha256)
        }));
        Ok(())
    }

    async fn arrived(&mut self) -> Result<(), FileError> {
        if let Some(part) = self.on_its_way.take() {
            self.sha256 = part.await.map_err(|_| FileError::Broken(self.file.clone()))??;
        }
        Ok(())
    }
}

fn file_of_panic(number: u64) -> String {
    format!("part {number}, which broke while it was compressed")
}

fn close(files: &Files, file: &str, number: u64, plain: &[u8], sealed: bool) -> Result<Vec<u8>, FileError> {
    let frame = zstd::bulk::compress(plain, LEVEL).map_err(|_| FileError::Broken(file.to_owned()))?;
    Ok(if sealed {
        files.key.seal(&purpose(file, number), &frame, &files.random)
    } else {
        frame
    })
}
