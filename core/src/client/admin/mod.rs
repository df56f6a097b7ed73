//! The admin client: topics, configs, offsets and groups.
//!
//! Each operation is a small state machine ([`operation`]) in the file of its subject. An attempt
//! that fails with an error that may pass is repeated as configured; what it had achieved by then
//! is not done twice. Arguments, results and errors are those of KafkaJS 2.2's admin, with
//! `incrementalAlterConfigs`, `describeTopicPartitions` and `deleteOffsets` besides. Operations
//! never create topics by asking for them.

mod configs;
mod fetch_offsets;
mod group_offsets;
mod groups;
mod offsets;
mod operation;
mod records;
mod topics;
mod view;

use crate::sorted::SortedMap;
use std::collections::VecDeque;

pub use configs::{
    AlterResult, ConfigChange, ConfigEntry, ConfigOperation, ConfigResource, ConfigSynonym,
    ConfigsResult,
};
pub use group_offsets::{CommittedOffset, OffsetToCommit, TopicCommits};
pub use groups::{GroupDescription, GroupListing, GroupMember};
pub use offsets::{OffsetAt, PartitionOffsets};
pub use records::RecordsBefore;
pub use topics::{NewPartitions, NewTopic};
pub use view::{BrokerView, ClusterView, PartitionView, TopicView};

use super::cluster::{Answer, Cluster, ClusterConfig, ClusterEvent, Token};
use super::error::ClientError;
use super::retry::{Retry, RetryConfig, Verdict};
use super::rng::Rng;
use super::{Endpoint, OpId};
use crate::time::{Monotonic, Now};
use operation::{Attempt, Operation, Step};

/// An admin client's configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AdminConfig {
    /// How it reaches its cluster. Topics are never created by asking for them, whatever it says.
    pub cluster: ClusterConfig,
    /// How failed attempts are repeated.
    pub retry: RetryConfig,
}

/// What an operation returns.
#[derive(Debug, Clone, PartialEq)]
pub enum AdminResult {
    /// Nothing but that it succeeded.
    Done,
    /// Whether topics were created: false if all of those that were not exist already.
    Created(bool),
    /// Names of topics.
    TopicNames(Vec<String>),
    /// Topics with their partitions.
    Topics(Vec<TopicView>),
    /// Brokers and controller.
    Cluster(ClusterView),
    /// Configs of resources.
    Configs(Vec<ConfigsResult>),
    /// Which resources' configs were changed.
    Altered(Vec<AlterResult>),
    /// First and next offset of each partition of a topic.
    TopicOffsets(Vec<PartitionOffsets>),
    /// An offset of each partition of a topic.
    OffsetsAt(Vec<OffsetAt>),
    /// Groups.
    Groups(Vec<GroupListing>),
    /// Groups with their members.
    GroupDescriptions(Vec<GroupDescription>),
    /// The groups that were deleted.
    DeletedGroups(Vec<String>),
    /// What a group has committed.
    Committed(Vec<TopicCommits>),
}

/// What an admin client tells.
#[derive(Debug, Clone, PartialEq)]
pub enum AdminEvent {
    /// [`Admin::connect`] has ended.
    Connected {
        /// Which command.
        op: OpId,
        /// Whether a broker was reached.
        result: Result<(), ClientError>,
    },
    /// [`Admin::disconnect`] has ended.
    Disconnected {
        /// Which command.
        op: OpId,
    },
    /// An operation has ended.
    Finished {
        /// Which command.
        op: OpId,
        /// What it returns.
        result: Result<AdminResult, ClientError>,
    },
}

/// An operation under way.
#[derive(Debug)]
struct Running {
    op: OpId,
    operation: Box<dyn Operation>,
    retry: Retry,
    /// Requests of the attempt under way; `None` between attempts.
    attempt: Option<SortedMap<Token, usize>>,
}

/// An admin client.
#[derive(Debug)]
pub struct Admin {
    config: AdminConfig,
    cluster: Cluster,
    rng: Rng,
    next_op: u64,
    running: Vec<Running>,
    disconnecting: Vec<OpId>,
    events: VecDeque<AdminEvent>,
}

impl Admin {
    /// An admin client that is not connected. `seed` is 32 random bytes of its own.
    #[must_use]
    pub fn new(mut config: AdminConfig, seed: [u8; 32]) -> Self {
        let mut rng = Rng::new(seed);
        config.cluster.allow_auto_topic_creation = false;
        Self {
            cluster: Cluster::new(config.cluster.clone(), rng.fork()),
            config,
            rng,
            next_op: 0,
            running: Vec::new(),
            disconnecting: Vec::new(),
            events: VecDeque::new(),
        }
    }

    /// Reaches for a broker. Operations work without it too.
    pub fn connect(&mut self, now: Now) -> OpId {
        self.run(now, view::Connect)
    }

    /// Waits for the operations under way, and closes every connection.
    pub fn disconnect(&mut self, now: Now) -> OpId {
        let op = self.take_op();
        self.disconnecting.push(op);
        self.advance(now);
        op
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<AdminEvent> {
        self.events.pop_front()
    }

    fn take_op(&mut self) -> OpId {
        self.next_op = self.next_op.wrapping_add(1);
        OpId(self.next_op)
    }

    /// Begins an operation.
    fn run(&mut self, now: Now, operation: impl Operation + 'static) -> OpId {
        let op = self.take_op();
        self.running.push(Running {
            op,
            operation: Box::new(operation),
            retry: Retry::new(&self.config.retry, &mut self.rng, now.monotonic),
            attempt: None,
        });
        self.advance(now);
        op
    }

    /// Refuses an operation because of its arguments.
    fn refuse(&mut self, message: impl Into<String>) -> OpId {
        let op = self.take_op();
        self.events.push_back(AdminEvent::Finished {
            op,
            result: Err(ClientError::non_retriable(message)),
        });
        op
    }

    /// Begins the attempts that are due.
    fn start_due(&mut self, now: Now) {
        let mut at = 0;
        while let Some(running) = self.running.get_mut(at) {
            if running.attempt.is_some() || running.retry.due() > now.monotonic {
                at = at.saturating_add(1);
                continue;
            }
            let mut pending = SortedMap::new();
            let step = running.operation.start(&mut Attempt {
                cluster: &mut self.cluster,
                now,
                pending: &mut pending,
            });
            running.attempt = Some(pending);
            if !self.step(now, at, step) {
                at = at.saturating_add(1);
            }
        }
    }

    fn answered(&mut self, now: Now, token: Token, result: Result<Answer, ClientError>) {
        let asked = |running: &Running| {
            let attempt = running.attempt.as_ref();
            attempt.is_some_and(|pending| pending.contains_key(&token))
        };
        let Some(at) = self.running.iter().position(asked) else {
            return;
        };
        let Some(running) = self.running.get_mut(at) else {
            return;
        };
        let Some(pending) = running.attempt.as_mut() else {
            return;
        };
        let Some(tag) = pending.remove(&token) else {
            return;
        };
        let step = match result {
            Err(error) => Step::Failed(error),
            Ok(answer) => {
                let mut attempt = Attempt {
                    cluster: &mut self.cluster,
                    now,
                    pending,
                };
                running.operation.answered(&mut attempt, tag, answer)
            }
        };
        self.step(now, at, step);
    }

    /// Does what an attempt's step says. Returns whether the operation has ended and was removed.
    fn step(&mut self, now: Now, at: usize, step: Step) -> bool {
        let Some(running) = self.running.get_mut(at) else {
            return true;
        };
        let result = match step {
            Step::Wait => return false,
            Step::Done(result) => Ok(result),
            Step::Raw(error) => Err(error),
            Step::Failed(error) => {
                let config = &self.config.retry;
                match running
                    .retry
                    .failed(config, &mut self.rng, now.monotonic, error)
                {
                    Verdict::Again(_) => {
                        for token in running.attempt.take().into_iter().flatten() {
                            self.cluster.cancel(token.0);
                        }
                        return false;
                    }
                    Verdict::GiveUp(error) => Err(error),
                }
            }
        };
        let running = self.running.remove(at);
        for token in running.attempt.into_iter().flatten() {
            self.cluster.cancel(token.0);
        }
        let op = running.op;
        self.events.push_back(if running.operation.is_connect() {
            let result = result.map(|_| ());
            AdminEvent::Connected { op, result }
        } else {
            AdminEvent::Finished { op, result }
        });
        true
    }

    fn finish_disconnecting(&mut self, now: Now) {
        if self.disconnecting.is_empty() || !self.running.is_empty() {
            return;
        }
        self.cluster.close(now);
        while self.cluster.poll_event().is_some() {}
        for op in std::mem::take(&mut self.disconnecting) {
            self.events.push_back(AdminEvent::Disconnected { op });
        }
    }
}

impl Endpoint for Admin {
    fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    fn advance(&mut self, now: Now) {
        loop {
            while let Some(event) = self.cluster.poll_event() {
                match event {
                    ClusterEvent::Answer { token, result } => self.answered(now, token, result),
                    ClusterEvent::MetadataUpdated
                    | ClusterEvent::MetadataFailed(_)
                    | ClusterEvent::NodeReady(_)
                    | ClusterEvent::NodeFailed(..) => {}
                }
            }
            self.start_due(now);
            self.finish_disconnecting(now);
            if !self.cluster.has_events() {
                return;
            }
        }
    }

    fn own_timeout(&self) -> Option<Monotonic> {
        let waiting = self
            .running
            .iter()
            .filter(|running| running.attempt.is_none());
        waiting.map(|running| running.retry.due()).min()
    }
}

#[cfg(test)]
mod tests;
