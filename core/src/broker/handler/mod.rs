//! One file per request: its versions, what it does, the KIPs behind it.
//!
//! A handler answers with `Broker::respond`, parks the request in the purgatory, or leaves the
//! answer with `Broker::when_durable`.

mod alter_configs;
mod api_versions;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_topic_partitions;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_groups;
mod list_offsets;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod sync_group;

pub(crate) use delete_records::DelayedDelete;
pub(crate) use fetch::DelayedFetch;
pub(crate) use list_offsets::DelayedOffsets;
pub(crate) use produce::DelayedProduce;

use super::Broker;
use super::dispatch::Context;
use crate::protocol::{ApiKey, Reader, Request};

/// The APIs that are served, in order of their keys: what ApiVersions says.
pub(crate) const SERVED: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::ApiVersions,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeConfigs,
    ApiKey::AlterConfigs,
    ApiKey::CreatePartitions,
    ApiKey::DeleteGroups,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::OffsetDelete,
    ApiKey::DescribeCluster,
    ApiKey::DescribeTopicPartitions,
];

/// Reads a request's body and hands it to its handler.
///
/// # Errors
/// Why the connection must be closed: an API or version that is not served, or a body that cannot
/// be read.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "Kafka has more APIs than we serve; SERVED says which"
)]
pub(super) fn handle(
    broker: &mut Broker,
    api: ApiKey,
    context: &Context,
    body: &mut Reader,
) -> Result<(), &'static str> {
    match api {
        ApiKey::Produce => run(broker, context, body, produce::handle),
        ApiKey::Fetch => run(broker, context, body, fetch::handle),
        ApiKey::ListOffsets => run(broker, context, body, list_offsets::handle),
        ApiKey::Metadata => run(broker, context, body, metadata::handle),
        ApiKey::OffsetCommit => run(broker, context, body, offset_commit::handle),
        ApiKey::OffsetFetch => run(broker, context, body, offset_fetch::handle),
        ApiKey::FindCoordinator => run(broker, context, body, find_coordinator::handle),
        ApiKey::JoinGroup => run(broker, context, body, join_group::handle),
        ApiKey::Heartbeat => run(broker, context, body, heartbeat::handle),
        ApiKey::LeaveGroup => run(broker, context, body, leave_group::handle),
        ApiKey::SyncGroup => run(broker, context, body, sync_group::handle),
        ApiKey::DescribeGroups => run(broker, context, body, describe_groups::handle),
        ApiKey::ListGroups => run(broker, context, body, list_groups::handle),
        ApiKey::ApiVersions => {
            api_versions::handle(broker, context, body);
            Ok(())
        }
        ApiKey::CreateTopics => run(broker, context, body, create_topics::handle),
        ApiKey::DeleteTopics => run(broker, context, body, delete_topics::handle),
        ApiKey::DeleteRecords => run(broker, context, body, delete_records::handle),
        ApiKey::OffsetForLeaderEpoch => run(broker, context, body, offset_for_leader_epoch::handle),
        ApiKey::InitProducerId => run(broker, context, body, init_producer_id::handle),
        ApiKey::DescribeConfigs => run(broker, context, body, describe_configs::handle),
        ApiKey::AlterConfigs => run(broker, context, body, alter_configs::handle),
        ApiKey::CreatePartitions => run(broker, context, body, create_partitions::handle),
        ApiKey::DeleteGroups => run(broker, context, body, delete_groups::handle),
        ApiKey::OffsetDelete => run(broker, context, body, offset_delete::handle),
        ApiKey::IncrementalAlterConfigs => {
            run(broker, context, body, incremental_alter_configs::handle)
        }
        ApiKey::DescribeCluster => run(broker, context, body, describe_cluster::handle),
        ApiKey::DescribeTopicPartitions => {
            run(broker, context, body, describe_topic_partitions::handle)
        }
        ApiKey::SaslHandshake => Err("SASL is not configured on this listener"),
        _ => Err("this API is not served"),
    }
}

/// Reads the body of a request in a version we serve, and runs its handler.
fn run<R: Request>(
    broker: &mut Broker,
    context: &Context,
    body: &mut Reader,
    handle: impl FnOnce(&mut Broker, &Context, R),
) -> Result<(), &'static str> {
    if !R::VERSIONS.contains(context.version) {
        return Err("this version of the API is not served");
    }
    let request =
        R::read_version(body, context.version).map_err(|_| "the request body cannot be read")?;
    handle(broker, context, request);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::protocol::Message as _;
    use crate::protocol::messages::ProduceRequest;

    /// COMPATIBILITY.md lists the APIs that are served, with their versions.
    #[test]
    fn the_documents_table_is_the_dispatch_table() {
        let document = include_str!("../../../../COMPATIBILITY.md");
        let rows = document.lines().filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let key: i16 = cells.next()?.parse().ok()?;
            Some((key, cells.next()?.to_owned(), cells.next()?.to_owned()))
        });
        let served = SERVED.iter().map(|&api| {
            // Advertised from 0, for old clients' sake: the notes say so.
            let versions = match api == ApiKey::Produce {
                true => ProduceRequest::VERSIONS,
                false => api.versions(),
            };
            let range = match versions.min == versions.max {
                true => versions.min.to_string(),
                false => format!("{}\u{2013}{}", versions.min, versions.max),
            };
            (i16::from(api), api.name().to_owned(), range)
        });
        assert_eq!(rows.collect::<Vec<_>>(), served.collect::<Vec<_>>());
    }
}
