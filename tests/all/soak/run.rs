//! One fault's run: a service, its processes, the load on them, and the ledger.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use super::check;
use super::ledger::{Entries, Fate, Ledger, event_id};
use super::load::{Door, Load, seeds};
use super::service::{Process, Service};
use super::{is_full, say};
use crate::support::{Answer, Cluster, Receiver};

/// How often a soak says how far it is.
const TELL: Duration = Duration::from_secs(15);

/// A service under load.
pub struct Run {
    /// What is done to it, and on which database.
    pub name: String,
    pub service: Service,
    pub ledger: Arc<Ledger>,
    pub receiver: Receiver,
    pub door: Door,
    /// Servers first, then workers.
    pub processes: Vec<Process>,
    /// The database as whoever checks reaches it: past whatever stands between.
    pub direct: String,
    load: Option<Load>,
    _teller: AbortOnDropHandle<()>,
}

/// A PostgreSQL as people run one, with an empty database: its URL.
pub async fn cluster() -> (Arc<Cluster>, String) {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start("-c max_connections=120"))
        .await
        .unwrap();
    cluster.create("soaked", "template1").await;
    let url = format!("{}/soaked", cluster.url);
    (Arc::new(cluster), url)
}

/// A service on a database.
pub fn on(database_url: &str) -> Service {
    Service::new(tempfile::tempdir().unwrap(), database_url.to_owned())
}

impl Run {
    /// Starts servers and workers, and the load on them.
    pub async fn begin(name: &str, service: Service, servers: usize, workers: usize) -> Self {
        let receiver = Receiver::start(|before, _| Answer::code(if before % 50 == 49 { 500 } else { 200 })).await;
        Self::begin_with(name, service, (servers, workers), receiver).await
    }

    /// The same, with a receiver of one's own.
    pub async fn begin_with(name: &str, service: Service, (servers, workers): (usize, usize), receiver: Receiver) -> Self {
        let ports: Vec<u16> = (0..servers).map(|_| Process::port()).collect();
        let mut processes: Vec<Process> = ports.iter().map(|port| service.serve(*port)).collect();
        for server in &mut processes {
            server.ready().await;
        }
        processes.extend((0..workers).map(|_| service.work()));
        let mut door = Door::to(&service, ports);
        door.sign_in().await;
        let ledger = Arc::new(Ledger::default());
        let mut run = Self {
            name: name.to_owned(),
            direct: service.database_url.clone(),
            _teller: teller(name, &ledger),
            service,
            ledger,
            receiver,
            door,
            processes,
            load: None,
        };
        run.prepare().await;
        run.load = Some(Load::start(&run.door, &run.ledger));
        run
    }

    /// An endpoint, and the logs that every export holds.
    async fn prepare(&self) {
        let endpoint = json!({"target_url": self.receiver.url()});
        let made = self
            .door
            .call(Method::POST, "/v1/webhooks")
            .json(&endpoint)
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), 201);
        let sent = self.door.call(Method::POST, "/v1/logs").json(&seeds()).send().await.unwrap();
        assert_eq!(sent.status(), 201);
    }

    /// A service that was restored, with what is expected of it, under no load.
    pub async fn restored(name: &str, service: Service, expected: Entries, receiver: Receiver) -> Self {
        let mut server = service.serve(Process::port());
        server.ready().await;
        Self {
            name: name.to_owned(),
            direct: service.database_url.clone(),
            door: Door::to(&service, vec![server.port]),
            service,
            ledger: Arc::new(Ledger::of(expected)),
            receiver,
            processes: vec![server],
            load: None,
            _teller: AbortOnDropHandle::new(tokio::spawn(async {})),
        }
    }

    /// Starts a process anew that has ended, as what it was.
    pub fn start(&mut self, place: usize) {
        let port = self.processes[place].port;
        self.processes[place] = if port == 0 {
            self.service.work()
        } else {
            self.service.serve(port)
        };
    }

    /// Waits until so many more logs are acknowledged than now.
    pub async fn until_acknowledged(&self, more: usize, within: Duration) {
        let (before, patience) = (self.ledger.acknowledged(), Instant::now() + within);
        while self.ledger.acknowledged() < before + more {
            assert!(
                Instant::now() < patience,
                "{}: only {} of {more} logs were acknowledged in {within:?}\n{:#?}\n{}",
                self.name,
                self.ledger.acknowledged() - before,
                self.ledger.copy().surprises,
                self.service.lines()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until so many more calls are refused than now.
    pub async fn until_refused(&self, more: usize, within: Duration) {
        let (before, patience) = (self.ledger.refused(), Instant::now() + within);
        while self.ledger.refused() < before + more {
            assert!(Instant::now() < patience, "{}: nobody was refused in {within:?}", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until logs are taken, an export is made and an event arrives, each of them sent from now on.
    pub async fn goes_on(&self, when: &str) {
        let patience = Instant::now() + Duration::from_secs(45);
        let place = self.ledger.event();
        let event = json!({"id": event_id(place), "type": "soak.event", "data": {}});
        let posted = self.door.call(Method::POST, "/v1/events").json(&event).send().await.unwrap();
        assert_eq!(posted.status(), 201, "{}: {when}", self.name);
        self.ledger.posted(place, Fate::Acknowledged);
        let begun = self
            .door
            .call(Method::POST, "/v1/exports")
            .json(&json!({"exported_object": "export"}));
        let begun: Value = begun.send().await.unwrap().json().await.unwrap();
        let path = format!("/v1/exports/{}", begun["id"].as_str().unwrap());
        self.until_acknowledged(30, Duration::from_secs(45)).await;
        while !(self.door.get(&path).await["status"] == "DONE" && self.arrived().contains(&event_id(place))) {
            assert!(
                Instant::now() < patience,
                "{}: {when}: work stands still\n{}",
                self.name,
                self.service.lines()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The ids of all events that arrived.
    pub fn arrived(&self) -> BTreeSet<String> {
        let seen = self.receiver.seen();
        let sent = seen
            .iter()
            .filter_map(|request| serde_json::from_slice::<Value>(&request.body).ok());
        sent.filter_map(|sent| sent["event"]["id"].as_str().map(str::to_owned))
            .collect()
    }

    /// Ends the load.
    pub async fn quiet(&mut self) {
        if let Some(load) = self.load.take() {
            load.stop().await;
        }
    }

    /// Waits until so many calls are acknowledged that what holds of them means something: on a slow machine the rounds may be over before.
    async fn until_meaningful(&self) {
        let patience = Instant::now() + Duration::from_secs(120);
        while self.load.is_some() && self.ledger.acknowledged_calls() < check::MEANINGFUL && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends the load, lets the service come to rest, holds what is there against the ledger, and says so.
    pub async fn end(mut self, rounds: u64) {
        self.until_meaningful().await;
        self.quiet().await;
        let found = check::all(&self).await;
        say(&format!(
            "{}: {rounds} rounds; {}; {found}",
            self.name,
            self.ledger.copy().words()
        ));
    }

    /// The database's file, on SQLite.
    pub fn sqlite(&self) -> PathBuf {
        self.service.sqlite().unwrap()
    }
}

/// In a soak, says every now and then how far it is.
fn teller(name: &str, ledger: &Arc<Ledger>) -> AbortOnDropHandle<()> {
    let (name, ledger) = (name.to_owned(), Arc::clone(ledger));
    AbortOnDropHandle::new(tokio::spawn(async move {
        while is_full() {
            tokio::time::sleep(TELL).await;
            say(&format!("{name}: {}", ledger.copy().words()));
        }
    }))
}
