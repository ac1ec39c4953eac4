//! A gateway whose spool another one fetches over the network.

use std::time::Duration;

use audit_log::server::config::gateway::GatewayOptions;
use audit_log::server::gateway::{self, Gateway, Store};

use super::rig::{Rig, Switch, around, at, options, until};
use super::wire::Wire;
use crate::kill::own_port;
use crate::support::TestApp;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const KEY: &str = "0123456789abcdef";

async fn fetching(app: &TestApp, rig: &Rig<'_>, port: u16) -> Gateway {
    let options = GatewayOptions {
        gateway_tail: Some(at(port)),
        gateway_spool_key: Some(KEY.to_owned().into()),
        ..GatewayOptions::default()
    };
    gateway::start(&options, around(app), Store::of(&app.server, rig.project.id.clone()))
        .await
        .unwrap()
}

for_each_db! {
    async fn what_one_gateway_recorded_another_stores(app: TestApp) {
        let upstream = Wire::saying(OK).await;
        let port = own_port();
        let mut lending = options(app, upstream.port);
        lending.gateway_spool_listen = Some(([127, 0, 0, 1], port).into());
        lending.gateway_spool_key = Some(KEY.to_owned().into());
        let project = app.add_project("shop").await;
        // It has no way to a store of its own.
        let nowhere = Switch::default().store(app, &project);
        let rig = Rig::storing(app, project, lending, nowhere).await;
        let send = async |count: usize| {
            for _ in 0..count {
                let csv = app.client.post(rig.url("/people")).header("content-type", "text/csv").body("a,b\n");
                assert_eq!(csv.send().await.unwrap().status(), 200);
            }
        };
        send(10).await;
        let first = fetching(app, &rig, port).await;
        // An upload is kept once its log is.
        until("the uploads are there", async || {
            let logs = rig.everything().await;
            logs.len() == 10 && logs.iter().all(|log| log["import_file"]["bytes"] == 4)
        })
        .await;
        first.stop(Duration::from_secs(1)).await;
        send(7).await;
        let second = fetching(app, &rig, port).await;
        rig.logs(17).await;
        // Everything is acknowledged: a third one finds nothing to store twice.
        until("the spool knows that all is stored", async || {
            std::fs::read_to_string(app.folder().join("spool/position")).is_ok_and(|position| position.starts_with("1."))
        })
        .await;
        second.stop(Duration::from_secs(1)).await;
        let third = fetching(app, &rig, port).await;
        send(1).await;
        rig.logs(18).await;
        third.stop(Duration::from_secs(1)).await;
    }

    async fn only_whoever_knows_the_key_is_lent_a_spool(app: TestApp) {
        let upstream = Wire::saying(OK).await;
        let port = own_port();
        let mut lending = options(app, upstream.port);
        lending.gateway_spool_listen = Some(([127, 0, 0, 1], port).into());
        lending.gateway_spool_key = Some(KEY.to_owned().into());
        let project = app.add_project("shop").await;
        let nowhere = Switch::default().store(app, &project);
        let rig = Rig::storing(app, project, lending, nowhere).await;
        app.client.get(rig.url("/secret")).send().await.unwrap();
        let spool = format!("http://127.0.0.1:{port}/spool");
        for key in ["", "0123456789abcdeg", "0123456789abcde", "0123456789abcdef0"] {
            let answer = app.client.get(&spool).bearer_auth(key).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{key}");
            assert!(!answer.text().await.unwrap().contains("/secret"));
            let answer = app.client.post(format!("{spool}/stored?up_to=9.9")).bearer_auth(key).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{key}");
        }
        let read = app.client.get(&spool).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(read.status(), 200);
        assert_eq!(read.headers()["x-spool-damaged"], "0");
        let read = read.bytes().await.unwrap();
        assert!(memchr::memmem::find(&read, b"/secret").is_some());
        for bad in ["stored?up_to=x", "stored", "stored?up_to=1"] {
            let answer = app.client.post(format!("{spool}/{bad}")).bearer_auth(KEY).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{bad}");
        }
        // Past the end nothing is acknowledged.
        let answer = app.client.post(format!("{spool}/stored?up_to=99.0")).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(answer.status(), 204);
        let again = app.client.get(&spool).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(again.bytes().await.unwrap(), read);
    }
}
