//! DescribeGroups, ListGroups and DeleteGroups.

use partita_core::protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use partita_core::protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest, OffsetCommitRequest,
};

use super::members::join;
use super::scribe::Scribe;

pub(super) fn ask(scribe: &mut Scribe) {
    scribe.create("plain", 1, &[]);
    // The one group whose name is not of this run.
    let nameless = DeleteGroupsRequest {
        groups_names: vec![String::new()],
    };
    scribe.call(2, &nameless).unwrap();
    let never = scribe.group("never");
    let (stable, _, _) = scribe.stable_group("stable");
    let completing = scribe.group("completing");
    scribe.joined(&join(&completing, ""));
    let empty = scribe.group("empty");
    commit(scribe, &empty);
    let other = scribe.group("other");
    let mut request = join(&other, "");
    request.protocol_type = "other".to_owned();
    scribe.joined(&request);
    for version in 0..=6 {
        for (what, group) in [
            ("never", &never),
            ("stable", &stable),
            ("completing", &completing),
            ("empty", &empty),
            ("other", &other),
        ] {
            let mut request = DescribeGroupsRequest {
                groups: vec![group.clone()],
                ..DescribeGroupsRequest::default()
            };
            scribe.ask(&format!("describe {what}"), version, &request);
            request.include_authorized_operations = true;
            if version >= 3 {
                scribe.ask(
                    &format!("describe {what} with operations"),
                    version,
                    &request,
                );
            }
        }
        for (what, groups) in [("no groups", vec![]), ("no name", vec![String::new()])] {
            let request = DescribeGroupsRequest {
                groups,
                ..DescribeGroupsRequest::default()
            };
            scribe.ask(&format!("describe {what}"), version, &request);
        }
    }
    for version in 0..=5 {
        lists(scribe, version);
    }
    for version in 0..=2 {
        let gone = scribe.group(&format!("gone-{version}"));
        commit(scribe, &gone);
        for (what, group) in [
            ("never", &never),
            ("no name", &String::new()),
            ("stable", &stable),
            ("completing", &completing),
            ("empty", &gone),
            ("one deleted before", &gone),
        ] {
            let request = DeleteGroupsRequest {
                groups_names: vec![group.clone()],
            };
            scribe.ask(&format!("delete {what}"), version, &request);
        }
        let request = DescribeGroupsRequest {
            groups: vec![gone],
            ..DescribeGroupsRequest::default()
        };
        scribe.ask(
            &format!("describe deleted in version {version}"),
            5,
            &request,
        );
    }
}

fn commit(scribe: &mut Scribe, group: &str) {
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        topics: vec![OffsetCommitRequestTopic {
            name: scribe.name("plain"),
            partitions: vec![OffsetCommitRequestPartition::default()],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    };
    let committed = scribe.call(9, &request).unwrap();
    assert!(committed.topics[0].partitions[0].error_code.is_none());
}

/// Other runs' groups are listed as well: they are left out.
fn lists(scribe: &mut Scribe, version: i16) {
    let states: &[&[&str]] = &[
        &[],
        &["Stable"],
        &["Empty", "CompletingRebalance"],
        &["stable"],
        &["Dead"],
        &["unheard"],
    ];
    let types: &[&[&str]] = &[&[], &["classic"], &["Classic"], &["consumer"], &["unheard"]];
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    for states in &states[..if version >= 4 { states.len() } else { 1 }] {
        for types in &types[..if version >= 5 { types.len() } else { 1 }] {
            let request = ListGroupsRequest {
                states_filter: owned(states),
                types_filter: owned(types),
            };
            let mut response = scribe.call(version, &request).unwrap();
            let run = scribe.name("");
            response
                .groups
                .retain(|group| group.group_id.starts_with(&run));
            response.groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
            scribe.note(
                &format!("list states {states:?} types {types:?}"),
                version,
                Some(format!("{response:?}")),
            );
        }
    }
}
