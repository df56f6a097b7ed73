//! Broker and topic configs by Kafka's names, with Kafka's types, defaults and checks.

/// The broker's configs. Unknown names and invalid values are refused when they are set.
#[derive(Debug, Clone, Default)]
pub struct BrokerConfig {}

/// Why a config was refused, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl BrokerConfig {
    /// An int or long config. A name that is not one is a mistake in our code; a test walks all uses.
    pub(crate) fn long(&self, _name: &str) -> i64 {
        0
    }
}
