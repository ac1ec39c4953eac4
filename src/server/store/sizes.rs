//! What the database takes: bytes by table, with their indexes, and all in all.

use std::collections::BTreeMap;

use sqlx::{query_as, query_scalar};

use super::{Db, StoreError};

/// Bytes of the whole database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// As it lies there.
    pub bytes: i64,
    /// Of them those that hold nothing and are used next; `None` where that is not known.
    pub reusable: Option<i64>,
}

/// The whole database. Asks little.
pub async fn whole(db: &Db) -> Result<Whole, StoreError> {
    const SQLITE: &str = "SELECT page_count * page_size, freelist_count * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    const POSTGRES: &str = "SELECT pg_database_size(current_database())";
    Ok(match db {
        Db::Sqlite { read, .. } => {
            let (bytes, reusable): (i64, i64) = query_as(SQLITE).fetch_one(read).await?;
            Whole {
                bytes,
                reusable: Some(reusable),
            }
        }
        Db::Postgres(pool) => Whole {
            bytes: query_scalar(POSTGRES).fetch_one(pool).await?,
            reusable: None,
        },
    })
}

/// Bytes of each table with its indexes, on PostgreSQL with all of its partitions, the largest first.
///
/// SQLite walks over every page of its file for that, one tree a statement, so that no snapshot is held for long: not for every page that somebody opens.
pub async fn tables(db: &Db) -> Result<Vec<(String, i64)>, StoreError> {
    let mut sizes = match db {
        Db::Sqlite { read, .. } => {
            const TREES: &str = "SELECT name, tbl_name FROM sqlite_schema WHERE rootpage > 0 ORDER BY 1";
            const SIZE: &str = "SELECT pgsize FROM dbstat WHERE name = $1 AND aggregate = TRUE";
            let trees: Vec<(String, String)> = query_as(TREES).fetch_all(read).await?;
            let mut sizes: BTreeMap<String, i64> = BTreeMap::new();
            for (tree, table) in trees {
                let size: Option<i64> = query_scalar(SIZE).bind(tree).fetch_optional(read).await?;
                *sizes.entry(table).or_default() += size.unwrap_or_default();
            }
            sizes.into_iter().collect::<Vec<_>>()
        }
        Db::Postgres(pool) => {
            const SIZES: &str =
                "SELECT CAST(COALESCE(p.relname, c.relname) AS TEXT), CAST(SUM(pg_total_relation_size(c.oid)) AS BIGINT)
                FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid LEFT JOIN pg_class AS p ON p.oid = i.inhparent
                WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS REGNAMESPACE) GROUP BY 1";
            query_as(SIZES).fetch_all(pool).await?
        }
    };
    sizes.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Ok(sizes)
}
