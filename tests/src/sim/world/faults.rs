//! What goes wrong: the broker crashes or is fenced, storage fails or has no room, connections drop,
//! frames are late, members die or leave, machines sleep.

use partita_core::broker::{Effect, Reply, StorageError, Write, WriteOp};
use partita_core::client::ConnId;

use super::super::client::Program;
use super::{Packet, Party, World};

impl World {
    pub(super) fn schedule_fault(&mut self) {
        let delay = 200 + self.random.below(4_000);
        self.after(delay, Packet::Fault);
    }

    pub(super) fn fault(&mut self) {
        if self.healing {
            return;
        }
        match self.random.below(20_u8) {
            0..4 => self.crash_broker(),
            4..9 => self.drop_connection(),
            9..12 => {
                if let Some(index) = self.some_member() {
                    let noticed = self.random.once_in(2);
                    self.kill_member(index, noticed);
                }
            }
            12 => {
                let now = self.clock();
                if let Some(index) = self.some_member()
                    && let Some(Program::Consumer(member)) = self.programs.get_mut(index)
                {
                    member.leave(now);
                    self.act(index);
                }
            }
            // The machine sleeps: time jumps for everyone at once.
            13 => {
                self.now += 1_000 + self.random.below(30_000);
                self.slept = self.now;
            }
            14 => self.stand_still(Party::Broker, 10_000),
            15 | 16 => {
                if let Some(index) = self.some_member() {
                    self.stand_still(Party::Program(index), 20_000);
                }
            }
            17 => self.full_until = self.now + 200 + self.random.below(3_000),
            // Storage tells the broker with the next thing it asks for.
            18 => self.model.fenced = self.model.running,
            _ => {}
        }
        self.schedule_fault();
    }

    pub(super) fn some_member(&mut self) -> Option<usize> {
        let consumers: Vec<usize> = (0..self.programs.len())
            .filter(|&index| matches!(self.programs.get(index), Some(Program::Consumer(_))))
            .filter(|&index| !self.stands(Party::Program(index)) && !self.dead.contains(&index))
            .collect();
        let choice = self.random.below(consumers.len());
        consumers.get(choice).copied()
    }

    fn stand_still(&mut self, party: Party, at_most: u64) {
        if !self.stands(party) {
            self.held.insert(party, std::collections::VecDeque::new());
            let millis = 500 + self.random.below(at_most);
            self.after(millis, Packet::Thaw(party));
        }
    }

    /// The broker crashes: what it has asked of storage and not heard of may or may not happen.
    pub(super) fn crash_broker(&mut self) {
        if self.broker.take().is_none() {
            return;
        }
        let mut storage = std::mem::take(&mut self.storage);
        for _ in 0..self.random.below(3_u8) {
            storage.complete_write();
        }
        let stored = storage.crash();
        self.model.crashed(&stored);
        self.stored = Some(stored);
        self.tap.clear();
        self.answers.clear();
        if let Some(held) = self.held.get_mut(&Party::Broker) {
            held.clear();
        }
        let links: Vec<(usize, ConnId)> = self.links.keys().copied().collect();
        for (index, conn) in links {
            let delay = 1 + self.random.below(20);
            self.after(delay, Packet::Closed(index, conn));
            self.links.remove(&(index, conn));
        }
        let away = 20 + self.random.below(4_000);
        self.after(away, Packet::Start);
    }

    fn drop_connection(&mut self) {
        let links: Vec<(usize, ConnId)> = self.links.keys().copied().collect();
        let choice = self.random.below(links.len());
        if let Some(&(index, conn)) = links.get(choice)
            && let Some(link) = self.links.remove(&(index, conn))
        {
            let (one, other) = (1 + self.random.below(20), 1 + self.random.below(20));
            self.after(one, Packet::Closed(index, conn));
            self.after(other, Packet::Gone(link.at_broker));
        }
    }

    /// A member is gone without leaving its group; the broker may notice its connections close, or
    /// nothing at all. Another takes its place later.
    pub(super) fn kill_member(&mut self, index: usize, noticed: bool) {
        let away = 50 + self.random.below(3_000);
        self.kill_member_for(index, noticed, away);
    }

    /// The same, and how long it takes until another takes its place.
    pub(super) fn kill_member_for(&mut self, index: usize, noticed: bool, away: u64) {
        self.dead.insert(index);
        self.held.remove(&Party::Program(index));
        let links: Vec<(usize, ConnId)> = self
            .links
            .keys()
            .copied()
            .filter(|(program, _)| *program == index)
            .collect();
        for key in links {
            if let Some(link) = self.links.remove(&key)
                && noticed
            {
                let at = link.up.max(self.now + 1);
                self.at(at, Packet::Gone(link.at_broker));
            }
        }
        self.wire.retain(|_, packet| match packet {
            Packet::Open(program, _)
            | Packet::Opened(program, _)
            | Packet::Up(program, ..)
            | Packet::Down(program, ..)
            | Packet::Closed(program, _)
            | Packet::Revive(program) => *program != index,
            _ => true,
        });
        self.after(away, Packet::Revive(index));
    }

    /// How long a frame takes: a few milliseconds, now and then much longer.
    pub(super) fn wire_delay(&mut self) -> u64 {
        if !self.healing && self.random.once_in(300) {
            return 1 + self.random.below(3_000);
        }
        1 + self.random.below(8)
    }

    /// How long storage takes for one thing.
    pub(super) fn storage_delay(&mut self) -> u64 {
        if self.healing {
            return self.random.below(4);
        }
        if self.random.once_in(200) {
            return self.random.below(2_000);
        }
        self.random.below(40)
    }

    /// Storage's answer, when it is not that of the oldest effect carried out.
    pub(super) fn unlucky_storage(&mut self) -> Option<Reply> {
        if self.now < self.full_until && self.next_write_grows() {
            let why = StorageError::QuotaExceeded("no room".to_owned());
            return self.storage.fail_write(why);
        }
        let luck = if self.healing {
            1_000
        } else {
            self.random.below(1_000_u16)
        };
        match luck {
            0..4 => {
                let why = StorageError::QuotaExceeded("no room".to_owned());
                self.storage.fail_write(why)
            }
            4..10 => self
                .storage
                .fail_write(StorageError::Other("a bad block".to_owned())),
            10..16 => self.storage.lose_answer(),
            16..26 => self
                .storage
                .fail_read(StorageError::Other("a bad read".to_owned())),
            26..400 => self.storage.complete_read(),
            400..700 => self.storage.complete_write(),
            _ => None,
        }
    }

    fn next_write_grows(&self) -> bool {
        let grows = |op: &WriteOp| matches!(op, WriteOp::PutChunk { .. });
        let mut writes = self.storage.waiting().filter_map(|effect| match effect {
            Effect::Write(Write { ops, .. }) => Some(ops),
            Effect::Load | Effect::Read(_) => None,
        });
        writes.next().is_some_and(|ops| ops.iter().any(grows))
    }
}
