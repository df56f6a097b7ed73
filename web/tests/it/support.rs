//! What the tests share: databases of their own, and a storage whose replies can be awaited.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bytes::Bytes;
use js_sys::{Function, Promise};
use partita_core::broker::{
    ChunkRef, Detail, Effect, LogId, Read, ReadData, ReadWhat, Reply, StorageError, Write, WriteOp,
};
use partita_core::types::Uuid;
use partita_web::storage::indexeddb::{IndexedDb, OpenError, Options, open};
use partita_web::storage::{Completion, Listener, Lost, Storage};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, millis: i32);
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// Waits; never to make a test pass, only to let other tasks run.
pub async fn sleep(millis: i32) {
    let promise = Promise::new(&mut |resolve, _| set_timeout(&resolve, millis));
    JsFuture::from(promise).await.unwrap();
}

/// Runs JavaScript that disturbs the platform; what it returns undoes that.
pub fn disturb(script: &str) -> Function {
    let disturbed = Function::new_no_args(script).call0(&JsValue::UNDEFINED);
    disturbed.unwrap().unchecked_into()
}

/// A name that no other test uses.
pub fn unique(name: &str) -> String {
    format!("test-{name}-{}", random_uuid())
}

pub fn log(topic: u8, partition: i32) -> LogId {
    LogId {
        topic: Uuid([topic; 16]),
        partition,
    }
}

#[derive(Default)]
struct Heard {
    completions: VecDeque<Completion>,
    lost: Vec<Lost>,
    waker: Option<Waker>,
}

/// A storage under test.
pub struct Probe<S> {
    pub storage: S,
    heard: Rc<RefCell<Heard>>,
    next_id: u64,
}

fn listener() -> (Listener, Rc<RefCell<Heard>>) {
    let heard = Rc::new(RefCell::new(Heard::default()));
    let done = {
        let heard = Rc::clone(&heard);
        move |completion| {
            let mut heard = heard.borrow_mut();
            heard.completions.push_back(completion);
            if let Some(waker) = heard.waker.take() {
                waker.wake();
            }
        }
    };
    let lost = {
        let heard = Rc::clone(&heard);
        move |lost| {
            let mut heard = heard.borrow_mut();
            heard.lost.push(lost);
            if let Some(waker) = heard.waker.take() {
                waker.wake();
            }
        }
    };
    (
        Listener {
            done: Rc::new(done),
            lost: Rc::new(lost),
            room: Rc::new(|_| ()),
        },
        heard,
    )
}

impl Probe<IndexedDb> {
    pub async fn open(name: &str) -> Result<Self, OpenError> {
        Self::open_blocked(name, || ()).await
    }

    pub async fn open_blocked(
        name: &str,
        blocked: impl FnOnce() + 'static,
    ) -> Result<Self, OpenError> {
        Self::open_as(name, false, blocked).await
    }

    /// With every write flushed to the disk.
    pub async fn open_strict(name: &str) -> Result<Self, OpenError> {
        Self::open_as(name, true, || ()).await
    }

    async fn open_as(
        name: &str,
        strict: bool,
        blocked: impl FnOnce() + 'static,
    ) -> Result<Self, OpenError> {
        let (listener, heard) = listener();
        let options = Options {
            name: name.into(),
            strict,
            cache_bytes: 1 << 20,
        };
        let storage = open(options, listener, blocked).await?;
        Ok(Self {
            storage,
            heard,
            next_id: 0,
        })
    }
}

impl<S: Storage> Probe<S> {
    pub fn new(storage: S) -> Self {
        Self {
            storage,
            heard: Rc::default(),
            next_id: 0,
        }
    }

    pub fn submit(&mut self, effect: Effect) {
        if let Some(completion) = self.storage.submit(effect) {
            self.heard.borrow_mut().completions.push_back(completion);
        }
    }

    /// Submits a write and returns its id.
    pub fn write(&mut self, ops: Vec<WriteOp>) -> u64 {
        self.write_as(ops, true)
    }

    /// The same; `records` says whether clients' records are in it.
    pub fn write_as(&mut self, ops: Vec<WriteOp>, records: bool) -> u64 {
        self.next_id += 1;
        self.submit(Effect::Write(Write {
            id: self.next_id,
            ops,
            records,
        }));
        self.next_id
    }

    pub async fn next(&mut self) -> Completion {
        poll_fn(|context| {
            let mut heard = self.heard.borrow_mut();
            match heard.completions.pop_front() {
                Some(completion) => Poll::Ready(completion),
                None => {
                    heard.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// What became of the next write to be answered.
    pub async fn written(&mut self) -> (u64, Result<(), StorageError>) {
        match self.next().await.reply {
            Reply::Written { id, result } => (id, result),
            other => panic!("not the answer to a write: {other:?}"),
        }
    }

    pub async fn lost(&self) -> Lost {
        poll_fn(|context| {
            let mut heard = self.heard.borrow_mut();
            match heard.lost.first().cloned() {
                Some(lost) => Poll::Ready(lost),
                None => {
                    heard.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    pub async fn read(&mut self, what: ReadWhat) -> Result<ReadData, StorageError> {
        self.next_id += 1;
        self.submit(Effect::Read(Read {
            id: self.next_id,
            what,
        }));
        match self.next().await.reply {
            Reply::Read { id, result } if id == self.next_id => result,
            other => panic!("not the answer to the read: {other:?}"),
        }
    }

    /// One chunk, whole.
    pub async fn chunk(&mut self, log: LogId, base_offset: i64) -> Result<Bytes, StorageError> {
        let wanted = ChunkRef {
            log,
            base_offset,
            detail: Detail::Full,
        };
        match self.read(ReadWhat::Chunks(vec![wanted])).await? {
            ReadData::Chunks(mut chunks) => Ok(chunks.remove(0)),
            other => panic!("not chunks: {other:?}"),
        }
    }
}

pub fn put(log: LogId, base_offset: i64, bytes: &'static [u8]) -> WriteOp {
    let (a, b) = bytes.split_at(bytes.len() / 2);
    let bytes = vec![Bytes::from_static(a), Bytes::from_static(b)];
    WriteOp::PutChunk {
        log,
        base_offset,
        bytes,
    }
}

pub fn manifest(log: LogId, bytes: &'static [u8]) -> WriteOp {
    WriteOp::PutManifest {
        log,
        bytes: Bytes::from_static(bytes),
    }
}
