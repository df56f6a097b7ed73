//! What goes wrong: the broker crashes, connections drop, members die, the machine sleeps.

use partita_core::client::ConnId;

use super::super::client::Program;
use super::{Packet, World};

impl World {
    pub(super) fn schedule_fault(&mut self) {
        let delay = 200 + self.pick(4_000);
        self.after(delay, Packet::Fault);
    }

    pub(super) fn fault(&mut self) {
        if self.healing {
            return;
        }
        match self.pick(10) {
            0..2 => self.crash_broker(),
            2..6 => self.drop_connection(),
            6..8 => {
                let consumers: Vec<usize> = (0..self.programs.len())
                    .filter(|&index| matches!(self.programs.get(index), Some(Program::Consumer(_))))
                    .collect();
                let choice = self.pick(u64::try_from(consumers.len()).unwrap_or(1));
                if let Some(&index) = consumers.get(usize::try_from(choice).unwrap_or(0)) {
                    let noticed = self.pick(2) == 0;
                    self.kill_member(index, noticed);
                }
            }
            // The machine sleeps: time jumps for everyone at once.
            8 => self.now += 1_000 + self.pick(30_000),
            _ => {}
        }
        self.schedule_fault();
    }

    fn drop_connection(&mut self) {
        let links: Vec<(usize, ConnId)> = self.links.keys().copied().collect();
        let choice = self.pick(u64::try_from(links.len()).unwrap_or(1));
        if let Some(&(index, conn)) = links.get(usize::try_from(choice).unwrap_or(0))
            && let Some(link) = self.links.remove(&(index, conn))
        {
            let (one, other) = (1 + self.pick(20), 1 + self.pick(20));
            self.after(one, Packet::Closed(index, conn));
            self.after(other, Packet::Gone(link.at_broker));
        }
    }

    /// A member is gone without leaving its group; the broker may notice its connections close, or
    /// nothing at all. Another takes its place later.
    pub(super) fn kill_member(&mut self, index: usize, noticed: bool) {
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
                self.after(1, Packet::Gone(link.at_broker));
            }
        }
        let late: Vec<(u64, u64)> = self
            .wire
            .iter()
            .filter(|(_, packet)| match packet {
                Packet::Open(program, _)
                | Packet::Opened(program, _)
                | Packet::Up(program, ..)
                | Packet::Down(program, ..)
                | Packet::Closed(program, _)
                | Packet::Revive(program) => *program == index,
                _ => false,
            })
            .map(|(key, _)| *key)
            .collect();
        for key in late {
            self.wire.remove(&key);
        }
        let away = 50 + self.pick(3_000);
        self.after(away, Packet::Revive(index));
    }
}
