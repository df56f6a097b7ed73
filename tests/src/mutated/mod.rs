//! Frames that nobody should send, to a whole broker: each is answered or its connection is closed,
//! and the broker goes on as if nothing had been.
//!
//! A world is a broker with a topic, a group and records. It gets requests of every served API and
//! version, made at random or sensible for that world, most of them damaged, and noise; storage
//! works now and then. In the end time passes until nothing can wait any more; then the broker must
//! take and give records as ever. What it answers is the same as wasm, where a size has 32 bits.
//!
//! `requests` makes the frames, `damage` spoils them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed check panics"
)]

pub mod damage;
mod requests;

use std::collections::BTreeMap;

use bytes::Bytes;
use partita_core::broker::ConnectionId;
use partita_core::protocol::messages::CreateTopicsRequest;
use partita_core::protocol::messages::create_topics::CreatableTopic;
use partita_core::testing::Harness;

use crate::digest::Digest;
use crate::numbers::Numbers;
use requests::{any_frame, fetch, kinds, produce};

/// Frames of one world.
pub const WORLD: usize = 2_000;
const TOPIC: &str = "orders";
const GROUP: &str = "billing";
/// Longer than any time that a request can name.
const FOR_EVER: u64 = 1 << 31;

/// One world, from beginning to end; a digest of all that was answered. Panics when something is not
/// as it must be.
#[must_use]
pub fn run(seed: u64) -> u64 {
    let mut numbers = Numbers(seed);
    let mut harness = Harness::new();
    let first = harness.connect();
    let create = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: TOPIC.to_owned(),
            num_partitions: 2,
            replication_factor: 1,
            ..CreatableTopic::default()
        }],
        timeout_ms: 1_000,
        ..CreateTopicsRequest::default()
    };
    harness.request(first, &create, 7);
    let kinds = kinds();
    let mut sent: Vec<(ConnectionId, Bytes)> = Vec::new();
    for _ in 0..WORLD {
        let frame = any_frame(&kinds, &mut numbers);
        // Half of them come on a connection of their own, half behind others.
        let connection = match sent.last() {
            Some((last, _)) if numbers.below(2) == 0 && harness.closed(*last).is_none() => *last,
            _ => harness.connect(),
        };
        harness.send_frame(connection, frame.clone());
        sent.push((connection, frame));
        match numbers.below(8) {
            0 => harness.run(),
            1 => drop(harness.step_storage()),
            2 => harness.disconnect_one(&sent, &mut numbers),
            3 => harness.advance(u64::try_from(numbers.below(3_000)).unwrap()),
            _ => {}
        }
    }
    harness.advance_and_run(FOR_EVER);
    harness.run();
    let digest = check_answers(&mut harness, &sent);
    goes_on(&mut harness);
    digest
}

/// Nothing waits any more, and what was answered was answered in order. A request without an answer
/// is a Produce with acks=0, or its connection has ended. Gives the digest of the answers.
fn check_answers(harness: &mut Harness, sent: &[(ConnectionId, Bytes)]) -> u64 {
    let mut by_connection: BTreeMap<ConnectionId, Vec<&Bytes>> = BTreeMap::new();
    for (connection, frame) in sent {
        by_connection.entry(*connection).or_default().push(frame);
    }
    let mut digest = Digest::new();
    let mut answered = 0;
    for (connection, frames) in by_connection {
        // One that was closed, or whose client has gone, accepts nothing.
        let open = harness.broker.can_accept(connection);
        let waiting = harness.broker.unanswered_bytes(connection);
        assert_eq!(waiting, 0, "neither answered nor closed: {frames:?}");
        let mut answers = std::iter::from_fn(|| harness.receive_frame(connection)).peekable();
        for frame in &frames {
            let correlation = frame.get(4..8);
            let mine = |answer: &Bytes| answer.get(..4) == correlation;
            if let Some(answer) = answers.next_if(mine) {
                digest.add(&answer);
                answered += 1;
            } else {
                let silent = frame.get(..2) == Some(&[0, 0]);
                assert!(silent || !open, "no answer to {frame:?} of {frames:?}");
            }
        }
        assert_eq!(answers.next(), None, "an answer too many, to {frames:?}");
    }
    assert!(answered > WORLD / 20, "only {answered} were answered");
    digest.value()
}

/// An ordinary client finds an ordinary broker.
fn goes_on(harness: &mut Harness) {
    let connection = harness.connect();
    let create = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "afterwards".to_owned(),
            num_partitions: 1,
            replication_factor: 1,
            ..CreatableTopic::default()
        }],
        timeout_ms: 1_000,
        ..CreateTopicsRequest::default()
    };
    harness.request(connection, &create, 7);
    let produced = harness.request(connection, &produce("afterwards", 0, "still here"), 9);
    let answer = &produced.responses[0].partition_responses[0];
    assert!(answer.error_code.is_none(), "{answer:?}");
    let fetched = harness.request(connection, &fetch("afterwards", 0, answer.base_offset), 11);
    let data = &fetched.responses[0].partitions[0];
    assert!(data.error_code.is_none(), "{data:?}");
    let bytes = data.records.bytes().cloned().unwrap_or_default();
    assert!(
        bytes.windows(10).any(|part| part == b"still here"),
        "{data:?}"
    );
}

trait Disconnect {
    fn disconnect_one(&mut self, sent: &[(ConnectionId, Bytes)], numbers: &mut Numbers);
}

impl Disconnect for Harness {
    /// One of the clients goes.
    fn disconnect_one(&mut self, sent: &[(ConnectionId, Bytes)], numbers: &mut Numbers) {
        let (connection, _) = sent[numbers.below(sent.len())];
        if self.closed(connection).is_none() {
            self.disconnect(connection);
        }
    }
}

/// For Node: the same answers as wasm as natively.
#[cfg(target_arch = "wasm32")]
mod exports {
    #[unsafe(no_mangle)]
    extern "C" fn mutated(seed: u64) -> u64 {
        super::run(seed)
    }
}
