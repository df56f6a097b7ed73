//! A member of a group.

use bytes::Bytes;

use crate::broker::connection::RequestId;
use crate::protocol::messages::join_group::JoinGroupRequestProtocol;

/// A protocol that a member can follow, with the metadata it hands to the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protocol {
    /// Its name: an assignor's.
    pub(crate) name: String,
    /// What the leader gets to see; for consumers, the subscription.
    pub(crate) metadata: Bytes,
}

impl From<JoinGroupRequestProtocol> for Protocol {
    /// Copies the metadata, which would otherwise keep the whole request in memory.
    fn from(protocol: JoinGroupRequestProtocol) -> Self {
        let metadata = Bytes::copy_from_slice(&protocol.metadata);
        Self {
            name: protocol.name,
            metadata,
        }
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Given by the coordinator, never used again.
    pub(crate) id: String,
    /// Chosen by a static member, the same across its restarts.
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    /// As DescribeGroups shows it: `/127.0.0.1`.
    pub(crate) client_host: String,
    /// How long the others wait for it to join again, in milliseconds.
    pub(crate) rebalance_timeout: i32,
    /// After how many silent milliseconds it has failed.
    pub(crate) session_timeout: i32,
    /// In order of preference.
    pub(crate) protocols: Vec<Protocol>,
    /// What it was assigned in the present generation; empty before.
    pub(crate) assignment: Bytes,
    /// Its JoinGroup that waits for the others.
    pub(super) join: Option<RequestId>,
    /// Its SyncGroup that waits for the leader's.
    pub(super) sync: Option<RequestId>,
    /// Whether it has never completed a join: it does not know its id yet, sends no heartbeats, and
    /// may expire while it waits.
    pub(super) is_new: bool,
}

impl Member {
    /// The metadata for a protocol; empty if it is none of the member's, which the group's
    /// invariants exclude.
    pub(crate) fn metadata(&self, protocol: Option<&str>) -> Bytes {
        self.protocols
            .iter()
            .find(|offered| Some(offered.name.as_str()) == protocol)
            .map(|offered| offered.metadata.clone())
            .unwrap_or_default()
    }

    /// Whether its JoinGroup for the next generation has come.
    pub(crate) fn has_joined(&self) -> bool {
        self.join.is_some()
    }

    /// Whether the broker is making it wait, so that its silence is no failure.
    pub(super) fn is_kept_waiting(&self) -> bool {
        !self.is_new && (self.join.is_some() || self.sync.is_some())
    }
}
