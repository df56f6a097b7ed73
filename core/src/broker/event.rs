//! What a watcher sees beyond the protocol: typed events, produced only while someone watches.
//!
//! Watching never changes state. A watcher first gets everything as it is (the snapshot), then what
//! changes, coalesced: a partition or group that changed many times since the last poll is reported
//! once, as it is now. Requests are listed one by one, up to a bound, with a count of those left
//! out.

use crate::sorted::SortedSet;
use std::collections::VecDeque;

use crate::types::TopicPartition;

/// How many requests are kept for a watcher that does not poll.
const MAX_REQUESTS: usize = 2_000;

/// Something a watcher is told. Offsets are numbers between records, as everywhere in Kafka.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Event {
    /// What the broker is doing as a whole.
    Broker(BrokerState),
    /// A topic was created or changed, or was there when watching began.
    Topic(TopicView),
    /// A topic is gone.
    TopicDeleted {
        /// Its name.
        topic: String,
    },
    /// A partition's offsets, as they are now.
    Partition(PartitionView),
    /// A consumer group, as it is now.
    Group(GroupView),
    /// A group is gone.
    GroupDeleted {
        /// Its id.
        group: String,
    },
    /// A committed offset (durable), as it is now.
    Commit(CommitView),
    /// A committed offset is gone.
    CommitDeleted {
        /// The group.
        group: String,
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// A request was answered, or finished without an answer.
    Request(RequestView),
    /// So many requests were left out because the watcher did not poll in time.
    RequestsLeftOut(u64),
}

/// The broker as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum BrokerState {
    /// It reads its logs.
    Recovering,
    /// It serves.
    Running,
    /// It serves, but its storage has no room: appends are refused.
    StorageFull(String),
    /// It cannot go on; the text says why.
    Failed(String),
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TopicView {
    /// Its name.
    pub topic: String,
    /// Its id, in Kafka's base64 form.
    pub id: String,
    /// Whether it is one of the broker's own.
    pub internal: bool,
    /// How many partitions it has.
    pub partitions: i32,
    /// The configs set on the topic itself, by name.
    pub configs: Vec<(String, String)>,
}

/// A partition's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PartitionView {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The first offset there is.
    pub log_start_offset: i64,
    /// Below it everything is durable.
    pub high_watermark: i64,
    /// The offset the next record gets.
    pub log_end_offset: i64,
    /// The leader epoch.
    pub leader_epoch: i32,
    /// Bytes of record batches.
    pub size: u64,
    /// Whether it can be used, or is waiting for its storage after a failure.
    pub online: bool,
}

/// A consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GroupView {
    /// Its id.
    pub group: String,
    /// Kafka's name of its state: `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Dead`.
    pub state: String,
    /// The generation.
    pub generation: i32,
    /// `consumer`, or empty.
    pub protocol_type: String,
    /// The assignor in use, or empty.
    pub protocol: String,
    /// The leader's member id, or empty.
    pub leader: String,
    /// Milliseconds of monotonic time until the rebalance ends without those still missing.
    pub rebalance_ends_in: Option<u64>,
    /// Its members, in order of member id.
    pub members: Vec<MemberView>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MemberView {
    /// Its member id.
    pub member_id: String,
    /// Its static id, if it has one.
    pub group_instance_id: Option<String>,
    /// Its client id.
    pub client_id: String,
    /// Where it connects from.
    pub client_host: String,
    /// Whether its JoinGroup for the next generation has arrived.
    pub joined: bool,
    /// Whether its SyncGroup for the present generation has arrived.
    pub synced: bool,
    /// Milliseconds until its session times out.
    pub session_ends_in: Option<u64>,
    /// The session timeout in milliseconds.
    pub session_timeout: i32,
    /// What it was assigned in the present generation, if the assignment is a consumer's.
    pub assigned: Vec<(String, i32)>,
    /// The topics it subscribes to, if its metadata is a consumer's.
    pub subscribed: Vec<String>,
}

/// A committed offset and the record that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CommitView {
    /// The group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The committed offset: the next record to read.
    pub offset: i64,
    /// The metadata that was committed with it.
    pub metadata: String,
    /// The partition of `__consumer_offsets` that holds the record.
    pub log_partition: i32,
    /// The record's offset there.
    pub log_offset: i64,
}

/// A request and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RequestView {
    /// Which connection.
    pub connection: u64,
    /// The client id.
    pub client_id: String,
    /// Kafka's name of the API.
    pub api: String,
    /// The version.
    pub version: i16,
    /// Wall time when it was taken, in milliseconds.
    pub at: i64,
    /// Milliseconds of monotonic time until it was answered.
    pub took: u64,
    /// What it asked for, in a few words: `orders-0, 2 records`.
    pub summary: String,
    /// The first error in the response, by Kafka's name, or empty.
    pub error: String,
    /// Bytes of the request.
    pub request_bytes: u64,
    /// Bytes of the response, 0 if there was none.
    pub response_bytes: u64,
}

/// What has changed since the watcher last polled.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    watching: bool,
    pub(crate) state_changed: bool,
    pub(crate) topics: SortedSet<String>,
    pub(crate) partitions: SortedSet<TopicPartition>,
    pub(crate) groups: SortedSet<String>,
    pub(crate) commits: SortedSet<(String, String, i32)>,
    pub(crate) requests: VecDeque<RequestView>,
    pub(crate) requests_left_out: u64,
}

impl Observer {
    /// Whether anybody watches; if not, nothing need be noted.
    pub(crate) fn watching(&self) -> bool {
        self.watching
    }

    /// Begins or ends watching.
    pub(crate) fn set_watching(&mut self, watching: bool) {
        *self = Self {
            watching,
            state_changed: watching,
            ..Self::default()
        };
    }

    /// Notes a topic that came, changed or went.
    pub(crate) fn topic(&mut self, topic: &str) {
        if self.watching {
            self.topics.insert(topic.to_owned());
        }
    }

    /// Notes a partition whose offsets moved.
    pub(crate) fn partition(&mut self, topic: &str, partition: i32) {
        if self.watching {
            self.partitions
                .insert(TopicPartition::new(topic, partition));
        }
    }

    /// Notes a group that came, changed or went.
    pub(crate) fn group(&mut self, group: &str) {
        if self.watching {
            self.groups.insert(group.to_owned());
        }
    }

    /// Notes a committed offset that moved or went.
    pub(crate) fn commit(&mut self, group: &str, topic: &str, partition: i32) {
        if self.watching {
            self.commits
                .insert((group.to_owned(), topic.to_owned(), partition));
        }
    }

    /// Notes a finished request.
    pub(crate) fn request(&mut self, request: RequestView) {
        if !self.watching {
            return;
        }
        if self.requests.len() >= MAX_REQUESTS {
            self.requests.pop_front();
            self.requests_left_out = self.requests_left_out.saturating_add(1);
        }
        self.requests.push_back(request);
    }

    /// Notes that the broker as a whole changed.
    pub(crate) fn state(&mut self) {
        self.state_changed = self.watching;
    }
}
