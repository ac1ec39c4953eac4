//! What stands between a server and its PostgreSQL, and cuts connections in the middle of an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on; cuts them while it is told to.
pub struct Proxy {
    pub port: u16,
    cuts: Arc<AtomicBool>,
    cut: Arc<AtomicU64>,
}

impl Proxy {
    /// Passes on to a port of this machine.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            cuts: Arc::default(),
            cut: Arc::default(),
        };
        let (cuts, cut) = (Arc::clone(&proxy.cuts), Arc::clone(&proxy.cut));
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(pass(near, port, Arc::clone(&cuts), Arc::clone(&cut)));
            }
        });
        proxy
    }

    /// From now on answers are cut off somewhere in their bytes, or no longer.
    pub fn cut(&self, cuts: bool) {
        self.cuts.store(cuts, Ordering::SeqCst);
    }

    /// Connections that were cut so far.
    pub fn count(&self) -> u64 {
        self.cut.load(Ordering::SeqCst)
    }
}

/// A connection's life: all that is asked, and the answers up to some byte.
async fn pass(near: TcpStream, port: u16, cuts: Arc<AtomicBool>, cut: Arc<AtomicU64>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let ((mut asks, mut hears), (mut answers, mut takes)) = (near.into_split(), far.into_split());
    let asking = tokio::spawn(async move {
        let _ended = copy(&mut asks, &mut takes).await;
    });
    // Signing in and the first statements take some 2 KB.
    let mut left: usize = rand::rng().random_range(1_000..60_000);
    let mut buffer = [0; 4_096];
    while let Ok(read @ 1..) = answers.read(&mut buffer).await {
        let is_cut = cuts.load(Ordering::SeqCst);
        let passed = if is_cut { read.min(left) } else { read };
        if hears.write_all(&buffer[..passed]).await.is_err() {
            break;
        }
        if is_cut {
            left -= passed;
            if left == 0 {
                cut.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
    }
    asking.abort();
}
