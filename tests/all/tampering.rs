//! Whoever changes, removes, swaps or adds anything behind the service's back is told of, by the record's name; a chain that was made anew, or whose tail was cut
//! off, by a head that was saved before.

use audit_log::server::chain::head::SignedHead;
use audit_log::server::store::Db;
use audit_log::server::store::chain::{entry, read};
use audit_log::server::store::projects::Project;

use crate::chain::{anchor, assert_clean, filled, number, sql, verify_with, write_one};
use crate::support::TestApp;

/// What somebody does behind the service's back, what puts it back, and what the verifier says first.
pub struct Tampering {
    does: Vec<String>,
    undoes: Vec<String>,
    says: &'static str,
}

impl Tampering {
    pub fn new(says: &'static str, does: &[&str], undoes: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            does: owned(does),
            undoes: owned(undoes),
            says,
        }
    }

    /// Rows of a table that are gone, and come back.
    pub fn removed(says: &'static str, table: &str, which: &str) -> Self {
        Self {
            does: vec![
                format!("CREATE TABLE aside AS SELECT * FROM {table} WHERE {which}"),
                format!("DELETE FROM {table} WHERE {which}"),
            ],
            undoes: vec![
                format!("INSERT INTO {table} SELECT * FROM aside"),
                "DROP TABLE aside".to_owned(),
            ],
            says,
        }
    }

    /// A row that is changed by a statement, and put back as it was.
    pub fn put_back(says: &'static str, table: &str, which: &str, change: &str) -> Self {
        Self {
            does: vec![
                format!("CREATE TABLE aside AS SELECT * FROM {table} WHERE {which}"),
                change.to_owned(),
            ],
            undoes: vec![
                format!("DELETE FROM {table} WHERE id IN (SELECT id FROM aside) OR id IN (SELECT id || 'x' FROM aside)"),
                format!("INSERT INTO {table} SELECT * FROM aside"),
                "DROP TABLE aside".to_owned(),
            ],
            says,
        }
    }

    /// A row that is made of another one, with some columns set.
    pub fn added(says: &'static str, table: &str, which: &str, set: &str) -> Self {
        Self {
            does: vec![
                format!("CREATE TABLE aside AS SELECT * FROM {table} WHERE {which}"),
                format!("CREATE TABLE beside AS SELECT * FROM {table}"),
                format!("UPDATE aside SET {set}"),
                format!("INSERT INTO {table} SELECT * FROM aside"),
            ],
            undoes: vec![
                format!("DELETE FROM {table}"),
                format!("INSERT INTO {table} SELECT * FROM beside"),
                "DROP TABLE aside".to_owned(),
                "DROP TABLE beside".to_owned(),
            ],
            says,
        }
    }

    /// Does it, looks at what the verifier says, and undoes it.
    pub async fn check(&self, app: &TestApp, project: &Project) {
        for text in &self.does {
            sql(app, text).await;
        }
        let said = first(app, project).await;
        assert!(
            !said.is_empty() && said.contains(self.says),
            "{:?}\nsays {said:?}, not {:?}",
            self.does,
            self.says
        );
        for text in &self.undoes {
            sql(app, text).await;
        }
        assert_clean(app, project).await;
    }
}

/// What the verifier says first.
async fn first(app: &TestApp, project: &Project) -> String {
    let verified = verify_with(app, project, &[]).await;
    verified
        .report
        .findings()
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Every column of a log's row, one after another.
fn changed_columns() -> Vec<Tampering> {
    let which = "id = 'alone-2'";
    let numbers = "created_at status status_code duration_us request_bytes response_bytes seq slot notes";
    let mut changes: Vec<String> = numbers
        .split(' ')
        .map(|column| format!("{column} = COALESCE({column}, 0) + 7"))
        .collect();
    changes.push("origin = 1".to_owned());
    changes.push("block_id = NULL".to_owned());
    let texts = "method endpoint path id request_id channel user_email user_id app_id app_name client_app_id ip resource_type resource_id async_action_id";
    changes.extend(
        texts
            .split(' ')
            .map(|column| format!("{column} = COALESCE({column}, '') || 'x'")),
    );
    let tampering =
        |change: &String| Tampering::put_back("alone-2", "logs", which, &format!("UPDATE logs SET {change} WHERE {which}"));
    changes.iter().map(tampering).collect()
}

async fn set_digest(app: &TestApp, table: &str, number: i64, digest: &[u8; 32]) {
    let hex = data_encoding::HEXLOWER.encode(digest);
    let bytes = if matches!(app.db(), Db::Sqlite { .. }) {
        format!("X'{hex}'")
    } else {
        format!("decode('{hex}', 'hex')")
    };
    sql(app, &format!("UPDATE {table} SET digest = {bytes} WHERE number = {number}")).await;
}

for_each_db! {
    async fn whatever_is_changed_of_a_log_is_told(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        assert_clean(app, &project).await;
        let mut left = changed_columns();
        assert_eq!(left.len(), 26, "every column but the project's");
        for tampering in left.drain(..) {
            tampering.check(app, &project).await;
        }
    }

    async fn a_value_of_another_kind_is_told_by_its_row(app: TestApp) {
        // PostgreSQL takes no such value.
        if matches!(app.db(), Db::Sqlite { .. }) {
            let (project, _) = filled(app, "shop").await;
            let log = |set: &str| format!("UPDATE logs SET {set} WHERE id = 'alone-2'");
            let code = number(app, "SELECT status_code FROM logs WHERE id = 'alone-2'").await;
            let code = format!("status_code = {code}");
            let method = "method = CAST(method AS TEXT)";
            for tampering in [
                Tampering::new("'alone-2': its column status_code", &[&log("status_code = 'x'")], &[&log(&code)]),
                Tampering::new("'alone-2': its column status_code", &[&log("status_code = 70000")], &[&log(&code)]),
                Tampering::new("'alone-2': its column method", &[&log("method = CAST(method AS BLOB)")], &[&log(method)]),
                Tampering::new("row chain_entries 3: its column at",
                    &["CREATE TABLE aside AS SELECT at FROM chain_entries WHERE number = 3", "UPDATE chain_entries SET at = 'soon' WHERE number = 3"],
                    &["UPDATE chain_entries SET at = (SELECT at FROM aside) WHERE number = 3", "DROP TABLE aside"]),
                Tampering::new("'over': its column created_at",
                    &["CREATE TABLE aside AS SELECT created_at FROM tasks WHERE id = 'over'", "UPDATE tasks SET created_at = X'00' WHERE id = 'over'"],
                    &["UPDATE tasks SET created_at = (SELECT created_at FROM aside) WHERE id = 'over'", "DROP TABLE aside"]),
            ] {
                tampering.check(app, &project).await;
            }
        }
    }

    async fn what_is_removed_swapped_or_added_is_told(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        let seq = |id: &str| format!("SELECT seq FROM logs WHERE id = '{id}'");
        let (one, two) = (number(app, &seq("alone-3")).await, number(app, &seq("alone-4")).await);
        let swapped = format!("UPDATE logs SET seq = {one} + {two} - seq WHERE id IN ('alone-3', 'alone-4')");
        let block = "id = (SELECT block_id FROM logs WHERE id = 'alone-7')";
        let of_block = |set: &str| format!("UPDATE log_blocks SET {set} WHERE {block}");
        for tampering in [
            Tampering::removed("it was removed", "logs", "id = 'alone-5'"),
            Tampering::removed("it was removed", "logs", "id = (SELECT MIN(id) FROM logs WHERE id NOT LIKE 'alone%')"),
            Tampering::new("it was changed or swapped", &[&swapped], &[&swapped]),
            // One that is there twice, and one that nobody sent.
            Tampering::added("alone-6x", "logs", "id = 'alone-6'", "id = 'alone-6x'"),
            Tampering::added("alone-6x", "logs", "id = 'alone-6'", "id = 'alone-6x', seq = -5"),
            // What logs say.
            Tampering::removed("what it says is not in block", "log_blocks", block),
            Tampering::added("or this was added", "log_blocks", block, "id = -3"),
            Tampering::new("its number of logs", &[&of_block("count = count + 1")], &[&of_block("count = count - 1")]),
            Tampering::new("its times", &[&of_block("max_time = max_time + 1")], &[&of_block("max_time = max_time - 1")]),
            Tampering::new("cannot be read", &[&of_block("bytes = bytes + 1")], &[&of_block("bytes = bytes - 1")]),
        ] {
            tampering.check(app, &project).await;
        }
    }

    async fn whatever_is_changed_beside_logs_is_told(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        let over = |set: &str| format!("UPDATE tasks SET {set} WHERE id = 'over'");
        for tampering in [
            Tampering::new("task over", &[&over("operation_status = 1")], &[&over("operation_status = 0")]),
            Tampering::new("task over", &[&over("status = 3")], &[&over("status = 2")]),
            Tampering::new("task over", &[&over("status = 1")], &[&over("status = 2")]),
            Tampering::new("task over", &[&over("finished_at = finished_at + 1")], &[&over("finished_at = finished_at - 1")]),
            Tampering::new("task running", &["UPDATE tasks SET type = 'x' WHERE id = 'running'"], &["UPDATE tasks SET type = 'VOUCHERS.IMPORT_CSV' WHERE id = 'running'"]),
            Tampering::removed("task over: it is not there", "tasks", "id = 'over'"),
            Tampering::added("task added", "tasks", "id = 'over'", "id = 'added', created_at = created_at - 5"),
            Tampering::removed("export", "exports", "exported_object = 'voucher'"),
            Tampering::new("export", &["UPDATE exports SET exported_object = 'order'"], &["UPDATE exports SET exported_object = 'voucher'"]),
            Tampering::removed("original of the import of log alone-1: it is not there", "import_files", "log_id = 'alone-1'"),
            Tampering::new("original of the import", &["UPDATE import_files SET name = 'b.csv'"], &["UPDATE import_files SET name = 'a.csv'"]),
            Tampering::new("masking rules", &["UPDATE mask_rules SET text = 'other'"], &["UPDATE mask_rules SET text = 'nickname'"]),
            Tampering::removed("masking rules", "mask_rules", "text = 'nickname'"),
            Tampering::new("retention", &["UPDATE retention SET logs_days = 1"], &["UPDATE retention SET logs_days = 200"]),
        ] {
            tampering.check(app, &project).await;
        }
    }

    async fn a_chain_that_is_changed_is_told(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        let third = |set: &str| format!("UPDATE chain_entries SET {set} WHERE number = 3");
        let swapped = "UPDATE chain_entries SET number = CASE number WHEN 4 THEN -1 WHEN 5 THEN -2 END WHERE number IN (4, 5)";
        let placed = "UPDATE chain_entries SET number = CASE number WHEN -1 THEN 5 WHEN -2 THEN 4 END WHERE number < 0";
        let others = "UPDATE chain_leaves SET leaves = (SELECT leaves FROM chain_leaves AS o WHERE o.number = 2) WHERE number = 3";
        for tampering in [
            Tampering::new("entry 3 of the chain", &[&third("at = at + 1")], &[&third("at = at - 1")]),
            Tampering::new("entry 3 of the chain", &[&third("kind = 5")], &[&third("kind = 1")]),
            Tampering::new("entry 3 of the chain", &[&third("first_seq = first_seq + 1")], &[&third("first_seq = first_seq - 1")]),
            Tampering::removed("entry 4 of the chain: the entry is not there", "chain_entries", "number = 4"),
            Tampering::removed("entry 1 of the chain: the entry is not there", "chain_entries", "number = 1"),
            Tampering::removed("the chain has no head", "chain_heads", "number > 0"),
            Tampering::removed("the digests of entry 2", "chain_leaves", "number = 2"),
            Tampering::new("entry 4 of the chain", &[swapped, placed], &[swapped, placed]),
            Tampering::new("does not end where its head says", &["UPDATE chain_heads SET number = number - 1"], &["UPDATE chain_heads SET number = number + 1"]),
            Tampering::new("entry 3 of the chain: the digests of the entry's logs",
                &["CREATE TABLE aside AS SELECT * FROM chain_leaves WHERE number = 3", others],
                &["UPDATE chain_leaves SET leaves = (SELECT leaves FROM aside) WHERE number = 3", "DROP TABLE aside"]),
        ] {
            tampering.check(app, &project).await;
        }
    }

    async fn a_saved_head_tells_of_a_chain_that_was_made_anew_or_cut(app: TestApp) {
        let (project, _) = filled(app, "shop").await;
        let saved = anchor(app, &project).await;
        write_one(app, &project).await;
        assert!(verify_with(app, &project, std::slice::from_ref(&saved)).await.report.is_clean());
        // Whoever has the database alone makes the chain anew after a change: it is whole again.
        sql(app, "UPDATE chain_entries SET at = at + 1 WHERE number = 3").await;
        let entries = read::entries(app.db(), project.key, 0, 10_000).await.unwrap();
        let mut digests = vec![entry::origin(&project.id)];
        for stored in &entries {
            let digest = entry::digest(digests.last().unwrap(), stored.number, stored.at, stored.kind, &stored.body);
            set_digest(app, "chain_entries", stored.number, &digest).await;
            digests.push(digest);
        }
        let last = entries.last().unwrap();
        set_digest(app, "chain_heads", last.number, digests.last().unwrap()).await;
        assert_clean(app, &project).await;
        let told = verify_with(app, &project, std::slice::from_ref(&saved)).await;
        assert!(told.report.findings()[0].to_string().contains("it was made anew"), "{:?}", told.report.findings());
        // Nor does it help to change what was saved.
        let forged = SignedHead { digest: data_encoding::HEXLOWER.encode(digests.last().unwrap()), ..saved.clone() };
        assert!(verify_with(app, &project, &[forged]).await.report.findings()[0].to_string().contains("signature"));
        // Cut off where it is whole.
        let saved = anchor(app, &project).await;
        assert_eq!(last.logs, Some(1));
        sql(app, &format!("DELETE FROM logs WHERE seq = {}", last.first_seq.unwrap())).await;
        sql(app, "DELETE FROM log_blocks WHERE NOT EXISTS (SELECT 1 FROM logs WHERE block_id = log_blocks.id)").await;
        sql(app, &format!("DELETE FROM chain_entries WHERE number = {}", last.number)).await;
        sql(app, &format!("UPDATE chain_heads SET number = {}", last.number - 1)).await;
        set_digest(app, "chain_heads", last.number - 1, &digests[digests.len() - 2]).await;
        assert_clean(app, &project).await;
        let told = verify_with(app, &project, std::slice::from_ref(&saved)).await;
        assert!(told.report.findings()[0].to_string().contains("its tail was cut off"), "{:?}", told.report.findings());
    }
}
