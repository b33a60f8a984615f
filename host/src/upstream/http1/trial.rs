//! A response by itself, for the comparison with another reader of the same bytes.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Method, Response};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tokio::io::AsyncReadExt as _;

use super::super::timer::LazyTimer;
use super::super::{
    ExchangeCause, ExchangeError, HeadLimits, RequestHead, ResendableBody, ResponseContent, Sent, Unobserved,
};
use super::connection::{Connection, ReturnTo};
use crate::http::{Fields, RequestBody};
use crate::net::Stream;

/// What is known of the response to one request, as far as its bytes have come.
#[derive(Debug, Default)]
pub struct Trial {
    /// Status line and fields.
    pub head: Option<Response<()>>,
    /// What has come of the body, or of the protocol that was switched to.
    pub body: Vec<u8>,
    /// How it ended; none if it has not.
    pub ended: Option<TrialEnd>,
    kept: Arc<Shelf>,
}

/// How a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialEnd {
    /// All of it came.
    Whole,
    /// It was refused, and why, as [`Unreadable::kind`](crate::upstream::Unreadable::kind) has it.
    Refused(&'static str),
    /// It broke off, and how, as [`Broken::kind`](crate::upstream::Broken::kind) has it.
    Broken(&'static str),
}

/// Where the connection goes that may be used again.
#[derive(Debug, Default)]
struct Shelf(Mutex<Option<Connection>>);

impl ReturnTo for Shelf {
    fn put_back(self: Arc<Self>, connection: Connection) {
        *self.0.lock() = Some(connection);
    }
}

impl Trial {
    /// Sends a request without a body over `stream`, and reads the response to its end. May be dropped at any time:
    /// what has come by then is there.
    pub async fn read(&mut self, stream: Stream, method: &Method, limits: HeadLimits) {
        // Longer than any trial lasts.
        let within = Duration::from_secs(3600);
        let (authority, fields) = (&HeaderValue::from_static("endpoint"), &Fields::default());
        let head = RequestHead { method, target: "/", authority, fields, offer: None, expects_continue: false };
        let mut body = ResendableBody::new(RequestBody::Empty, None);
        let connection = Connection::new(stream, LazyTimer::new(within), limits);
        let response = match connection.send(head, &mut body, within, &self.kept, &mut Unobserved).await {
            Ok(response) => response,
            Err(error) => return self.ended = Some(TrialEnd::of(&error)),
        };
        let (parts, content) = response.into_parts();
        self.head = Some(Response::from_parts(parts, ()));
        self.ended = Some(match content {
            ResponseContent::Whole(bytes, _) => {
                self.body.extend_from_slice(&bytes);
                TrialEnd::Whole
            }
            ResponseContent::Stream(mut download) => loop {
                match download.frame().await {
                    None => break TrialEnd::Whole,
                    Some(Ok(frame)) => self.body.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                    Some(Err(broken)) => break TrialEnd::Broken(broken.kind()),
                }
            },
            ResponseContent::Duplex(mut stream, early) => {
                self.body.extend_from_slice(&early);
                match stream.read_to_end(&mut self.body).await {
                    Ok(_length) => TrialEnd::Whole,
                    Err(_broken) => TrialEnd::Broken("connection"),
                }
            }
        });
    }

    /// Whether the connection may take another request: it was kept, and nothing came by it since.
    pub fn is_reusable(&self) -> bool {
        self.kept.0.lock().as_mut().is_some_and(Connection::is_reusable)
    }
}

impl TrialEnd {
    fn of(error: &ExchangeError) -> Self {
        match &error.cause {
            _ if error.sent == Sent::Nothing => Self::Broken("not-sent"),
            ExchangeCause::Unreadable(unreadable) => Self::Refused(unreadable.kind()),
            ExchangeCause::Broken(broken) => Self::Broken(broken.kind()),
            ExchangeCause::Connect(_) => Self::Broken("not-connected"),
            ExchangeCause::TimedOut(_) => Self::Broken("timeout"),
            ExchangeCause::BodyBroken(_) | ExchangeCause::BodyStalled => Self::Broken("upload"),
            ExchangeCause::Refused | ExchangeCause::Unsendable(_) => Self::Broken("refused"),
        }
    }
}
