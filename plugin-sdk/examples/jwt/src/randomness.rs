//! Randomness for libraries that could sign: there is none in the sandbox, and to check a signature takes none.

getrandom::register_custom_getrandom!(none);

fn none(_bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}
