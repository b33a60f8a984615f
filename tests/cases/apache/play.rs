//! Plays scenes on both sides, with members of their own, and compares who was chosen.

use std::net::SocketAddr;

use tidegate_tests::{Origin, Raw, Websocket, upgrade_request, within};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;

use super::httpd::{self, Httpd};
use super::scene::{NAMES, Scene, Step};
use super::sides::{Ours, Side};

/// Requests that may pass before a proxy meets a dead member: far more than it takes to be everybody's turn.
const NOTICED: usize = 64;

/// A scene under way.
struct Player<'a, S> {
    side: &'a S,
    cluster: String,
    path: String,
    members: Vec<Origin>,
    open: Vec<Websocket>,
    /// Who was chosen, by name; `-` for a 503.
    chosen: String,
}

/// Plays all scenes. What was chosen in each; nothing without an Apache.
///
/// # Panics
/// If somebody else was chosen than by Apache.
pub(super) async fn compare(scenes: &[Scene]) -> Vec<String> {
    let both = both(scenes).await;
    for (scene, [found, expected]) in scenes.iter().zip(&both) {
        assert_eq!(found, expected, "ours, and Apache's, in {}", scene.told());
    }
    both.into_iter().map(|[found, _]| found).collect()
}

/// The same without comparing: what we have chosen, and what Apache has.
pub(super) async fn both(scenes: &[Scene]) -> Vec<[String; 2]> {
    let Some(program) = httpd::found() else { return Vec::new() };
    let (mut theirs, mut ours) = (members(scenes).await, members(scenes).await);
    let (mut directives, mut text) = (String::new(), String::new());
    for (number, scene) in scenes.iter().enumerate() {
        directives += &scene.for_apache(number, &addresses(&theirs[number]));
        text += &scene.for_tidegate(number, &addresses(&ours[number]));
    }
    let apache = Httpd::start(program, &directives).await;
    let tidegate = Ours::start(&text).await;
    let mut chosen = Vec::new();
    for (number, scene) in scenes.iter().enumerate() {
        let apaches = play(&apache, scene, number, std::mem::take(&mut theirs[number])).await;
        let found = play(&tidegate, scene, number, std::mem::take(&mut ours[number])).await;
        chosen.push([found, apaches]);
    }
    chosen
}

async fn members(scenes: &[Scene]) -> Vec<Vec<Origin>> {
    let mut all = Vec::new();
    // Who is killed must find its port again.
    let place = (httpd::loopback(), 0);
    for scene in scenes {
        let mut members = Vec::new();
        for (name, _) in NAMES.chars().zip(&scene.members) {
            members.push(Origin::named(&name.to_string()).at(place).start().await);
        }
        all.push(members);
    }
    all
}

fn addresses(members: &[Origin]) -> Vec<SocketAddr> {
    members.iter().map(Origin::address).collect()
}

async fn play(side: &impl Side, scene: &Scene, number: usize, members: Vec<Origin>) -> String {
    let (cluster, path) = (format!("scene{number}"), format!("/{number}"));
    let mut player = Player { side, cluster, path, members, open: Vec::new(), chosen: String::new() };
    for step in &scene.script {
        player.step(*step).await;
    }
    // What is counted is counted over all scenes.
    while !player.open.is_empty() {
        player.step(Step::Close(0)).await;
    }
    player.chosen
}

impl<S: Side> Player<'_, S> {
    async fn step(&mut self, step: Step) {
        match step {
            Step::Open(named) => self.open(named).await,
            Step::Close(place) if !self.open.is_empty() => self.open.remove(place % self.open.len()).close().await,
            Step::Close(_) => {}
            Step::Ask(named) => self.ask(named).await,
            Step::Put(name, state) => {
                let address = self.member(name).address();
                self.side.put(&self.cluster, address, state).await;
            }
            Step::Group(name, group) => {
                let address = self.member(name).address();
                self.side.group(&self.cluster, address, group).await;
            }
            Step::Weigh(name, weight) => {
                let address = self.member(name).address();
                self.side.weigh(&self.cluster, address, weight).await;
            }
            Step::Kill(name) => self.kill(name).await,
            Step::Back(name) => self.back(name).await,
        }
        self.side.counted(self.open.len()).await;
    }

    async fn open(&mut self, named: Option<char>) {
        let mut request = upgrade_request(&self.path);
        if let Some(name) = named {
            request.headers_mut().insert("cookie", format!("SID=x.{name}").parse().unwrap());
        }
        match Websocket::open(self.side.connect().await, request).await {
            Ok(tunnel) => {
                let tunnel = tunnel.greeted().await;
                self.chosen.push_str(tunnel.endpoint());
                self.open.push(tunnel);
            }
            Err(Error::Http(answer)) if answer.status() == 503 => self.chosen.push('-'),
            Err(error) => panic!("{error:?} after {}", self.chosen),
        }
    }

    async fn ask(&mut self, named: Option<char>) {
        let mut raw = Raw::new(self.side.connect().await);
        let cookie = named.map_or(String::new(), |name| format!("Cookie: SID=x.{name}\r\n"));
        raw.write(format!("GET {} HTTP/1.1\r\nHost: gateway.test\r\n{cookie}\r\n", self.path).as_bytes()).await;
        let answer = raw.read_answer().await.expect("an answer");
        match answer.status.as_u16() {
            200 => self.chosen.push_str(answer.header("x-endpoint")),
            503 => self.chosen.push('-'),
            other => panic!("{other} after {}", self.chosen),
        }
    }

    async fn kill(&mut self, name: char) {
        let member = self.member(name);
        let address = member.address();
        member.kill();
        let refused = async { while TcpStream::connect(address).await.is_ok() {} };
        within("its socket to be closed", refused).await;
        self.open.retain(|tunnel| !tunnel.endpoint().starts_with(name));
        self.side.counted(self.open.len()).await;
        for _ in 0..NOTICED {
            self.ask(None).await;
            self.side.counted(self.open.len()).await;
            if self.side.is_down(address).await {
                return;
            }
        }
        panic!("nobody has asked {name} after {}", self.chosen);
    }

    async fn back(&mut self, name: char) {
        let address = self.member(name).address();
        *self.member(name) = Origin::named(&name.to_string()).at(address).start().await;
        self.side.forget(&self.cluster, address).await;
        self.ask(None).await;
        self.side.forgotten(&self.cluster, address).await;
        assert!(!self.side.is_down(address).await, "{name} is not looked at after {}", self.chosen);
    }

    fn member(&mut self, name: char) -> &mut Origin {
        &mut self.members[NAMES.find(name).unwrap()]
    }
}
