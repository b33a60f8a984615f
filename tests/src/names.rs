//! A name server that tests write the zone of.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, SRV};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

type Zone = HashMap<String, Entry>;

#[derive(Clone, Debug)]
enum Entry {
    Records(u32, Vec<RData>),
    Broken,
}

/// A name server on a free UDP port. Dropping it ends it.
#[derive(Debug)]
pub struct Names {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    asked: Arc<Mutex<HashMap<String, usize>>>,
    task: AbortHandle,
}

impl Names {
    /// One that knows no name.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (zone, asked) = (Arc::<Mutex<Zone>>::default(), Arc::<Mutex<HashMap<String, usize>>>::default());
        let task = tokio::spawn({
            let (zone, asked) = (zone.clone(), asked.clone());
            async move {
                let mut buffer = [0; 4096];
                while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                    let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                    let answer = answer(&question, &zone.lock().unwrap(), &mut asked.lock().unwrap());
                    let _lost = socket.send_to(&answer, peer).await;
                }
            }
        });
        Self { address, zone, asked, task: task.abort_handle() }
    }

    /// Where it answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `name` has these addresses, for so many seconds.
    pub fn addresses(&self, name: &str, ttl: u32, addresses: &[Ipv4Addr]) {
        self.set(name, Entry::Records(ttl, addresses.iter().map(|address| RData::A(A(*address))).collect()));
    }

    /// Service `name` is at these: priority, weight, port, target.
    pub fn services(&self, name: &str, ttl: u32, targets: &[(u16, u16, u16, &str)]) {
        let service = |(priority, weight, port, target): &(u16, u16, u16, &str)| {
            RData::SRV(SRV::new(*priority, *weight, *port, full(target)))
        };
        self.set(name, Entry::Records(ttl, targets.iter().map(service).collect()));
    }

    /// Questions for `name` are answered with SERVFAIL.
    pub fn break_off(&self, name: &str) {
        self.set(name, Entry::Broken);
    }

    /// How often `name` was asked for.
    #[must_use]
    pub fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    fn set(&self, name: &str, entry: Entry) {
        self.zone.lock().unwrap().insert(name.to_owned(), entry);
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn full(name: &str) -> Name {
    Name::from_ascii(format!("{name}.")).unwrap()
}

fn answer(question: &Message, zone: &Zone, asked: &mut HashMap<String, usize>) -> Vec<u8> {
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    for query in &question.queries {
        let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
        *asked.entry(name.clone()).or_default() += 1;
        answer.add_query(query.clone());
        match zone.get(&name) {
            None => answer.metadata.response_code = ResponseCode::NXDomain,
            Some(Entry::Broken) => answer.metadata.response_code = ResponseCode::ServFail,
            Some(Entry::Records(ttl, records)) => {
                let fits = |record: &&RData| match record {
                    RData::A(_) => query.query_type() == RecordType::A,
                    _ => query.query_type() == RecordType::SRV,
                };
                let records = records.iter().filter(fits);
                answer.add_answers(records.map(|data| Record::from_rdata(query.name().clone(), *ttl, data.clone())));
            }
        }
    }
    answer.to_vec().unwrap()
}
