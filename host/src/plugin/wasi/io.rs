//! `wasi:io`: streams that are at their end or go to the log, and pollables that are ready.
//!
//! A handle is a number that says all there is to know of it, so nothing is kept for it here: how many a plugin may hold
//! is limited by its store.

use wasmtime::bail;
use wasmtime::component::Resource;

use super::bindings::io::error::Error;
use super::bindings::io::poll::Pollable;
use super::bindings::io::streams::{InputStream, OutputStream, StreamError};
use super::bindings::io::{error, poll, streams};
use crate::plugin::host_state::HostState;
use crate::plugin::output::StandardStream;

/// Bytes that a plugin may write in one call. What is written holds the worker, and no deadline ends that.
const WRITTEN_BYTES: usize = 65_536;

/// What a plugin would wait for: nothing here makes it wait.
pub(super) fn ready() -> Resource<Pollable> {
    Resource::new_own(0)
}

/// Standard input.
pub(super) fn at_its_end() -> Resource<InputStream> {
    Resource::new_own(0)
}

/// Standard output or error.
pub(super) fn writing(stream: StandardStream) -> Resource<OutputStream> {
    Resource::new_own(match stream {
        StandardStream::Output => 1,
        StandardStream::Error => 2,
    })
}

fn written_to(stream: &Resource<OutputStream>) -> StandardStream {
    if stream.rep() == 1 { StandardStream::Output } else { StandardStream::Error }
}

impl error::Host for HostState {}

impl error::HostError for HostState {
    fn to_debug_string(&mut self, _error: Resource<Error>) -> wasmtime::Result<String> {
        // No stream here fails.
        Ok(String::new())
    }

    fn drop(&mut self, _error: Resource<Error>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl poll::Host for HostState {
    fn poll(&mut self, pollables: Vec<Resource<Pollable>>) -> wasmtime::Result<Vec<u32>> {
        if pollables.is_empty() {
            bail!("expected something to wait for, found an empty list");
        }
        Ok((0..).take(pollables.len()).collect())
    }
}

impl poll::HostPollable for HostState {
    fn ready(&mut self, _pollable: Resource<Pollable>) -> wasmtime::Result<bool> {
        Ok(true)
    }

    fn block(&mut self, _pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        Ok(())
    }

    fn drop(&mut self, _pollable: Resource<Pollable>) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// What an operation on a stream returns.
type StreamResult<T> = wasmtime::Result<Result<T, StreamError>>;

impl streams::Host for HostState {}

impl streams::HostInputStream for HostState {
    fn read(&mut self, _stream: Resource<InputStream>, _length: u64) -> StreamResult<Vec<u8>> {
        Ok(Err(StreamError::Closed))
    }

    fn blocking_read(&mut self, _stream: Resource<InputStream>, _length: u64) -> StreamResult<Vec<u8>> {
        Ok(Err(StreamError::Closed))
    }

    fn skip(&mut self, _stream: Resource<InputStream>, _length: u64) -> StreamResult<u64> {
        Ok(Err(StreamError::Closed))
    }

    fn blocking_skip(&mut self, _stream: Resource<InputStream>, _length: u64) -> StreamResult<u64> {
        Ok(Err(StreamError::Closed))
    }

    fn subscribe(&mut self, _stream: Resource<InputStream>) -> wasmtime::Result<Resource<Pollable>> {
        Ok(ready())
    }

    fn drop(&mut self, _stream: Resource<InputStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl streams::HostOutputStream for HostState {
    fn check_write(&mut self, _stream: Resource<OutputStream>) -> StreamResult<u64> {
        Ok(Ok(WRITTEN_BYTES as u64))
    }

    fn write(&mut self, stream: Resource<OutputStream>, contents: Vec<u8>) -> StreamResult<()> {
        if contents.len() > WRITTEN_BYTES {
            bail!("expected at most {WRITTEN_BYTES} bytes to write, found {}", contents.len());
        }
        self.write(written_to(&stream), &contents);
        Ok(Ok(()))
    }

    fn blocking_write_and_flush(&mut self, stream: Resource<OutputStream>, contents: Vec<u8>) -> StreamResult<()> {
        streams::HostOutputStream::write(self, stream, contents)
    }

    fn flush(&mut self, _stream: Resource<OutputStream>) -> StreamResult<()> {
        Ok(Ok(()))
    }

    fn blocking_flush(&mut self, _stream: Resource<OutputStream>) -> StreamResult<()> {
        Ok(Ok(()))
    }

    fn subscribe(&mut self, _stream: Resource<OutputStream>) -> wasmtime::Result<Resource<Pollable>> {
        Ok(ready())
    }

    /// Zeroes are no text: they are taken and shown nowhere.
    fn write_zeroes(&mut self, _stream: Resource<OutputStream>, _length: u64) -> StreamResult<()> {
        Ok(Ok(()))
    }

    fn blocking_write_zeroes_and_flush(&mut self, _stream: Resource<OutputStream>, _length: u64) -> StreamResult<()> {
        Ok(Ok(()))
    }

    fn splice(
        &mut self,
        _stream: Resource<OutputStream>,
        _source: Resource<InputStream>,
        _length: u64,
    ) -> StreamResult<u64> {
        Ok(Err(StreamError::Closed))
    }

    fn blocking_splice(
        &mut self,
        _stream: Resource<OutputStream>,
        _source: Resource<InputStream>,
        _length: u64,
    ) -> StreamResult<u64> {
        Ok(Err(StreamError::Closed))
    }

    fn drop(&mut self, _stream: Resource<OutputStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}
