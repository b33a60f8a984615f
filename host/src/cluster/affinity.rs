//! What a hashing balancer keeps together, as a number.

use twox_hash::XxHash64;

use super::values::{cookie, query_parameter};
use crate::config::Affinity;
use crate::policy::RequestFacts;

/// 31-bit hash of what `affinity` names; none if the request has no such thing.
///
/// XXH64 with seed 0, the upper 31 bits: the same for every worker, process and release, so that gateways side by side
/// send a key to the same endpoint.
pub(super) fn hash(affinity: &Affinity, request: &RequestFacts) -> Option<u32> {
    match affinity {
        Affinity::Cookie(name) => cookie(&request.headers, name).map(of),
        Affinity::Header(name) => request.headers.get(name).map(|value| of(value.as_bytes())),
        Affinity::Query(name) => query_parameter(request.query.as_deref()?, name).map(of),
        Affinity::Path => Some(of(request.path.as_bytes())),
        Affinity::Client => request.client.map(|client| match client.to_canonical() {
            std::net::IpAddr::V4(address) => of(&address.octets()),
            std::net::IpAddr::V6(address) => of(&address.octets()),
        }),
    }
}

fn of(key: &[u8]) -> u32 {
    // 31 bits are left after the shift.
    u32::try_from(XxHash64::oneshot(0, key) >> 33).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::facts;
    use super::*;

    #[test]
    fn hashes_are_those_of_the_specification() {
        // XXH64 of the empty input and of "abc", seed 0, shifted by 33.
        assert_eq!(of(b""), u32::try_from(0xEF46_DB37_51D8_E999_u64 >> 33).unwrap());
        assert_eq!(of(b"abc"), u32::try_from(0x44BC_2CF5_AD77_0999_u64 >> 33).unwrap());
    }

    #[test]
    fn each_kind_reads_its_part_of_the_request() {
        let request = facts("/room;a=1", Some("room=7&x=1"), &[("cookie", "user=ann"), ("x-user", "bob")]);
        let table = [
            (Affinity::Cookie("user".to_owned()), Some(of(b"ann"))),
            (Affinity::Cookie("other".to_owned()), None),
            (Affinity::Header("x-user".parse().unwrap()), Some(of(b"bob"))),
            (Affinity::Header("x-other".parse().unwrap()), None),
            (Affinity::Query("room".to_owned()), Some(of(b"7"))),
            (Affinity::Query("y".to_owned()), None),
            (Affinity::Path, Some(of(b"/room;a=1"))),
            (Affinity::Client, Some(of(&[192, 0, 2, 7]))),
        ];
        for (affinity, expected) in table {
            assert_eq!(hash(&affinity, &request), expected, "{affinity:?}");
        }
        assert_eq!(hash(&Affinity::Query("room".to_owned()), &facts("/", None, &[])), None, "no query");
    }

    #[test]
    fn an_address_hashes_the_same_mapped_or_not() {
        let mut mapped = facts("/", None, &[]);
        mapped.client = Some("::ffff:192.0.2.7".parse().unwrap());

        assert_eq!(hash(&Affinity::Client, &mapped), Some(of(&[192, 0, 2, 7])));
    }
}
