//! Files that are too large for the database: exports, and the originals of imports. A folder, or any S3, behind `object_store`.
//!
//! A file is a folder of parts, each [`PART`] bytes of the plain file (the last one fewer) as a zstd frame of its own: any range is read without what is before
//! it, and nothing is ever whole in memory. Originals of imports are sealed with the instance key, part by part. The size and the hash that people see are
//! those of the plain file.

mod reader;
mod reseal;
mod stored;
mod writer;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::clock::Random;
use super::secrets::InstanceKey;

pub use reader::Reader;
pub use reseal::ResealedPart;
pub use stored::Stored;
pub use writer::{Writer, Written};

/// Bytes of the plain file in each part but the last.
pub const PART: usize = 4 << 20;

/// Why a file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder or the bucket said no, or could not be reached.
    #[error("the files could not be reached: {0}")]
    Store(#[from] object_store::Error),
    /// The folder could not be tidied, or written to.
    #[error("a file's folder could not be changed: {0}")]
    Folder(std::io::Error),
    /// What is there is not what was written.
    #[error("the file {0} is not what was written")]
    Broken(String),
    /// The URL names no place for files.
    #[error("{0}")]
    Url(String),
}

/// Where files are.
#[derive(Clone, Debug)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    /// Where they lie, in a folder of this machine.
    folder: Option<PathBuf>,
    key: Arc<InstanceKey>,
    random: Random,
}

impl Files {
    /// Opens `file:folder` (made where it is not there) or `s3://bucket/folder`, whose access comes from the variables that AWS's own tools read.
    pub fn open(url: &str, key: Arc<InstanceKey>, random: Random) -> Result<Self, FileError> {
        let (store, local) = place(url, true)?;
        Ok(Self {
            store,
            folder: local,
            key,
            random,
        })
    }

    /// Begins a file under this name. What is written is there, whole, once [`Writer::finish`] has returned.
    pub fn write(&self, file: &str, sealed: bool) -> Writer {
        Writer::new(self.clone(), file.to_owned(), sealed)
    }

    /// A file of so many plain bytes, to be read.
    pub fn read(&self, file: &str, bytes: u64, sealed: bool) -> Reader {
        Reader::new(self.clone(), file.to_owned(), bytes, sealed)
    }

    /// Bytes that a file takes as it lies there, compressed; 0 where it is not there.
    pub async fn stored_bytes(&self, file: &str) -> Result<u64, FileError> {
        let parts = self.store.list(Some(&Path::from(file)));
        Ok(parts.try_fold(0_u64, |sum, part| async move { Ok(sum + part.size) }).await?)
    }

    /// Deletes a file; one that is not there is no error.
    pub async fn delete(&self, file: &str) -> Result<(), FileError> {
        let parts: Vec<Path> = self
            .store
            .list(Some(&Path::from(file)))
            .map_ok(|part| part.location)
            .try_collect()
            .await?;
        let parts = futures::stream::iter(parts.into_iter().map(Ok)).boxed();
        let mut deleted = self.store.delete_stream(parts);
        while let Some(part) = deleted.next().await {
            match part {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(problem) => return Err(problem.into()),
            }
        }
        self.delete_staged(file).await
    }

    /// Deletes what a process that was killed left of a part it had begun: in a folder it has a name that the store does not list.
    async fn delete_staged(&self, file: &str) -> Result<(), FileError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        match tokio::fs::remove_dir_all(folder.join(file)).await {
            Err(problem) if problem.kind() != ErrorKind::NotFound => Err(FileError::Folder(problem)),
            _ => Ok(()),
        }
    }

    async fn put_part(&self, file: &str, number: u64, content: Vec<u8>) -> Result<(), FileError> {
        self.store.put(&part_path(file, number), content.into()).await?;
        Ok(())
    }

    async fn get_part(&self, file: &str, number: u64) -> Result<bytes::Bytes, FileError> {
        Ok(self.store.get(&part_path(file, number)).await?.bytes().await?)
    }
}

/// The folder or the bucket that a URL names, and the folder where it is one; `make` where it is to be made.
fn place(url: &str, make: bool) -> Result<(Arc<dyn ObjectStore>, Option<PathBuf>), FileError> {
    // TLS by ring, for whoever speaks it in this process. An error says that one was chosen before, which serves as well.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    if let Some(place) = url.strip_prefix("s3://") {
        let store = AmazonS3Builder::from_env().with_url(url).build()?;
        return Ok(match place.split_once('/').map(|(_, folder)| folder.trim_matches('/')) {
            Some(folder) if !folder.is_empty() => (Arc::new(object_store::prefix::PrefixStore::new(store, folder)), None),
            _ => (Arc::new(store), None),
        });
    }
    let folder = super::config::files_path(url).map_err(FileError::Url)?.to_owned();
    if make {
        std::fs::create_dir_all(&folder)
            .map_err(|problem| FileError::Url(format!("the folder {} cannot be made: {problem}", folder.display())))?;
    }
    let store = LocalFileSystem::new_with_prefix(&folder)?
        .with_fsync(true)
        .with_automatic_cleanup(true);
    Ok((Arc::new(store), Some(folder)))
}

fn part_path(file: &str, number: u64) -> Path {
    Path::from(format!("{file}/{number:08}"))
}

/// What a part is sealed for: no part can stand in another's place.
fn purpose(file: &str, number: u64) -> String {
    format!("file {file} {number}")
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use sha2::{Digest, Sha256};

    use super::*;

    fn files(folder: &std::path::Path) -> Files {
        Files::open(
            &format!("file:{}", folder.display()),
            Arc::new(InstanceKey::new([7; 32])),
            Random::seeded(1),
        )
        .unwrap()
    }

    async fn read_all(files: &Files, file: &str, bytes: usize, sealed: bool, range: std::ops::Range<u64>) -> Vec<u8> {
        let stream = files.read(file, bytes as u64, sealed).stream(range);
        let parts: Vec<bytes::Bytes> = stream.try_collect().await.unwrap();
        parts.concat()
    }

    #[tokio::test]
    async fn any_range_of_what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let plain: Vec<u8> = (0..PART + PART / 2).map(|place| (place * 31 % 251) as u8).collect();
        for sealed in [false, true] {
            let name = format!("exports/{sealed}/1");
            let mut writer = files.write(&name, sealed);
            for some in plain.chunks(999_983) {
                writer.push(some).await.unwrap();
            }
            let written = writer.finish().await.unwrap();
            assert_eq!(written.bytes, plain.len() as u64);
            assert_eq!(written.sha256, data_encoding::HEXLOWER.encode(&Sha256::digest(&plain)));
            for (from, to) in [(0, plain.len()), (5, 6), (PART - 3, PART + 3), (PART, plain.len()), (7, 7)] {
                let range = from as u64..to as u64;
                assert_eq!(read_all(&files, &name, plain.len(), sealed, range).await, plain[from..to]);
            }
        }
    }

    #[tokio::test]
    async fn a_deleted_file_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let mut writer = files.write("imports/x", true);
        writer.push(b"hello").await.unwrap();
        writer.finish().await.unwrap();
        files.delete("imports/x").await.unwrap();
        files.delete("imports/x").await.unwrap();
        assert!(std::fs::read_dir(folder.path().join("imports")).map_or(true, |mut left| left.next().is_none()));
    }

    #[tokio::test]
    async fn a_part_that_was_changed_or_moved_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        for name in ["a", "b"] {
            let mut writer = files.write(name, true);
            writer.push(name.as_bytes()).await.unwrap();
            writer.finish().await.unwrap();
        }
        std::fs::copy(folder.path().join("a/00000000"), folder.path().join("b/00000000")).unwrap();
        let read: Result<Vec<bytes::Bytes>, FileError> = files.read("b", 1, true).stream(0..1).try_collect().await;
        assert!(matches!(read, Err(FileError::Broken(_))));
    }
}
