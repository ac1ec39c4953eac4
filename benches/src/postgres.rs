//! A PostgreSQL of the benchmark's own, in a folder that passes or is kept, stopped at the end.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;

/// A running PostgreSQL.
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    /// How it is ended: at once, or in order.
    ending: &'static str,
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
        let (bin, data) = Self::places(folder)?;
        Self::make(&bin, &data)?;
        Self::run(bin, data, folder, "immediate")
    }

    /// Starts the one that a run before has left in a folder, or makes it. It is ended in order, so that the next one finds all of it.
    pub fn keep(folder: &Path) -> Outcome<Self> {
        let (bin, data) = Self::places(folder)?;
        if data.join("PG_VERSION").exists() {
            let left_over = done(
                as_owner(&bin.join("pg_ctl"))
                    .arg("-D")
                    .arg(&data)
                    .arg("status")
                    .current_dir("/"),
            );
            if left_over.is_ok() {
                stop(&bin, &data, "fast")?;
            }
        } else {
            Self::make(&bin, &data)?;
        }
        Self::run(bin, data, folder, "fast")
    }

    fn places(folder: &Path) -> Outcome<(PathBuf, PathBuf)> {
        let bin = std::fs::read_dir("/usr/lib/postgresql")?
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .find(|bin| bin.join("initdb").exists())
            .ok_or("no PostgreSQL under /usr/lib/postgresql")?;
        std::fs::create_dir_all(folder)?;
        done(Command::new("chmod").arg("0777").arg(folder))?;
        Ok((bin, folder.join("data")))
    }

    fn make(bin: &Path, data: &Path) -> Outcome<()> {
        let mut initdb = as_owner(&bin.join("initdb"));
        done(initdb.args(["-A", "trust", "-U", "bench", "-D"]).arg(data).current_dir("/"))
            .map_err(|error| format!("{error}: the user that PostgreSQL runs as must reach {}", data.display()).into())
    }

    /// No socket of its own in the file system: the way to it may be too long for one.
    fn run(bin: PathBuf, data: PathBuf, folder: &Path, ending: &'static str) -> Outcome<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let options = format!("-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories=''");
        done(
            as_owner(&bin.join("pg_ctl"))
                .args(["-w", "-t", "600", "-o", &options, "-D"])
                .arg(&data)
                .arg("-l")
                .arg(folder.join("log"))
                .arg("start")
                .current_dir("/"),
        )?;
        Ok(Self {
            bin,
            folder: data,
            ending,
            url: format!("postgres://bench@127.0.0.1:{port}/postgres"),
        })
    }

    /// What it calls itself.
    pub fn version(&self) -> Outcome<String> {
        let said = Command::new(self.bin.join("postgres")).arg("--version").output()?.stdout;
        Ok(String::from_utf8_lossy(&said)
            .trim()
            .replace(" (PostgreSQL)", "")
            .replace("postgres", "PostgreSQL"))
    }
}

fn stop(bin: &Path, data: &Path, how: &str) -> Outcome<()> {
    done(
        as_owner(&bin.join("pg_ctl"))
            .args(["-m", how, "-D"])
            .arg(data)
            .arg("stop")
            .current_dir("/"),
    )
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = stop(&self.bin, &self.folder, self.ending);
    }
}
