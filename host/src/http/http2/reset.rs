//! Codes of RST_STREAM and GOAWAY, and what they mean here (RFC 9113 §7).

use h2::Reason;

use crate::net::ResetReason;

/// The code that says why a stream is ended before its time.
#[must_use]
pub(super) fn reset_code(reason: ResetReason) -> Reason {
    match reason {
        ResetReason::PeerBroke => Reason::CONNECT_ERROR,
        ResetReason::Cancelled => Reason::CANCEL,
    }
}

/// What a peer means by a code. Whatever is no matter of the stream's own purpose says that it broke.
#[must_use]
pub(in crate::http) fn reset_reason(code: Reason) -> ResetReason {
    match code {
        Reason::CANCEL | Reason::NO_ERROR | Reason::REFUSED_STREAM => ResetReason::Cancelled,
        _ => ResetReason::PeerBroke,
    }
}

/// What ended a stream or its connection before its time, in a few words for the log: the code as the RFC writes it and
/// who sent it, or what happened to the connection.
#[must_use]
pub fn reset_word(error: &h2::Error) -> String {
    let Some(code) = error.reason() else { return error.to_string() };
    let code = code_name(code);
    match (error.is_go_away(), error.is_remote()) {
        (true, true) => format!("the peer closed the connection with {code}"),
        (true, false) => format!("the connection was closed with {code}"),
        (false, true) => format!("the peer reset the stream with {code}"),
        (false, false) => format!("the stream was reset with {code}"),
    }
}

/// The name that RFC 9113 §7 gives to a code; its number if it has none.
fn code_name(code: Reason) -> String {
    let name = match code {
        Reason::NO_ERROR => "NO_ERROR",
        Reason::PROTOCOL_ERROR => "PROTOCOL_ERROR",
        Reason::INTERNAL_ERROR => "INTERNAL_ERROR",
        Reason::FLOW_CONTROL_ERROR => "FLOW_CONTROL_ERROR",
        Reason::SETTINGS_TIMEOUT => "SETTINGS_TIMEOUT",
        Reason::STREAM_CLOSED => "STREAM_CLOSED",
        Reason::FRAME_SIZE_ERROR => "FRAME_SIZE_ERROR",
        Reason::REFUSED_STREAM => "REFUSED_STREAM",
        Reason::CANCEL => "CANCEL",
        Reason::COMPRESSION_ERROR => "COMPRESSION_ERROR",
        Reason::CONNECT_ERROR => "CONNECT_ERROR",
        Reason::ENHANCE_YOUR_CALM => "ENHANCE_YOUR_CALM",
        Reason::INADEQUATE_SECURITY => "INADEQUATE_SECURITY",
        Reason::HTTP_1_1_REQUIRED => "HTTP_1_1_REQUIRED",
        other => return format!("code {:#x}", u32::from(other)),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_survive_the_way_over_the_wire() {
        for reason in [ResetReason::PeerBroke, ResetReason::Cancelled] {
            assert_eq!(reset_reason(reset_code(reason)), reason);
        }
        assert_eq!(code_name(Reason::from(0x77)), "code 0x77");
        assert_eq!(code_name(Reason::CANCEL), "CANCEL");
    }
}
