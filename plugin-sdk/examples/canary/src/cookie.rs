//! The cookie with a visitor's lot.

use tidegate_plugin::Scheme;

/// The lot in a request's `cookie` fields: the first cookie of this name that has one, 0 to 9999.
pub(crate) fn lot(name: &str, fields: &[String]) -> Option<u32> {
    let cookies = fields.iter().flat_map(|field| field.split(';'));
    cookies.filter_map(|cookie| cookie.trim().split_once('=')).filter(|(it, _)| *it == name).find_map(|(_, value)| {
        let is_lot = (1..=4).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
        value.parse().ok().filter(|_| is_lot)
    })
}

/// The value of `Set-Cookie`. Over plain HTTP browsers would not take a cookie that is `Secure`.
pub(crate) fn written(name: &str, lot: u32, days: u32, scheme: Scheme) -> String {
    let age = u64::from(days) * 24 * 60 * 60;
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    format!("{name}={lot}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// Whether it can be the name of a cookie (RFC 6265 §4.1.1).
pub(crate) fn is_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}
