//! The wires between programs and broker: frames take their time, in order on each connection.

use bytes::Bytes;
use partita_core::broker::{ConnectionId, Listener, Peer};
use partita_core::client::{ConnId, Transmit};

use super::super::client::Program;
use super::{Link, PATIENCE, Packet, World};
use crate::digest::Digest;

impl World {
    /// Takes what a program sends.
    pub(super) fn transmit(&mut self, index: usize) {
        while let Some(transmit) = self
            .programs
            .get_mut(index)
            .and_then(|program| program.endpoint().poll_transmit())
        {
            let delay = self.wire_delay();
            match transmit {
                Transmit::Open { conn, .. } => self.after(delay, Packet::Open(index, conn)),
                Transmit::Send { conn, frame } => {
                    let bytes: Vec<u8> =
                        frame.iter().flat_map(|part| part.iter().copied()).collect();
                    let now = self.now;
                    if let Some(link) = self.links.get_mut(&(index, conn)) {
                        link.up = link.up.max(now + delay);
                        let at = link.up;
                        self.at(at, Packet::Up(index, conn, bytes.into()));
                    }
                }
                Transmit::Close { conn } => {
                    if let Some(link) = self.links.remove(&(index, conn)) {
                        self.check_patience(&link);
                        let at = link.up.max(self.now + delay);
                        self.at(at, Packet::Gone(link.at_broker));
                    }
                }
            }
        }
    }

    /// A program closes a connection: not because the broker, awake all the while, has left a
    /// request without an answer.
    fn check_patience(&self, link: &Link) {
        if let Some((api, since)) = self.tap.oldest_of(link.at_broker) {
            let since = since.max(self.slept);
            assert!(
                self.now.saturating_sub(since) < PATIENCE,
                "{api:?} of {since} was never answered"
            );
        }
    }

    /// A frame reaches the broker.
    pub(super) fn up(&mut self, index: usize, conn: ConnId, frame: Bytes) {
        let now = self.clock();
        if let (Some(link), Some(broker)) = (self.links.get(&(index, conn)), &mut self.broker) {
            self.tap
                .asked(link.at_broker, frame.clone(), self.now, self.model.step);
            broker.handle_request(now, link.at_broker, frame);
        }
    }

    /// The broker answers.
    pub(super) fn down(&mut self, connection: ConnectionId, frame: Bytes) {
        let digest = Digest::of(&frame);
        self.journal.note(
            self.now,
            format_args!("> response {} {digest:016x}", connection.0),
        );
        let asked = self.tap.answered(connection, &frame);
        self.answers.push((asked, frame.clone()));
        let delay = self.wire_delay();
        let now = self.now;
        let link = self
            .links
            .iter_mut()
            .find(|(_, link)| link.at_broker == connection);
        if let Some((&(index, conn), link)) = link {
            link.down = link.down.max(now + delay);
            let at = link.down;
            self.at(at, Packet::Down(index, conn, frame));
        }
    }

    /// The broker closes a connection: only when it cannot go on.
    pub(super) fn closed(&mut self, connection: ConnectionId, reason: &str) {
        assert!(
            !self.model.running || self.model.fenced,
            "the broker closed {connection:?}: {reason}"
        );
        self.journal
            .note(self.now, format_args!("> close {}", connection.0));
        self.tap.closed(connection);
        let link = self
            .links
            .iter()
            .find(|(_, link)| link.at_broker == connection);
        if let Some((&(index, conn), link)) = link {
            let at = link.down.max(self.now + 1);
            self.at(at, Packet::Closed(index, conn));
        }
    }

    /// An event for a program, and what it does then.
    pub(super) fn tell(&mut self, index: usize, what: impl FnOnce(&mut Program)) {
        if let Some(program) = self.programs.get_mut(index)
            && !self.dead.contains(&index)
        {
            what(program);
        }
        self.act(index);
    }

    /// A connection reaches the broker, if there is one.
    pub(super) fn open(&mut self, index: usize, conn: ConnId) {
        let now = self.clock();
        let delay = self.wire_delay();
        if self.dead.contains(&index) {
            return;
        }
        let Some(broker) = &mut self.broker else {
            return self.after(delay, Packet::Closed(index, conn));
        };
        self.next_connection += 1;
        let at_broker = ConnectionId(self.next_connection);
        let listener = Listener {
            name: "SIM".to_owned(),
            host: "broker".to_owned(),
            port: 9092,
        };
        broker.handle_connect(
            now,
            at_broker,
            Peer {
                listener,
                address: format!("program-{index}"),
            },
        );
        let ready = self.now + delay;
        self.links.insert(
            (index, conn),
            Link {
                at_broker,
                up: ready,
                down: ready,
            },
        );
        self.at(ready, Packet::Opened(index, conn));
    }
}
