//! `audit-log worker` as a process of its own beside the service under test.

use std::process::{Child, Command, Stdio};

use super::TestApp;

/// The process; killed where it is dropped.
pub struct Worker(Child);

impl Worker {
    /// Starts it on the service's database and files, with more variables of its environment.
    pub fn start(app: &TestApp, environment: &[(&str, String)]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_audit-log"))
            .arg("worker")
            .env_clear()
            .env("DATABASE_URL", &app.database_url)
            .env(
                "AUDIT_LOG_FILES_URL",
                format!("file:{}", app.folder().join("files").display()),
            )
            // The key that `TestApp` has.
            .env("AUDIT_LOG_SECRET_KEY", "07".repeat(32))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(app.folder())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Worker {
    /// `kill -9`: nothing is given back.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
