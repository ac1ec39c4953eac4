//! What is configured, from the command line and the environment.

/// The server's configuration.
#[derive(Clone, Debug)]
pub struct Config {}
