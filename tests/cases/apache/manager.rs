//! What an operator sees and does at a running Apache: its status page, and its balancer-manager.

use std::net::SocketAddr;

use tidegate_tests::Raw;

use super::httpd::Httpd;
use crate::running::plain;

impl Httpd {
    /// What all members of all balancers hold, as its status page says.
    pub(crate) async fn busy(&self) -> usize {
        let text = self.status_page().await;
        let numbers = text.lines().filter(|line| line.starts_with("ProxyBalancer[") && line.contains("]Busy:"));
        let numbers = numbers.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap());
        assert!(text.contains("]Busy:"), "no counts in {text}");
        numbers.sum()
    }

    /// Words for the condition of a member, as its status page has them: `Init Err`.
    pub(super) async fn condition(&self, member: SocketAddr) -> String {
        let text = self.status_page().await;
        let url = format!("Name: ws://{member}");
        let name = text.lines().find(|line| line.ends_with(&url)).unwrap_or_else(|| panic!("no {member} in {text}"));
        let status = name.replace(&url, "Status: ");
        text.lines().find_map(|line| line.strip_prefix(&status)).expect("a status").trim().to_owned()
    }

    /// Sets status flags of a member by letter.
    pub(super) async fn flag(&self, balancer: &str, member: SocketAddr, letters: &[(char, bool)]) {
        let fields: Vec<_> =
            letters.iter().map(|(letter, on)| format!("w_status_{letter}={}", u8::from(*on))).collect();
        self.manage(balancer, member, &fields.join("&")).await;
        // The manager says 200 whatever it did.
        let condition = self.condition(member).await;
        for (letter, on) in letters {
            let word = match letter {
                'N' => "Drn",
                'D' => "Dis",
                'R' => "Spar",
                'H' => "Stby",
                _ => "Ign",
            };
            assert_eq!(condition.contains(word), *on, "{letter} of {member}, which is {condition} after {fields:?}");
        }
    }

    /// Sends the form that the balancer-manager has for a member.
    pub(super) async fn manage(&self, balancer: &str, member: SocketAddr, fields: &str) {
        let form = format!("b={balancer}&w=ws%3A%2F%2F{member}&nonce=of-the-tests&{fields}");
        let mut raw = Raw::new(plain(self.address()).await);
        // Without a Referer of its own host it ignores everything.
        let head = format!(
            "POST /balancer-manager HTTP/1.1\r\nHost: localhost\r\nReferer: http://localhost/balancer-manager\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            form.len()
        );
        raw.write(format!("{head}{form}").as_bytes()).await;
        let answer = raw.read_answer().await.expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn status_page(&self) -> String {
        let mut raw = Raw::new(plain(self.address()).await);
        raw.write(b"GET /server-status?auto HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n").await;
        String::from_utf8(raw.read_to_end().await).unwrap()
    }
}
