//! Which broker coordinates which group or transactional id.

use crate::sorted::{SortedMap, SortedSet};

use super::super::error::{ClientError, ErrorKind};
use super::Cluster;
use super::metadata::BrokerInfo;
use super::request::{Answer, Asker, CoordinatorKey, RequestOptions, Target};
use crate::protocol::ErrorCode;
use crate::protocol::messages::FindCoordinatorRequest;
use crate::time::Now;

/// The coordinators that are known, and those being asked for.
#[derive(Debug, Default)]
pub(super) struct Coordinators {
    known: SortedMap<CoordinatorKey, i32>,
    asked: SortedSet<CoordinatorKey>,
}

impl Coordinators {
    pub(super) fn get(&self, key: &CoordinatorKey) -> Option<i32> {
        self.known.get(key).copied()
    }

    pub(super) fn forget(&mut self, key: &CoordinatorKey) {
        self.known.remove(key);
    }

    /// Forgets all that a broker coordinates: it cannot be reached.
    pub(super) fn forget_node(&mut self, node: i32) {
        self.known.retain(|_, known| *known != node);
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.asked.clear();
    }
}

impl CoordinatorKey {
    fn wire(&self) -> (i8, &str) {
        match self {
            Self::Group(name) => (0, name),
            Self::Transaction(name) => (1, name),
        }
    }
}

impl Cluster {
    /// Asks for a coordinator, unless that is under way.
    pub(super) fn ask_for_coordinator(&mut self, now: Now, key: &CoordinatorKey) {
        if !self.coordinators.asked.insert(key.clone()) {
            return;
        }
        let (key_type, name) = key.wire();
        // Versions before 4 have one key, later ones a list.
        let request = FindCoordinatorRequest {
            key: name.to_owned(),
            key_type,
            coordinator_keys: vec![name.to_owned()],
        };
        let asker = Asker::Coordinators(key.clone());
        self.submit(now, asker, Target::Any, request, RequestOptions::default());
    }

    /// A broker has answered, or none could.
    pub(super) fn coordinator_answered(
        &mut self,
        now: Now,
        key: &CoordinatorKey,
        result: Result<Answer, ClientError>,
    ) {
        self.coordinators.asked.remove(key);
        let found = result.and_then(|answer| found_coordinator(key, &answer));
        let error = match found {
            Ok((node, address)) => {
                // Brokers that have joined since topics were last asked for are not known yet.
                self.metadata.brokers.entry(node).or_insert(address);
                self.coordinators.known.insert(key.clone(), node);
                None
            }
            Err(error) => Some(error),
        };
        let waits = |outgoing: &super::Outgoing| matches!(&outgoing.target, Target::Coordinator(wanted) if wanted == key);
        let (waiting, held) = std::mem::take(&mut self.held).into_iter().partition(waits);
        self.held = held;
        let waiting: Vec<super::Outgoing> = waiting;
        for outgoing in waiting {
            match &error {
                None => self.route(now, outgoing),
                Some(error) => self.fail(outgoing.token, outgoing.asker, error.clone()),
            }
        }
    }
}

fn found_coordinator(
    key: &CoordinatorKey,
    answer: &Answer,
) -> Result<(i32, BrokerInfo), ClientError> {
    let response = answer.decode::<FindCoordinatorRequest>()?;
    let (_, name) = key.wire();
    let (code, words, node, host, port) = if answer.version >= 4 {
        let mut found = response.coordinators.into_iter();
        let found = found.find(|found| found.key == name).ok_or_else(|| {
            let message = format!("the broker did not say who coordinates {name}");
            ClientError::fatal(ErrorKind::GroupCoordinatorNotFound, message)
        })?;
        let error = (found.error_code, found.error_message);
        (error.0, error.1, found.node_id, found.host, found.port)
    } else {
        let error = (response.error_code, response.error_message);
        (
            error.0,
            error.1,
            response.node_id,
            response.host,
            response.port,
        )
    };
    if code != ErrorCode::NONE {
        return Err(ClientError::protocol_about(code, words.as_deref(), name));
    }
    let address = BrokerInfo {
        host,
        port,
        rack: None,
    };
    Ok((node, address))
}
