//! Who has a connection while an answer comes in.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use super::super::Progress;
use super::connection::{Connection, Home};
use super::upload::{Upload, UploadError};

/// The connection that an answer comes in by.
#[derive(Debug)]
pub(super) enum Link {
    /// The answer has it alone.
    Own(Connection),
    /// The rest of the request goes out by it as well.
    Shared(Rest),
}

/// The rest of a request whose answer has begun, in a task of its own: it goes out whether anybody reads the answer or not,
/// for its sender may not begin to read before it has sent everything. Dropping this ends it, and the connection.
#[derive(Debug)]
pub(super) struct Rest {
    shared: Arc<Mutex<Shared>>,
    task: AbortOnDropHandle<Result<(), UploadError>>,
    progress: Progress,
}

/// What both directions work with.
#[derive(Debug)]
struct Shared {
    connection: Connection,
    /// It is the client that the request waits for.
    starved: bool,
}

impl Rest {
    /// Lets `upload` go on.
    pub(super) fn send(connection: Connection, mut upload: Upload) -> Self {
        let shared = Arc::new(Mutex::new(Shared { connection, starved: upload.is_starved() }));
        let sending = Arc::clone(&shared);
        let progress = upload.progress().cloned().unwrap_or_default();
        let task = poll_fn(move |cx| {
            let mut shared = sending.lock();
            let sent = upload.poll(cx, &mut shared.connection.stream);
            shared.starved = upload.is_starved();
            sent
        });
        Self { shared, task: AbortOnDropHandle::new(tokio::spawn(task)), progress }
    }

    /// How it ended: the connection, which nobody else has any more, if it did not break.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        // A task that panicked has left a request half sent; nobody aborts it while this lives.
        let broken = |_| Err(UploadError::Io(std::io::ErrorKind::BrokenPipe.into()));
        Pin::new(&mut self.task).poll(cx).map(|ended| ended.unwrap_or_else(broken))
    }

    /// The connection, once the task has ended.
    pub(super) fn into_connection(self) -> Option<Connection> {
        Arc::into_inner(self.shared).map(|shared| shared.into_inner().connection)
    }

    /// How far the body has come.
    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether it is the client that it waits for.
    pub(super) fn is_starved(&self) -> bool {
        self.shared.lock().starved
    }

    /// The answer is through and the request is not: an endpoint that answers early may still want all of it. It gets it,
    /// as long as something moves every `patience`; then the connection goes to `home`.
    pub(super) fn go_on(mut self, patience: Duration, home: Option<Arc<dyn Home>>) {
        crate::lifecycle::spawn(async move {
            let mut seen = None;
            let ended = loop {
                match tokio::time::timeout(patience, poll_fn(|cx| self.poll_end(cx))).await {
                    Ok(ended) => break ended,
                    Err(_elapsed) if seen == Some(self.progress.bytes()) => return,
                    Err(_elapsed) => seen = Some(self.progress.bytes()),
                }
            };
            if let (Ok(()), Some(home), Some(connection)) = (ended, home, self.into_connection())
                && connection.is_free()
            {
                home.keep(connection);
            }
        });
    }

    /// Works on the connection, between two steps of the task.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Connection) -> T) -> T {
        work(&mut self.shared.lock().connection)
    }
}

impl Link {
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Connection) -> T) -> T {
        match self {
            Self::Own(connection) => work(connection),
            Self::Shared(rest) => rest.with(work),
        }
    }
}
