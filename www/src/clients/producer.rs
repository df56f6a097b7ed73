//! A producer that people added: sends by itself, or a record at a time.

use partita_core::sorted::SortedMap;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use bytes::Bytes;
use partita_core::client::producer::{
    Idempotence, PartitionResult, PartitionerKind, ProducerRecord, RecordList, Send,
};
use partita_core::client::{ClientError, OpId, Producer, ProducerConfig, ProducerEvent};
use partita_core::time::{Monotonic, Now};
use partita_core::types::TopicPartition;
use partita_web::client::{Driver, Link};

use super::alarm::Alarm;
use super::{cluster, explain, patient, seed};
use crate::model::flights::{Flight, Way};
use crate::model::history::History;
use crate::model::settings::{COUNTRIES, Keys, ProducerSettings};
use crate::session::Session;

/// At higher rates records go in groups, one every so many milliseconds.
const TICK_MILLIS: f64 = 50.0;
/// A steady producer does not gather more than this many records during an outage.
const MOST_WAITING: usize = 10_000;

/// How the last send that ended went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LastSend {
    /// There was none.
    None,
    /// The last record's place, and how many milliseconds it took.
    Stored { place: String, took: u64 },
    /// Without acknowledgement nobody knows more.
    Sent,
    /// What went wrong.
    Failed(String),
}

/// A send under way.
struct Under {
    since: Monotonic,
    records: usize,
    /// The key of the only record, if it is one and has one.
    key: Option<Bytes>,
}

/// One producer.
pub(crate) struct PageProducer {
    pub(crate) settings: RefCell<ProducerSettings>,
    pub(crate) last: RefCell<LastSend>,
    /// Records a second.
    pub(crate) sent: RefCell<History>,
    this_second: Cell<i64>,
    driver: RefCell<Rc<Driver<Producer>>>,
    under_way: RefCell<SortedMap<OpId, Under>>,
    alarm: RefCell<Option<Alarm>>,
    /// When steady sending is due next, in fractions of milliseconds, and what is owed.
    next: Cell<f64>,
    owed: Cell<f64>,
    counter: Cell<u32>,
    link: Rc<Link>,
    session: Weak<Session>,
}

impl PageProducer {
    pub(crate) fn new(
        link: &Rc<Link>,
        settings: ProducerSettings,
        session: Weak<Session>,
    ) -> Rc<Self> {
        let driver = driver(link, &settings);
        let producer = Rc::new(Self {
            counter: Cell::new(settings.number.wrapping_mul(2_654_435_761)),
            settings: RefCell::new(settings),
            last: RefCell::new(LastSend::None),
            sent: RefCell::default(),
            this_second: Cell::new(0),
            driver: RefCell::new(driver),
            under_way: RefCell::default(),
            alarm: RefCell::default(),
            next: Cell::new(0.0),
            owed: Cell::new(0.0),
            link: Rc::clone(link),
            session,
        });
        let weak = Rc::downgrade(&producer);
        let alarm = Alarm::new(link, move |now| {
            if let Some(producer) = weak.upgrade() {
                producer.due(now);
            }
        });
        *producer.alarm.borrow_mut() = Some(alarm);
        producer.connect();
        producer.pace();
        producer
    }

    /// How many records are sent and not answered.
    pub(crate) fn waiting(&self) -> usize {
        let under_way = self.under_way.borrow();
        under_way.values().map(|under| under.records).sum()
    }

    /// Changes settings. Those of the client itself take a new client; the old one ends what it
    /// has begun.
    pub(crate) fn change(self: &Rc<Self>, change: impl FnOnce(&mut ProducerSettings)) {
        let before = self.settings.borrow().clone();
        change(&mut self.settings.borrow_mut());
        let now = self.settings.borrow().clone();
        if (before.idempotent, before.sticky) != (now.idempotent, now.sticky) {
            let old = self.driver.replace(driver(&self.link, &now));
            old.set_notify(|| {});
            old.with(Producer::disconnect);
            self.under_way.borrow_mut().clear();
            self.connect();
        }
        self.pace();
    }

    /// Sends one record.
    pub(crate) fn send_one(self: &Rc<Self>, record: ProducerRecord) {
        let topic = self.settings.borrow().topic.clone();
        self.send(&topic, vec![record]);
    }

    /// Sends one record like those that it sends steadily.
    pub(crate) fn send_sample(self: &Rc<Self>) {
        let keys = self.settings.borrow().keys;
        self.send_one(self.steady_record(keys));
    }

    /// A second has passed.
    pub(crate) fn second(&self) {
        self.sent.borrow_mut().push(self.this_second.replace(0));
    }

    fn connect(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let driver = Rc::clone(&self.driver.borrow());
        driver.set_notify(move || {
            let weak = weak.clone();
            // The number of a send is noted before its result is taken.
            wasm_bindgen_futures::spawn_local(async move {
                if let Some(producer) = weak.upgrade() {
                    producer.take_events();
                }
            });
        });
        driver.with(Producer::connect);
    }

    fn send(self: &Rc<Self>, topic: &str, records: Vec<ProducerRecord>) {
        let count = records.len();
        let key = match records.as_slice() {
            [only] => only.key.clone(),
            _ => None,
        };
        let send = Send {
            acks: self.settings.borrow().acks,
            ..Send::new(topic, RecordList::Single(records))
        };
        let driver = Rc::clone(&self.driver.borrow());
        let (op, since) = driver.with(|producer, now| (producer.send(now, send), now.monotonic));
        let under = Under {
            since,
            records: count,
            key,
        };
        self.under_way.borrow_mut().insert(op, under);
        self.tell();
    }

    fn take_events(&self) {
        let driver = Rc::clone(&self.driver.borrow());
        let mut news = false;
        while let Some(event) = driver.peek(Producer::poll_event) {
            news = true;
            match event {
                ProducerEvent::Sent { op, result } => self.ended(op, result),
                ProducerEvent::Connected {
                    result: Err(error), ..
                } => *self.last.borrow_mut() = LastSend::Failed(explain(&error)),
                ProducerEvent::Connected { result: Ok(()), .. }
                | ProducerEvent::Disconnected { .. }
                | ProducerEvent::Partitions { .. } => {}
            }
        }
        if news {
            self.tell();
        }
    }

    fn ended(&self, op: OpId, result: Result<Vec<PartitionResult>, ClientError>) {
        let Some(under) = self.under_way.borrow_mut().remove(&op) else {
            return;
        };
        let took = self.link.now().monotonic.0.saturating_sub(under.since.0);
        let last = match result {
            Ok(results) => {
                let count = i64::try_from(under.records).unwrap_or(i64::MAX);
                self.this_second
                    .set(self.this_second.get().saturating_add(count));
                self.fly(&under, &results);
                match results.last() {
                    Some(result) => LastSend::Stored {
                        place: format!(
                            "{}-{}@{}",
                            result.topic, result.partition, result.base_offset
                        ),
                        took,
                    },
                    None => LastSend::Sent,
                }
            }
            Err(error) => LastSend::Failed(explain(&error)),
        };
        *self.last.borrow_mut() = last;
    }

    /// Shows acknowledged records on their way to their partitions.
    fn fly(&self, under: &Under, results: &[PartitionResult]) {
        let Some(session) = self.session.upgrade() else {
            return;
        };
        let known = results.iter().filter(|result| result.base_offset >= 0);
        for result in known {
            let way = Way::In {
                producer: self.settings.borrow().name(),
            };
            let partition = TopicPartition::new(result.topic.clone(), result.partition);
            session.fly(match (under.records, results.len()) {
                (1, _) => Flight::one(way, partition, result.base_offset, under.key.as_deref()),
                // How many of several records went to which partition is not told.
                (records, parts) => {
                    let share = records.div_ceil(parts.max(1));
                    Flight::batch(way, partition, result.base_offset, share)
                }
            });
        }
    }

    /// Begins or ends steady sending.
    fn pace(&self) {
        let steady = self.settings.borrow().steady;
        let at = steady.then(|| {
            let now = self.link.now().monotonic;
            self.next.set(now_f64(now));
            self.owed.set(0.0);
            now
        });
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(at);
        }
    }

    /// The alarm has gone off: sends what is due by now.
    fn due(self: &Rc<Self>, now: Now) {
        let (steady, rate, topic, keys) = {
            let settings = self.settings.borrow();
            let rate = settings.rate.max(0.01);
            (settings.steady, rate, settings.topic.clone(), settings.keys)
        };
        if !steady {
            return;
        }
        let at = now_f64(now.monotonic);
        let wait = (1000.0 / rate).max(TICK_MILLIS);
        if at >= self.next.get() {
            // After a long wait (a sleeping laptop) only one turn is made up for.
            let turns = if at - self.next.get() > 10.0 * wait {
                self.next.set(at);
                1.0
            } else {
                1.0 + ((at - self.next.get()) / wait).floor()
            };
            let owed = self.owed.get() + turns * wait * rate / 1000.0;
            self.owed.set(owed.fract());
            self.next.set(self.next.get() + turns * wait);
            // Of two tabs with the same producers only one sends.
            let host = self.session.upgrade().is_some_and(|it| it.is_host());
            if host && self.waiting() < MOST_WAITING {
                let records = (0..whole(owed)).map(|_| self.steady_record(keys)).collect();
                self.send(&topic, records);
            }
        }
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(Some(Monotonic(whole(self.next.get().ceil()))));
        }
    }

    fn steady_record(&self, keys: Keys) -> ProducerRecord {
        let count = self
            .counter
            .get()
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        self.counter.set(count);
        let pick = usize::try_from(count >> 16).unwrap_or(0);
        let country = COUNTRIES
            .get(pick % COUNTRIES.len())
            .copied()
            .unwrap_or_default();
        let total = (count >> 8) % 90 + 10;
        let value = format!("{{\"country\":\"{country}\",\"total\":{total}}}");
        ProducerRecord {
            key: match keys {
                Keys::Countries => Some(Bytes::from_static(country.as_bytes())),
                Keys::None => None,
            },
            value: Some(Bytes::from(value)),
            ..ProducerRecord::default()
        }
    }

    fn tell(&self) {
        if let Some(session) = self.session.upgrade() {
            session.changed();
        }
    }
}

fn driver(link: &Rc<Link>, settings: &ProducerSettings) -> Rc<Driver<Producer>> {
    let config = ProducerConfig {
        cluster: cluster(&settings.name()),
        retry: patient(),
        idempotence: match settings.idempotent {
            true => Idempotence::Auto,
            false => Idempotence::Off,
        },
        partitioner: match settings.sticky {
            true => PartitionerKind::Sticky,
            false => PartitionerKind::RoundRobin,
        },
        max_block_ms: u64::MAX / 4,
        ..ProducerConfig::default()
    };
    Driver::new(link.network(), |_| Producer::new(config, seed()))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 fit into 53 bits"
)]
fn now_f64(at: Monotonic) -> f64 {
    at.0 as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times are small and positive"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}
