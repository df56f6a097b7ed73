//! Whoever is asked: our broker in virtual time, or Apache Kafka over TCP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use partita_core::broker::ConnectionId;
use partita_core::testing::Harness;

/// A connection, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connection(usize);

impl Connection {
    /// The one that every peer has from the beginning.
    pub(super) const FIRST: Self = Self(0);
}

/// How long one waits for an answer, in milliseconds of the peer's time.
const PATIENCE: u16 = 15_000;

/// A broker that answers frames.
pub(super) enum Peer {
    Ours {
        harness: Box<Harness>,
        connections: Vec<ConnectionId>,
    },
    Kafka {
        address: String,
        connections: Vec<TcpStream>,
    },
}

impl Peer {
    /// Our broker, on empty storage.
    pub(super) fn ours() -> Self {
        let mut harness = Box::new(Harness::new());
        let connections = vec![harness.connect()];
        Self::Ours {
            harness,
            connections,
        }
    }

    /// The broker at an address, `host:port`.
    pub(super) fn kafka(address: &str) -> Self {
        Self::Kafka {
            address: address.to_owned(),
            connections: vec![open(address)],
        }
    }

    /// Opens one more connection.
    pub(super) fn connect(&mut self) -> Connection {
        match self {
            Self::Ours {
                harness,
                connections,
            } => {
                connections.push(harness.connect());
                Connection(connections.len() - 1)
            }
            Self::Kafka {
                address,
                connections,
            } => {
                connections.push(open(address));
                Connection(connections.len() - 1)
            }
        }
    }

    /// Sends a request's frame.
    pub(super) fn send(&mut self, on: Connection, frame: Bytes) {
        match self {
            Self::Ours {
                harness,
                connections,
            } => {
                harness.send_frame(connections[on.0], frame);
                harness.run();
            }
            Self::Kafka { connections, .. } => {
                let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
                let sent = [&length, &frame[..]].concat();
                connections[on.0].write_all(&sent).unwrap();
            }
        }
    }

    /// The next response's frame; `None` if the connection was closed instead, which is then
    /// opened anew.
    pub(super) fn receive(&mut self, on: Connection) -> Option<Bytes> {
        match self {
            Self::Ours {
                harness,
                connections,
            } => {
                let connection = &mut connections[on.0];
                for _ in 0..=PATIENCE {
                    if let Some(frame) = harness.receive_frame(*connection) {
                        return Some(frame);
                    }
                    if harness.closed(*connection).is_some() {
                        *connection = harness.connect();
                        return None;
                    }
                    harness.advance_and_run(1);
                }
                panic!("no answer came");
            }
            Self::Kafka {
                address,
                connections,
            } => {
                let stream = &mut connections[on.0];
                let mut length = [0; 4];
                if let Err(error) = stream.read_exact(&mut length) {
                    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "no answer");
                    *stream = open(address);
                    return None;
                }
                let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
                let mut frame = vec![0; length];
                stream.read_exact(&mut frame).unwrap();
                Some(frame.into())
            }
        }
    }

    /// Lets time pass: what a broker does a little later, as Kafka takes what its controller has
    /// decided, is then done.
    pub(super) fn settle(&mut self, millis: u16) {
        match self {
            Self::Ours { harness, .. } => harness.advance_and_run(u64::from(millis)),
            Self::Kafka { .. } => std::thread::sleep(Duration::from_millis(millis.into())),
        }
    }

    /// The wall time, in milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        match self {
            Self::Ours { harness, .. } => harness.now().wall.0,
            Self::Kafka { .. } => {
                let since = std::time::UNIX_EPOCH.elapsed().unwrap();
                i64::try_from(since.as_millis()).unwrap()
            }
        }
    }

    /// Where it sees us.
    pub(super) fn client_host(&self) -> String {
        match self {
            Self::Ours { .. } => "/client.test".to_owned(),
            Self::Kafka { connections, .. } => {
                format!("/{}", connections[0].local_addr().unwrap().ip())
            }
        }
    }

    /// The host and port that it advertises.
    pub(super) fn advertised(&self) -> (&str, &str) {
        match self {
            Self::Ours { .. } => ("broker.test", "9092"),
            Self::Kafka { address, .. } => address.split_once(':').unwrap(),
        }
    }
}

fn open(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let patience = Duration::from_millis(PATIENCE.into());
    stream.set_read_timeout(Some(patience)).unwrap();
    stream
}
