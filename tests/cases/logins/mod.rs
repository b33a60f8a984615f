//! Names and passwords (`basic_auth`): who is let in, what of it endpoints and operators see, and what becomes of it when
//! files change and passwords are guessed.

mod beside_apache;
mod files;
mod guessed;
mod users;

use bytes::Bytes;
use data_encoding::BASE64;
use http_body_util::Full;
use hyper::Request;
use tidegate_tests::{get, upgrade_request};

/// As `htpasswd` has made it: ann's password is `open sesame`, bob's `p:ä ß`, cid's `sha pass`, dan's `five`, eve's `six`,
/// and that of `ä` is empty.
pub(crate) const USERS: &str = "# users\n\
    ann:$2y$05$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC\n\
    bob:$apr1$1zHzzHI9$RV1yXR.1SZg4VbWz5aTn50\n\
    cid:{SHA}KvPXpIScDQubdcQXyPXUdUCmoqA=\n\
    dan:$5$8tOppqx/9hOZYeke$zbG7uJv3fJSfkqxi0owZ9Iql3Bw3BoDazgkAIfZP6/2\n\
    eve:$6$N6kxtdQ/UEZkXGZb$0c/E/MSxJFcY9BuBk7ekvuYpOb9pPveYeLQHlb9zGebbq4lE/T5e/Kmap5jv1HSrhjDxtycYOP4jDuvvrlw8m.\n\
    ä:$apr1$LXC1ne6I$F5B2GHN8skXPog5.NrhHK0\n";

/// The value of an `Authorization` field.
pub(crate) fn basic(login: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64.encode(login.as_ref()))
}

/// A GET with this field, if there is one.
pub(crate) fn asking(path: &str, field: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = get(path);
    if let Some(field) = field {
        request.headers_mut().insert("authorization", field.parse().unwrap());
    }
    request
}

/// A handshake with this field, if there is one.
pub(crate) fn handshake(path: &str, field: Option<&str>) -> Request<()> {
    let mut request = upgrade_request(path);
    if let Some(field) = field {
        request.headers_mut().insert("authorization", field.parse().unwrap());
    }
    request
}
