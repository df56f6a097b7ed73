//! When there is a broker: elected, opened, recovered, running, stopped; and why it ended.
//!
//! One task, which goes from one of these to the next. What clients ask and what befalls the engine
//! comes to it as events, in order.

use std::rc::{Rc, Weak};

use partita_core::broker::{BrokerConfig, StorageError};
use tokio::sync::mpsc::UnboundedReceiver;

use super::command::refusal;
use super::election::{self, Place};
use super::engine::Engine;
use super::item::Item;
use super::{Host, State};
use crate::port::message::{Durability, Failure, Notice, Status, StorageKind, ToClient};
use crate::storage::indexeddb::{self, OpenError};
use crate::storage::{Listener, Lost, Storage};
use crate::sys::sleep;

/// How long a broker that stops may take to finish its writes.
const DRAIN_MILLIS: f64 = 5_000.0;

/// What `life` is told.
#[derive(Debug)]
pub(crate) enum LifeEvent {
    /// A person wants the broker to run.
    Start,
    /// A person wants it to stop.
    Stop,
    /// The host is to end.
    Shutdown,
    /// The engine of that generation cannot go on, or has finished.
    Engine { generation: u64, end: End },
    /// The Web Lock was taken away.
    LockLost,
}

/// Why an engine ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It had been stopped and has finished its writes.
    Drained,
    /// Its storage is gone.
    Lost(Lost),
    /// The broker gave up.
    Failed(String),
}

/// What comes after a stay in one of the states.
enum Next {
    /// Open the storage again, at the place that is still held.
    Open,
    /// Stand for election again.
    Elect,
    /// The same, when a person wants the broker to run.
    Leave,
    /// Nothing: the host ends.
    Nothing,
}

type Events = UnboundedReceiver<LifeEvent>;

/// The host's whole life.
pub(crate) async fn live(host: Rc<Host>, config: BrokerConfig, mut events: Events) {
    while let Some(place) = elect(&host, &mut events).await {
        let next = loop {
            match open(&host, &config, place.as_ref(), &mut events).await {
                Next::Open if is_held(place.as_ref()) => {}
                Next::Open => break Next::Elect,
                next @ (Next::Elect | Next::Leave | Next::Nothing) => break next,
            }
        };
        drop(place);
        match next {
            Next::Nothing => break,
            Next::Leave if !started(&mut events).await => break,
            Next::Open | Next::Elect | Next::Leave => {}
        }
    }
    // The first port is its owner's, who ends this thread upon that: the others hear it before.
    let mut state = host.state.borrow_mut();
    state
        .connections
        .ports()
        .rev()
        .for_each(|port| port.out.post(&ToClient::Ended));
}

/// Waits until this host is the one of its database; `None` if it is to end instead.
async fn elect(host: &Rc<Host>, events: &mut Events) -> Option<Option<Place>> {
    host.set_status(Status::Starting);
    let (name, kind) = {
        let state = host.state.borrow();
        (database_name(&state.options.name), state.options.storage)
    };
    if kind == StorageKind::Memory {
        return Some(None);
    }
    let lost = {
        let host = Rc::downgrade(host);
        move || tell(&host, LifeEvent::LockLost)
    };
    loop {
        let won = tokio::select! {
            biased;
            won = election::win(&name, || host.set_status(Status::Waiting), lost.clone()) => won,
            () = shutdown(events) => return None,
        };
        match won {
            Ok(place) => return Some(Some(place)),
            Err(error) => {
                host.fail(Failure::Other, format!("locks are refused here: {error:?}"));
            }
        }
        if !started(events).await {
            return None;
        }
        host.set_status(Status::Starting);
    }
}

/// Whether nobody has taken the place away, if one is needed.
fn is_held(place: Option<&Place>) -> bool {
    place.is_none_or(Place::is_held)
}

/// Waits until the host is to end; there is nothing to start or stop.
async fn shutdown(events: &mut Events) {
    while !matches!(events.recv().await, None | Some(LifeEvent::Shutdown)) {}
}

/// One run of the engine.
async fn open(
    host: &Rc<Host>,
    config: &BrokerConfig,
    place: Option<&Place>,
    events: &mut Events,
) -> Next {
    host.set_status(Status::Starting);
    let generation = {
        let mut state = host.state.borrow_mut();
        state.generation = state.generation.wrapping_add(1);
        state.generation
    };
    let opened = tokio::select! {
        biased;
        opened = open_storage(host, generation) => opened,
        () = shutdown(events) => return Next::Nothing,
    };
    // An opening may take long, and whoever took the place meanwhile serves.
    if !is_held(place) {
        return Next::Elect;
    }
    match opened {
        Ok(storage) => {
            host.begin(config.clone(), storage, generation);
            let next = run(host, generation, events).await;
            // Whatever the engine still held is let go of here.
            host.tear_down("the broker has stopped");
            next
        }
        Err(error) => {
            let (failure, message) = explain(error);
            host.fail(failure, message);
            failed(failure, events).await
        }
    }
}

/// What comes after a failure. A newer tab may use what this one cannot; other failures keep their
/// place, so that no other tab begins with an empty database behind this one's back.
async fn failed(failure: Failure, events: &mut Events) -> Next {
    if failure == Failure::NewerFormat {
        return Next::Leave;
    }
    match started(events).await {
        true => Next::Open,
        false => Next::Nothing,
    }
}

async fn open_storage(host: &Rc<Host>, generation: u64) -> Result<Box<dyn Storage>, OpenError> {
    let options = {
        let state = host.state.borrow();
        if state.options.storage == StorageKind::Memory {
            return Ok(Box::new(state.memory.clone()));
        }
        indexeddb::Options {
            name: database_name(&state.options.name),
            strict: state.options.durability == Durability::Strict,
            cache_bytes: state.options.cache_bytes,
        }
    };
    let (done, lost, room) = (
        Rc::downgrade(host),
        Rc::downgrade(host),
        Rc::downgrade(host),
    );
    let listener = Listener {
        done: Rc::new(move |completion| {
            if let Some(host) = done.upgrade() {
                host.stored(generation, completion);
            }
        }),
        lost: Rc::new(move |reason| {
            if let Some(host) = lost.upgrade() {
                host.lost(generation, reason);
            }
        }),
        room: Rc::new(move |none| {
            if let Some(host) = room.upgrade() {
                host.room(generation, none);
            }
        }),
    };
    let blocked = {
        let host = Rc::downgrade(host);
        move || {
            if let Some(host) = host.upgrade() {
                host.set_status(Status::Blocked);
            }
        }
    };
    Ok(Box::new(indexeddb::open(options, listener, blocked).await?))
}

/// The engine runs; what follows when it does not any more.
async fn run(host: &Rc<Host>, generation: u64, events: &mut Events) -> Next {
    let end = loop {
        match events.recv().await {
            None | Some(LifeEvent::Shutdown) => {
                drain(host, generation, events).await;
                return Next::Nothing;
            }
            Some(LifeEvent::Stop) => {
                let wanted = drain(host, generation, events).await;
                host.set_status(Status::Stopped);
                return match wanted {
                    Some(LifeEvent::Start) => Next::Open,
                    Some(LifeEvent::Shutdown) => Next::Nothing,
                    _ if started(events).await => Next::Open,
                    _ => Next::Nothing,
                };
            }
            Some(LifeEvent::LockLost) => break End::Lost(Lost::Fenced),
            Some(LifeEvent::Engine {
                generation: of,
                end,
            }) if of == generation => break end,
            Some(LifeEvent::Start | LifeEvent::Engine { .. }) => {}
        }
    };
    let (failure, message) = match end {
        End::Lost(Lost::Fenced) => {
            host.tear_down(TAKEN_OVER);
            host.state
                .borrow_mut()
                .notice(Notice::TakenOver, Some(TAKEN_OVER.into()));
            return Next::Elect;
        }
        End::Lost(lost) => (failure(&lost), explain_loss(&lost).to_owned()),
        End::Failed(why) => (Failure::Other, why),
        End::Drained => (Failure::Other, "the broker has stopped".into()),
    };
    host.tear_down(&message);
    host.fail(failure, message);
    failed(failure, events).await
}

/// Ends an engine in peace: connections are closed, what was accepted is written. Returns what was
/// wanted last meanwhile: to start again, to stay stopped, or to end.
async fn drain(host: &Rc<Host>, generation: u64, events: &mut Events) -> Option<LifeEvent> {
    host.drain();
    let mut wanted = None;
    let ended = async {
        loop {
            match events.recv().await {
                None => return,
                Some(LifeEvent::Engine { generation: of, .. }) if of == generation => return,
                Some(LifeEvent::Engine { .. } | LifeEvent::LockLost) => {}
                Some(event) => match &wanted {
                    Some(LifeEvent::Shutdown) => {}
                    _ => wanted = Some(event),
                },
            }
        }
    };
    tokio::select! {
        biased;
        () = ended => {}
        () = sleep(DRAIN_MILLIS) => {}
    }
    host.tear_down("the broker has stopped");
    wanted
}

/// Waits until a person wants the broker to run again; `false` if the host is to end.
async fn started(events: &mut Events) -> bool {
    loop {
        match events.recv().await {
            None | Some(LifeEvent::Shutdown) => return false,
            Some(LifeEvent::Start) => return true,
            Some(LifeEvent::Stop | LifeEvent::Engine { .. } | LifeEvent::LockLost) => {}
        }
    }
}

fn tell(host: &Weak<Host>, event: LifeEvent) {
    if let Some(host) = host.upgrade() {
        host.state.borrow_mut().tell_life(event);
    }
}

/// The database's name, and its lock's and channel's.
pub(crate) fn database_name(broker: &str) -> String {
    format!("partita:{broker}")
}

const TAKEN_OVER: &str = "another tab has taken the broker over, because this one stood still";

fn failure(lost: &Lost) -> Failure {
    match lost {
        Lost::Deleted => Failure::DatabaseDeleted,
        Lost::Outdated => Failure::NewerFormat,
        Lost::Fenced | Lost::Closed => Failure::DatabaseClosed,
    }
}

fn explain_loss(lost: &Lost) -> &'static str {
    match lost {
        Lost::Fenced => TAKEN_OVER,
        Lost::Deleted => "the database was deleted",
        Lost::Outdated => "a newer version of this page uses the database: reload this one",
        Lost::Closed => "the browser has closed the database",
    }
}

fn explain(error: OpenError) -> (Failure, String) {
    match error {
        OpenError::NewerFormat => (
            Failure::NewerFormat,
            "a newer version of this page has written the database: reload".into(),
        ),
        OpenError::Unavailable(why) => (Failure::DatabaseClosed, why),
        OpenError::Lost(lost) => (failure(&lost), explain_loss(&lost).to_owned()),
        OpenError::Storage(error) => {
            let failure = match &error {
                StorageError::QuotaExceeded(_) => Failure::StorageFull,
                StorageError::Closed(_) => Failure::DatabaseClosed,
                StorageError::Corrupt(_) | StorageError::Missing(_) => Failure::Corrupt,
                StorageError::Fenced(_) | StorageError::Unknown(_) | StorageError::Other(_) => {
                    Failure::Other
                }
            };
            (failure, error.to_string())
        }
    }
}

impl Host {
    /// Makes the status known. Where no broker is to be expected, nobody is left waiting for one.
    fn set_status(self: &Rc<Self>, status: Status) {
        let refusal = refusal(&status);
        self.state.borrow_mut().set_status(status);
        if let Some(reason) = refusal {
            self.tear_down(&reason);
        }
    }

    fn fail(self: &Rc<Self>, failure: Failure, message: String) {
        self.set_status(Status::Failed { failure, message });
    }

    /// Gives the host an engine, and what waited for one.
    fn begin(self: &Rc<Self>, config: BrokerConfig, storage: Box<dyn Storage>, generation: u64) {
        {
            let mut state = self.state.borrow_mut();
            state.notice(Notice::TakenOver, None);
            let now = state.now();
            let mut engine = Engine::new(config, storage, generation, now);
            if state.connections.ports().any(|port| port.watching) {
                engine.broker.watch(true);
            }
            engine.drain(now, &[], &mut state.queue);
            state.engine = Some(engine);
            for item in std::mem::take(&mut state.held) {
                state.push(item);
            }
        }
        self.turn();
    }

    /// Takes nothing on any more, and lets the engine finish.
    fn drain(self: &Rc<Self>) {
        {
            let mut state = self.state.borrow_mut();
            let now = state.now();
            let connections = state.connections.ids(None);
            state.close_all("the broker has stopped");
            // Requests that have not been taken yet are not.
            state
                .queue
                .retain(|item| !matches!(item, Item::Frame { .. } | Item::Connect { .. }));
            if let Some(engine) = &mut state.engine {
                engine.draining = true;
                engine.close_connections(now, &connections);
            }
        }
        self.turn();
    }

    /// The storage is gone: nothing may be answered any more, from this moment on.
    pub(super) fn lost(self: &Rc<Self>, generation: u64, lost: Lost) {
        if self.state.borrow().generation == generation {
            self.tear_down(explain_loss(&lost));
            let event = LifeEvent::Engine {
                generation,
                end: End::Lost(lost),
            };
            self.state.borrow_mut().tell_life(event);
        }
    }

    /// Drops the engine, and everything that was for it.
    fn tear_down(self: &Rc<Self>, reason: &str) {
        let engine = {
            let mut state = self.state.borrow_mut();
            state.close_all(reason);
            state.queue.retain(Item::is_client);
            state.late.retain(Item::is_client);
            state.held.clear();
            state.stepping = false;
            state.verifying = false;
            state.notice(Notice::StorageFull, None);
            state.notice(Notice::StorageFailing, None);
            state.engine.take()
        };
        if let Some(mut engine) = engine {
            engine.storage.close();
        }
        self.turn();
    }
}

impl State {
    fn close_all(&mut self, reason: &str) {
        for connection in self.connections.ids(None) {
            self.connections.close(connection, Some(reason));
        }
    }
}
