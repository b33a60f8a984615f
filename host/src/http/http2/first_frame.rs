//! Whether a peer begins as HTTP/2 has it, or what it sends instead.

/// Bytes that are kept of a peer which sends no frames, to be shown.
pub(super) const SHOWN: usize = 256;

/// Where a frame's type stands in its head, and that of SETTINGS (RFC 9113 §4.1, §6.5).
pub(super) const TYPE_AT: usize = 3;
const SETTINGS: u8 = 4;

/// What came where the first frame must be SETTINGS (RFC 9113 §3.4).
#[derive(Debug)]
pub(super) enum FirstFrame {
    /// Not enough to tell.
    Begun(Vec<u8>),
    Settings,
    /// Something else, as far as it is kept.
    Other(Vec<u8>),
}

impl Default for FirstFrame {
    fn default() -> Self {
        Self::Begun(Vec::new())
    }
}

impl FirstFrame {
    pub(super) fn is_settings(&self) -> bool {
        matches!(self, Self::Settings)
    }

    /// What came instead, as far as it is kept; empty if that is not known or not so.
    pub(super) fn shown(&self) -> &[u8] {
        match self {
            Self::Other(bytes) => bytes,
            Self::Begun(_) | Self::Settings => &[],
        }
    }

    /// Nothing more comes: whether it is known now that the first frame is none, and was not before.
    pub(super) fn end(&mut self) -> bool {
        match self {
            Self::Begun(bytes) if !bytes.is_empty() => {
                *self = Self::Other(std::mem::take(bytes));
                true
            }
            _ => false,
        }
    }

    /// Takes in what came: whether it is known now what the first frame is, and was not before.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::Settings => false,
            Self::Other(kept) => {
                keep(kept, bytes);
                false
            }
            Self::Begun(kept) => {
                keep(kept, bytes);
                let Some(kind) = kept.get(TYPE_AT) else { return false };
                *self = if *kind == SETTINGS { Self::Settings } else { Self::Other(std::mem::take(kept)) };
                true
            }
        }
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes.get(..SHOWN.saturating_sub(kept.len())).unwrap_or(bytes));
}
