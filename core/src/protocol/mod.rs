//! Kafka's wire format: primitives, one schema per message, error codes.
