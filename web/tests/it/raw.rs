//! A client that speaks frames, over a link to a host in this thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bytes::Bytes;
use partita_core::client::ConnId;
use partita_core::protocol::messages::create_topics::CreatableTopic;
use partita_core::protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, MetadataRequest, MetadataResponse,
};
use partita_core::protocol::{ErrorCode, Request, decode_response, encode_request, join};
use partita_core::time::Now;
use partita_web::client::{Handler, Link, LinkNetwork, Network};
use partita_web::port::Port;
use partita_web::port::message::{Durability, HostOptions, Status, StorageKind, ToClient, ToHost};
use partita_web::run_broker;
use wasm_bindgen::prelude::*;
use web_sys::MessageChannel;

/// Options of a host with nothing special.
pub fn options(name: &str, storage: StorageKind) -> HostOptions {
    HostOptions {
        name: name.into(),
        storage,
        durability: Durability::Relaxed,
        config: [("offsets.topic.num.partitions".to_owned(), "2".to_owned())].into(),
        clock: false,
        cache_bytes: 1 << 20,
        restarted_after: None,
    }
}

/// Starts a host and returns the way to it.
pub fn host(options: &HostOptions) -> Rc<Link> {
    let channel = MessageChannel::new().unwrap();
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    let options = serde::Serialize::serialize(options, &serializer).unwrap();
    run_broker(channel.port2().unchecked_into::<Port>(), options, None).unwrap();
    Link::new(channel.port1().unchecked_into())
}

/// Waits for something that a link is told.
pub struct Listener {
    heard: Rc<RefCell<VecDeque<ToClient>>>,
    waker: Rc<RefCell<Option<Waker>>>,
}

impl Listener {
    pub fn new(link: &Link) -> Self {
        let heard: Rc<RefCell<VecDeque<ToClient>>> = Rc::default();
        let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
        {
            let (heard, waker) = (Rc::clone(&heard), Rc::clone(&waker));
            link.on_message(move |message| {
                heard.borrow_mut().push_back(message.clone());
                if let Some(waker) = waker.borrow_mut().take() {
                    waker.wake();
                }
            });
        }
        Self { heard, waker }
    }

    /// The next message that `wanted` makes something of; others are dropped.
    pub async fn next<T>(&self, wanted: impl Fn(&ToClient) -> Option<T>) -> T {
        poll_fn(|context| {
            while let Some(message) = self.heard.borrow_mut().pop_front() {
                if let Some(found) = wanted(&message) {
                    return Poll::Ready(found);
                }
            }
            *self.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    pub async fn status(&self, wanted: impl Fn(&Status) -> bool) -> Status {
        let status = |message: &ToClient| match message {
            ToClient::Status(status) if wanted(status) => Some(status.clone()),
            _ => None,
        };
        self.next(status).await
    }

    pub async fn running(&self) -> u64 {
        match self
            .status(|status| matches!(status, Status::Running { .. }))
            .await
        {
            Status::Running { epoch } => epoch,
            other => panic!("{other:?}"),
        }
    }
}

/// Ends a host and waits until it has let go.
pub async fn end(link: &Link) {
    let listener = Listener::new(link);
    link.say(&ToHost::End);
    listener
        .next(|message| (*message == ToClient::Ended).then_some(()))
        .await;
}

#[derive(Default)]
struct Heard {
    frames: VecDeque<(ConnId, Bytes)>,
    closed: VecDeque<(ConnId, String)>,
    woken: Vec<Now>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Ear(RefCell<Heard>);

impl Ear {
    fn hear(&self, act: impl FnOnce(&mut Heard)) {
        let mut heard = self.0.borrow_mut();
        act(&mut heard);
        if let Some(waker) = heard.waker.take() {
            waker.wake();
        }
    }
}

impl Handler for Ear {
    fn connected(&self, _conn: ConnId) {}
    fn received(&self, conn: ConnId, frame: Bytes) {
        self.hear(|heard| heard.frames.push_back((conn, frame)));
    }
    fn closed(&self, conn: ConnId, reason: String) {
        self.hear(|heard| heard.closed.push_back((conn, reason)));
    }
    fn woken(&self, now: Now) {
        self.hear(|heard| heard.woken.push(now));
    }
}

/// One client with one connection at a time.
pub struct Raw {
    pub network: Rc<LinkNetwork>,
    ear: Rc<Ear>,
    conn: ConnId,
    correlation: i32,
}

impl Raw {
    pub fn connect(link: &Rc<Link>) -> Self {
        let network = link.network();
        let ear = Rc::new(Ear::default());
        let handler: Rc<dyn Handler> = ear.clone();
        network.set_handler(Rc::downgrade(&handler));
        let mut raw = Self {
            network,
            ear,
            conn: ConnId(0),
            correlation: 0,
        };
        raw.open();
        raw
    }

    /// Opens a new connection in place of the one before.
    pub fn open(&mut self) {
        self.conn = ConnId(self.conn.0 + 1);
        self.network.open(self.conn, "anywhere", 9092);
    }

    pub fn send_frame(&self, frame: Bytes) {
        self.network.send(self.conn, &[frame]);
        self.network.flush();
    }

    pub fn send<R: Request>(&mut self, request: &R, version: i16) {
        self.correlation += 1;
        let parts = encode_request(request, version, self.correlation, Some("raw")).unwrap();
        self.send_frame(join(parts).unwrap());
    }

    pub async fn receive<R: Request>(&self, version: i16) -> R::Response {
        let frame = self.next(|heard| heard.frames.pop_front()).await.1;
        let (correlation, response) = decode_response(frame, version).unwrap();
        assert!(correlation <= self.correlation);
        response
    }

    pub async fn ask<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        self.send(request, version);
        self.receive::<R>(version).await
    }

    pub async fn closed(&self) -> String {
        self.next(|heard| heard.closed.pop_front()).await.1
    }

    pub async fn woken(&self) -> Now {
        self.next(|heard| heard.woken.pop()).await
    }

    async fn next<T>(&self, take: impl Fn(&mut Heard) -> Option<T>) -> T {
        poll_fn(|context| {
            let mut heard = self.ear.0.borrow_mut();
            match take(&mut heard) {
                Some(found) => Poll::Ready(found),
                None => {
                    heard.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    pub async fn create_topic(&mut self, name: &str, partitions: i32) {
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![topic],
            ..Default::default()
        };
        let answer = self.ask(&request, 7).await;
        assert_eq!(answer.topics[0].error_code, ErrorCode::NONE, "{answer:?}");
    }

    pub async fn metadata(&mut self) -> MetadataResponse {
        self.ask(
            &MetadataRequest {
                topics: None,
                ..MetadataRequest::default()
            },
            12,
        )
        .await
    }

    pub async fn topics(&mut self) -> Vec<(String, usize)> {
        let metadata = self.metadata().await;
        let topics = metadata.topics.into_iter();
        topics
            .map(|topic| (topic.name.unwrap(), topic.partitions.len()))
            .collect()
    }

    pub async fn ping(&mut self) {
        self.ask(&ApiVersionsRequest::default(), 3).await;
    }
}
