//! What all admin operations have in common: an attempt sends requests, takes their answers one by
//! one, and ends in one of four ways.

use crate::sorted::SortedMap;
use std::fmt::Debug;

use super::super::cluster::{
    Answer, Cluster, CoordinatorKey, Lane, Metadata, RequestOptions, Target, Token,
};
use super::super::error::{ClientError, ErrorKind};
use super::AdminResult;
use crate::protocol::{ErrorCode, Request};
use crate::time::Now;

/// An operation. What it has achieved in one attempt it need not do again in the next.
pub(super) trait Operation: Debug {
    /// Begins an attempt.
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step;

    /// Takes the answer to the request that was sent with `tag`.
    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step;

    /// Whether this is not an operation but connecting.
    fn is_connect(&self) -> bool {
        false
    }
}

/// Where an attempt stands.
#[derive(Debug)]
pub(super) enum Step {
    /// Answers are still to come.
    Wait,
    /// It has succeeded.
    Done(AdminResult),
    /// It has failed: repeated if the error passes, wrapped as KafkaJS's retrier does if not.
    Failed(ClientError),
    /// The operation has failed with exactly this error.
    Raw(ClientError),
}

impl From<ClientError> for Step {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

/// What an operation can do in an attempt.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) cluster: &'a mut Cluster,
    pub(super) now: Now,
    pub(super) pending: &'a mut SortedMap<Token, usize>,
}

impl Attempt<'_> {
    /// Sends a request; `tag` comes back with its answer.
    pub(super) fn send<R>(&mut self, target: Target, tag: usize, request: R)
    where
        R: Request + Debug + 'static,
    {
        let token = self.cluster.request(self.now, target, request);
        self.pending.insert(token, tag);
    }

    /// As [`Attempt::send`], in no higher version than `max_version`.
    pub(super) fn send_capped<R>(
        &mut self,
        target: Target,
        tag: usize,
        max_version: i16,
        request: R,
    ) where
        R: Request + Debug + 'static,
    {
        let options = RequestOptions {
            lane: Lane::Main,
            max_version: Some(max_version),
            ..RequestOptions::default()
        };
        let token = self
            .cluster
            .request_with(self.now, target, request, options);
        self.pending.insert(token, tag);
    }

    /// Asks for topics, or for all.
    pub(super) fn ask_for_topics(&mut self, topics: Option<&[String]>, tag: usize) {
        let token = self.cluster.fetch_metadata(self.now, topics);
        self.pending.insert(token, tag);
    }

    /// Whether every request was answered.
    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn metadata(&self) -> &Metadata {
        self.cluster.metadata()
    }

    /// An error of the controller's: topics are asked for again if it has moved.
    pub(super) fn controller_error(&mut self, code: ErrorCode) {
        if code == ErrorCode::NOT_CONTROLLER {
            self.cluster.refresh_metadata(self.now);
        }
    }

    /// An error of a group's coordinator: it is looked for again if it has moved.
    pub(super) fn group_error(&mut self, group: &str, code: ErrorCode) -> ClientError {
        if [
            ErrorCode::NOT_COORDINATOR,
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ]
        .contains(&code)
        {
            self.cluster
                .forget_coordinator(&CoordinatorKey::Group(group.to_owned()));
        }
        ClientError::protocol_about(code, None, group)
    }
}

/// The coordinator of a group.
pub(super) fn coordinator(group: &str) -> Target {
    Target::Coordinator(CoordinatorKey::Group(group.to_owned()))
}

/// What a partition's leader is asked, grouped by leader; or the first partition without one.
pub(super) fn by_leader(
    metadata: &Metadata,
    topic: &str,
    partitions: impl IntoIterator<Item = i32>,
) -> Result<SortedMap<i32, Vec<i32>>, ClientError> {
    let mut leaders: SortedMap<i32, Vec<i32>> = SortedMap::new();
    for partition in partitions {
        match metadata.leader(topic, partition) {
            Some(leader) => leaders.entry(leader).or_default().push(partition),
            None => {
                let about = crate::types::TopicPartition::new(topic, partition);
                let code = metadata.why_no_leader(&about);
                let about = about.to_string();
                return Err(ClientError::protocol_about(code, None, &about));
            }
        }
    }
    Ok(leaders)
}

/// The response did not have what was asked for.
pub(super) fn incomplete(what: &str) -> ClientError {
    let message = format!("the broker's answer lacks {what}");
    ClientError::fatal(ErrorKind::PartialMessage, message)
}
