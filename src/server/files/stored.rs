//! Files as they lie there, part by part, for a backup: what is sealed stays sealed, so that no key is asked for.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{FileError, place};

/// A folder or a bucket of files that is read alone, and not made where it is not there.
#[derive(Clone, Debug)]
pub struct Stored(Arc<dyn ObjectStore>);

impl Stored {
    /// Opens it, by the same URL as [`super::Files`].
    pub fn open(url: &str) -> Result<Self, FileError> {
        Ok(Self(place(url, false)?.0))
    }

    /// Copies a file's parts into the same place below a folder, synced, and gives their bytes; `None` where there are none.
    pub async fn copy(&self, file: &str, to: &Path) -> Result<Option<u64>, FileError> {
        let parts: Vec<_> = self.0.list(Some(&object_store::path::Path::from(file))).try_collect().await?;
        let mut bytes = None;
        for part in parts {
            let content = match self.0.get(&part.location).await {
                Ok(found) => found.bytes().await?,
                // Deleted since it was listed, and the others are about to be: whoever asks looks whether it is named still.
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(problem) => return Err(problem.into()),
            };
            *bytes.get_or_insert(0) += content.len() as u64;
            let path = to.join(part.location.as_ref());
            let written = tokio::task::spawn_blocking(move || write(&path, &content)).await;
            written
                .map_err(|_| FileError::Broken(file.to_owned()))?
                .map_err(FileError::Folder)?;
        }
        Ok(bytes)
    }
}

fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::File::open(folder)?.sync_all()
}
