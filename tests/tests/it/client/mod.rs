//! Our clients against our broker, and against Apache Kafka where `PARTITA_KAFKA=HOST:PORT` names
//! one: the same scenario, the same expectations.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else comes is wrong"
)]

mod admin;
mod outage;
mod producer;

use partita_core::client::admin::{AdminConfig, AdminEvent, AdminResult, NewTopic};
use partita_core::client::producer::{PartitionResult, Send};
use partita_core::client::{
    Admin, ClientError, Endpoint as _, OpId, Producer, ProducerConfig, ProducerEvent,
};
use partita_core::time::Now;
use partita_tests::drive::{Drive, Target};

/// A name that no earlier run has used.
fn fresh(target: &Target, name: &str) -> String {
    match target {
        Target::Ours(_) => name.to_owned(),
        Target::Tcp(_) => {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            format!("{name}-{}", since.unwrap().as_micros())
        }
    }
}

type Running<E> = Drive<E>;

struct AdminRun(Running<Admin>);

impl AdminRun {
    fn new(target: &Target) -> Self {
        let config = AdminConfig {
            cluster: target.config(),
            ..AdminConfig::default()
        };
        Self(target.drive(Admin::new(config, [1; 32])))
    }

    fn run(
        &mut self,
        command: impl FnOnce(&mut Admin, Now) -> OpId,
    ) -> Result<AdminResult, ClientError> {
        let now = self.0.now();
        let wanted = command(&mut self.0.client, now);
        self.0.wait(|client| match client.poll_event() {
            Some(AdminEvent::Finished { op, result }) if op == wanted => Some(result),
            None => None,
            other => panic!("{other:?}"),
        })
    }

    fn create(&mut self, topic: &str, partitions: i32) {
        let topics = vec![NewTopic::new(topic, partitions)];
        let created = self.run(|admin, now| admin.create_topics(now, topics, 5_000, false, true));
        assert_eq!(created, Ok(AdminResult::Created(true)));
    }
}

struct ProducerRun(Running<Producer>);

impl ProducerRun {
    fn new(target: &Target, config: ProducerConfig) -> Self {
        let config = ProducerConfig {
            cluster: target.config(),
            ..config
        };
        let mut run = target.drive(Producer::new(config, [2; 32]));
        let now = run.now();
        run.client.connect(now);
        run.wait(|client| match client.poll_event()? {
            ProducerEvent::Connected { result, .. } => {
                result.unwrap();
                Some(())
            }
            other => panic!("{other:?}"),
        });
        Self(run)
    }

    fn start(&mut self, send: Send) -> OpId {
        let now = self.0.now();
        self.0.client.send(now, send)
    }

    /// The results of so many sends, in the order in which they ended.
    fn finish(&mut self, count: usize) -> Vec<(OpId, Result<Vec<PartitionResult>, ClientError>)> {
        let mut results = Vec::new();
        while results.len() < count {
            results.push(self.0.wait(|client| match client.poll_event()? {
                ProducerEvent::Sent { op, result } => Some((op, result)),
                other => panic!("{other:?}"),
            }));
        }
        results
    }

    fn send(&mut self, send: Send) -> Result<Vec<PartitionResult>, ClientError> {
        self.start(send);
        self.finish(1).pop().unwrap().1
    }

    fn disconnect(mut self) {
        let now = self.0.now();
        self.0.client.disconnect(now);
        self.0.wait(|client| match client.poll_event()? {
            ProducerEvent::Disconnected { .. } => Some(()),
            other => panic!("{other:?}"),
        });
        assert_eq!(self.0.client.poll_timeout(), None);
    }
}
