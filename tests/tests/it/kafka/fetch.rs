//! Fetch: records, limits, errors and sessions.

use partita_core::protocol::messages::FetchRequest;
use partita_core::protocol::messages::fetch::{FetchPartition, ForgottenTopic, ReplicaState};
use partita_core::records::{BatchBuilder, Compression};
use partita_core::types::Uuid;

use super::records::{AT, batch, batch_at, compressed, fetch};
use super::scribe::Scribe;

/// An id that no topic has.
const UNKNOWN: Uuid = Uuid(*b"0123456789abcdef");

/// The topics' ids.
struct Ids {
    plain: Uuid,
    empty: Uuid,
    zstd: Uuid,
}

pub(super) fn ask(scribe: &mut Scribe) {
    let ids = Ids {
        plain: scribe.create("plain", 2, &[]),
        empty: scribe.create("empty", 2, &[]),
        zstd: scribe.create("zstd", 1, &[("compression.type", "zstd")]),
    };
    scribe.append("plain", 0, batch(&["a", "b"]));
    scribe.append("plain", 0, batch(&["c"]));
    for codec in Compression::ALL {
        scribe.append("plain", 0, compressed(&["d", "e"], AT + 50, codec));
    }
    let builder = BatchBuilder::new().producer(77, 3, 9);
    scribe.append("plain", 1, batch_at(&["a", "b"], AT, builder));
    scribe.append("plain", 1, batch(&["c"]));
    scribe.append("plain", 1, batch(&["d", "e", "f"]));
    scribe.append("zstd", 0, batch(&["a", "b"]));
    for version in 4..=18 {
        places(scribe, version, &ids);
        limits(scribe, version, &ids);
        epochs(scribe, version, &ids);
        shapes(scribe, version, &ids);
    }
    for version in 7..=18 {
        sessions(scribe, version, &ids);
    }
}

fn partition(request: &mut FetchRequest) -> &mut FetchPartition {
    &mut request.topics[0].partitions[0]
}

fn places(scribe: &mut Scribe, version: i16, ids: &Ids) {
    let plain = scribe.name("plain");
    let mut ask = |what: &str, name: &str, id, partition, offset| {
        let request = fetch(name, id, partition, offset);
        scribe.ask_fetch(what, version, &request);
    };
    ask("records", &plain, ids.plain, 1, 0);
    ask("middle of a batch", &plain, ids.plain, 1, 1);
    ask("last batch", &plain, ids.plain, 1, 4);
    ask("end", &plain, ids.plain, 1, 6);
    ask("beyond", &plain, ids.plain, 1, 7);
    ask("negative", &plain, ids.plain, 1, -1);
    ask("unknown partition", &plain, ids.plain, 9, 0);
    ask("negative partition", &plain, ids.plain, -1, 0);
    ask("all with zstd", &plain, ids.plain, 0, 0);
    let (unknown, zstd) = (scribe.name("unknown"), scribe.name("zstd"));
    let request = fetch(&unknown, UNKNOWN, 0, 0);
    scribe.ask_fetch("unknown topic", version, &request);
    let request = fetch(&zstd, ids.zstd, 0, 0);
    scribe.ask_fetch("zstd by config", version, &request);
    let mut request = fetch(&plain, ids.plain, 1, 0);
    request.isolation_level = 1;
    scribe.ask_fetch("committed", version, &request);
    request.isolation_level = 2;
    scribe.ask_fetch("unknown isolation", version, &request);
}

fn limits(scribe: &mut Scribe, version: i16, ids: &Ids) {
    let plain = scribe.name("plain");
    let mut ask = |what: &str, of_all: i32, of_partition: i32, min: i32| {
        let mut request = fetch(&plain, ids.plain, 1, 0);
        (request.max_bytes, request.min_bytes) = (of_all, min);
        partition(&mut request).partition_max_bytes = of_partition;
        scribe.ask_fetch(what, version, &request);
    };
    ask("tiny limits", 1, 1, 1);
    ask("no bytes", 0, 0, 1);
    ask("exactly two batches", 1 << 20, 146, 1);
    ask("one more than wanted", 1 << 20, 1 << 20, i32::MAX);
    ask("none wanted", 1 << 20, 1 << 20, 0);
    let mut both = fetch(&plain, ids.plain, 1, 0);
    both.max_bytes = 1;
    let mut other = partition(&mut both).clone();
    other.partition = 0;
    both.topics[0].partitions.push(other);
    scribe.ask_fetch("two partitions, tiny limit", version, &both);
    partition(&mut both).fetch_offset = 6;
    scribe.ask_fetch(
        "two partitions, the first at its end, tiny limit",
        version,
        &both,
    );
}

fn epochs(scribe: &mut Scribe, version: i16, ids: &Ids) {
    let plain = scribe.name("plain");
    let mut ask = |what: &str, current: i32, fetched: i32| {
        let mut request = fetch(&plain, ids.plain, 1, 0);
        partition(&mut request).current_leader_epoch = current;
        partition(&mut request).last_fetched_epoch = fetched;
        scribe.ask_fetch(what, version, &request);
    };
    ask("this epoch", 0, 0);
    ask("newer epoch", 99, -1);
    ask("fetched in a newer epoch", -1, 99);
    ask("fetched in this epoch", -1, 0);
}

fn shapes(scribe: &mut Scribe, version: i16, ids: &Ids) {
    let empty = scribe.name("empty");
    let mut request = fetch(&empty, ids.empty, 0, 0);
    request.replica_id = 3;
    request.replica_state = ReplicaState {
        replica_id: 3,
        ..ReplicaState::default()
    };
    scribe.ask_fetch("replica", version, &request);
    let with = |index: i32| {
        let mut request = fetch(&empty, ids.empty, 0, 0);
        let mut other = partition(&mut request).clone();
        other.partition = index;
        request.topics[0].partitions.push(other);
        request
    };
    scribe.ask_fetch("one of two unknown", version, &with(9));
    scribe.ask_fetch("one twice", version, &with(0));
    let mut request = fetch(&empty, ids.empty, 0, 0);
    request.topics.clear();
    scribe.ask_fetch("nothing", version, &request);
}

/// Sessions: what a client is told once is not told again (KIP-227).
fn sessions(scribe: &mut Scribe, version: i16, ids: &Ids) {
    let (plain, empty) = (scribe.name("plain"), scribe.name("empty"));
    let with = |id: i32, epoch: i32| {
        let mut request = fetch(&empty, ids.empty, 0, 0);
        (request.session_id, request.session_epoch) = (id, epoch);
        request
    };
    let nothing = |id: i32, epoch: i32| {
        let mut request = with(id, epoch);
        request.topics.clear();
        request
    };
    scribe.ask_fetch("unknown session", version, &with(12_345, 3));
    scribe.ask_fetch("no session, epoch 1", version, &with(0, 1));
    scribe.ask_fetch("session of nothing", version, &nothing(0, 0));
    let begun = scribe.ask_fetch("new session", version, &with(0, 0));
    let id = begun.unwrap().session_id;
    scribe.ask_fetch("session, nothing new", version, &nothing(id, 1));
    scribe.ask_fetch("session, same epoch again", version, &nothing(id, 1));
    scribe.ask_fetch("session, epoch ahead", version, &nothing(id, 9));
    let mut more = fetch(&plain, ids.plain, 1, 0);
    (more.session_id, more.session_epoch) = (id, 2);
    scribe.ask_fetch("session, one more partition", version, &more);
    scribe.ask_fetch("session, read on", version, &nothing(id, 3));
    partition(&mut more).fetch_offset = 6;
    more.session_epoch = 4;
    scribe.ask_fetch("session, moved to the end", version, &more);
    partition(&mut more).fetch_offset = 99;
    more.session_epoch = 5;
    scribe.ask_fetch("session, moved beyond", version, &more);
    let mut less = nothing(id, 6);
    less.forgotten_topics_data = vec![ForgottenTopic {
        topic: plain.clone(),
        topic_id: ids.plain,
        partitions: vec![1, 7],
    }];
    scribe.ask_fetch("session, one forgotten", version, &less);
    let mut unknown = fetch(&scribe.name("unknown"), UNKNOWN, 0, 0);
    (unknown.session_id, unknown.session_epoch) = (id, 7);
    scribe.ask_fetch("session, one unknown", version, &unknown);
    scribe.ask_fetch("session, unknown still", version, &nothing(id, 8));
    scribe.ask_fetch("session closed", version, &with(id, -1));
    scribe.ask_fetch("session after its end", version, &nothing(id, 9));
    let begun = scribe.ask_fetch("second session", version, &with(0, 0));
    let id = begun.unwrap().session_id;
    let anew = scribe.ask_fetch("session begun anew", version, &with(id, 0));
    scribe.ask_fetch("session replaced", version, &nothing(id, 1));
    let id = anew.unwrap().session_id;
    if version == 13 {
        scribe.ask_fetch("session of ids asked by names", 12, &nothing(id, 1));
    }
}
