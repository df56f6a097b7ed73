//! A native host: the broker behind a TCP port on loopback, its storage in memory.
//!
//! For tests that need the engine without wasm: clients nobody here wrote, benchmarks, mutated
//! frames. One thread runs the broker; each connection has a thread that reads.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use partita_core::broker::{
    Broker, BrokerConfig, ConnectionId, Effect, Frame, Listener, Output, Peer,
};
use partita_core::testing::MemoryStorage;
use partita_core::time::{Monotonic, Now, Wall};

/// A running broker; ends when dropped.
#[derive(Debug)]
pub struct NativeBroker {
    /// Where it listens.
    pub address: SocketAddr,
    events: Sender<Event>,
    broker: Option<thread::JoinHandle<()>>,
}

enum Event {
    Connected(u64, TcpStream),
    Frame(u64, Bytes),
    Gone(u64),
    Stop,
}

impl NativeBroker {
    /// Starts a broker on a loopback port; 0 picks a free one.
    ///
    /// # Errors
    /// If the port cannot be had.
    pub fn start(config: BrokerConfig, port: u16, seed: [u8; 32]) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let (events, inbox) = mpsc::channel();
        let accepting = events.clone();
        thread::spawn(move || accept(&listener, &accepting));
        let broker = thread::spawn(move || Host::new(config, seed, address).run(&inbox));
        Ok(Self {
            address,
            events,
            broker: Some(broker),
        })
    }
}

impl Drop for NativeBroker {
    fn drop(&mut self) {
        self.events.send(Event::Stop).ok();
        if let Some(broker) = self.broker.take() {
            broker.join().ok();
        }
    }
}

fn accept(listener: &TcpListener, events: &Sender<Event>) {
    for (number, stream) in (1..).zip(listener.incoming()) {
        let Ok(stream) = stream else { continue };
        stream.set_nodelay(true).ok();
        let Ok(reading) = stream.try_clone() else {
            continue;
        };
        if events.send(Event::Connected(number, stream)).is_err() {
            return;
        }
        let events = events.clone();
        thread::spawn(move || {
            read_frames(reading, number, &events).ok();
            events.send(Event::Gone(number)).ok();
        });
    }
}

fn read_frames(mut stream: TcpStream, number: u64, events: &Sender<Event>) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)?;
        if length > 100 << 20 {
            return Err(io::Error::other("the frame is too large"));
        }
        let mut frame = vec![0; length];
        stream.read_exact(&mut frame)?;
        events
            .send(Event::Frame(number, frame.into()))
            .map_err(io::Error::other)?;
    }
}

struct Host {
    broker: Broker,
    storage: MemoryStorage,
    connections: BTreeMap<u64, TcpStream>,
    began: Instant,
    address: SocketAddr,
}

impl Host {
    fn new(config: BrokerConfig, seed: [u8; 32], address: SocketAddr) -> Self {
        let began = Instant::now();
        let broker = Broker::new(config, seed, now(began));
        let storage = MemoryStorage::default();
        Self {
            broker,
            storage,
            connections: BTreeMap::new(),
            began,
            address,
        }
    }

    fn run(mut self, inbox: &Receiver<Event>) {
        self.drain();
        loop {
            let wait = self
                .broker
                .poll_timeout()
                .map_or(Duration::from_secs(3600), |deadline| {
                    Duration::from_millis(deadline.since(now(self.began).monotonic))
                });
            match inbox.recv_timeout(wait) {
                Ok(Event::Connected(number, stream)) => {
                    let address = stream
                        .peer_addr()
                        .map_or_else(|_| "unknown".to_owned(), |peer| peer.ip().to_string());
                    self.connections.insert(number, stream);
                    let listener = Listener {
                        name: "PLAINTEXT".to_owned(),
                        host: self.address.ip().to_string(),
                        port: i32::from(self.address.port()),
                    };
                    let peer = Peer { listener, address };
                    self.broker
                        .handle_connect(now(self.began), ConnectionId(number), peer);
                }
                Ok(Event::Frame(number, frame)) => {
                    self.broker
                        .handle_request(now(self.began), ConnectionId(number), frame);
                }
                Ok(Event::Gone(number)) => {
                    self.connections.remove(&number);
                    self.broker
                        .handle_disconnect(now(self.began), ConnectionId(number));
                }
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => self.broker.handle_timeout(now(self.began)),
            }
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.broker.poll_output() {
            match output {
                Output::Response { connection, frame } => self.send(connection, &frame),
                Output::Effect(effect) => self.perform(effect),
                Output::Close { connection, .. } => {
                    if let Some(stream) = self.connections.remove(&connection.0) {
                        stream.shutdown(std::net::Shutdown::Both).ok();
                    }
                }
            }
        }
        self.storage.let_go();
    }

    fn perform(&mut self, effect: Effect) {
        self.storage.accept(effect);
        while let Some(reply) = self.storage.complete_next() {
            self.broker.handle_storage(now(self.began), reply);
        }
    }

    fn send(&mut self, connection: ConnectionId, frame: &Frame) {
        let Some(stream) = self.connections.get_mut(&connection.0) else {
            return;
        };
        let body = self.storage.resolve(frame);
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        // A client that went away is noticed by the thread that reads from it.
        stream
            .write_all(&length)
            .and_then(|()| stream.write_all(&body))
            .ok();
    }
}

fn now(began: Instant) -> Now {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    Now {
        monotonic: Monotonic(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)),
        wall: Wall(i64::try_from(wall).unwrap_or(i64::MAX)),
    }
}
