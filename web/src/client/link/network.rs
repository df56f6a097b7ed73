//! A link as the network of one driver.

use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use partita_core::client::ConnId;
use partita_core::time::{Monotonic, Now};

use super::{Connection, Link, State};
use crate::client::{Handler, Network};
use crate::num::to_f64;
use crate::port::message::{INITIAL_WINDOW, ToHost};
use crate::storage::copy_out;

/// A link's network for one driver.
#[derive(Debug)]
pub struct LinkNetwork {
    pub(super) link: Rc<Link>,
    /// Names the driver on the link, and its alarm.
    pub(super) id: u32,
}

impl Network for LinkNetwork {
    fn set_handler(&self, handler: Weak<dyn Handler>) {
        self.link
            .state
            .borrow_mut()
            .clients
            .insert(self.id, handler);
    }

    /// Every address leads to the host: it is the only broker in reach.
    fn open(&self, conn: ConnId, _host: &str, _port: i32) {
        let handler = {
            let mut state = self.link.state.borrow_mut();
            if state.alone.is_some() {
                let handler = state.handler(self.id);
                drop(state);
                if let Some(handler) = handler {
                    handler.closed(conn, "ECONNREFUSED the broker is closed".into());
                }
                return;
            }
            let number = state.next();
            state.out.post(&ToHost::Open {
                connection: number,
                listener: None,
                address: None,
            });
            let connection = Connection {
                client: self.id,
                conn,
                sent: 0,
                upto: INITIAL_WINDOW,
                waiting: VecDeque::new(),
                read: 0,
                acked: 0,
            };
            state.connections.insert(number, connection);
            state.handler(self.id)
        };
        if let Some(handler) = handler {
            handler.connected(conn);
        }
    }

    fn send(&self, conn: ConnId, frame: &[Bytes]) {
        let mut state = self.link.state.borrow_mut();
        let Some(number) = state.number(self.id, conn) else {
            return;
        };
        let State {
            connections, out, ..
        } = &mut *state;
        let Some(connection) = connections.get_mut(&number) else {
            return;
        };
        let frame = copy_out(frame);
        if connection.sent < connection.upto && connection.waiting.is_empty() {
            connection.sent = connection.sent.saturating_add(u64::from(frame.length()));
            out.frame(number, &frame);
        } else {
            connection.waiting.push_back(frame);
        }
    }

    fn close(&self, conn: ConnId) {
        let mut state = self.link.state.borrow_mut();
        if let Some(number) = state.number(self.id, conn) {
            state.connections.remove(&number);
            state.out.post(&ToHost::Close { connection: number });
        }
    }

    fn set_alarm(&self, at: Option<Monotonic>) {
        let ahead = self.link.state.borrow().ahead;
        let at = at.map(|at| (to_f64(at.0) - ahead).max(0.0));
        if !self.link.set_alarm_alone(self.id, at) {
            let alarm = ToHost::Alarm { id: self.id, at };
            self.link.state.borrow_mut().out.post(&alarm);
        }
    }

    fn now(&self) -> Now {
        self.link.now()
    }

    fn flush(&self) {
        if !self.link.dispatching.get() {
            self.link.state.borrow_mut().out.flush();
        }
    }
}

impl Drop for LinkNetwork {
    fn drop(&mut self) {
        let mut state = self.link.state.borrow_mut();
        state.clients.remove(&self.id);
        if let Some(timers) = &mut state.alone {
            timers.remove(&self.id);
            return;
        }
        let open: Vec<u32> = state
            .connections
            .iter()
            .filter(|(_, connection)| connection.client == self.id)
            .map(|(&number, _)| number)
            .collect();
        for number in open {
            state.connections.remove(&number);
            state.out.post(&ToHost::Close { connection: number });
        }
        state.out.post(&ToHost::Alarm {
            id: self.id,
            at: None,
        });
    }
}
