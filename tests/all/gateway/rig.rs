//! A gateway in the tests' own process, before an upstream and beside a service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use audit_log::model::rights::Scope;
use audit_log::server::access::issue::IssuedKey;
use audit_log::server::config::gateway::{GatewayOptions, Upstream};
use audit_log::server::gateway::{self, Gateway, Store, Surroundings};
use audit_log::server::secrets::InstanceKey;
use audit_log::server::store::projects::Project;
use futures::FutureExt;
use reqwest::Method;
use serde_json::Value;

use crate::support::TestApp;

/// A gateway, its project, and a key that reads it.
pub struct Rig<'a> {
    pub app: &'a TestApp,
    pub gateway: Gateway,
    pub project: Project,
    pub key: IssuedKey,
}

/// The address of something on a loopback port.
pub fn at(port: u16) -> Upstream {
    Upstream {
        authority: format!("127.0.0.1:{port}").parse().unwrap(),
        is_https: false,
    }
}

/// What a gateway of this test is told: nothing is added to what passes.
pub fn options(app: &TestApp, upstream: u16) -> GatewayOptions {
    GatewayOptions {
        gateway_upstream: Some(at(upstream)),
        gateway_listen: "127.0.0.1:0".parse().unwrap(),
        gateway_spool: app.folder().join("spool"),
        gateway_forwarded: false,
        ..GatewayOptions::default()
    }
}

pub fn around(app: &TestApp) -> Surroundings {
    Surroundings {
        trusted_proxies: Vec::new(),
        key: Arc::new(InstanceKey::new([7; 32])),
        clock: app.server.clock.clone(),
        random: app.server.random.clone(),
    }
}

/// A database that can be taken away.
#[derive(Clone, Default)]
pub struct Switch(Arc<AtomicBool>);

impl Switch {
    pub fn back(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// The service's database, once it is back.
    pub fn store(&self, app: &TestApp, project: &Project) -> Store {
        let (server, is_there) = (app.server.clone(), Arc::clone(&self.0));
        let open = move || {
            let (server, is_there) = (server.clone(), is_there.load(Ordering::SeqCst));
            async move { if is_there { Ok(server) } else { Err("it is away".to_owned()) } }.boxed()
        };
        Store::opening(open, project.id.clone()).unwrap()
    }
}

impl<'a> Rig<'a> {
    /// A gateway before the upstream at this port.
    pub async fn before(app: &'a TestApp, upstream: u16) -> Self {
        Self::with(app, options(app, upstream)).await
    }

    pub async fn with(app: &'a TestApp, options: GatewayOptions) -> Self {
        let project = app.add_project("shop").await;
        let store = Store::of(&app.server, project.id.clone());
        Self::storing(app, project, options, store).await
    }

    pub async fn storing(app: &'a TestApp, project: Project, options: GatewayOptions, store: Store) -> Self {
        let key = app
            .add_key(&project, &[Scope::Read, Scope::ReadBodies, Scope::TasksWrite])
            .await;
        let gateway = gateway::start(&options, around(app), store).await.unwrap();
        Self {
            app,
            gateway,
            project,
            key,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.gateway.address().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.app.call(Method::GET, path, &self.key).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Every log that there is, whole, in the order of what was asked for.
    pub async fn everything(&self) -> Vec<Value> {
        let mut logs = Vec::new();
        for id in self.app.all_ids(&self.key).await {
            logs.push(self.get(&format!("/v1/logs/{id}")).await);
        }
        logs.sort_by_key(|log| (log["url"].to_string(), log["request_id"].to_string()));
        logs
    }

    /// The same, once there are so many.
    pub async fn logs(&self, count: usize) -> Vec<Value> {
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let ids = self.app.all_ids(&self.key).await;
            assert!(ids.len() <= count, "{count} logs were expected, there are {}", ids.len());
            if ids.len() == count {
                return self.everything().await;
            }
            assert!(Instant::now() < patience, "{} of {count} logs came", ids.len());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The one log that there is.
    pub async fn log(&self) -> Value {
        self.logs(1).await.pop().unwrap()
    }
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < patience, "{what}: waited in vain");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
