//! New tunnels: connect, upgrade, one echo, close.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::dialer::{Dialer, echo};
use super::{Measure, frame, turns};
use crate::figures::Figures;

/// Status 1000, as it stands in a Close frame (RFC 6455 §7.4.1).
const NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

pub(super) async fn run(dialer: &Dialer, clients: usize, measure: Measure) -> anyhow::Result<Figures> {
    let dialer = dialer.clone();
    turns::run(clients, measure, move || {
        let dialer = dialer.clone();
        async move {
            let mut websocket = dialer.websocket().await?;
            echo(&mut websocket, b"hello").await?;
            websocket.write_all(&frame::message(frame::CLOSE, &NORMAL)).await?;
            let mut echoed = [0; frame::echoed(NORMAL.len())];
            websocket.read_exact(&mut echoed).await?;
            Ok(())
        }
    })
    .await
}
