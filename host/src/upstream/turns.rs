//! Who opens a connection that many share, and who waits for it.

use tokio::sync::watch;

/// Whether a connection is being opened on one worker that others wait for.
#[derive(Debug, Default)]
pub(super) struct OpeningTurns(Option<watch::Receiver<()>>);

/// A connection is being opened. Dropped, those that wait for it go on.
pub(super) type OpeningTurn = watch::Sender<()>;

impl OpeningTurns {
    /// The turn, or who has it.
    pub(super) fn take(&mut self) -> Result<OpeningTurn, watch::Receiver<()>> {
        if let Some(opening) = self.0.as_ref().filter(|opening| opening.has_changed().is_ok()) {
            return Err(opening.clone());
        }
        let (turn, opening) = watch::channel(());
        self.0 = Some(opening);
        Ok(turn)
    }
}
