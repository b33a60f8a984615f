//! Passwords that are guessed, many at a time.

use tidegate_tests::{Gateway, Http2, Origin, eventually, within};

use super::{USERS, asking, basic};

/// A hash that is dear enough for guesses to pile up.
const DEAR: &str = "ned:$2y$11$iYjGsIhWwiVEjT.ydeIK1eQTHxWuU8Sm/jgknA9VWLfJ8LIj1FyHC\n";

#[tokio::test]
async fn while_passwords_are_guessed_known_users_and_open_tunnels_are_served() {
    let a = Origin::named("a").start().await;
    let text = "[[route]]\npath = \"/open\"\nto = \"ws://{a}\"\n\
                [[route]]\npath = \"/\"\nto = \"http://{a}\"\nbasic_auth = { file = \"users.htpasswd\" }\n";
    let gateway = Gateway::configure(text).origin(&a).file("users.htpasswd", USERS.to_owned() + DEAR).start().await;
    let counted = |outcome: &str| gateway.metric(&format!("tidegate_logins_total{{outcome=\"{outcome}\"}}"));
    let known = basic("ann:open sesame");
    assert_eq!(gateway.send(asking("/", Some(&known))).await.status, 200);
    let mut held = gateway.websocket("/open").await;

    // One client, with many times as many guesses under way as it has places.
    let mut guessing: Http2 = gateway.http2().await;
    let mut guesses = Vec::new();
    for number in 0..100 {
        let (parts, _) = asking("/", Some(&basic(format!("ned:{number}")))).into_parts();
        let mut guess = guessing.begin(hyper::Request::from_parts(parts, ())).await;
        guess.finish();
        guesses.push(guess);
    }
    eventually("more guesses than are tried", || counted("too_many") > 0.0).await;

    for _ in 0..20 {
        assert_eq!(gateway.send(asking("/", Some(&known))).await.status, 200);
        held.echo("hello").await;
    }
    assert_eq!(counted("known"), 20.0);
    let mut refused = 0;
    while refused == 0 {
        let answer = guesses.pop().expect("one that was refused").answer().await.unwrap();
        match answer.status.as_u16() {
            503 => {
                assert_eq!((answer.header("retry-after"), answer.header("www-authenticate")), ("5", ""));
                refused += 1;
            }
            status => assert_eq!(status, 401),
        }
    }

    // Those who do not wait for the answer leave their places to others.
    drop((guesses, guessing));
    let new = basic("cid:sha pass");
    within("a place for a login", async { while gateway.send(asking("/", Some(&new))).await.status != 200 {} }).await;
}
