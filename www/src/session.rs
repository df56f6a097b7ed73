//! All that the page has: the link, the mirror of the broker, the clients.
//!
//! Whatever changes calls [`Session::changed`]; the page is drawn once per frame at most.

use partita_core::sorted::SortedMap;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::Function;
use partita_core::time::Monotonic;
use partita_core::types::TopicPartition;
use partita_web::client::Link;
use partita_web::port::message::{self, ClockView, Notice, Status, ToClient, ToHost};
use wasm_bindgen::prelude::*;

use crate::clients::admin::PageAdmin;
use crate::clients::alarm::Alarm;
use crate::clients::consumer::{Life, PageConsumer};
use crate::clients::producer::PageProducer;
use crate::clients::saved;
use crate::clients::viewer::Viewer;
use crate::model::cells::Cells;
use crate::model::flights::{Flight, Flights};
use crate::model::former::{MemberIds, When};
use crate::model::settings::{ConsumerSettings, ProducerSettings, Saved, free, take_over};
use crate::model::world::World;
use crate::view::ui::Ui;

const SECOND_MILLIS: u64 = 1_000;
/// How long a drawing is left as it is while there is much to draw.
const BUSY_MILLIS: f64 = 95.0;

/// What the browser calls before it paints.
type OnFrame = Closure<dyn FnMut(JsValue)>;

/// See the [module](self).
pub(crate) struct Session {
    pub(crate) link: Rc<Link>,
    pub(crate) world: RefCell<World>,
    pub(crate) cells: RefCell<Cells>,
    /// Records that are on their way on the page.
    pub(crate) flights: RefCell<Flights>,
    pub(crate) status: RefCell<Status>,
    pub(crate) notices: RefCell<Vec<(Notice, String)>>,
    /// Bytes used and allowed.
    pub(crate) storage: Cell<Option<(f64, f64)>>,
    /// What the last step of a paused clock did.
    pub(crate) step: RefCell<Option<String>>,
    pub(crate) clock: Cell<ClockView>,
    /// How fast time runs when it runs.
    pub(crate) speed: Cell<f64>,
    /// What is open or chosen.
    pub(crate) ui: RefCell<Ui>,
    /// Monotonic time when the page began.
    pub(crate) began: u64,
    pub(crate) producers: RefCell<SortedMap<u32, Rc<PageProducer>>>,
    pub(crate) consumers: RefCell<SortedMap<u32, Rc<PageConsumer>>>,
    pub(crate) admin: Rc<PageAdmin>,
    /// The member ids that the page's consumers were given.
    pub(crate) member_ids: RefCell<MemberIds>,
    /// What was loaded or saved last.
    saved: RefCell<Saved>,
    /// Whether another tab hosts the broker: what is saved is that tab's.
    elsewhere: Cell<bool>,
    viewer: RefCell<Option<Rc<Viewer>>>,
    alarm: RefCell<Option<Alarm>>,
    draw: RefCell<Option<Rc<dyn Fn()>>>,
    frame: Cell<bool>,
    drawn_at: Cell<f64>,
    on_frame: RefCell<Option<OnFrame>>,
    export: Function,
}

/// A page has one session: what shows parts of it is drawn anew when those differ.
impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Session {
    /// Listens to the broker on that link, and starts the clients that the page remembers.
    ///
    /// `export` hands all that is stored to the person, as a file.
    pub(crate) fn new(link: Rc<Link>, export: Function) -> Rc<Self> {
        let session = Rc::new_cyclic(|weak: &Weak<Self>| Self {
            world: RefCell::default(),
            cells: RefCell::default(),
            flights: RefCell::default(),
            status: RefCell::new(link.status()),
            notices: RefCell::default(),
            storage: Cell::new(None),
            step: RefCell::default(),
            clock: Cell::new(link.clock()),
            speed: Cell::new(1.0),
            ui: RefCell::default(),
            began: link.now().monotonic.0,
            producers: RefCell::default(),
            consumers: RefCell::default(),
            admin: PageAdmin::new(&link),
            member_ids: RefCell::default(),
            saved: RefCell::default(),
            elsewhere: Cell::new(false),
            viewer: RefCell::new(Viewer::new(&link, weak.clone())),
            alarm: RefCell::default(),
            draw: RefCell::default(),
            frame: Cell::new(false),
            drawn_at: Cell::new(f64::NEG_INFINITY),
            on_frame: RefCell::default(),
            export,
            link,
        });
        session.listen();
        let saved = saved::load();
        session.go_on_with(&saved, When::Before);
        *session.saved.borrow_mut() = saved;
        session
    }

    fn listen(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let draw = Closure::new(move |at: JsValue| {
            if let Some(session) = weak.upgrade() {
                session.frame.set(false);
                if session.is_too_soon(at.as_f64().unwrap_or(0.0)) {
                    return session.changed();
                }
                let draw = session.draw.borrow().clone();
                if let Some(draw) = draw {
                    draw();
                }
            }
        });
        *self.on_frame.borrow_mut() = Some(draw);
        let weak = Rc::downgrade(self);
        // Listens for as long as the page lives.
        self.link.on_message(move |message| {
            if let Some(session) = weak.upgrade() {
                session.heard(message);
            }
        });
        let weak = Rc::downgrade(self);
        let alarm = Alarm::new(&self.link, move |now| {
            if let Some(session) = weak.upgrade() {
                session.second(now.monotonic);
            }
        });
        alarm.set(Some(self.next_second()));
        *self.alarm.borrow_mut() = Some(alarm);
        self.link.say(&ToHost::Watch { on: true });
        self.link.say(&ToHost::Estimate);
    }

    fn heard(self: &Rc<Self>, message: &ToClient) {
        match message {
            ToClient::Status(status) => {
                if !matches!(status, Status::Running { .. }) {
                    self.world.borrow_mut().expect_snapshot();
                }
                *self.status.borrow_mut() = status.clone();
                match status {
                    Status::Waiting => self.elsewhere.set(true),
                    Status::Running { .. } if self.elsewhere.replace(false) => self.take_over(),
                    Status::Running { .. }
                    | Status::Starting
                    | Status::Blocked
                    | Status::Stopped
                    | Status::Failed { .. } => {}
                }
            }
            ToClient::Notice {
                notice,
                message,
                on,
            } => {
                let mut notices = self.notices.borrow_mut();
                notices.retain(|(held, _)| held != notice);
                if *on {
                    notices.push((*notice, message.clone()));
                }
            }
            ToClient::Events { events } => match message::events(events) {
                Ok(events) => self.take_events(&events),
                Err(error) => web_sys::console::error_1(&error.into()),
            },
            ToClient::Clock(clock) => {
                self.clock.set(*clock);
                if clock.rate > 0.0 {
                    self.speed.set(clock.rate);
                }
            }
            ToClient::Stepped { what } => *self.step.borrow_mut() = Some(what.clone()),
            ToClient::Estimate { usage, quota } => self.storage.set(Some((*usage, *quota))),
            ToClient::Closed { .. }
            | ToClient::Credit { .. }
            | ToClient::Wake { .. }
            | ToClient::Exported { .. }
            | ToClient::Ended
            | ToClient::Trapped { .. } => return,
        }
        self.changed();
    }

    fn take_events(&self, events: &[partita_core::broker::Event]) {
        use partita_core::broker::Event;
        let now = self.link.now().monotonic.0;
        let mut follow = false;
        {
            let mut world = self.world.borrow_mut();
            for event in events {
                match event {
                    Event::TopicDeleted { topic } => {
                        self.cells.borrow_mut().forget_topic(topic);
                        follow = true;
                    }
                    Event::Topic(topic) => {
                        let known = world.topics.get(&topic.topic);
                        if known.is_some_and(|known| known.id != topic.id) {
                            self.cells.borrow_mut().forget_topic(&topic.topic);
                        }
                        follow = true;
                    }
                    Event::Partition(_) => follow = true,
                    Event::Broker(_)
                    | Event::Group(_)
                    | Event::GroupDeleted { .. }
                    | Event::Commit(_)
                    | Event::CommitDeleted { .. }
                    | Event::Request(_)
                    | Event::RequestsLeftOut(_) => {}
                }
                world.apply(event.clone(), now);
            }
        }
        if follow {
            self.follow();
        }
    }

    /// Has the viewer read what is shown as cells.
    pub(crate) fn follow(&self) {
        let wanted: Vec<(TopicPartition, i64, i64)> = {
            let world = self.world.borrow();
            let opened = &self.ui.borrow().opened;
            let visible = |name: &TopicPartition| {
                let topic = world.topics.get(&name.topic);
                let cells = !world.in_rows(&name.topic) || opened.contains(name);
                cells && topic.is_some_and(|topic| !topic.internal)
            };
            let all = world.partitions.iter().filter(|(name, _)| visible(name));
            all.map(|(name, it)| (name.clone(), it.log_start_offset, it.high_watermark))
                .collect()
        };
        if let Some(viewer) = &*self.viewer.borrow() {
            viewer.follow(wanted);
        }
    }

    /// A second has passed by the broker's clock.
    fn second(&self, now: Monotonic) {
        self.world.borrow_mut().second(now.0);
        for producer in self.producers.borrow().values() {
            producer.second();
        }
        if (now.0 / SECOND_MILLIS).is_multiple_of(3) {
            self.link.say(&ToHost::Estimate);
        }
        if let Some(alarm) = &*self.alarm.borrow() {
            alarm.set(Some(self.next_second()));
        }
        self.changed();
    }

    fn next_second(&self) -> Monotonic {
        let now = self.link.now().monotonic.0;
        Monotonic(
            (now / SECOND_MILLIS)
                .saturating_add(1)
                .saturating_mul(SECOND_MILLIS),
        )
    }

    /// Says how the page is drawn.
    pub(crate) fn on_change(&self, draw: impl Fn() + 'static) {
        *self.draw.borrow_mut() = Some(Rc::new(draw));
    }

    /// Has the page drawn with the next frame.
    pub(crate) fn changed(&self) {
        if self.frame.replace(true) {
            return;
        }
        let asked = match (&*self.on_frame.borrow(), web_sys::window()) {
            (Some(draw), Some(window)) => {
                window.request_animation_frame(draw.as_ref().unchecked_ref())
            }
            (None, _) | (_, None) => Err(JsValue::UNDEFINED),
        };
        if asked.is_err() {
            self.frame.set(false);
        }
    }

    /// Shows a record on its way.
    pub(crate) fn fly(&self, flight: Flight) {
        self.flights.borrow_mut().push(flight);
        self.changed();
    }

    /// While there is much to draw, the page is drawn ten times a second.
    fn is_too_soon(&self, at: f64) -> bool {
        let soon = at - self.drawn_at.get() < BUSY_MILLIS && self.world.borrow().is_busy();
        if !soon {
            self.drawn_at.set(at);
        }
        soon
    }

    /// Hands all that is stored to the person, as a file.
    pub(crate) fn export(&self) {
        if let Err(error) = self.export.call0(&JsValue::NULL) {
            web_sys::console::error_1(&error);
        }
    }

    /// Whether it is known that this tab hosts the broker, whatever state that is in.
    pub(crate) fn is_host(&self) -> bool {
        !matches!(&*self.status.borrow(), Status::Starting | Status::Waiting)
    }

    /// Whether the broker serves.
    pub(crate) fn is_running(&self) -> bool {
        matches!(&*self.status.borrow(), Status::Running { .. })
    }

    /// Adds a producer.
    pub(crate) fn add_producer(self: &Rc<Self>, topic: &str, steady: bool) {
        let number = free(self.producers.borrow().keys().copied());
        let mut settings = ProducerSettings::new(number, topic);
        settings.steady = steady;
        self.start_producer(settings);
        self.save();
    }

    /// Takes a producer away.
    pub(crate) fn remove_producer(&self, number: u32) {
        self.producers.borrow_mut().remove(&number);
        self.save();
        self.changed();
    }

    /// Adds a consumer; its number is chosen here.
    pub(crate) fn add_consumer(self: &Rc<Self>, settings: ConsumerSettings) {
        let number = free(self.consumers.borrow().keys().copied());
        self.start_consumer(ConsumerSettings { number, ..settings });
        self.save();
    }

    /// Adds a consumer like the others of its group.
    pub(crate) fn add_member(self: &Rc<Self>, group: &str) {
        let like = {
            let consumers = self.consumers.borrow();
            let mut settings = consumers.values().map(|it| it.settings.borrow().clone());
            settings.find(|settings| settings.group == group)
        };
        let settings = like.unwrap_or_else(|| {
            let world = self.world.borrow();
            let committed = world.commits.keys().find(|(name, _)| name == group);
            let topic = committed
                .map(|(_, partition)| partition.topic.clone())
                .or_else(|| world.visible_topics().next().map(|it| it.topic.clone()));
            ConsumerSettings::new(0, group, topic.unwrap_or_default())
        });
        self.add_consumer(settings);
    }

    /// A consumer has left, and goes from the page.
    pub(crate) fn forget_consumer(&self, number: u32) {
        self.consumers.borrow_mut().remove(&number);
        self.save();
        self.changed();
    }

    /// A consumer was given a member id.
    pub(crate) fn issued(&self, number: u32, member_id: String) {
        self.member_ids.borrow_mut().issued(number, member_id);
        self.save();
    }

    fn start_producer(self: &Rc<Self>, settings: ProducerSettings) {
        let number = settings.number;
        let producer = PageProducer::new(&self.link, settings, Rc::downgrade(self));
        self.producers.borrow_mut().insert(number, producer);
        self.changed();
    }

    fn start_consumer(self: &Rc<Self>, settings: ConsumerSettings) {
        let number = settings.number;
        let consumer = PageConsumer::new(&self.link, settings, Rc::downgrade(self));
        self.consumers.borrow_mut().insert(number, consumer);
        self.changed();
    }

    /// The broker has come here from another tab: goes on with the clients that this one had.
    fn take_over(self: &Rc<Self>) {
        let (latest, here) = (saved::load(), self.to_save());
        let before = self.saved.borrow().clone();
        let all = Saved {
            producers: take_over(&before.producers, &here.producers, latest.producers),
            consumers: take_over(&before.consumers, &here.consumers, latest.consumers),
            members: latest.members,
        };
        self.go_on_with(&all, When::OtherTab);
        self.save();
    }

    /// Has exactly these clients; those that are as they are meant to be stay.
    fn go_on_with(self: &Rc<Self>, saved: &Saved, members: When) {
        let ids = saved.members.clone();
        self.member_ids.borrow_mut().remember(ids, members);
        self.producers
            .borrow_mut()
            .retain(|_, it| saved.producers.contains(&it.settings.borrow()));
        self.consumers
            .borrow_mut()
            .retain(|_, it| saved.consumers.contains(&it.settings.borrow()));
        for settings in &saved.producers {
            if !self.producers.borrow().contains_key(&settings.number) {
                self.start_producer(settings.clone());
            }
        }
        for settings in &saved.consumers {
            if !self.consumers.borrow().contains_key(&settings.number) {
                self.start_consumer(settings.clone());
            }
        }
    }

    /// Remembers the clients as they are set now, unless the tab that hosts the broker does.
    pub(crate) fn save(&self) {
        if !self.elsewhere.get() {
            let saved = self.to_save();
            saved::save(&saved);
            *self.saved.borrow_mut() = saved;
        }
    }

    fn to_save(&self) -> Saved {
        let producers = self.producers.borrow();
        let consumers = self.consumers.borrow();
        let staying = consumers
            .values()
            .filter(|consumer| consumer.life.get() != Life::Leaving);
        Saved {
            producers: producers
                .values()
                .map(|producer| producer.settings.borrow().clone())
                .collect(),
            consumers: staying
                .map(|consumer| consumer.settings.borrow().clone())
                .collect(),
            members: self.member_ids.borrow().to_save(),
        }
    }
}
