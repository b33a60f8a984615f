//! Who has a connection while a response comes in.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::task::AbortOnDropHandle;

use super::super::{ResendableBody, UploadProgress};
use super::connection::{Connection, ReturnTo};
use super::upload::{Upload, UploadError};

/// The connection that a response comes in by.
#[derive(Debug)]
pub(super) enum ConnectionAccess {
    /// The response has it alone.
    Own(Connection),
    /// The rest of the request goes out by it as well.
    Shared(RemainingUpload),
}

/// The rest of a request whose response has begun, in a task of its own: it goes out whether the response is read or
/// not, for the client may not begin to read before it has sent everything. Dropping this ends it, and the connection.
#[derive(Debug)]
pub(super) struct RemainingUpload {
    shared: Arc<Mutex<SharedConnection>>,
    task: AbortOnDropHandle<Result<(), UploadError>>,
    progress: UploadProgress,
}

/// What both directions work with.
#[derive(Debug)]
struct SharedConnection {
    connection: Connection,
    /// It is the client that the request waits for.
    starved: bool,
}

impl RemainingUpload {
    /// Lets `upload` go on with the rest of its body.
    pub(super) fn start(connection: Connection, mut upload: Upload, mut body: ResendableBody) -> Self {
        let shared = Arc::new(Mutex::new(SharedConnection { connection, starved: upload.is_starved() }));
        let sending = Arc::clone(&shared);
        let progress = body.progress().cloned().unwrap_or_default();
        let task = poll_fn(move |cx| {
            let mut shared = sending.lock();
            let sent = upload.poll(cx, &mut shared.connection.stream, &mut body);
            shared.starved = upload.is_starved();
            sent
        });
        Self { shared, task: AbortOnDropHandle::new(tokio::spawn(task)), progress }
    }

    /// How it ended. If it did not break, [`Self::into_connection`] has the connection.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        // A task that panicked has left a request half sent; it is not aborted while this lives.
        let broken = |_| Err(UploadError::Io(std::io::ErrorKind::BrokenPipe.into()));
        Pin::new(&mut self.task).poll(cx).map(|ended| ended.unwrap_or_else(broken))
    }

    /// The connection, once the task has ended.
    pub(super) fn into_connection(self) -> Option<Connection> {
        Arc::into_inner(self.shared).map(|shared| shared.into_inner().connection)
    }

    /// How far the body has come.
    pub(super) fn progress(&self) -> &UploadProgress {
        &self.progress
    }

    /// Whether it is the client that it waits for.
    pub(super) fn is_starved(&self) -> bool {
        self.shared.lock().starved
    }

    /// The response is through and the request is not: an endpoint that responds early may still want all of it. It
    /// gets it, as long as something moves within every `patience`; then the connection goes to `return_to`.
    pub(super) fn finish_in_background(mut self, patience: Duration, return_to: Option<Arc<dyn ReturnTo>>) {
        crate::lifecycle::spawn(async move {
            let progress = self.progress.clone();
            let ended = progress.while_moving(patience, poll_fn(|cx| self.poll_end(cx))).await;
            if let (Some(Ok(())), Some(return_to), Some(connection)) = (ended, return_to, self.into_connection())
                && connection.is_free()
            {
                return_to.put_back(connection);
            }
        });
    }

    /// Works on the connection, between two steps of the task.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Connection) -> T) -> T {
        work(&mut self.shared.lock().connection)
    }
}

impl ConnectionAccess {
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Connection) -> T) -> T {
        match self {
            Self::Own(connection) => work(connection),
            Self::Shared(rest) => rest.with(work),
        }
    }
}
