//! Sealing a file's parts anew with the instance key of now, beside servers that read and delete them: each part by itself, whole or not at all.

use futures::TryStreamExt;
use object_store::path::Path;

use super::{FileError, Files, purpose};

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResealedPart {
    /// It is sealed with the key of now.
    Changed,
    /// It was already.
    Already,
    /// None of the keys opens it: it stays as it is.
    Broken,
    /// It was deleted meanwhile.
    Gone,
}

impl Files {
    /// The numbers of a file's parts, in their order; none where the file is not there.
    pub async fn parts(&self, file: &str) -> Result<Vec<u64>, FileError> {
        let listed = self.store.list(Some(&Path::from(file)));
        let names: Vec<Option<u64>> = listed
            .map_ok(|part| part.location.filename().and_then(|name| name.parse().ok()))
            .try_collect()
            .await?;
        let mut numbers: Vec<u64> = names.into_iter().flatten().collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Seals one part anew. The new one takes the old one's place at once, so that whoever reads meets one of the two, and both open.
    pub async fn reseal(&self, file: &str, number: u64) -> Result<ResealedPart, FileError> {
        let content = match self.get_part(file, number).await {
            Err(FileError::Store(object_store::Error::NotFound { .. })) => return Ok(ResealedPart::Gone),
            content => content?,
        };
        let (this, purpose) = (self.clone(), purpose(file, number));
        let done = tokio::task::spawn_blocking(move || {
            let again = this.key.reseal(&purpose, &content, &this.random);
            let is_open = again.is_some() || this.key.open(&purpose, &content).is_some();
            (again, is_open)
        });
        match done.await.map_err(|_| FileError::Broken(file.to_owned()))? {
            (Some(again), _) => {
                self.put_part(file, number, again).await?;
                Ok(ResealedPart::Changed)
            }
            (None, true) => Ok(ResealedPart::Already),
            (None, false) => Ok(ResealedPart::Broken),
        }
    }
}
