//! Asks a peer and writes down what it answers, a line for each answer: everything in it, with
//! stand-ins for what differs from run to run.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use partita_core::protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfig};
use partita_core::protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use partita_core::protocol::messages::{CreateTopicsRequest, ListOffsetsRequest};
use partita_core::protocol::{
    ErrorCode, Request, Response, decode_response, encode_request, encode_response, join,
};
use partita_core::types::Uuid;

use super::peer::{Connection, Peer};
use super::stand_ins::StandIns;

/// One answer: what was asked, in which version, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) what: String,
    pub(super) version: i16,
    pub(super) answer: String,
}

/// Who asks and writes down.
pub(super) struct Scribe {
    pub(super) peer: Peer,
    pub(super) answers: Vec<Answer>,
    stand_ins: StandIns,
    correlation: i32,
    began: i64,
}

impl Scribe {
    /// One with names that no other has used: they begin with `prefix`.
    pub(super) fn new(peer: Peer) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let now = peer.now();
        let seconds = now / 1_000 % 1_000_000;
        let prefix = format!(
            "run{seconds:06}{:03}-",
            RUNS.fetch_add(1, Ordering::Relaxed)
        );
        Self {
            stand_ins: StandIns::new(&prefix, &peer),
            began: now,
            peer,
            answers: Vec::new(),
            correlation: 0,
        }
    }

    /// The name that something has in this run; it is written down as `plain`.
    pub(super) fn name(&self, plain: &str) -> String {
        format!("{}{plain}", self.stand_ins.prefix())
    }

    /// Asks and writes the answer down.
    pub(super) fn ask<R: Request<Response: Debug>>(
        &mut self,
        what: &str,
        version: i16,
        request: &R,
    ) -> Option<R::Response> {
        self.ask_on(Connection::FIRST, what, version, request)
    }

    /// The same on any connection.
    pub(super) fn ask_on<R: Request<Response: Debug>>(
        &mut self,
        on: Connection,
        what: &str,
        version: i16,
        request: &R,
    ) -> Option<R::Response> {
        self.send(on, version, request);
        self.await_answer::<R>(on, what, version)
    }

    /// Sends a request whose answer is awaited later.
    pub(super) fn send<R: Request<Response: Debug>>(
        &mut self,
        on: Connection,
        version: i16,
        request: &R,
    ) {
        self.correlation += 1;
        let parts = encode_request(request, version, self.correlation, Some("scribe")).unwrap();
        self.peer.send(on, join(parts).unwrap());
    }

    /// Awaits an answer and writes it down.
    pub(super) fn await_answer<R: Request<Response: Debug>>(
        &mut self,
        on: Connection,
        what: &str,
        version: i16,
    ) -> Option<R::Response> {
        let response = self.receive::<R>(on, version);
        self.note(what, version, response.as_ref().map(|r| format!("{r:?}")));
        response
    }

    /// Asks without writing the answer down.
    pub(super) fn call<R: Request<Response: Debug>>(
        &mut self,
        version: i16,
        request: &R,
    ) -> Option<R::Response> {
        self.send(Connection::FIRST, version, request);
        self.receive::<R>(Connection::FIRST, version)
    }

    /// Awaits an answer without writing it down.
    pub(super) fn receive<R: Request<Response: Debug>>(
        &mut self,
        on: Connection,
        version: i16,
    ) -> Option<R::Response> {
        let frame = self.peer.receive(on)?;
        Some(decode::<R::Response>(frame, version))
    }

    /// Writes an answer down; `None` is that the connection was closed.
    pub(super) fn note(&mut self, what: &str, version: i16, told: Option<String>) {
        let told = told.unwrap_or_else(|| "closed".to_owned());
        let now = self.began - 1..=self.peer.now() + 1_000;
        self.answers.push(Answer {
            what: what.to_owned(),
            version,
            answer: self.stand_ins.put_in(&told, &now),
        });
    }

    /// Creates a topic and waits until its partitions can be used; returns its id.
    pub(super) fn create(
        &mut self,
        plain: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Uuid {
        let name = self.name(plain);
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.clone(),
                num_partitions: partitions,
                replication_factor: 1,
                configs: configs
                    .iter()
                    .map(|(name, value)| CreatableTopicConfig {
                        name: (*name).to_owned(),
                        value: Some((*value).to_owned()),
                    })
                    .collect(),
                ..CreatableTopic::default()
            }],
            timeout_ms: 5_000,
            ..CreateTopicsRequest::default()
        };
        let created = self.call(7, &request).unwrap();
        assert_eq!(created.topics[0].error_code, ErrorCode::NONE, "{created:?}");
        self.await_topic(&name, partitions);
        let id = created.topics[0].topic_id;
        self.stand_ins.know_id(id, plain);
        id
    }

    /// Waits until a topic's partitions can be used.
    pub(super) fn await_topic(&mut self, name: &str, partitions: i32) {
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic {
                name: name.to_owned(),
                partitions: (0..partitions)
                    .map(|partition_index| ListOffsetsPartition {
                        partition_index,
                        timestamp: -1,
                        ..ListOffsetsPartition::default()
                    })
                    .collect(),
            }],
            ..ListOffsetsRequest::default()
        };
        for _ in 0..500 {
            let found = self.call(1, &request).unwrap();
            let mut partitions = found.topics.iter().flat_map(|topic| &topic.partitions);
            if partitions.all(|partition| partition.error_code.is_none()) {
                return;
            }
            self.peer.settle(20);
        }
        panic!("{name} did not come");
    }

    /// What was written down, a line for each answer.
    pub(super) fn lines(answers: &[Answer]) -> String {
        let mut lines = String::new();
        for Answer {
            what,
            version,
            answer,
        } in answers
        {
            writeln!(lines, "{what} v{version}: {answer}").unwrap();
        }
        lines
    }
}

/// Reads a response; what was read must be all there was, and be written the same by us.
fn decode<R: Response + Debug>(frame: Bytes, version: i16) -> R {
    let (correlation, response) = decode_response::<R>(frame.clone(), version).unwrap();
    let again = join(encode_response(&response, version, correlation).unwrap()).unwrap();
    assert_eq!(again, frame, "{response:?}");
    response
}
