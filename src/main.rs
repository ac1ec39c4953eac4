//! The server: command line in, service up.

use std::process::ExitCode;

fn main() -> ExitCode {
    audit_log::server::cli::run()
}
