//! A scripted cluster for tests: it connects, shakes hands and answers Metadata by itself; every
//! other request waits until the test answers it.

use crate::sorted::{SortedMap, SortedSet};
use std::collections::VecDeque;

use bytes::Bytes;

use super::{ConnId, Endpoint, Transmit};
use crate::protocol::messages::api_versions::ApiVersion;
use crate::protocol::messages::metadata::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use crate::protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    MetadataRequest, MetadataResponse, ProduceRequest,
};
use crate::protocol::{
    ApiKey, ErrorCode, Message, Reader, Request, RequestHeader, Response, encode_response, join,
};
use crate::time::{Monotonic, Now, Wall};
use crate::types::Uuid;

/// A request that waits for the test's answer.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) conn: ConnId,
    /// The port that the connection was opened to; broker `n` listens at `9092 + n`.
    pub(crate) port: i32,
    pub(crate) header: RequestHeader,
    body: Bytes,
}

impl Seen {
    pub(crate) fn decode<R: Request>(&self) -> R {
        assert_eq!(self.header.api_key, R::KEY);
        R::decode(self.body.clone(), self.header.api_version).unwrap()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct FakeTopic {
    pub(crate) id: Uuid,
    /// Leader and epoch of each partition.
    pub(crate) partitions: Vec<(i32, i32)>,
    pub(crate) error: ErrorCode,
}

/// A client under test, its clock, and the cluster around it.
#[derive(Debug)]
pub(crate) struct Fake<E> {
    pub(crate) client: E,
    pub(crate) now: Now,
    pub(crate) topics: SortedMap<String, FakeTopic>,
    pub(crate) brokers: Vec<i32>,
    /// Ports at which nobody listens.
    pub(crate) refused: SortedSet<i32>,
    /// Versions that brokers claim, where not Kafka's.
    pub(crate) versions: SortedMap<ApiKey, (i16, i16)>,
    /// APIs that brokers do not have.
    pub(crate) missing: SortedSet<ApiKey>,
    /// Which Metadata requests came: topics, and whether creating was allowed.
    pub(crate) asked: Vec<(Option<Vec<String>>, bool)>,
    /// Whether Metadata is answered by itself.
    pub(crate) answer_metadata: bool,
    /// Which broker coordinates every group; `None` leaves the question to the test.
    pub(crate) coordinator: Option<i32>,
    pub(crate) open: SortedMap<ConnId, i32>,
    pub(crate) closed: Vec<ConnId>,
    requests: VecDeque<Seen>,
    /// The unanswered requests of each connection, oldest first: answers come in that order.
    unanswered: SortedMap<ConnId, VecDeque<Seen>>,
}

impl<E: Endpoint> Fake<E> {
    /// One broker, number 0, with these topics.
    pub(crate) fn new(client: E, topics: &[(&str, &[i32])]) -> Self {
        let topics = topics.iter().zip(1_u8..).map(|((name, leaders), id)| {
            let topic = FakeTopic {
                id: Uuid([id; 16]),
                partitions: leaders.iter().map(|leader| (*leader, 0)).collect(),
                error: ErrorCode::NONE,
            };
            ((*name).to_owned(), topic)
        });
        Self {
            client,
            now: Now {
                monotonic: Monotonic(1_000),
                wall: Wall(1_700_000_000_000),
            },
            topics: topics.collect(),
            brokers: vec![0],
            refused: SortedSet::new(),
            versions: SortedMap::new(),
            missing: SortedSet::new(),
            asked: Vec::new(),
            answer_metadata: true,
            coordinator: Some(0),
            open: SortedMap::new(),
            closed: Vec::new(),
            requests: VecDeque::new(),
            unanswered: SortedMap::new(),
        }
    }

    /// Carries out everything that the client wants until it wants nothing more.
    pub(crate) fn settle(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            match transmit {
                Transmit::Open { conn, port, .. } => {
                    if self.refused.contains(&port) {
                        let reason = format!("ECONNREFUSED 127.0.0.1:{port}");
                        self.client.handle_closed(self.now, conn, reason);
                    } else {
                        self.open.insert(conn, port);
                        self.client.handle_connected(self.now, conn);
                    }
                }
                Transmit::Close { conn } => {
                    self.open.remove(&conn);
                    self.unanswered.remove(&conn);
                    self.requests.retain(|seen| seen.conn != conn);
                    self.closed.push(conn);
                }
                Transmit::Send { conn, frame } => self.received(conn, frame.concat().into()),
            }
        }
    }

    /// Lets time pass, from one deadline of the client to the next.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.settle();
        let end = Monotonic(self.now.monotonic.0 + millis);
        loop {
            let due = self.client.poll_timeout().filter(|due| *due <= end);
            let next = due.map_or(end, |due| due.max(self.now.monotonic));
            let step = next.since(self.now.monotonic);
            self.now.monotonic = next;
            self.now.wall.0 += i64::try_from(step).unwrap();
            if due.is_none() {
                return;
            }
            self.client.handle_timeout(self.now);
            self.settle();
        }
    }

    /// The oldest request of this API that waits for an answer.
    pub(crate) fn take<R: Request>(&mut self) -> Option<(Seen, R)> {
        self.settle();
        let mut requests = self.requests.iter();
        let at = requests.position(|seen| seen.header.api_key == R::KEY)?;
        let seen = self.requests.remove(at)?;
        let request = seen.decode();
        Some((seen, request))
    }

    /// As [`Fake::take`], for one that must be there.
    pub(crate) fn expect<R: Request>(&mut self) -> (Seen, R) {
        match self.take() {
            Some(found) => found,
            None => panic!("no {} waits; there are {:?}", R::KEY, self.requests),
        }
    }

    /// How many requests wait for an answer.
    pub(crate) fn waiting(&mut self) -> usize {
        self.settle();
        self.requests.len()
    }

    /// Answers a request.
    pub(crate) fn answer<R: Response>(&mut self, seen: &Seen, response: &R) {
        let (version, id) = (seen.header.api_version, seen.header.correlation_id);
        let frame = join(encode_response(response, version, id).unwrap()).unwrap();
        let open = self.unanswered.entry(seen.conn).or_default();
        open.retain(|other| other.header.correlation_id != id);
        self.client.handle_received(self.now, seen.conn, frame);
        self.answer_by_itself(seen.conn);
        self.settle();
    }

    /// Cuts a connection.
    pub(crate) fn cut(&mut self, conn: ConnId) {
        self.open.remove(&conn);
        self.unanswered.remove(&conn);
        self.requests.retain(|seen| seen.conn != conn);
        self.client
            .handle_closed(self.now, conn, "ECONNRESET".to_owned());
        self.settle();
    }

    fn received(&mut self, conn: ConnId, frame: Bytes) {
        let Some(&port) = self.open.get(&conn) else {
            return;
        };
        let mut reader = Reader::new(frame);
        let header = RequestHeader::read(&mut reader).unwrap();
        let seen = Seen {
            conn,
            port,
            header,
            body: reader.rest(),
        };
        let by_itself = match seen.header.api_key {
            ApiKey::ApiVersions => true,
            ApiKey::Metadata => self.answer_metadata,
            ApiKey::FindCoordinator => self.coordinator.is_some(),
            _ => false,
        };
        let answered =
            seen.header.api_key != ApiKey::Produce || seen.decode::<ProduceRequest>().acks != 0;
        if answered {
            self.unanswered
                .entry(conn)
                .or_default()
                .push_back(seen.clone());
        }
        if by_itself {
            self.answer_by_itself(conn);
        } else {
            self.requests.push_back(seen);
        }
    }

    /// Answers what needs no test, as long as it is a connection's oldest request.
    fn answer_by_itself(&mut self, conn: ConnId) {
        let Some(seen) = self.unanswered.get(&conn).and_then(VecDeque::front) else {
            return;
        };
        let seen = seen.clone();
        match seen.header.api_key {
            ApiKey::ApiVersions => self.shake_hands(&seen),
            ApiKey::Metadata if self.answer_metadata => {
                let request: MetadataRequest = seen.decode();
                let response = self.describe(&request);
                self.answer(&seen, &response);
            }
            ApiKey::FindCoordinator if self.coordinator.is_some() => {
                let node_id = self.coordinator.unwrap();
                let request: FindCoordinatorRequest = seen.decode();
                let coordinator = crate::protocol::messages::find_coordinator::Coordinator {
                    key: request
                        .coordinator_keys
                        .first()
                        .cloned()
                        .unwrap_or_default(),
                    node_id,
                    host: "broker".to_owned(),
                    port: 9092 + node_id,
                    ..Default::default()
                };
                let response = FindCoordinatorResponse {
                    node_id,
                    host: "broker".to_owned(),
                    port: 9092 + node_id,
                    coordinators: vec![coordinator],
                    ..FindCoordinatorResponse::default()
                };
                self.answer(&seen, &response);
            }
            _ => {}
        }
    }

    fn shake_hands(&mut self, seen: &Seen) {
        let range = |api: ApiKey| {
            let ours = api.versions();
            self.versions
                .get(&api)
                .copied()
                .unwrap_or((ours.min, ours.max))
        };
        let (_, max) = range(ApiKey::ApiVersions);
        let api_keys = ApiKey::ALL.iter().filter(|api| !self.missing.contains(api));
        let api_keys = api_keys.map(|api| {
            let (min_version, max_version) = range(*api);
            ApiVersion {
                api_key: i16::from(*api),
                min_version,
                max_version,
            }
        });
        let mut response = ApiVersionsResponse {
            api_keys: api_keys.collect(),
            ..ApiVersionsResponse::default()
        };
        let mut version = seen.header.api_version;
        if version > max {
            response.error_code = ErrorCode::UNSUPPORTED_VERSION;
            version = 0;
        } else {
            ApiVersionsRequest::decode(seen.body.clone(), version).unwrap();
        }
        let mut seen = seen.clone();
        seen.header.api_version = version;
        self.answer(&seen, &response);
    }

    /// The answer to a Metadata request that the test answers itself.
    pub(crate) fn metadata_for(&mut self, request: &MetadataRequest) -> MetadataResponse {
        self.describe(request)
    }

    fn describe(&mut self, request: &MetadataRequest) -> MetadataResponse {
        let names = request.topics.as_ref().map(|topics| {
            let names = topics.iter().map(|topic| topic.name.clone().unwrap());
            names.collect::<Vec<_>>()
        });
        self.asked
            .push((names.clone(), request.allow_auto_topic_creation));
        let names = names.unwrap_or_else(|| self.topics.keys().cloned().collect());
        let brokers = self.brokers.iter().map(|node| MetadataResponseBroker {
            node_id: *node,
            host: "broker".to_owned(),
            port: 9092 + node,
            rack: None,
        });
        MetadataResponse {
            brokers: brokers.collect(),
            cluster_id: Some("fake".to_owned()),
            controller_id: 0,
            topics: names
                .into_iter()
                .map(|name| self.describe_topic(name))
                .collect(),
            ..MetadataResponse::default()
        }
    }

    fn describe_topic(&self, name: String) -> MetadataResponseTopic {
        let Some(topic) = self.topics.get(&name) else {
            return MetadataResponseTopic {
                error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                name: Some(name),
                ..MetadataResponseTopic::default()
            };
        };
        let partitions = topic.partitions.iter().zip(0..);
        let partitions = partitions.map(|((leader_id, leader_epoch), partition_index)| {
            let no_leader = *leader_id < 0;
            MetadataResponsePartition {
                error_code: if no_leader {
                    ErrorCode::LEADER_NOT_AVAILABLE
                } else {
                    ErrorCode::NONE
                },
                partition_index,
                leader_id: *leader_id,
                leader_epoch: *leader_epoch,
                replica_nodes: vec![*leader_id],
                isr_nodes: vec![*leader_id],
                offline_replicas: Vec::new(),
            }
        });
        MetadataResponseTopic {
            error_code: topic.error,
            name: Some(name),
            topic_id: topic.id,
            partitions: partitions.collect(),
            ..MetadataResponseTopic::default()
        }
    }
}
