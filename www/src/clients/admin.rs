//! What people do to topics and groups, through an ordinary admin client.

use partita_core::sorted::SortedMap;
use std::cell::RefCell;
use std::rc::Rc;

use partita_core::client::admin::{NewPartitions, NewTopic};
use partita_core::client::{Admin, AdminConfig, AdminEvent, ClientError, OpId};
use partita_core::time::Now;
use partita_web::client::{Driver, Link};

use super::{cluster, seed};
use crate::model::traffic::ONLOOKERS;

/// How long the broker may take for an operation.
const TIMEOUT_MILLIS: i32 = 15_000;

type Then = Box<dyn FnOnce(Result<(), ClientError>)>;

/// The page's admin client.
pub(crate) struct PageAdmin {
    driver: Rc<Driver<Admin>>,
    waiting: RefCell<SortedMap<OpId, Then>>,
}

impl PageAdmin {
    pub(crate) fn new(link: &Rc<Link>) -> Rc<Self> {
        let [_, name] = ONLOOKERS;
        let config = AdminConfig {
            cluster: cluster(name),
            ..AdminConfig::default()
        };
        let driver = Driver::new(link.network(), |_| Admin::new(config, seed()));
        let admin = Rc::new(Self {
            driver,
            waiting: RefCell::default(),
        });
        let weak = Rc::downgrade(&admin);
        admin.driver.set_notify(move || {
            let weak = weak.clone();
            // The operation's number is noted first.
            wasm_bindgen_futures::spawn_local(async move {
                if let Some(admin) = weak.upgrade() {
                    admin.take_events();
                }
            });
        });
        admin
    }

    pub(crate) fn create_topic(&self, name: &str, partitions: i32, then: Then) {
        let topic = NewTopic::new(name, partitions);
        self.begin(then, |admin, now| {
            admin.create_topics(now, vec![topic], TIMEOUT_MILLIS, false, true)
        });
    }

    pub(crate) fn delete_topic(&self, name: &str, then: Then) {
        let topics = vec![name.to_owned()];
        self.begin(then, |admin, now| {
            admin.delete_topics(now, topics, TIMEOUT_MILLIS)
        });
    }

    /// Gives a topic that many partitions altogether.
    pub(crate) fn grow_topic(&self, name: &str, count: i32, then: Then) {
        let topic = NewPartitions {
            topic: name.to_owned(),
            count,
            assignments: None,
        };
        self.begin(then, |admin, now| {
            admin.create_partitions(now, vec![topic], TIMEOUT_MILLIS, false)
        });
    }

    /// Moves a group's committed offsets of a topic to its start or its end. Kafka refuses it
    /// while the group has members.
    pub(crate) fn reset_offsets(&self, group: &str, topic: &str, earliest: bool, then: Then) {
        self.begin(then, |admin, now| {
            admin.reset_offsets(now, group, topic, earliest)
        });
    }

    pub(crate) fn delete_group(&self, group: &str, then: Then) {
        let groups = vec![group.to_owned()];
        self.begin(then, |admin, now| admin.delete_groups(now, groups));
    }

    fn begin(&self, then: Then, act: impl FnOnce(&mut Admin, Now) -> OpId) {
        let op = self.driver.with(act);
        self.waiting.borrow_mut().insert(op, then);
    }

    fn take_events(&self) {
        while let Some(event) = self.driver.peek(Admin::poll_event) {
            if let AdminEvent::Finished { op, result } = event {
                let then = self.waiting.borrow_mut().remove(&op);
                if let Some(then) = then {
                    then(result.map(drop));
                }
            }
        }
    }
}
