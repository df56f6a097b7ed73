//! Fetch sessions (KIP-227) whose partitions change: records come, go, and topics with them.

use partita_core::protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use partita_core::protocol::messages::delete_topics::DeleteTopicState;
use partita_core::protocol::messages::{DeleteRecordsRequest, DeleteTopicsRequest, FetchRequest};
use partita_core::types::Uuid;

use super::records::{batch, fetch};
use super::scribe::Scribe;

pub(super) fn ask(scribe: &mut Scribe) {
    for version in [7, 9, 11, 12, 13, 15, 17, 18] {
        changes(scribe, version);
        limits(scribe, version);
        topic_goes(scribe, version);
    }
}

/// A Fetch that begins a session with these partitions, each from its offset.
fn begin(name: &str, id: Uuid, partitions: &[(i32, i64)]) -> FetchRequest {
    let mut request = fetch(name, id, 0, 0);
    request.session_epoch = 0;
    let asked = request.topics[0].partitions.remove(0);
    for (partition, fetch_offset) in partitions {
        let mut asked = asked.clone();
        (asked.partition, asked.fetch_offset) = (*partition, *fetch_offset);
        request.topics[0].partitions.push(asked);
    }
    request
}

/// The session's next Fetch, which changes nothing about it.
fn go_on(session_id: i32, session_epoch: i32) -> FetchRequest {
    let mut request = fetch("", Uuid::ZERO, 0, 0);
    request.topics.clear();
    (request.session_id, request.session_epoch) = (session_id, session_epoch);
    request
}

fn changes(scribe: &mut Scribe, version: i16) {
    let plain = format!("moving-{version}");
    let id = scribe.create(&plain, 3, &[]);
    let name = scribe.name(&plain);
    scribe.append(&plain, 0, batch(&["a", "b"]));
    let request = begin(&name, id, &[(0, 2), (1, 0), (2, 0)]);
    let begun = scribe.ask_fetch("begun", version, &request).unwrap();
    let session = begun.session_id;
    scribe.ask_fetch("nothing new", version, &go_on(session, 1));
    scribe.append(&plain, 1, batch(&["c"]));
    scribe.ask_fetch("after an append", version, &go_on(session, 2));
    scribe.ask_fetch("the same once more", version, &go_on(session, 3));
    let mut moved = begin(&name, id, &[(1, 1)]);
    (moved.session_id, moved.session_epoch) = (session, 4);
    scribe.ask_fetch("moved to the end", version, &moved);
    scribe.append(&plain, 0, batch(&["d"]));
    scribe.append(&plain, 2, batch(&["e"]));
    scribe.ask_fetch("after two appends", version, &go_on(session, 5));
    let delete = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: name.clone(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: 1,
                offset: 1,
            }],
        }],
        timeout_ms: 3_000,
    };
    let deleted = scribe.call(2, &delete).unwrap();
    assert!(deleted.topics[0].partitions[0].error_code.is_none());
    scribe.ask_fetch("after a deletion at the end", version, &go_on(session, 6));
    scribe.ask_fetch("after that", version, &go_on(session, 7));
    let mut below = begin(&name, id, &[(1, 0)]);
    (below.session_id, below.session_epoch) = (session, 8);
    scribe.ask_fetch("moved below the start", version, &below);
    scribe.ask_fetch("below the start still", version, &go_on(session, 9));
}

/// Whom the limit left out comes first the next time.
fn limits(scribe: &mut Scribe, version: i16) {
    let plain = format!("limited-{version}");
    let id = scribe.create(&plain, 3, &[]);
    for partition in 0..3 {
        scribe.append(&plain, partition, batch(&["a"]));
        scribe.append(&plain, partition, batch(&["b"]));
    }
    let mut request = begin(&scribe.name(&plain), id, &[(0, 0), (1, 0), (2, 0)]);
    request.max_bytes = 1;
    let begun = scribe
        .ask_fetch("limited, begun", version, &request)
        .unwrap();
    for epoch in 1..=5 {
        let mut request = go_on(begun.session_id, epoch);
        request.max_bytes = 1;
        scribe.ask_fetch(&format!("limited, next {epoch}"), version, &request);
    }
}

fn topic_goes(scribe: &mut Scribe, version: i16) {
    let plain = format!("going-{version}");
    let id = scribe.create(&plain, 1, &[]);
    let name = scribe.name(&plain);
    scribe.append(&plain, 0, batch(&["a"]));
    let request = begin(&name, id, &[(0, 0)]);
    let begun = scribe.ask_fetch("going, begun", version, &request).unwrap();
    let gone = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            name: Some(name.clone()),
            ..DeleteTopicState::default()
        }],
        timeout_ms: 5_000,
        ..DeleteTopicsRequest::default()
    };
    assert!(
        scribe.call(6, &gone).unwrap().responses[0]
            .error_code
            .is_none()
    );
    scribe.peer.settle(500);
    scribe.ask_fetch("gone", version, &go_on(begun.session_id, 1));
    scribe.ask_fetch("gone still", version, &go_on(begun.session_id, 2));
    let again = scribe.create(&plain, 1, &[]);
    assert_ne!(id, again);
    scribe.append(&plain, 0, batch(&["b"]));
    scribe.ask_fetch("made again", version, &go_on(begun.session_id, 3));
    let mut renewed = begin(&name, again, &[(0, 0)]);
    (renewed.session_id, renewed.session_epoch) = (begun.session_id, 4);
    scribe.ask_fetch("made again and asked for", version, &renewed);
}
