//! Connections made by JavaScript, such as Node's TCP: for clients of brokers elsewhere.
//!
//! The transport opens byte streams; framing is done here. Time is the system's, and timers are
//! the thread's own, for there is no host to keep them.

use partita_core::sorted::SortedMap;
use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use js_sys::Uint8Array;
use partita_core::client::ConnId;
use partita_core::time::{Monotonic, Now, Wall};
use wasm_bindgen::prelude::*;

use super::{Handler, Network};
use crate::deframer::Deframer;
use crate::num::{to_f64, to_i64, to_u32, to_u64};
use crate::sys::{self, Timer};

#[wasm_bindgen]
extern "C" {
    /// What JavaScript provides: `{ open(host, port, handler): { send(bytes), close() } }`.
    ///
    /// `handler` has `connected()`, `data(bytes)` and `closed(reason)`, which may be called at any
    /// time, also too late.
    #[derive(Debug, Clone)]
    pub type Transport;
    #[wasm_bindgen(method, structural, catch)]
    fn open(
        this: &Transport,
        host: &str,
        port: i32,
        handler: TransportHandler,
    ) -> Result<Socket, JsValue>;

    #[derive(Debug, Clone)]
    type Socket;
    #[wasm_bindgen(method, structural, catch)]
    fn send(this: &Socket, bytes: Uint8Array) -> Result<(), JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn close(this: &Socket) -> Result<(), JsValue>;
}

/// A network of streams for one driver.
pub struct TransportNetwork {
    transport: Transport,
    state: RefCell<State>,
    timer: Timer,
    me: Weak<Self>,
}

#[derive(Default)]
struct State {
    handler: Option<Weak<dyn Handler>>,
    streams: SortedMap<ConnId, Stream>,
}

#[derive(Default)]
struct Stream {
    socket: Option<Socket>,
    deframer: Deframer,
}

impl fmt::Debug for TransportNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportNetwork").finish_non_exhaustive()
    }
}

impl TransportNetwork {
    /// A network of what this transport opens.
    #[must_use]
    pub fn new(transport: Transport) -> Rc<Self> {
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let me = weak.clone();
            let weak = weak.clone();
            let timer = Timer::new(move || {
                if let Some(network) = weak.upgrade()
                    && let Some(handler) = network.handler()
                {
                    handler.woken(network.now());
                }
            });
            Self {
                transport,
                state: RefCell::default(),
                timer,
                me,
            }
        })
    }

    fn handler(&self) -> Option<Rc<dyn Handler>> {
        self.state.borrow().handler.as_ref()?.upgrade()
    }

    /// Forgets a stream and closes it; whether it was known.
    fn forget(&self, conn: ConnId) -> bool {
        let stream = self.state.borrow_mut().streams.remove(&conn);
        let known = stream.is_some();
        if let Some(socket) = stream.and_then(|stream| stream.socket)
            && let Err(error) = socket.close()
        {
            web_sys::console::error_2(&"partita: a socket could not be closed".into(), &error);
        }
        known
    }

    fn failed(&self, conn: ConnId, reason: String) {
        if self.forget(conn)
            && let Some(handler) = self.handler()
        {
            handler.closed(conn, reason);
        }
    }

    fn arrived(&self, conn: ConnId, bytes: &[u8]) {
        if let Some(stream) = self.state.borrow_mut().streams.get_mut(&conn) {
            stream.deframer.push(bytes);
        }
        loop {
            let next = match self.state.borrow_mut().streams.get_mut(&conn) {
                Some(stream) => stream.deframer.next(),
                None => return,
            };
            match next {
                Ok(Some(frame)) => {
                    if let Some(handler) = self.handler() {
                        handler.received(conn, frame);
                    }
                }
                Ok(None) => return,
                Err(_) => return self.failed(conn, "this is not Kafka's protocol".into()),
            }
        }
    }
}

impl Network for TransportNetwork {
    fn set_handler(&self, handler: Weak<dyn Handler>) {
        self.state.borrow_mut().handler = Some(handler);
    }

    fn open(&self, conn: ConnId, host: &str, port: i32) {
        self.state
            .borrow_mut()
            .streams
            .insert(conn, Stream::default());
        let handler = TransportHandler {
            network: self.me.clone(),
            conn,
        };
        match self.transport.open(host, port, handler) {
            Ok(socket) => {
                let mut state = self.state.borrow_mut();
                if let Some(stream) = state.streams.get_mut(&conn) {
                    stream.socket = Some(socket);
                }
            }
            Err(error) => self.failed(conn, text(&error)),
        }
    }

    fn send(&self, conn: ConnId, frame: &[Bytes]) {
        let length: usize = frame.iter().map(Bytes::len).sum();
        let bytes = Uint8Array::new_with_length(to_u32(length.saturating_add(4)));
        let mut at = crate::storage::put(&bytes, 0, &to_u32(length).to_be_bytes());
        for piece in frame {
            at = crate::storage::put(&bytes, at, piece);
        }
        let socket = self
            .state
            .borrow()
            .streams
            .get(&conn)
            .and_then(|stream| stream.socket.clone());
        if let Some(socket) = socket
            && let Err(error) = socket.send(bytes)
        {
            self.failed(conn, text(&error));
        }
    }

    fn close(&self, conn: ConnId) {
        self.forget(conn);
    }

    fn set_alarm(&self, at: Option<Monotonic>) {
        self.timer
            .set(at.map(|at| to_f64(at.0) - sys::monotonic_now()));
    }

    fn now(&self) -> Now {
        Now {
            monotonic: Monotonic(to_u64(sys::monotonic_now())),
            wall: Wall(to_i64(sys::wall_now())),
        }
    }
}

/// What JavaScript calls when something happens on one of its streams.
#[wasm_bindgen]
#[derive(Debug)]
pub struct TransportHandler {
    network: Weak<TransportNetwork>,
    conn: ConnId,
}

#[wasm_bindgen]
impl TransportHandler {
    /// The stream is open.
    pub fn connected(&self) {
        if let Some(network) = self.network.upgrade()
            && let Some(handler) = network.handler()
        {
            handler.connected(self.conn);
        }
    }

    /// Bytes have come.
    pub fn data(&self, bytes: &[u8]) {
        if let Some(network) = self.network.upgrade() {
            network.arrived(self.conn, bytes);
        }
    }

    /// The stream has ended, or could not be opened. A reason that begins with a system's error
    /// code gives the client's error that code.
    pub fn closed(&self, reason: String) {
        if let Some(network) = self.network.upgrade() {
            network.failed(self.conn, reason);
        }
    }
}

/// What was thrown, in words.
fn text(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => format!("{thrown:?}"),
    }
}
