//! The server: command line in, service up.

use std::process::ExitCode;

/// Pages are many small texts: glibc's allocator took a quarter of the time that a page takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    audit_log::server::cli::run()
}
