//! Runs one client: events in, transmits out, the next alarm set.
//!
//! A driver never calls user code while it holds the client: what the network says is put into an
//! inbox and taken when nothing else is being done, and `notify` is called when all is done.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};

use bytes::Bytes;
use partita_core::client::{ConnId, Endpoint, Transmit};
use partita_core::time::{Monotonic, Now};

use super::network::AnyNetwork;
use super::{Handler, Network};

/// One thing that the network said.
enum News {
    Connected(ConnId),
    Received(ConnId, Bytes),
    Closed(ConnId, String),
    Woken(Now),
}

/// A client and its network.
pub struct Driver<E> {
    endpoint: RefCell<E>,
    network: AnyNetwork,
    inbox: RefCell<VecDeque<News>>,
    running: Cell<bool>,
    alarm: Cell<Option<Monotonic>>,
    notify: RefCell<Option<Rc<dyn Fn()>>>,
}

impl<E> fmt::Debug for Driver<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

impl<E: Endpoint + 'static> Driver<E> {
    /// Joins a client to a network. `make` builds the client at the time of that network's clock.
    pub fn new(network: Rc<dyn Network>, make: impl FnOnce(Now) -> E) -> Rc<Self> {
        let endpoint = RefCell::new(make(network.now()));
        let driver = Rc::new(Self {
            endpoint,
            network: Rc::clone(&network),
            inbox: RefCell::default(),
            running: Cell::new(false),
            alarm: Cell::new(None),
            notify: RefCell::default(),
        });
        let handler: Weak<dyn Handler> = Rc::downgrade(&(Rc::clone(&driver) as Rc<dyn Handler>));
        network.set_handler(handler);
        driver.run();
        driver
    }

    /// What is called after the client may have new events. It may call the driver.
    pub fn set_notify(&self, notify: impl Fn() + 'static) {
        *self.notify.borrow_mut() = Some(Rc::new(notify));
    }

    /// Gives the client a command, or asks it something, and carries out what follows.
    ///
    /// `act` must not call the driver.
    pub fn with<R>(&self, act: impl FnOnce(&mut E, Now) -> R) -> R {
        let now = self.network.now();
        let result = act(&mut self.endpoint.borrow_mut(), now);
        self.run();
        result
    }

    /// The network's time.
    pub fn now(&self) -> Now {
        self.network.now()
    }

    /// Asks the client something that changes nothing for the network.
    pub fn peek<R>(&self, look: impl FnOnce(&mut E) -> R) -> R {
        look(&mut self.endpoint.borrow_mut())
    }

    /// Takes what the network said and carries out what the client wants, until there is nothing.
    fn run(&self) {
        if self.running.replace(true) {
            return;
        }
        loop {
            let transmit = self.endpoint.borrow_mut().poll_transmit();
            if let Some(transmit) = transmit {
                self.transmit(transmit);
                continue;
            }
            let news = self.inbox.borrow_mut().pop_front();
            match news {
                Some(news) => self.take(news),
                None => break,
            }
        }
        let next = self.endpoint.borrow().poll_timeout();
        if self.alarm.replace(next) != next {
            self.network.set_alarm(next);
        }
        self.network.flush();
        self.running.set(false);
        let notify = self.notify.borrow().clone();
        if let Some(notify) = notify {
            notify();
        }
    }

    fn transmit(&self, transmit: Transmit) {
        match transmit {
            Transmit::Open { conn, host, port } => self.network.open(conn, &host, port),
            Transmit::Send { conn, frame } => self.network.send(conn, &frame),
            Transmit::Close { conn } => self.network.close(conn),
        }
    }

    fn take(&self, news: News) {
        let mut endpoint = self.endpoint.borrow_mut();
        match news {
            News::Connected(conn) => endpoint.handle_connected(self.network.now(), conn),
            News::Received(conn, frame) => {
                endpoint.handle_received(self.network.now(), conn, frame);
            }
            News::Closed(conn, reason) => {
                endpoint.handle_closed(self.network.now(), conn, reason);
            }
            News::Woken(now) => {
                // The alarm has gone off: the next one must be set even if it is the same.
                self.alarm.set(None);
                endpoint.handle_timeout(now);
            }
        }
    }

    fn hear(&self, news: News) {
        self.inbox.borrow_mut().push_back(news);
        self.run();
    }
}

impl<E: Endpoint + 'static> Handler for Driver<E> {
    fn connected(&self, conn: ConnId) {
        self.hear(News::Connected(conn));
    }

    fn received(&self, conn: ConnId, frame: Bytes) {
        self.hear(News::Received(conn, frame));
    }

    fn closed(&self, conn: ConnId, reason: String) {
        self.hear(News::Closed(conn, reason));
    }

    fn woken(&self, now: Now) {
        self.hear(News::Woken(now));
    }
}
