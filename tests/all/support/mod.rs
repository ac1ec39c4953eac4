//! Starts the service for a test, and asks it.
//!
//! ```ignore
//! for_each_db! {
//!     async fn a_name_that_says_what_holds(app: TestApp) {
//!         let project = app.add_project("shop").await;
//!         assert_eq!(app.get("/health/live").await.status(), 200);
//!     }
//! }
//! ```
//! makes the tests `a_name_that_says_what_holds::sqlite` and `…::postgres`.

mod app;
mod mailbox;
mod postgres;
mod receiver;
mod routes;
mod self_signed;
pub mod tables;
mod worker;

pub use mailbox::{Door, Mailbox};
pub use receiver::{Answer, Receiver};
pub use routes::routes;
pub use self_signed::{SelfSigned, pem};
pub use worker::Worker;

pub use postgres::{Cluster, bare_database, new_database};

pub use app::{Database, TestApp, cookie_of, run_binary};

/// Runs the same body on SQLite and on PostgreSQL. `with |config| …` before the function changes the configuration.
macro_rules! for_each_db {
    (with $with:expr; $(async fn $name:ident($app:ident: TestApp) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($app: &$crate::support::TestApp) $body

            #[test]
            fn sqlite() {
                $crate::support::TestApp::run($crate::support::Database::Sqlite, $with, async |app| body(app).await);
            }

            #[test]
            fn postgres() {
                $crate::support::TestApp::run($crate::support::Database::Postgres, $with, async |app| body(app).await);
            }
        }
    )+};
    ($(async fn $name:ident($app:ident: TestApp) $body:block)+) => {
        for_each_db! { with |_: &mut audit_log::server::config::Config| {}; $(async fn $name($app: TestApp) $body)+ }
    };
}
