//! A scene: members of a cluster in both languages, and what is done to it.

use std::net::SocketAddr;

/// What an operator says of a member.
pub(super) use tidegate::config::EndpointState as State;

/// Names of members, in the order of the configuration; what a scene is written and told in.
pub(super) const NAMES: &str = "abcde";

/// A member. Its name is its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    weight: &'static str,
    pub(super) group: u32,
    pub(super) state: State,
}

pub(super) const READY: Member = Member { weight: "1", group: 0, state: State::Ready };
pub(super) const DRAINED: Member = READY.put(State::Drain);
pub(super) const DISABLED: Member = READY.put(State::Maint);
pub(super) const SPARE: Member = READY.put(State::Spare);
pub(super) const STANDBY: Member = READY.put(State::Standby);

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Opens a tunnel and keeps it; with a cookie that names a member, or without.
    Open(Option<char>),
    /// Closes the tunnel at this place among those that are open, oldest first, counted round.
    Close(usize),
    /// One request, answered before anything else is done; with a cookie that names a member, or without.
    Ask(Option<char>),
    /// The operator puts a member into a state: over the balancer-manager, and over the admin API.
    Put(char, State),
    /// He gives it another group, in the same way.
    Group(char, u32),
    /// And another weight.
    Weigh(char, u32),
    /// A member is killed. Requests follow until the proxy has noticed.
    Kill(char),
    /// A member that was killed is there again, and the operator has its failure forgotten. One request follows.
    Back(char),
}

/// Members, who chooses among them, and what is done.
#[derive(Clone)]
pub(super) struct Scene {
    name: String,
    balancer: &'static str,
    pub(super) members: Vec<Member>,
    pub(super) script: Vec<Step>,
}

/// Every status letter of Apache that a state may set.
pub(super) const LETTERS: [char; 4] = ['N', 'D', 'R', 'H'];

/// Apache's letter for a state.
pub(super) fn letter(state: State) -> Option<char> {
    match state {
        State::Ready => None,
        State::Drain => Some('N'),
        State::Maint => Some('D'),
        State::Spare => Some('R'),
        State::Standby => Some('H'),
    }
}

impl Member {
    pub(super) const fn weighs(self, weight: &'static str) -> Self {
        Self { weight, ..self }
    }

    pub(super) const fn group(self, group: u32) -> Self {
        Self { group, ..self }
    }

    const fn put(self, state: State) -> Self {
        Self { state, ..self }
    }
}

impl Scene {
    pub(super) fn new(name: &str, balancer: &'static str, members: &[Member], script: Vec<Step>) -> Self {
        Self { name: name.to_owned(), balancer, members: members.to_vec(), script }
    }

    /// What it is, for whoever must find out why it went another way.
    pub(super) fn told(&self) -> String {
        format!("{}, {}, {:?}: {:?}", self.name, self.balancer, self.members, self.script)
    }

    fn is_sticky(&self) -> bool {
        self.script.iter().any(|step| matches!(step, Step::Open(Some(_)) | Step::Ask(Some(_))))
    }

    /// A balancer `scene{number}` behind the path `/{number}`. A failed member stays away until somebody says otherwise,
    /// and nobody is tried against all odds: when that ends is where Apache and we differ, and no matter of a balancer.
    pub(super) fn for_apache(&self, number: usize, addresses: &[SocketAddr]) -> String {
        let mut text = format!("<Proxy balancer://scene{number}>\n");
        for ((Member { weight, group, state }, name), address) in self.members.iter().zip(NAMES.chars()).zip(addresses)
        {
            let status = letter(*state).map_or(String::new(), |letter| format!(" status=+{letter}"));
            text += &format!(
                "BalancerMember ws://{address} route={name} loadfactor={weight} lbset={group} retry=36000{status}\n"
            );
        }
        let sticky = if self.is_sticky() { " stickysession=SID" } else { "" };
        let balancer = self.balancer;
        text += &format!("ProxySet lbmethod={balancer} forcerecovery=Off nonce=of-the-tests{sticky}\n</Proxy>\n");
        text + &format!("ProxyPass /{number} balancer://scene{number}/\n")
    }

    /// The same for us.
    pub(super) fn for_tidegate(&self, number: usize, addresses: &[SocketAddr]) -> String {
        let mut endpoints = String::new();
        for ((Member { weight, group, state }, name), address) in self.members.iter().zip(NAMES.chars()).zip(addresses)
        {
            let state = state.as_str();
            endpoints += &format!(
                "{{ url = \"ws://{address}\", route = \"{name}\", weight = {weight}, group = {group}, state = \"{state}\" }},"
            );
        }
        let sticky = if self.is_sticky() { "sticky = { cookie = \"SID\" }\n" } else { "" };
        let balancer = self.balancer;
        format!(
            "[[route]]\npath = \"/{number}\"\nto = \"balancer://scene{number}/\"\n[cluster.scene{number}]\n\
             balancer = \"{balancer}\"\npause = {{ first = \"10h\", longest = \"10h\" }}\nforce_recovery = false\n\
             {sticky}endpoints = [{endpoints}]\n"
        )
    }
}

/// Reads a script: words with blanks between.
///
/// ```text
/// +++      opens three tunnels          ...      three requests, one after the other
/// +b       opens one, with b's cookie   .b       a request with b's cookie
/// -2       closes the third oldest      b=drain  the operator puts b into a state, b=1 into a group,
///                                       b*3      he gives it a weight
/// b!       b is killed                  b?       b is back
/// ```
pub(super) fn script(text: &str) -> Vec<Step> {
    text.split_whitespace().flat_map(word).collect()
}

fn word(word: &str) -> Vec<Step> {
    if let Some((name, state)) = word.split_once('=') {
        if let Ok(group) = state.parse() {
            return vec![Step::Group(name.parse().unwrap(), group)];
        }
        let states = [State::Ready, State::Drain, State::Maint, State::Spare, State::Standby];
        let state = states.into_iter().find(|known| known.as_str() == state).expect("a state");
        return vec![Step::Put(name.parse().unwrap(), state)];
    }
    if let Some((name, weight)) = word.split_once('*') {
        return vec![Step::Weigh(name.parse().unwrap(), weight.parse().unwrap())];
    }
    if let Some(name) = word.strip_suffix('!') {
        return vec![Step::Kill(name.parse().unwrap())];
    }
    if let Some(name) = word.strip_suffix('?') {
        return vec![Step::Back(name.parse().unwrap())];
    }
    if let Some(place) = word.strip_prefix('-') {
        return vec![Step::Close(place.parse().unwrap())];
    }
    let (step, rest) = (word.chars().next().unwrap(), word.trim_start_matches(['+', '.']));
    let named = rest.chars().next();
    let step = if step == '+' { Step::Open(named) } else { Step::Ask(named) };
    vec![step; word.len() - rest.len()]
}
