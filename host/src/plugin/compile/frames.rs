//! Frames between the gateway and a compiling process: a kind, a length, and so many bytes.

use std::io::{self, Read, Write};

use super::super::error::LoadErrorKind;
use super::super::limits::PluginLimits;
use super::{CODE_BYTES, CompiledCode, FILE_BYTES, Measured};

/// Bytes of a frame of JSON.
const JSON_BYTES: usize = 1 << 20;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum FrameKind {
    Limits = 1,
    File,
    Refused,
    Measured,
    Code,
}

/// Hands over a file to compile.
pub(super) fn write_job(to: &mut impl Write, limits: &PluginLimits, bytes: &[u8]) -> io::Result<()> {
    write(to, FrameKind::Limits, &serde_json::to_vec(limits)?)?;
    write(to, FrameKind::File, bytes)?;
    to.flush()
}

/// What [`write_job`] wrote.
pub(super) fn read_job(from: &mut impl Read) -> io::Result<(PluginLimits, Vec<u8>)> {
    let (kind, limits) = read(from)?;
    expect(kind, FrameKind::Limits)?;
    let (kind, bytes) = read(from)?;
    expect(kind, FrameKind::File)?;
    Ok((serde_json::from_slice(&limits)?, bytes))
}

/// Hands back code, or why there is none.
pub(super) fn write_result(to: &mut impl Write, answer: &Result<CompiledCode, LoadErrorKind>) -> io::Result<()> {
    match answer {
        Ok(code) => {
            write(to, FrameKind::Measured, &serde_json::to_vec(&code.measured)?)?;
            write(to, FrameKind::Code, &code.bytes)?;
        }
        Err(problem) => write(to, FrameKind::Refused, &serde_json::to_vec(problem)?)?,
    }
    to.flush()
}

/// What [`write_result`] wrote.
pub(super) fn read_result(from: &mut impl Read) -> io::Result<Result<CompiledCode, LoadErrorKind>> {
    let (kind, words) = read(from)?;
    if kind == FrameKind::Refused {
        return Ok(Err(serde_json::from_slice(&words)?));
    }
    expect(kind, FrameKind::Measured)?;
    let measured: Measured = serde_json::from_slice(&words)?;
    let (kind, code) = read(from)?;
    expect(kind, FrameKind::Code)?;
    Ok(Ok(CompiledCode { measured, bytes: code }))
}

fn expect(found: FrameKind, expected: FrameKind) -> io::Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("expected a frame of {expected:?}, found {found:?}")))
}

fn write(to: &mut impl Write, kind: FrameKind, payload: &[u8]) -> io::Result<()> {
    to.write_all(&[kind as u8])?;
    to.write_all(&(payload.len() as u64).to_le_bytes())?;
    to.write_all(payload)
}

fn read(from: &mut impl Read) -> io::Result<(FrameKind, Vec<u8>)> {
    let invalid = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message.to_owned());
    let (mut kind, mut length) = ([0], [0; 8]);
    from.read_exact(&mut kind)?;
    from.read_exact(&mut length)?;
    let (kind, most) = match kind {
        [1] => (FrameKind::Limits, JSON_BYTES),
        [2] => (FrameKind::File, FILE_BYTES),
        [3] => (FrameKind::Refused, JSON_BYTES),
        [4] => (FrameKind::Measured, JSON_BYTES),
        [5] => (FrameKind::Code, CODE_BYTES),
        _ => return Err(invalid("a frame of no known kind")),
    };
    let length = usize::try_from(u64::from_le_bytes(length)).ok().filter(|length| *length <= most);
    let length = length.ok_or_else(|| invalid("a frame that is too long"))?;
    let mut payload = Vec::new();
    payload.try_reserve_exact(length)?;
    from.take(length as u64).read_to_end(&mut payload)?;
    if payload.len() == length { Ok((kind, payload)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn orders_and_answers_arrive_as_they_were_sent() {
        let mut pipe = Vec::new();
        write_job(&mut pipe, &PluginLimits::default(), b"file").unwrap();
        let (limits, bytes) = read_job(&mut pipe.as_slice()).unwrap();
        assert_eq!((format!("{limits:?}"), bytes), (format!("{:?}", PluginLimits::default()), b"file".to_vec()));

        let measured = Measured { instances: 1, held: 2, started: Duration::from_micros(3), compiler_peak: None };
        let mut pipe = Vec::new();
        write_result(&mut pipe, &Ok(CompiledCode { measured, bytes: b"code".to_vec() })).unwrap();
        let answer = read_result(&mut pipe.as_slice()).unwrap().unwrap();
        assert_eq!((answer.measured, &*answer.bytes), (measured, &b"code"[..]));

        let refused = LoadErrorKind::Version { found: "tidegate:plugin/balancer@9.0.0".to_owned() };
        let mut pipe = Vec::new();
        write_result(&mut pipe, &Err(refused.clone())).unwrap();
        let answer = read_result(&mut pipe.as_slice()).unwrap().unwrap_err();
        assert_eq!(answer.to_string(), refused.to_string(), "the sentence survives");
    }

    #[test]
    fn what_is_cut_off_too_long_or_of_no_kind_is_an_error() {
        let mut whole = Vec::new();
        write_result(&mut whole, &Err(LoadErrorKind::Empty)).unwrap();
        for cut in 0..whole.len() {
            assert!(read_result(&mut &whole[..cut]).is_err(), "{cut} bytes of it");
        }

        let long = [&[FrameKind::Refused as u8][..], &u64::MAX.to_le_bytes()].concat();
        assert!(read_result(&mut long.as_slice()).is_err());
        assert!(read_result(&mut [9_u8; 64].as_slice()).is_err());
        let mut order = Vec::new();
        write_job(&mut order, &PluginLimits::default(), b"file").unwrap();
        assert!(read_result(&mut order.as_slice()).is_err(), "a job is no result");
    }
}
