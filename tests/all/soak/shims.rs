//! The library `tests/shim/faults.c`: sets a process' clock, and refuses its writes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::service::Service;
use crate::kill::built;

/// What it is told.
pub struct Faults(File);

impl Faults {
    /// Builds the library, and lets a service be started with it.
    pub fn of(service: &mut Service) -> Self {
        let folder = service.folder.path();
        let told: PathBuf = folder.join("faults");
        std::fs::write(&told, [0; 16]).unwrap();
        service.preload.push(built(folder, "faults"));
        service.environment.push(("AUDIT_LOG_FAULTS", told.display().to_string()));
        Self(File::options().write(true).open(told).unwrap())
    }

    /// Sets the clock: milliseconds before or after the machine's.
    pub fn set_clock(&self, ms: i64) {
        self.0.write_all_at(&ms.to_ne_bytes(), 0).unwrap();
    }

    /// Lets writes to the database's files end with this error; 0 lets them be.
    pub fn refuse_writes(&self, error: i64) {
        self.0.write_all_at(&error.to_ne_bytes(), 8).unwrap();
    }
}
