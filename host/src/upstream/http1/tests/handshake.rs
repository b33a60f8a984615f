//! The websocket handshake of the gateway's own.

use super::*;

#[tokio::test]
async fn a_handshake_that_the_client_has_none_for_is_made_and_checked() {
    let wrong = Some("bm9uc2Vuc2U=".to_owned());
    for (said, is_right) in [(Some(None), false), (Some(wrong), false), (None, true)] {
        let (connection, mut theirs) = open();
        let endpoint = tokio::spawn(async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(theirs.read_u8().await.unwrap());
            }
            let request = String::from_utf8(request).unwrap();
            let key = request.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
            let accept = said.unwrap_or_else(|| Some(derive_accept_key(key.as_bytes())));
            let accept = accept.map(|accept| format!("Sec-WebSocket-Accept: {accept}\r\n")).unwrap_or_default();
            let response = format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n{accept}\r\n");
            theirs.write_all(response.as_bytes()).await.unwrap();
            theirs
        });
        let (offer, method, fields) = (Offer::of(["websocket"]).unwrap(), Method::GET, Fields::default());
        let head = RequestHead { offer: Some(&offer), ..head(&method, "/", &fields) };
        let shelf = Arc::new(Shelf::default());

        let sent = connection.send(head, &mut empty(), SOON, &shelf, &mut Seen::default()).await;

        match sent {
            Ok(response) => {
                assert!(is_right && !response.headers().contains_key(SEC_WEBSOCKET_ACCEPT), "it was asked for by us");
            }
            Err(error) => {
                let why = matches!(error.cause, ExchangeCause::Unreadable(Unreadable::Accept(_)));
                assert!(!is_right && why, "{error:?}");
            }
        }
        drop(endpoint.await.unwrap());
    }
}
