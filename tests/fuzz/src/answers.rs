//! Nothing that a plugin answers gets past the checks and breaks a request line or a head.

/// A number, a line end, and text.
pub fn run(bytes: &[u8]) {
    let input = String::from_utf8_lossy(bytes);
    let (number, text) = input.split_once('\n').unwrap_or(("0", &input));
    tidegate::plugin::try_answers(text, number.parse().unwrap_or_default(), tidegate::net::is_reserved);
}
