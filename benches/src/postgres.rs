//! A PostgreSQL of the benchmark's own, in a temporary folder, stopped at the end.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;

/// A running PostgreSQL.
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    /// Where it is reached.
    pub url: String,
}

/// PostgreSQL refuses to run as root; Debian's package has made the user `postgres` for it.
fn as_owner(program: &Path) -> Command {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"0\n"));
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn done(command: &mut Command) -> Outcome<()> {
    let status = command.stdout(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {status}").into())
    }
}

impl Postgres {
    /// Makes and starts one, with the settings it ships with: a commit is on the disk.
    pub fn start(folder: &Path) -> Outcome<Self> {
        let bin = std::fs::read_dir("/usr/lib/postgresql")?
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .find(|bin| bin.join("initdb").exists())
            .ok_or("no PostgreSQL under /usr/lib/postgresql")?;
        std::fs::create_dir_all(folder)?;
        done(Command::new("chmod").arg("0777").arg(folder))?;
        let data = folder.join("data");
        done(
            as_owner(&bin.join("initdb"))
                .args(["-A", "trust", "-U", "bench", "-D"])
                .arg(&data)
                .current_dir("/"),
        )?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let options = format!("-c listen_addresses=127.0.0.1 -p {port} -k {}", folder.display());
        let log = folder.join("log");
        done(
            as_owner(&bin.join("pg_ctl"))
                .args(["-w", "-o", &options, "-D"])
                .arg(&data)
                .arg("-l")
                .arg(log)
                .arg("start")
                .current_dir("/"),
        )?;
        Ok(Self {
            bin,
            folder: data,
            url: format!("postgres://bench@127.0.0.1:{port}/postgres"),
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = done(
            as_owner(&self.bin.join("pg_ctl"))
                .args(["-m", "immediate", "-D"])
                .arg(&self.folder)
                .arg("stop")
                .current_dir("/"),
        );
    }
}
