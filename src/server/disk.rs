//! What a disk has left.

use std::path::Path;

/// Bytes that whoever runs this may still write into a folder; `None` where that cannot be known.
#[cfg(unix)]
pub fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that whoever runs this may still write into a folder; `None` where that cannot be known.
#[cfg(not(unix))]
pub fn free(_: &Path) -> Option<u64> {
    None
}
