//! Configs of topics, brokers and groups.

use super::operation::{Attempt, Operation, Step};
use super::{Admin, AdminResult};
use crate::client::OpId;
use crate::client::cluster::{Answer, Target};
use crate::client::error::ClientError;
use crate::protocol::ErrorCode;
use crate::protocol::messages::describe_configs::DescribeConfigsResource;
use crate::protocol::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest, alter_configs,
    incremental_alter_configs,
};
use crate::time::Now;

/// A topic, broker or group whose configs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigResource {
    /// 2 topic, 4 broker, 8 broker logger, 32 group.
    pub resource_type: i8,
    /// The topic's name, the broker's id, the group's id.
    pub name: String,
    /// Which configs; `None` is all.
    pub config_names: Option<Vec<String>>,
}

/// The configs of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigsResult {
    /// As asked.
    pub resource_type: i8,
    /// As asked.
    pub resource_name: String,
    /// Its configs.
    pub entries: Vec<ConfigEntry>,
}

/// A config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name.
    pub name: String,
    /// Its value; `None` if it has none or it is secret.
    pub value: Option<String>,
    /// Whether it cannot be changed.
    pub read_only: bool,
    /// Where the value comes from: 1 topic, 2 broker, 3 default of all brokers, 4 the broker's
    /// configuration at start, 5 built in.
    pub source: i8,
    /// Whether it is secret.
    pub sensitive: bool,
    /// Where else it is looked up, in order.
    pub synonyms: Vec<ConfigSynonym>,
}

/// A place where a config's value is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// The name of the config there.
    pub name: String,
    /// Its value there.
    pub value: Option<String>,
    /// Which place, as in [`ConfigEntry::source`].
    pub source: i8,
}

/// What is to be changed at a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    /// As in [`ConfigResource`].
    pub resource_type: i8,
    /// As in [`ConfigResource`].
    pub name: String,
    /// What happens to which config, with which value. A full replacement takes every entry as
    /// [`ConfigOperation::Set`].
    pub entries: Vec<(String, ConfigOperation, Option<String>)>,
}

/// What happens to a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigOperation {
    /// It gets the value.
    Set,
    /// It goes back to its default.
    Delete,
    /// The value is added to its list.
    Append,
    /// The value is taken from its list.
    Subtract,
}

impl ConfigOperation {
    fn wire(self) -> i8 {
        match self {
            Self::Set => 0,
            Self::Delete => 1,
            Self::Append => 2,
            Self::Subtract => 3,
        }
    }
}

/// A resource whose configs were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterResult {
    /// As asked.
    pub resource_type: i8,
    /// As asked.
    pub resource_name: String,
}

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;

impl Admin {
    /// Configs of resources: [`AdminResult::Configs`], in the order asked.
    pub fn describe_configs(
        &mut self,
        now: Now,
        resources: Vec<ConfigResource>,
        include_synonyms: bool,
    ) -> OpId {
        if let Some(op) = self.refuse_resources(
            resources
                .iter()
                .map(|resource| (resource.resource_type, resource.name.as_str())),
        ) {
            return op;
        }
        let operation = DescribeConfigs {
            found: vec![None; resources.len()],
            resources,
            include_synonyms,
        };
        self.run(now, operation)
    }

    /// Replaces all configs of resources: what is not named goes back to its default.
    /// [`AdminResult::Altered`].
    pub fn alter_configs(
        &mut self,
        now: Now,
        resources: Vec<ConfigChange>,
        validate_only: bool,
    ) -> OpId {
        self.alter(now, resources, validate_only, false)
    }

    /// Changes single configs: [`AdminResult::Altered`].
    pub fn incremental_alter_configs(
        &mut self,
        now: Now,
        resources: Vec<ConfigChange>,
        validate_only: bool,
    ) -> OpId {
        self.alter(now, resources, validate_only, true)
    }

    fn alter(
        &mut self,
        now: Now,
        resources: Vec<ConfigChange>,
        validate_only: bool,
        incremental: bool,
    ) -> OpId {
        if let Some(op) = self.refuse_resources(
            resources
                .iter()
                .map(|resource| (resource.resource_type, resource.name.as_str())),
        ) {
            return op;
        }
        let operation = AlterConfigs {
            found: vec![None; resources.len()],
            resources,
            validate_only,
            incremental,
        };
        self.run(now, operation)
    }

    fn refuse_resources<'a>(
        &mut self,
        mut resources: impl ExactSizeIterator<Item = (i8, &'a str)>,
    ) -> Option<OpId> {
        if resources.len() == 0 {
            return Some(self.refuse("Resources array cannot be empty"));
        }
        let known = [TOPIC, BROKER, BROKER_LOGGER, 16, 32];
        let bad = resources.find(|(kind, name)| name.is_empty() || !known.contains(kind));
        let (kind, name) = bad?;
        Some(self.refuse(if name.is_empty() {
            format!("Invalid resource name {name}")
        } else {
            format!("Invalid resource type {kind}")
        }))
    }
}

/// A broker answers for its own configs, any broker for the rest.
fn target(resource_type: i8, name: &str, otherwise: Target) -> Target {
    match name.parse() {
        Ok(node) if [BROKER, BROKER_LOGGER].contains(&resource_type) => Target::Node(node),
        _ => otherwise,
    }
}

#[derive(Debug)]
struct DescribeConfigs {
    resources: Vec<ConfigResource>,
    include_synonyms: bool,
    found: Vec<Option<ConfigsResult>>,
}

impl Operation for DescribeConfigs {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        // A broker's own configs need its address.
        let brokers = |resource: &ConfigResource| resource.resource_type != TOPIC;
        if attempt.metadata().brokers.is_empty() && self.resources.iter().any(brokers) {
            attempt.ask_for_topics(Some(&[]), usize::MAX);
            return Step::Wait;
        }
        let open = self.resources.iter().zip(&self.found).enumerate();
        for (at, (resource, _)) in open.filter(|(_, (_, found))| found.is_none()) {
            let request = DescribeConfigsRequest {
                resources: vec![DescribeConfigsResource {
                    resource_type: resource.resource_type,
                    resource_name: resource.name.clone(),
                    configuration_keys: resource.config_names.clone(),
                }],
                include_synonyms: self.include_synonyms,
                include_documentation: false,
            };
            attempt.send(
                target(resource.resource_type, &resource.name, Target::Any),
                at,
                request,
            );
        }
        self.end(attempt)
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        if tag == usize::MAX {
            return self.start(attempt);
        }
        let response = match answer.decode::<DescribeConfigsRequest>() {
            Ok(response) => response,
            Err(error) => return Step::Failed(error),
        };
        for result in response.results {
            if result.error_code != ErrorCode::NONE {
                let (code, words) = (result.error_code, result.error_message);
                let about = &result.resource_name;
                return raw_or_again(ClientError::protocol_about(code, words.as_deref(), about));
            }
            let entries = result.configs.into_iter().map(|config| ConfigEntry {
                name: config.name,
                value: config.value,
                read_only: config.read_only,
                source: config.config_source,
                sensitive: config.is_sensitive,
                synonyms: config
                    .synonyms
                    .into_iter()
                    .map(|synonym| ConfigSynonym {
                        name: synonym.name,
                        value: synonym.value,
                        source: synonym.source,
                    })
                    .collect(),
            });
            if let Some(found) = self.found.get_mut(tag) {
                *found = Some(ConfigsResult {
                    resource_type: result.resource_type,
                    resource_name: result.resource_name,
                    entries: entries.collect(),
                });
            }
        }
        self.end(attempt)
    }
}

impl DescribeConfigs {
    fn end(&mut self, attempt: &Attempt<'_>) -> Step {
        if !attempt.is_complete() {
            return Step::Wait;
        }
        let found = std::mem::take(&mut self.found).into_iter().flatten();
        Step::Done(AdminResult::Configs(found.collect()))
    }
}

#[derive(Debug)]
struct AlterConfigs {
    resources: Vec<ConfigChange>,
    validate_only: bool,
    incremental: bool,
    found: Vec<Option<AlterResult>>,
}

impl Operation for AlterConfigs {
    fn start(&mut self, attempt: &mut Attempt<'_>) -> Step {
        let brokers = |resource: &ConfigChange| resource.resource_type != TOPIC;
        if attempt.metadata().brokers.is_empty() && self.resources.iter().any(brokers) {
            attempt.ask_for_topics(Some(&[]), usize::MAX);
            return Step::Wait;
        }
        let open = self.resources.iter().zip(&self.found).enumerate();
        for (at, (resource, _)) in open.filter(|(_, (_, found))| found.is_none()) {
            let to = target(resource.resource_type, &resource.name, Target::Controller);
            if self.incremental {
                attempt.send(to, at, incremental_request(resource, self.validate_only));
            } else {
                attempt.send(to, at, full_request(resource, self.validate_only));
            }
        }
        self.end(attempt)
    }

    fn answered(&mut self, attempt: &mut Attempt<'_>, tag: usize, answer: Answer) -> Step {
        if tag == usize::MAX {
            return self.start(attempt);
        }
        let results = if self.incremental {
            answer
                .decode::<IncrementalAlterConfigsRequest>()
                .map(|response| {
                    let results = response.responses.into_iter();
                    let results = results.map(|result| {
                        let resource = (result.resource_type, result.resource_name);
                        (result.error_code, result.error_message, resource)
                    });
                    results.collect::<Vec<_>>()
                })
        } else {
            answer.decode::<AlterConfigsRequest>().map(|response| {
                let results = response.responses.into_iter();
                let results = results.map(|result| {
                    let resource = (result.resource_type, result.resource_name);
                    (result.error_code, result.error_message, resource)
                });
                results.collect()
            })
        };
        let results = match results {
            Ok(results) => results,
            Err(error) => return Step::Failed(error),
        };
        for (code, words, (resource_type, resource_name)) in results {
            if code != ErrorCode::NONE {
                attempt.controller_error(code);
                let words = words.as_deref();
                return raw_or_again(ClientError::protocol_about(code, words, &resource_name));
            }
            if let Some(found) = self.found.get_mut(tag) {
                *found = Some(AlterResult {
                    resource_type,
                    resource_name,
                });
            }
        }
        self.end(attempt)
    }
}

impl AlterConfigs {
    fn end(&mut self, attempt: &Attempt<'_>) -> Step {
        if !attempt.is_complete() {
            return Step::Wait;
        }
        let found = std::mem::take(&mut self.found).into_iter().flatten();
        Step::Done(AdminResult::Altered(found.collect()))
    }
}

/// Only what the controller or the broker cannot help is worth a repeat; an unknown topic is not.
fn raw_or_again(error: ClientError) -> Step {
    if error.retriable && error.error_code() != Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) {
        Step::Failed(error)
    } else {
        Step::Raw(error)
    }
}

fn full_request(resource: &ConfigChange, validate_only: bool) -> AlterConfigsRequest {
    let configs = resource.entries.iter();
    let configs = configs.map(|(name, _, value)| alter_configs::AlterableConfig {
        name: name.clone(),
        value: value.clone(),
    });
    AlterConfigsRequest {
        resources: vec![alter_configs::AlterConfigsResource {
            resource_type: resource.resource_type,
            resource_name: resource.name.clone(),
            configs: configs.collect(),
        }],
        validate_only,
    }
}

fn incremental_request(
    resource: &ConfigChange,
    validate_only: bool,
) -> IncrementalAlterConfigsRequest {
    let configs = resource.entries.iter();
    let configs =
        configs.map(
            |(name, operation, value)| incremental_alter_configs::AlterableConfig {
                name: name.clone(),
                config_operation: operation.wire(),
                value: value.clone(),
            },
        );
    IncrementalAlterConfigsRequest {
        resources: vec![incremental_alter_configs::AlterConfigsResource {
            resource_type: resource.resource_type,
            resource_name: resource.name.clone(),
            configs: configs.collect(),
        }],
        validate_only,
    }
}
