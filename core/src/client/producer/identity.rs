//! The producer id, for which sequences count.

use super::super::cluster::{Answer, Target, Token};
use super::super::error::{ClientError, ErrorKind};
use super::batch::Identity;
use super::{Idempotence, Producer};
use crate::protocol::ErrorCode;
use crate::protocol::messages::InitProducerIdRequest;
use crate::time::Now;

/// What is known of the producer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum IdentityState {
    /// Nothing; it is asked for when a batch needs it.
    #[default]
    Unknown,
    /// It was asked for.
    Asked(Token),
    /// This is it.
    Known(Identity),
    /// The broker gives none, and it was not required.
    Unavailable,
}

impl IdentityState {
    pub(super) fn known(self) -> Option<Identity> {
        match self {
            Self::Known(identity) => Some(identity),
            Self::Unknown | Self::Asked(_) | Self::Unavailable => None,
        }
    }

    pub(super) fn forget_request(&mut self) {
        if let Self::Asked(_) = self {
            *self = Self::Unknown;
        }
    }
}

impl Producer {
    /// A batch needs a producer id: a first one, or another because the epochs of the known one are
    /// used up.
    pub(super) fn ask_for_identity(&mut self, now: Now) {
        if let IdentityState::Asked(_) = self.identity {
            return;
        }
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            ..InitProducerIdRequest::default()
        };
        let token = self.cluster.request(now, Target::Any, request);
        self.identity = IdentityState::Asked(token);
    }

    pub(super) fn identity_answered(&mut self, now: Now, result: Result<Answer, ClientError>) {
        let found = result.and_then(|answer| {
            let response = answer.decode::<InitProducerIdRequest>()?;
            if response.error_code != ErrorCode::NONE {
                return Err(ClientError::protocol(response.error_code));
            }
            Ok(Identity {
                id: response.producer_id,
                epoch: response.producer_epoch,
            })
        });
        match found {
            Ok(identity) => self.identity = IdentityState::Known(identity),
            Err(error) => {
                let unsupported =
                    matches!(error.kind, ErrorKind::ServerDoesNotSupportApiKey { .. });
                let refused = error.error_code() == Some(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
                if self.config.idempotence == Idempotence::Auto && (unsupported || refused) {
                    self.identity = IdentityState::Unavailable;
                } else {
                    self.identity = IdentityState::Unknown;
                    self.fail_all_waiting(now, &error);
                }
            }
        }
    }
}
