//! What consumers hand each other through JoinGroup and SyncGroup, in groups of type `consumer`.
//!
//! Both start with a version of two bytes. A version above the highest known is read as the
//! highest known, for newer ones only append fields: [`super::read_versioned_or_newer`].
//!
//! Version 1 adds owned partitions (KIP-429), 2 the generation (KIP-792), 3 the rack (KIP-881).
//! Assignments have the same four versions, which are all alike.

use bytes::Bytes;

message! {
    /// What a member wants: topics, data for its assignor, what it owns.
    data ConsumerProtocolSubscription(versions [0-3], flexible [none]) {
        topics [0+]: Vec<String>,
        user_data [0+] nullable [0+]: Option<Bytes>,
        owned_partitions [1+]: Vec<TopicPartition>,
        generation_id [2+]: i32 = -1,
        rack_id [3+] nullable [0+]: Option<String>,
    }

    struct TopicPartition {
        topic [0+]: String,
        partitions [0+]: Vec<i32>,
    }

    /// What a member was given.
    data ConsumerProtocolAssignment(versions [0-3], flexible [none]) {
        assigned_partitions [0+]: Vec<TopicPartition>,
        user_data [0+] nullable [0+]: Option<Bytes>,
    }

    /// What a member with the assignor `sticky` sends as its user data: no version before it, so
    /// who reads tries 1 first. Version 1 adds the generation (KIP-341).
    data StickyAssignorUserData(versions [0-1], flexible [none]) {
        previous_assignment [0+]: Vec<TopicPartition>,
        generation [1+]: i32 = -1,
    }
}
