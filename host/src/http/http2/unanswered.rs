//! How many requests a client may begin and not let be answered.

use std::time::Duration;

use tokio::time::Instant;

/// Requests that may be given up at once, beside those that are open. A browser that leaves a page gives up a hundred.
const BURST: u32 = 333;

/// Requests given up that time forgives in a second (the rate of nghttp2).
const PER_SECOND: u32 = 33;

/// Responses of endpoints that pay for one request which was given up. An exchange that goes through costs the gateway
/// no less than one that is given up, so that nobody earns more than he spends; a proxy in front, whose many clients give
/// up some of theirs, stays far from the limit.
const SERVED_FOR_ONE: u32 = 4;

/// What a client owes: requests whose responses have not begun. One that is reset before that stays on the account,
/// whoever resets it, and why: the client, the library, or the gateway for what is wrong with it. So the only ways to do
/// without a response are slow.
///
/// A response of the gateway's own pays for its own request, and for no other.
#[derive(Debug)]
pub(super) struct UnansweredRequests {
    count: u32,
    most: u32,
    /// Number of the newest stream: HEADERS of another are no request (RFC 9113 §5.1.1).
    newest: u32,
    /// Responses of endpoints that have paid for nothing yet.
    served: u32,
    /// Up to when time has been forgiven for.
    paid: Instant,
}

impl UnansweredRequests {
    /// For a client that may have `streams` open at once.
    pub(super) fn new(streams: u32, now: Instant) -> Self {
        Self { count: 0, most: streams.saturating_add(BURST), newest: 0, served: 0, paid: now }
    }

    /// HEADERS of `stream` have come. `now` is asked only if there are too many. Whether it may be served.
    pub(super) fn begun(&mut self, stream: u32, now: impl FnOnce() -> Instant) -> bool {
        if stream <= self.newest {
            return true;
        }
        self.newest = stream;
        if self.count >= self.most {
            self.forgive(now());
        }
        self.count += 1;
        self.count <= self.most
    }

    /// The response to a request has begun.
    pub(super) fn answered(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// The client has let a response of an endpoint come to its end.
    pub(super) fn served(&mut self) {
        self.served += 1;
        if self.served == SERVED_FOR_ONE {
            self.served = 0;
            self.count = self.count.saturating_sub(1);
        }
    }

    fn forgive(&mut self, now: Instant) {
        // Longer than any account takes, and short enough to be counted.
        let passed = now.saturating_duration_since(self.paid).min(Duration::from_secs(1 << 20));
        let forgiven = u32::try_from(passed.as_millis()).unwrap_or_default() / (1000 / PER_SECOND);
        if forgiven > 0 {
            self.count = self.count.saturating_sub(forgiven);
            self.paid = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many requests in a row, each `then` something, are taken of so many.
    fn taken(
        account: &mut UnansweredRequests,
        first: u32,
        most: u32,
        then: impl Fn(u32, &mut UnansweredRequests),
    ) -> u32 {
        let now = account.paid;
        let requests = (first..first + most).take_while(|number| {
            let is_taken = account.begun(1 + 2 * number, || now);
            then(*number, account);
            is_taken
        });
        u32::try_from(requests.count()).unwrap()
    }

    #[test]
    fn as_many_as_may_be_open_and_a_burst_may_be_unanswered() {
        let mut account = UnansweredRequests::new(100, Instant::now());
        assert_eq!(taken(&mut account, 0, 5000, |_, _| {}), 433);
    }

    #[test]
    fn requests_that_are_answered_never_run_out_and_trailers_are_none() {
        let mut account = UnansweredRequests::new(1, Instant::now());
        let answer = |number: u32, account: &mut UnansweredRequests| {
            assert!(account.begun(1 + 2 * number, Instant::now), "trailers");
            account.answered();
        };
        assert_eq!(taken(&mut account, 0, 100_000, answer), 100_000);
    }

    #[test]
    fn a_response_of_the_gateway_pays_for_no_other_request() {
        let mut account = UnansweredRequests::new(100, Instant::now());
        let every_other = |number: u32, account: &mut UnansweredRequests| {
            if number.is_multiple_of(2) {
                account.answered();
            }
        };
        assert!((860..=870).contains(&taken(&mut account, 0, 5000, every_other)));
    }

    #[test]
    fn a_fifth_of_what_endpoints_are_asked_may_be_given_up_for_ever_and_a_half_may_not() {
        let mut account = UnansweredRequests::new(100, Instant::now());
        let all_but = |share: u32| {
            move |number: u32, account: &mut UnansweredRequests| {
                if !number.is_multiple_of(share) {
                    account.answered();
                    account.served();
                }
            }
        };
        assert_eq!(taken(&mut account, 0, 100_000, all_but(5)), 100_000);
        assert!(taken(&mut account, 100_000, 100_000, all_but(2)) < 2000);
    }

    #[test]
    fn time_forgives_33_a_second_and_no_more_than_there_were() {
        let began = Instant::now();
        let mut account = UnansweredRequests::new(100, began);
        for number in 0..10_000 {
            let now = began + Duration::from_millis(u64::from(number) * 31);
            assert!(account.begun(1 + 2 * number, || now), "request {number}");
        }
        let later = began + Duration::from_secs(1_000_000);
        let burst = (10_000..20_000).take_while(|number| account.begun(1 + 2 * number, || later)).count();
        assert!(burst <= 2 * 433, "{burst}");
    }
}
