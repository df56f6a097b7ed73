//! Carries out what groups ask for: answers, timers, writes and who waits for them.

use crate::sorted::SortedMap;
use std::sync::Arc;

use super::classic::{Action, Actions, ClassicGroup, Join, Settings, TimerKey, Written};
use super::partition::Entry;
use super::records::{Change, group_value};
use super::{GroupTimer, Groups};
use crate::broker::Broker;
use crate::broker::connection::RequestId;
use crate::broker::effect::LogId;
use crate::broker::timers::TimerId;
use crate::protocol::ErrorCode;
use crate::protocol::messages::{JoinGroupResponse, SyncGroupResponse};

/// How long the JoinGroup of a member that has no session yet may wait (Kafka's
/// `classicGroupNewMemberJoinTimeoutMs`, which no config sets).
const NEW_MEMBER_JOIN_TIMEOUT: i64 = 5 * 60 * 1_000;

/// The most records in one batch of tombstones: Kafka bounds the batch, too, and a commit that
/// waits behind it need not wait for all.
const MAX_TOMBSTONES: usize = 1_000;

/// What is done when a write is durable, has failed (`NOT_COORDINATOR`), or takes too long
/// (`COORDINATOR_NOT_AVAILABLE`).
pub(super) type Then = Box<dyn FnOnce(&mut Broker, Result<(), ErrorCode>)>;

/// Somebody who waits for a write.
pub(super) struct Wait {
    then: Then,
    timer: TimerId,
}

/// Several waits whose outcomes are wanted together.
pub(super) struct Gather {
    left: usize,
    outcomes: Vec<Result<(), ErrorCode>>,
    then: Gathered,
}

/// What is done with the outcomes of several writes, in the order in which they were given.
pub(crate) type Gathered = Box<dyn FnOnce(&mut Broker, Vec<Result<(), ErrorCode>>)>;

impl Broker {
    fn group_settings(&self) -> Settings {
        Settings {
            initial_rebalance_delay: self.config.long("group.initial.rebalance.delay.ms"),
            max_size: usize::try_from(self.config.long("group.max.size")).unwrap_or(usize::MAX),
            new_member_join_timeout: NEW_MEMBER_JOIN_TIMEOUT,
            now: self.clock.wall().0,
        }
    }

    /// Lets a group handle something and carries out what it asks for. Returns what `handle` did,
    /// or `None` if there is no such group, and the error of a write that could not be begun.
    pub(crate) fn with_group<T>(
        &mut self,
        partition: i32,
        id: &str,
        handle: impl FnOnce(&mut ClassicGroup, &Settings, &mut Actions) -> T,
    ) -> (Option<T>, Result<(), ErrorCode>) {
        let settings = self.group_settings();
        let mut actions = Actions::default();
        let Some((id, entry)) = self.groups.entry(partition, id) else {
            return (None, Ok(()));
        };
        let handled = handle(&mut entry.group, &settings, &mut actions);
        let result = self.carry_out(partition, &id, actions);
        (Some(handled), result)
    }

    /// Hands a JoinGroup to its group. A new member makes a group that is not there.
    ///
    /// # Errors
    /// What the request is to be answered with; otherwise the group answers it.
    pub(crate) fn join_group(
        &mut self,
        partition: i32,
        id: &str,
        join: Join,
    ) -> Result<(), ErrorCode> {
        if !self.groups.contains(partition, id) {
            if !join.member_id.is_empty() {
                return Err(ErrorCode::UNKNOWN_MEMBER_ID);
            }
            self.create_group(partition, id)?;
        }
        // The error of a write that cannot be begun reaches the request through the group.
        let (_, _) = self.with_group(partition, id, |group, settings, out| {
            group.join(join, settings, out)
        });
        Ok(())
    }

    fn create_group(&mut self, partition: i32, id: &str) -> Result<(), ErrorCode> {
        let now = self.clock.wall().0;
        let id: Arc<str> = id.into();
        let empty = ClassicGroup::new(id.clone(), 0, Some(now)).to_record(&SortedMap::new());
        let value = group_value(&empty).map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)?;
        self.append_changes(partition, vec![Change::Group(id.clone(), Some(value))])?;
        self.insert_group(partition, id, Some(now));
        Ok(())
    }

    /// Carries out a group's actions in order. The error is that of the first write that could not
    /// be begun; the group has been told of it.
    pub(super) fn carry_out(
        &mut self,
        partition: i32,
        id: &Arc<str>,
        actions: Actions,
    ) -> Result<(), ErrorCode> {
        self.observer.group(id);
        let mut result = Ok(());
        for action in actions.0 {
            match action {
                Action::Join(to, answer) => self.answer_join(to, *answer),
                Action::Sync(to, answer) => self.answer_sync(to, &answer),
                Action::Arm(key, millis) => self.arm_group_timer(partition, id, key, millis),
                Action::Cancel(key) => self.groups.cancel_group_timer(partition, id, &key),
                Action::Write(record, then) => {
                    let Some((_, entry)) = self.groups.entry(partition, id) else {
                        continue;
                    };
                    let instance = entry.group.instance;
                    let written = group_value(&record)
                        .map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)
                        .map(|value| vec![Change::Group(id.clone(), Some(value))])
                        .and_then(|changes| self.append_changes(partition, changes));
                    match written {
                        Ok(()) => {
                            let id = id.clone();
                            self.after_group_write(
                                partition,
                                Box::new(move |broker, result| {
                                    broker.group_written(partition, &id, instance, then, result);
                                }),
                            );
                        }
                        Err(error) => {
                            result = result.and(Err(error));
                            self.group_written(partition, id, instance, then, Err(error));
                        }
                    }
                }
            }
        }
        result
    }

    /// Tells a group how a write of it went, unless another group has its id by now.
    fn group_written(
        &mut self,
        partition: i32,
        id: &Arc<str>,
        instance: u64,
        then: Written,
        result: Result<(), ErrorCode>,
    ) {
        let settings = self.group_settings();
        let mut actions = Actions::default();
        let Some((_, entry)) = self.groups.entry(partition, id) else {
            return;
        };
        if entry.group.instance != instance {
            return;
        }
        entry.group.written(then, result, &settings, &mut actions);
        // A write that fails in turn has told the group itself; nobody else waits for it here.
        self.carry_out(partition, id, actions).unwrap_or_default();
    }

    /// One of a group's timers has expired.
    pub(super) fn group_timed_out(&mut self, partition: i32, id: &Arc<str>, key: &TimerKey) {
        if let Some((_, entry)) = self.groups.entry(partition, id) {
            entry.timers.remove(key);
        }
        let (_, written) = self.with_group(partition, id, |group, settings, out| match key {
            TimerKey::Session(member_id) => group.session_timed_out(member_id, settings, out),
            TimerKey::Join => group.join_timed_out(settings, out),
            TimerKey::Sync => group.sync_timed_out(settings, out),
            TimerKey::Persist => group.persist_timed_out(out),
        });
        // As in `group_written`: the group has been told, and tries again.
        written.unwrap_or_default();
    }

    fn arm_group_timer(&mut self, partition: i32, id: &Arc<str>, key: TimerKey, millis: i64) {
        self.groups.cancel_group_timer(partition, id, &key);
        let deadline = self.clock.monotonic().after_millis(millis);
        let timer = GroupTimer::Group {
            partition,
            group: id.clone(),
            key: key.clone(),
        };
        if !self.groups.contains(partition, id) {
            return;
        }
        let timer = self.groups.timers.schedule(deadline, timer);
        if let Some((_, entry)) = self.groups.entry(partition, id) {
            entry.timers.insert(key, timer);
        }
    }

    /// Appends records as one batch; from now on they are what writes are validated against.
    ///
    /// # Errors
    /// What those who asked for it are to be told; nothing was written.
    pub(crate) fn append_changes(
        &mut self,
        partition: i32,
        changes: Vec<Change>,
    ) -> Result<(), ErrorCode> {
        let Some(log) = self
            .groups
            .partitions
            .get(&partition)
            .map(|found| found.log)
        else {
            return Err(ErrorCode::NOT_COORDINATOR);
        };
        if changes.is_empty() {
            return Ok(());
        }
        let records: Result<Vec<_>, _> = changes.iter().map(Change::to_record).collect();
        let records = records.map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)?;
        let base = self.append_hard(log, &records).map_err(told_to_clients)?;
        let now = self.clock.wall().0;
        for change in &changes {
            match change {
                Change::Commit(key, Some(_)) if !self.groups.contains(partition, &key.group) => {
                    self.insert_group(partition, key.group.clone(), Some(now));
                }
                Change::Group(group, None) => self.drop_group(partition, group),
                Change::Commit(..) | Change::Group(..) => {}
            }
        }
        if let Some(found) = self.groups.partitions.get_mut(&partition) {
            found.set_pending(base, changes, now);
        }
        Ok(())
    }

    /// Appends tombstones in batches of bounded size.
    ///
    /// # Errors
    /// As [`Broker::append_changes`]; some may have been appended.
    pub(super) fn append_tombstones(
        &mut self,
        partition: i32,
        mut changes: Vec<Change>,
    ) -> Result<(), ErrorCode> {
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(MAX_TOMBSTONES));
            self.append_changes(partition, changes)?;
            changes = rest;
        }
        Ok(())
    }

    /// Makes a group in memory; the record that makes it exist is appended by the caller.
    pub(super) fn insert_group(&mut self, partition: i32, id: Arc<str>, since: Option<i64>) {
        let instance = self.groups.next_number();
        let group = ClassicGroup::new(id.clone(), instance, since);
        if let Some(found) = self.groups.partitions.get_mut(&partition) {
            self.observer.group(&id);
            found.groups.insert(
                id,
                Entry {
                    group,
                    timers: SortedMap::new(),
                },
            );
        }
    }

    /// Takes a group out of memory; whoever waits for it is sent to look for its coordinator.
    pub(super) fn drop_group(&mut self, partition: i32, id: &Arc<str>) {
        let Some(found) = self.groups.partitions.get_mut(&partition) else {
            return;
        };
        let Some(mut entry) = found.groups.remove(id) else {
            return;
        };
        for timer in entry.timers.into_values() {
            self.groups.timers.cancel(timer);
        }
        let mut actions = Actions::default();
        entry.group.die(self.clock.wall().0, &mut actions);
        // A group that dies answers; it neither writes nor waits.
        self.carry_out(partition, id, actions).unwrap_or_default();
    }

    /// Runs `then` when everything appended to the partition so far is durable, at once if it is.
    pub(crate) fn after_group_write(&mut self, partition: i32, then: Then) {
        let Some(log) = self
            .groups
            .partitions
            .get(&partition)
            .map(|found| found.log)
        else {
            return then(self, Err(ErrorCode::NOT_COORDINATOR));
        };
        match self.log_bounds(log) {
            None => return then(self, Err(ErrorCode::NOT_COORDINATOR)),
            Some((high_watermark, end)) if end <= high_watermark => return then(self, Ok(())),
            Some(_) => {}
        }
        self.wait_for_write(log, then);
    }

    fn wait_for_write(&mut self, log: LogId, then: Then) {
        let number = self.groups.next_number();
        let patience = self.config.long("offsets.commit.timeout.ms");
        let deadline = self.clock.monotonic().after_millis(patience);
        let timer = self
            .groups
            .timers
            .schedule(deadline, GroupTimer::WriteTimeout(number));
        self.groups.waits.insert(number, Wait { then, timer });
        self.when_durable(
            log,
            Box::new(move |broker, result| {
                broker.end_wait(number, result.map_err(|_| ErrorCode::NOT_COORDINATOR));
            }),
        );
    }

    /// Ends a wait, unless it has ended already.
    pub(super) fn end_wait(&mut self, number: u64, result: Result<(), ErrorCode>) {
        if let Some(wait) = self.groups.waits.remove(&number) {
            self.groups.timers.cancel(wait.timer);
            (wait.then)(self, result);
        }
    }

    /// Runs `then` when the writes of all partitions given have ended. Where a result is given
    /// instead of a partition, there is nothing to wait for.
    pub(crate) fn after_group_writes(
        &mut self,
        writes: Vec<Result<i32, Result<(), ErrorCode>>>,
        then: Gathered,
    ) {
        let number = self.groups.next_number();
        let outcomes = writes
            .iter()
            .map(|write| write.err().unwrap_or(Ok(())))
            .collect();
        // One more than there are, so that it does not end before all are begun.
        let left = writes.len().saturating_add(1);
        self.groups.gathers.insert(
            number,
            Gather {
                left,
                outcomes,
                then,
            },
        );
        for (index, write) in writes.into_iter().enumerate() {
            match write {
                Ok(partition) => self.after_group_write(
                    partition,
                    Box::new(move |broker, result| {
                        broker.gathered(number, Some((index, result)));
                    }),
                ),
                Err(_) => self.gathered(number, None),
            }
        }
        self.gathered(number, None);
    }

    fn gathered(&mut self, number: u64, outcome: Option<(usize, Result<(), ErrorCode>)>) {
        let Some(gather) = self.groups.gathers.get_mut(&number) else {
            return;
        };
        if let Some((index, result)) = outcome
            && let Some(slot) = gather.outcomes.get_mut(index)
        {
            *slot = result;
        }
        gather.left = gather.left.saturating_sub(1);
        if gather.left == 0
            && let Some(gather) = self.groups.gathers.remove(&number)
        {
            (gather.then)(self, gather.outcomes);
        }
    }

    /// Answers a JoinGroup in the terms of its version.
    pub(crate) fn answer_join(&mut self, to: RequestId, mut answer: JoinGroupResponse) {
        let Some(version) = self.request_info(to).map(|info| info.version) else {
            return;
        };
        // From version 7 on "no protocol" is null, before it is empty (KIP-559).
        let protocol = answer.protocol_name.take().unwrap_or_default();
        answer.protocol_name = if version >= 7 && protocol.is_empty() {
            None
        } else {
            Some(protocol)
        };
        self.note_error(to, answer.error_code);
        self.respond(to, &answer);
    }

    /// The address of the client that sent a request, as Java writes addresses: `/127.0.0.1`.
    pub(crate) fn client_host(&self, id: RequestId) -> String {
        let peer = self
            .connections
            .get(id.connection)
            .map(|open| open.peer.address.as_str());
        format!("/{}", peer.unwrap_or_default())
    }

    /// Answers a SyncGroup.
    pub(crate) fn answer_sync(&mut self, to: RequestId, answer: &SyncGroupResponse) {
        self.note_error(to, answer.error_code);
        self.respond(to, answer);
    }
}

impl Groups {
    pub(super) fn entry(&mut self, partition: i32, id: &str) -> Option<(Arc<str>, &mut Entry)> {
        let found = self.partitions.get_mut(&partition)?;
        let id = found.shared_id(id);
        found.groups.get_mut(&id).map(|entry| (id, entry))
    }

    fn contains(&self, partition: i32, id: &str) -> bool {
        self.partitions
            .get(&partition)
            .is_some_and(|found| found.groups.contains_key(id))
    }

    fn cancel_group_timer(&mut self, partition: i32, id: &Arc<str>, key: &TimerKey) {
        let timer = self
            .entry(partition, id)
            .and_then(|(_, entry)| entry.timers.remove(key));
        if let Some(timer) = timer {
            self.timers.cancel(timer);
        }
    }
}

/// What a failed append is called in answers (Kafka's `handleOperationException`).
fn told_to_clients(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        | ErrorCode::NOT_ENOUGH_REPLICAS
        | ErrorCode::REQUEST_TIMED_OUT => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER | ErrorCode::KAFKA_STORAGE_ERROR => {
            ErrorCode::NOT_COORDINATOR
        }
        ErrorCode::MESSAGE_TOO_LARGE
        | ErrorCode::RECORD_LIST_TOO_LARGE
        | ErrorCode::INVALID_FETCH_SIZE => ErrorCode::UNKNOWN_SERVER_ERROR,
        other => other,
    }
}
