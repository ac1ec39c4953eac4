//! The server: command line in, service up.

use std::process::ExitCode;

/// Pages are many small texts: glibc's allocator took a quarter of the time that a page takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 2 (its `mimalloc.h` has it between 14 and 16, which the crate names).
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> ExitCode {
    give_memory_back();
    audit_log::server::cli::run()
}

/// Freed pages go back to the system at once instead of 10 ms later: after a burst of exports and searches the process held twice what it used.
/// `MIMALLOC_PURGE_DELAY` in the environment wins.
#[allow(unsafe_code, reason = "the allocator's options are set by a C function alone")]
fn give_memory_back() {
    // SAFETY: it stores a number in a table of the allocator's, under an index within it, before there is a second thread.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 0) };
}
