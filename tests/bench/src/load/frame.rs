//! Websocket frames (RFC 6455 §5.2), as much of them as an echo needs.

/// Opcodes.
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A whole frame at the beginning of a buffer, its payload unmasked in place.
#[derive(Debug)]
pub(crate) struct Frame<'b> {
    /// FIN, reserved bits and opcode.
    pub(crate) first: u8,
    pub(crate) payload: &'b mut [u8],
    /// Bytes of the frame, header included.
    pub(crate) whole: usize,
}

/// Reads one; none if it is not all there yet.
pub(crate) fn read(bytes: &mut [u8]) -> Option<Frame<'_>> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (length, mut at) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        short => (u64::from(short), 2),
    };
    let mut mask = [0; 4];
    if second & 0x80 != 0 {
        mask = *bytes.get(at..)?.first_chunk()?;
        at += 4;
    }
    let whole = at.checked_add(usize::try_from(length).ok()?)?;
    let payload = bytes.get_mut(at..whole)?;
    apply(mask, payload);
    Some(Frame { first, payload, whole })
}

/// Appends one to `out`.
pub(crate) fn write(first: u8, payload: &[u8], mask: Option<[u8; 4]>, out: &mut Vec<u8>) {
    out.push(first);
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..126), _) => out.push(masked | short),
        (_, Ok(long)) => {
            out.push(masked | 126);
            out.extend(long.to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(mask.iter().flatten());
    let at = out.len();
    out.extend(payload);
    if let Some(payload) = out.get_mut(at..) {
        apply(mask.unwrap_or_default(), payload);
    }
}

/// A whole message as a client sends it.
pub(crate) fn message(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    write(0x80 | opcode, payload, Some([1, 2, 3, 4]), &mut out);
    out
}

/// Bytes of a message of this size as a server sends it.
pub(crate) const fn echoed(size: usize) -> usize {
    size + match size {
        ..126 => 2,
        126..65536 => 4,
        _ => 10,
    }
}

fn apply(mask: [u8; 4], payload: &mut [u8]) {
    if mask != [0; 4] {
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_whole_and_not_before() {
        for size in [0, 1, 125, 126, 65_535, 65_536] {
            for mask in [None, Some([9, 8, 7, 6])] {
                let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
                let mut bytes = Vec::new();
                write(0x82, &payload, mask, &mut bytes);

                assert_eq!(bytes.len(), echoed(size) + if mask.is_some() { 4 } else { 0 }, "{size}");
                let short = bytes.len() - 1;
                assert!(read(&mut bytes[..short]).is_none(), "{size} {mask:?}");
                let frame = read(&mut bytes).unwrap();
                assert_eq!((frame.first, &frame.payload[..]), (0x82, &payload[..]), "{size} {mask:?}");
            }
        }
    }
}
