//! The two databases of one kind: all of the days, and the last day alone.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::postgres::Postgres;
use crate::server::{self, Server};

/// The product's databases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// Its name in `BENCH_LARGE_ONLY`, and in the folder.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Where they stand, with the PostgreSQL that holds them.
pub struct Stand {
    pub kind: Kind,
    pub binary: PathBuf,
    folder: PathBuf,
    postgres: Option<Postgres>,
}

impl Stand {
    pub async fn open(kind: Kind, binary: &Path, folder: &Path) -> Outcome<Self> {
        let folder = folder.join(kind.word());
        for part in ["large", "day"] {
            fs::create_dir_all(folder.join(part))?;
            server::end_left_over(binary, &folder.join(part))?;
        }
        let postgres = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Postgres::keep(&folder.join("cluster"))?),
        };
        let stand = Self {
            kind,
            binary: binary.to_owned(),
            folder,
            postgres,
        };
        if let Some(postgres) = &stand.postgres {
            let pool = sqlx::PgPool::connect(&postgres.url).await?;
            for (part, create) in [("large", "CREATE DATABASE large"), ("day", "CREATE DATABASE day")] {
                let known: Option<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname = $1")
                    .bind(part)
                    .fetch_optional(&pool)
                    .await?;
                if known.is_none() {
                    sqlx::query(create).execute(&pool).await?;
                }
            }
            pool.close().await;
        }
        Ok(stand)
    }

    /// What its figures stand under.
    pub fn name(&self) -> Outcome<String> {
        match &self.postgres {
            None => Ok("SQLite".to_owned()),
            Some(postgres) => postgres.version(),
        }
    }

    /// A server on all of the days.
    pub fn large(&self) -> Outcome<Server> {
        self.serve("large")
    }

    /// A server on the last day alone.
    pub fn day(&self) -> Outcome<Server> {
        self.serve("day")
    }

    fn serve(&self, part: &str) -> Outcome<Server> {
        Server::start(&self.binary, &self.url(part), &self.of(part))
    }

    /// Where a server keeps what is not in the database.
    pub fn of(&self, part: &str) -> PathBuf {
        self.folder.join(part)
    }

    /// A file of the benchmark's own beside the databases.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// SQLite's file.
    pub fn database(&self, part: &str) -> PathBuf {
        self.of(part).join("product.db")
    }

    pub fn url(&self, part: &str) -> String {
        match &self.postgres {
            None => format!("sqlite://{}", self.database(part).display()),
            Some(postgres) => match postgres.url.rsplit_once('/') {
                Some((server, _)) => format!("{server}/{part}"),
                None => postgres.url.clone(),
            },
        }
    }

    /// After a load PostgreSQL is given at once what autovacuum brings within its minutes, so that it does not come while something is measured.
    pub async fn tidy(&self) -> Outcome<()> {
        if self.postgres.is_none() {
            return Ok(());
        }
        eprintln!("VACUUM and ANALYZE, which autovacuum would do some minutes from now");
        for part in ["large", "day"] {
            let pool = sqlx::PgPool::connect(&self.url(part)).await?;
            sqlx::query("VACUUM (ANALYZE)").execute(&pool).await?;
            sqlx::query("CHECKPOINT").execute(&pool).await?;
            pool.close().await;
        }
        Ok(())
    }
}
