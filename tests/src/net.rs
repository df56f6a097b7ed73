//! Connections over TCP for [`Drive`](crate::drive::Drive): sockets that never block, in one thread.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::{Buf as _, Bytes, BytesMut};
use partita_core::client::{ConnId, Transmit};
use partita_core::time::{Monotonic, Now, Wall};

use crate::drive::Happened;

#[derive(Debug)]
pub(crate) struct Tcp {
    start: Instant,
    sockets: BTreeMap<ConnId, Socket>,
    happened: Vec<Happened>,
}

#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    received: BytesMut,
    unsent: BytesMut,
}

impl Tcp {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            sockets: BTreeMap::new(),
            happened: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        Now {
            monotonic: Monotonic(u64::try_from(self.start.elapsed().as_millis()).expect("short")),
            wall: Wall(i64::try_from(wall.as_millis()).expect("not so far in the future")),
        }
    }

    pub(crate) fn transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Open { conn, host, port } => match open(&host, port) {
                Ok(stream) => {
                    let socket = Socket {
                        stream,
                        received: BytesMut::new(),
                        unsent: BytesMut::new(),
                    };
                    self.sockets.insert(conn, socket);
                    self.happened.push(Happened::Connected(conn));
                }
                Err(error) => self
                    .happened
                    .push(Happened::Closed(conn, error.to_string())),
            },
            Transmit::Send { conn, frame } => {
                if let Some(socket) = self.sockets.get_mut(&conn) {
                    let length: usize = frame.iter().map(Bytes::len).sum();
                    let length = u32::try_from(length).expect("frames are small");
                    socket.unsent.extend_from_slice(&length.to_be_bytes());
                    for piece in frame {
                        socket.unsent.extend_from_slice(&piece);
                    }
                }
            }
            Transmit::Close { conn } => {
                self.sockets.remove(&conn);
            }
        }
    }

    /// Sends and receives what can be without waiting.
    pub(crate) fn poll(&mut self) -> Vec<Happened> {
        let mut happened = std::mem::take(&mut self.happened);
        let mut ended = Vec::new();
        for (conn, socket) in &mut self.sockets {
            let result = socket.send().and_then(|()| socket.receive());
            while let Some(frame) = socket.take_frame() {
                happened.push(Happened::Received(*conn, frame));
            }
            if let Err(error) = result {
                happened.push(Happened::Closed(*conn, error.to_string()));
                ended.push(*conn);
            }
        }
        for conn in ended {
            self.sockets.remove(&conn);
        }
        happened
    }

    /// Waits a moment, because nothing can be done.
    pub(crate) fn pause(&self) {
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn open(host: &str, port: i32) -> std::io::Result<TcpStream> {
    let port = u16::try_from(port).map_err(|error| std::io::Error::other(error.to_string()))?;
    let mut last = std::io::Error::other("no such host");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Socket {
    fn send(&mut self) -> std::io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(sent) => self.unsent.advance(sent),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> std::io::Result<()> {
        let mut buffer = [0; 65_536];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::ConnectionReset.into()),
                Ok(read) => self
                    .received
                    .extend_from_slice(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn take_frame(&mut self) -> Option<Bytes> {
        let length = u32::from_be_bytes(*self.received.first_chunk::<4>()?);
        let length = usize::try_from(length).ok()?;
        if self.received.len() < length.checked_add(4)? {
            return None;
        }
        self.received.advance(4);
        Some(self.received.split_to(length).freeze())
    }
}
