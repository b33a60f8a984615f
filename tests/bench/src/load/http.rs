//! GETs and POSTs, on connections that stay open or on one each; GETs on streams of HTTP/2.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tokio::io::AsyncReadExt as _;

use super::dialer::{Connection, Dialer, Version};
use super::{Measure, turns};
use crate::endpoint::head_end;
use crate::figures::Figures;

pub(super) async fn run(
    dialer: &Dialer,
    clients: usize,
    keep: bool,
    body: usize,
    measure: Measure,
) -> anyhow::Result<Figures> {
    if dialer.version() == Version::Http2 {
        return streams(dialer, clients, measure).await;
    }
    let pool = Arc::new(Mutex::new(Vec::new()));
    if keep {
        for _ in 0..clients {
            let connection = dialer.connect().await?;
            pool.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
    let dialer = dialer.clone();
    let body: Arc<[u8]> = vec![b'x'; body].into();
    turns::run(clients, measure, move || {
        let (dialer, pool, body) = (dialer.clone(), pool.clone(), body.clone());
        async move {
            let waiting = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match waiting {
                Some(connection) => connection,
                None => dialer.connect().await?,
            };
            dialer.request(&mut connection, &body, !keep).await?;
            if keep {
                pool.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            Ok(())
        }
    })
    .await
}

async fn streams(dialer: &Dialer, clients: usize, measure: Measure) -> anyhow::Result<Figures> {
    let mut rooms = Vec::with_capacity(clients);
    for _ in 0..clients {
        rooms.push(dialer.room().await?);
    }
    for room in rooms {
        dialer.give_back(room);
    }
    let dialer = dialer.clone();
    turns::run(clients, measure, move || {
        let dialer = dialer.clone();
        async move {
            let room = dialer.room().await?;
            dialer.get(room.clone()).await?;
            dialer.give_back(room);
            Ok(())
        }
    })
    .await
}

/// Reads a whole response, which must be a 200.
pub(super) async fn read(connection: &mut Connection) -> anyhow::Result<()> {
    let mut buffer = Vec::with_capacity(1024);
    let end = loop {
        if connection.read_buf(&mut buffer).await? == 0 {
            bail!("closed before a response");
        }
        if let Some(end) = head_end(&buffer) {
            break end;
        }
    };
    let head = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        bail!("the response is {}", head.lines().next().unwrap_or_default());
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: Option<usize> = length.map(|length| length.trim().parse()).transpose().context("content-length")?;
    let whole = |buffer: &[u8]| match length {
        Some(length) => buffer.len() >= end + length,
        None => !head.contains("transfer-encoding: chunked") || buffer.ends_with(b"0\r\n\r\n"),
    };
    while !whole(&buffer) {
        if connection.read_buf(&mut buffer).await? == 0 {
            bail!("closed within the body");
        }
    }
    Ok(())
}
