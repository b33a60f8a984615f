//! Datagrams of Apache's mod_heartbeat.
//!
//! `v=1&ready=75&busy=0`: it sends its version, its idle and its busy workers, once a second. mod_heartmonitor, which
//! receives them, demands those three, and understands a `port` that mod_heartbeat does not send.

/// One datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Workers that wait for something to do.
    pub ready: u32,
    /// Workers that have something to do.
    pub busy: u32,
    /// Which of the servers at the sender's address it is about; none means all.
    pub port: Option<u16>,
}

impl Heartbeat {
    /// Longest datagram that is one, in bytes: mod_heartmonitor's limit.
    pub const LONGEST: usize = 1000;

    /// Reads a datagram; none if it is no heartbeat. Keys that are not known do not matter.
    #[must_use]
    pub fn read(datagram: &[u8]) -> Option<Self> {
        if datagram.len() > Self::LONGEST {
            return None;
        }
        let text = str::from_utf8(datagram).ok()?.trim_end_matches(['\0', '\n', '\r']);
        let (mut version, mut ready, mut busy, mut port) = (None, None, None, None);
        for part in text.split('&') {
            let (key, value) = part.split_once('=')?;
            let number = || value.bytes().all(|byte| byte.is_ascii_digit()).then_some(value)?.parse::<u32>().ok();
            let slot = match key {
                "v" => &mut version,
                "ready" => &mut ready,
                "busy" => &mut busy,
                "port" => &mut port,
                _ => continue,
            };
            // Said twice, it is not known which was meant.
            if slot.replace(number()?).is_some() {
                return None;
            }
        }
        version?;
        let port = port.map(u16::try_from).transpose().ok()?;
        Some(Self { ready: ready?, busy: busy?, port })
    }
}
