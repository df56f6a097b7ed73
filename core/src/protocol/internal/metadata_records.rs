//! The records in `__cluster_metadata` that describe topics, configs, producer ids and brokers.
//!
//! Their framing is in [`super::metadata`]. Sources: KIP-500, KIP-631.

use crate::types::Uuid;

message! {
    /// A broker registered.
    data RegisterBrokerRecord(versions [0-4], flexible [0+]) {
        broker_id [0+]: i32,
        is_migrating_zk_broker [2+]: bool,
        incarnation_id [0+]: Uuid,
        broker_epoch [0+]: i64,
        end_points [0+]: Vec<BrokerEndpoint>,
        features [0+]: Vec<BrokerFeature>,
        rack [0+] nullable [0+]: Option<String> = Some(String::new()),
        fenced [0+]: bool = true,
        in_controlled_shutdown [1+]: bool,
        log_dirs [3+] tag 0: Vec<Uuid>,
        cordoned_log_dirs [4+] nullable [0+] tag 1: Option<Vec<Uuid>>,
    }

    struct BrokerEndpoint {
        name [0+]: String,
        host [0+]: String,
        port [0+]: u16,
        security_protocol [0+]: i16,
    }

    struct BrokerFeature {
        name [0+]: String,
        min_supported_version [0+]: i16,
        max_supported_version [0+]: i16,
    }

    /// A topic was created.
    data TopicRecord(versions [0], flexible [0+]) {
        name [0+]: String,
        topic_id [0+]: Uuid,
    }

    /// A partition was created, or (in a snapshot) stands so.
    data PartitionRecord(versions [0-2], flexible [0+]) {
        partition_id [0+]: i32 = -1,
        topic_id [0+]: Uuid,
        replicas [0+]: Vec<i32>,
        isr [0+]: Vec<i32>,
        removing_replicas [0+]: Vec<i32>,
        adding_replicas [0+]: Vec<i32>,
        leader [0+]: i32 = -1,
        leader_epoch [0+]: i32 = -1,
        partition_epoch [0+]: i32 = -1,
        directories [1+]: Vec<Uuid>,
        leader_recovery_state [0+] tag 0: i8,
        eligible_leader_replicas [2+] nullable [0+] tag 1: Option<Vec<i32>>,
        last_known_elr [2+] nullable [0+] tag 2: Option<Vec<i32>>,
    }

    /// A config of a topic or broker was set, or deleted if the value is null.
    data ConfigRecord(versions [0], flexible [0+]) {
        resource_type [0+]: i8,
        resource_name [0+]: String,
        name [0+]: String,
        value [0+] nullable [0+]: Option<String> = Some(String::new()),
    }

    /// What changed in a partition; what is null or has its default stays.
    data PartitionChangeRecord(versions [0-2], flexible [0+]) {
        partition_id [0+]: i32 = -1,
        topic_id [0+]: Uuid,
        isr [0+] nullable [0+] tag 0: Option<Vec<i32>>,
        leader [0+] tag 1: i32 = -2,
        replicas [0+] nullable [0+] tag 2: Option<Vec<i32>>,
        removing_replicas [0+] nullable [0+] tag 3: Option<Vec<i32>>,
        adding_replicas [0+] nullable [0+] tag 4: Option<Vec<i32>>,
        leader_recovery_state [0+] tag 5: i8 = -1,
        eligible_leader_replicas [2+] nullable [0+] tag 6: Option<Vec<i32>>,
        last_known_elr [2+] nullable [0+] tag 7: Option<Vec<i32>>,
        directories [1+] nullable [0+] tag 8: Option<Vec<Uuid>>,
    }

    /// A topic was deleted.
    data RemoveTopicRecord(versions [0], flexible [0+]) {
        topic_id [0+]: Uuid,
    }

    /// A feature was finalised at a level.
    data FeatureLevelRecord(versions [0], flexible [0+]) {
        name [0+]: String,
        feature_level [0+]: i16,
    }

    /// Producer ids below the next one are handed out.
    data ProducerIdsRecord(versions [0], flexible [0+]) {
        broker_id [0+]: i32,
        broker_epoch [0+]: i64 = -1,
        next_producer_id [0+]: i64,
    }

    /// A broker was fenced, unfenced or is shutting down.
    data BrokerRegistrationChangeRecord(versions [0-3], flexible [0+]) {
        broker_id [0+]: i32,
        broker_epoch [0+]: i64,
        fenced [0+] tag 0: i8,
        in_controlled_shutdown [1+] tag 1: i8,
        log_dirs [2+] tag 2: Vec<Uuid>,
        cordoned_log_dirs [3+] nullable [0+] tag 3: Option<Vec<Uuid>>,
    }

    /// Nothing: keeps the log moving.
    data NoOpRecord(versions [0], flexible [0+]) {
    }
}
