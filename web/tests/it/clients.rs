//! Our own clients against our own broker, through a port, with the records in IndexedDB.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bytes::Bytes;
use partita_core::client::consumer::{
    Consumer, ConsumerConfig, ConsumerEvent, OffsetReset, TopicSubscription,
};
use partita_core::client::producer::{
    Idempotence, Producer, ProducerConfig, ProducerEvent, ProducerRecord, Send,
};
use partita_core::client::{ClientError, ClusterConfig, ConnId, OpId};
use partita_core::time::{Monotonic, Now};
use partita_web::client::{Driver, Handler, Link, LinkNetwork, Network as _};
use partita_web::port::message::{StorageKind, ToHost};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{MessageChannel, MessageEvent};

use crate::raw::{Listener, Raw, end, host, options};
use crate::support::{sleep, unique};

/// Waits until a driver says that there may be news.
#[derive(Clone, Default)]
pub struct Bell(Rc<RefCell<Option<Waker>>>);

impl Bell {
    pub fn ring(&self) {
        if let Some(waker) = self.0.borrow_mut().take() {
            waker.wake();
        }
    }

    pub async fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        poll_fn(|context| {
            if let Some(found) = look() {
                return Poll::Ready(found);
            }
            *self.0.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

pub fn cluster() -> ClusterConfig {
    ClusterConfig {
        bootstrap: vec![("anywhere".into(), 9092)],
        ..ClusterConfig::default()
    }
}

/// A producer, which rings when there is news of it.
pub struct TestProducer {
    pub driver: Rc<Driver<Producer>>,
    pub bell: Bell,
}

impl TestProducer {
    /// One that has begun to connect.
    pub fn new(link: &Rc<Link>) -> Self {
        let config = ProducerConfig {
            cluster: cluster(),
            idempotence: Idempotence::Required,
            ..ProducerConfig::default()
        };
        let driver = Driver::new(link.network(), |_| Producer::new(config, [1; 32]));
        let bell = Bell::default();
        let ring = bell.clone();
        driver.set_notify(move || ring.ring());
        driver.with(|producer, now| producer.connect(now));
        Self { driver, bell }
    }

    fn send(&self, topic: &str, values: impl Iterator<Item = String>) -> OpId {
        let records: Vec<_> = values
            .map(|value| ProducerRecord {
                value: Some(Bytes::from(value)),
                ..Default::default()
            })
            .collect();
        self.driver
            .with(|producer, now| producer.send(now, Send::new(topic, records)))
    }

    async fn sent(&self, wanted: OpId) -> Result<(), ClientError> {
        self.bell
            .until(|| {
                loop {
                    match self.driver.peek(Producer::poll_event)? {
                        ProducerEvent::Sent { op, result } if op == wanted => {
                            return Some(result.map(drop));
                        }
                        ProducerEvent::Connected {
                            result: Err(error), ..
                        } => return Some(Err(error)),
                        _ => {}
                    }
                }
            })
            .await
    }
}

/// All values of a topic, by a new group, in order of partition and offset.
async fn consume(link: &Rc<Link>, group: &str, topic: &str, count: usize) -> Vec<String> {
    let config = ConsumerConfig {
        cluster: cluster(),
        group_id: Some(group.into()),
        offset_reset: OffsetReset::Earliest,
        max_wait_ms: 100,
        ..ConsumerConfig::default()
    };
    let driver = Driver::new(link.network(), |_| Consumer::new(config, [2; 32]).unwrap());
    let bell = Bell::default();
    let ring = bell.clone();
    driver.set_notify(move || ring.ring());
    driver.with(|consumer, now| consumer.subscribe(now, &[TopicSubscription::new(topic)]));
    driver.with(|consumer, now| consumer.start(now));
    let mut values = Vec::new();
    while values.len() < count {
        let batch = bell
            .until(|| {
                while let Some(event) = driver.peek(Consumer::poll_event) {
                    if let ConsumerEvent::Crashed { error, .. } = event {
                        panic!("{error:?}");
                    }
                }
                driver.with(|consumer, now| consumer.poll(now))
            })
            .await;
        for record in batch.records() {
            let value = String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap();
            values.push(value);
        }
        driver.with(|consumer, now| {
            consumer.mark_processed(now, batch.id, batch.next_offset);
            consumer.complete(now, batch.id);
        });
    }
    values.sort();
    values
}

fn values(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("value {n:06}")).collect()
}

#[wasm_bindgen_test]
async fn records_are_there_after_an_outage_and_a_reload() {
    let options = options(&unique("clients"), StorageKind::IndexedDb);
    let link = host(&options);
    Raw::connect(&link).create_topic("orders", 3).await;
    let producer = TestProducer::new(&link);
    let op = producer.send("orders", values(0..2_000).into_iter());
    producer.sent(op).await.unwrap();
    assert_eq!(
        consume(&link, "first", "orders", 2_000).await,
        values(0..2_000)
    );

    // The producer goes on over an outage, and nothing is lost or written twice.
    let listener = Listener::new(&link);
    let under_way = producer.send("orders", values(2_000..3_000).into_iter());
    link.say(&ToHost::Stop);
    let refused = producer.send("orders", values(3_000..4_000).into_iter());
    link.say(&ToHost::Start);
    listener.running().await;
    producer.sent(under_way).await.unwrap();
    producer.sent(refused).await.unwrap();
    assert_eq!(
        consume(&link, "second", "orders", 4_000).await,
        values(0..4_000)
    );
    end(&link).await;

    let link = host(&options);
    assert_eq!(
        consume(&link, "third", "orders", 4_000).await,
        values(0..4_000)
    );
    end(&link).await;
}

#[wasm_bindgen_test]
async fn records_of_a_memory_broker_outlive_an_outage() {
    let link = host(&options(&unique("clients-memory"), StorageKind::Memory));
    Raw::connect(&link).create_topic("orders", 1).await;
    let producer = TestProducer::new(&link);
    let op = producer.send("orders", values(0..500).into_iter());
    producer.sent(op).await.unwrap();
    let listener = Listener::new(&link);
    link.say(&ToHost::Stop);
    link.say(&ToHost::Start);
    listener.running().await;
    assert_eq!(consume(&link, "group", "orders", 500).await, values(0..500));
    end(&link).await;
}

/// Waits a moment when its connection is closed, as clients do before they open the next.
struct Patient(Rc<LinkNetwork>);

impl Handler for Patient {
    fn connected(&self, _conn: ConnId) {}
    fn received(&self, _conn: ConnId, _frame: Bytes) {}
    fn closed(&self, _conn: ConnId, _reason: String) {
        let at = self.0.now().monotonic.0 + 50;
        self.0.set_alarm(Some(Monotonic(at)));
    }
    fn woken(&self, _now: Now) {}
}

#[wasm_bindgen_test]
async fn a_new_host_is_asked_last_to_wake_each_client_at_once() {
    let dead = MessageChannel::new().unwrap();
    let link = Link::new(dead.port1().unchecked_into());
    let patient = Rc::new(Patient(link.network()));
    let handler: Rc<dyn Handler> = Rc::<Patient>::clone(&patient);
    patient.0.set_handler(Rc::downgrade(&handler));
    patient.0.open(ConnId(1), "anywhere", 9092);

    let next = MessageChannel::new().unwrap();
    let alarms: Rc<RefCell<Vec<Option<f64>>>> = Rc::default();
    let hear = {
        let alarms = Rc::clone(&alarms);
        Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
            let at = js_sys::Reflect::get(&message.data(), &"at".into()).unwrap();
            alarms.borrow_mut().push(at.as_f64());
        })
    };
    next.port2()
        .set_onmessage(Some(hear.as_ref().unchecked_ref()));
    link.reset(next.port1().unchecked_into());
    // What was set when the connection closed is by the clock of the host that is dead.
    while alarms.borrow().len() < 2 {
        sleep(1).await;
    }
    assert_eq!(alarms.borrow().last(), Some(&Some(0.0)));
    next.port2().set_onmessage(None);
}
