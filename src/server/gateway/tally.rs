//! How many exchanges have begun, and how many of them are on disk or counted as missing: kept in a file every few hundredths of a second, so that a gateway which was killed
//! knows afterwards how many it took with it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Three numbers of 64 bits, little endian.
const LENGTH: usize = 24;

/// What the tally says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Exchanges that began.
    pub(super) begun: u64,
    /// Those that are on disk, or counted as missing.
    pub(super) ended: u64,
    /// When that was, in milliseconds since 1970.
    pub(super) at: i64,
}

impl Count {
    /// Those that nobody would know of.
    pub(super) const fn open(&self) -> u64 {
        self.begun.saturating_sub(self.ended)
    }
}

/// The file.
pub(super) struct Tally(File);

impl Tally {
    /// Opens it, and gives what it said last.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Count)> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((Self(file), read(&bytes).unwrap_or_default()))
    }

    /// Says something else. It is not synced: what a power cut takes, the spool's last second, is not counted exactly.
    pub(super) fn write(&mut self, count: Count) -> io::Result<()> {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(&count.begun.to_le_bytes());
        bytes[8..16].copy_from_slice(&count.ended.to_le_bytes());
        bytes[16..].copy_from_slice(&count.at.to_le_bytes());
        self.0.seek(SeekFrom::Start(0))?;
        self.0.write_all(&bytes)
    }
}

fn read(bytes: &[u8]) -> Option<Count> {
    let (numbers, []) = bytes.as_chunks::<8>() else { return None };
    let [begun, ended, at] = numbers else { return None };
    Some(Count {
        begun: u64::from_le_bytes(*begun),
        ended: u64::from_le_bytes(*ended),
        at: i64::from_le_bytes(*at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_said_last_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tally");
        let (mut tally, before) = Tally::open(&path).unwrap();
        assert_eq!(before.open(), 0);
        let count = Count {
            begun: 9,
            ended: 7,
            at: 1_000,
        };
        tally.write(Count { begun: 8, ..count }).unwrap();
        tally.write(count).unwrap();
        drop(tally);
        assert_eq!(Tally::open(&path).unwrap().1, count);
        assert_eq!(count.open(), 2);
        std::fs::write(&path, b"torn").unwrap();
        assert_eq!(Tally::open(&path).unwrap().1, Count::default());
    }
}
