//! What becomes of what the broker asks of its storage.

use partita_core::broker::{Effect, Reply, StorageError};
use partita_core::testing::Harness;

/// What becomes of the writes, or reads, that the broker asks of its storage.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Fate {
    /// They are carried out at once.
    #[default]
    Done,
    /// They wait.
    Wait,
    /// They fail, and nothing of them happens.
    Fail(StorageError),
    /// They are carried out, but the broker hears that nobody knows. Writes only.
    Unknown,
}

/// The reply to the oldest effect that does not have to wait.
pub(crate) fn carry_out(harness: &mut Harness, writes: &Fate, reads: &Fate) -> Option<Reply> {
    let storage = &mut harness.storage;
    let fate_of = |effect: &Effect| match effect {
        Effect::Load => Fate::Done,
        Effect::Write(_) => writes.clone(),
        Effect::Read(_) => reads.clone(),
    };
    let mut free = storage
        .waiting()
        .filter(|effect| fate_of(effect) != Fate::Wait);
    let effect = free.next()?;
    let (is_write, fate) = (matches!(effect, Effect::Write(_)), fate_of(effect));
    drop(free);
    match fate {
        Fate::Fail(why) if is_write => storage.fail_write(why),
        Fate::Fail(why) => storage.fail_read(why),
        Fate::Unknown => storage.lose_answer(),
        Fate::Done | Fate::Wait => storage.complete_unless(|effect| fate_of(effect) == Fate::Wait),
    }
}
