//! What is said on a port: the one place where its messages are defined.
//!
//! A message is either an array, then it carries frames: `[connection, bytes, connection, bytes, …]`
//! with each `bytes` an `ArrayBuffer` that is transferred; or an object with a `type`, then it is
//! one of [`ToHost`] or [`ToClient`]. Messages are handled in the order they were posted, so a
//! frame may follow its connection's `open` at once.
//!
//! # Connections
//! A client names its connections by numbers that it never uses again on that port. `open` is not
//! answered: frames may follow, and a broker that does not want them answers with `closed`.
//!
//! # Windows
//! `credit.upto` counts bytes of requests over the life of a connection. A client may post a frame
//! while it has posted fewer than that ([`INITIAL_WINDOW`] before the first `credit`); one frame
//! may overshoot. The host grants more as requests are finished and responses read, which the
//! client tells by `read.bytes`, counted likewise; once per [`ACK_EVERY`] bytes is enough.
//!
//! # Time
//! Clients set no timers. They know the host's clock from `clock` and ask by `alarm` to be woken
//! at a time of that clock; one alarm per id, a later one replaces it, one without a time takes it
//! back.

use partita_core::broker::Event;
use partita_core::sorted::SortedMap;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

/// How many bytes of unfinished requests a connection may have.
pub const INITIAL_WINDOW: u64 = 8 << 20;
/// After how many bytes of responses read a client says so.
pub const ACK_EVERY: u64 = INITIAL_WINDOW / 4;

/// From a client to the host.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ToHost {
    /// Opens a connection.
    Open {
        /// Its number.
        connection: u32,
        /// The listener it came in by; a page's own if there is none.
        listener: Option<ListenerName>,
        /// The client's address, as DescribeGroups shows it.
        address: Option<String>,
    },
    /// Closes a connection.
    Close {
        /// Its number.
        connection: u32,
    },
    /// Says how many bytes of responses were read on a connection.
    Read {
        /// Its number.
        connection: u32,
        /// Since it was opened.
        bytes: f64,
    },
    /// Asks for a `wake` at a time of the host's clock.
    Alarm {
        /// The alarm.
        id: u32,
        /// When.
        at: Option<f64>,
    },
    /// Asks for [`ToClient::Events`], or no longer. A new watcher gets everything as it is.
    Watch {
        /// Whether.
        on: bool,
    },
    /// Changes how fast the clock runs.
    Rate {
        /// 1 is real time.
        rate: f64,
    },
    /// Stops the clock, or lets it run on.
    Pause {
        /// Whether it stands still.
        on: bool,
    },
    /// While paused: takes the next thing that is due, answered by [`ToClient::Stepped`].
    Step,
    /// Stops the broker: an outage. Its host stays.
    Stop,
    /// Starts it again after [`ToHost::Stop`] or a failure.
    Start,
    /// Ends the host: finishes what is under way, lets go of the database, says
    /// [`ToClient::Ended`].
    End,
    /// Adds another port; the message has it as `port`.
    Attach,
    /// This port is used no more.
    Detach,
    /// Asks for [`ToClient::Estimate`].
    Estimate,
    /// Asks for all that is stored as one file, answered by [`ToClient::Exported`].
    Export,
    /// Traps on purpose: for tests.
    Trap,
}

/// A listener, with the address that Metadata gives to those who came in by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListenerName {
    /// `PLAINTEXT`, or `PAGE`.
    pub name: String,
    /// The advertised host.
    pub host: String,
    /// The advertised port.
    pub port: i32,
}

/// From the host to a client.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ToClient {
    /// A connection is closed.
    Closed {
        /// Its number.
        connection: u32,
        /// Why, for a person. Begins with `ECONNREFUSED` if it was never taken on.
        reason: String,
    },
    /// More may be sent.
    Credit {
        /// On which connection.
        connection: u32,
        /// Up to how many bytes since it was opened.
        upto: f64,
    },
    /// The host's clock, now and whenever it changes.
    Clock(ClockView),
    /// An alarm's time has come.
    Wake {
        /// Which alarm.
        id: u32,
        /// Monotonic time in milliseconds.
        monotonic: f64,
        /// Wall time in milliseconds.
        wall: f64,
    },
    /// What the host is doing, now and whenever it changes.
    Status(Status),
    /// Something a person should know, until it is over.
    Notice {
        /// What.
        notice: Notice,
        /// In words.
        message: String,
        /// Whether it holds, or is over.
        on: bool,
    },
    /// What a watcher should know.
    Events {
        /// In order: see [`events`].
        #[serde(with = "serde_wasm_bindgen::preserve")]
        events: JsValue,
    },
    /// A step was taken.
    Stepped {
        /// What it did.
        what: String,
    },
    /// How much is stored, as the browser estimates it for the whole origin.
    Estimate {
        /// Bytes.
        usage: f64,
        /// Bytes.
        quota: f64,
    },
    /// What [`ToHost::Export`] asked for: the message has it as `file`, a `Blob`.
    Exported {
        /// If it could not be made: why.
        error: Option<String>,
    },
    /// The host has ended.
    Ended,
    /// The host's wasm has trapped: it is dead, and its worker waits to be terminated.
    Trapped {
        /// What the panic said.
        message: String,
        /// What it was doing.
        last: String,
    },
}

/// The events of [`ToClient::Events`]: only who watches has the code that reads them.
///
/// # Errors
/// In words, if they are not what a host of this build says.
pub fn events(events: &JsValue) -> Result<Vec<Event>, String> {
    super::from_js(events.clone())
}

/// What [`events`] reads. 64-bit numbers are `BigInt`s: whoever commits an offset beyond 2^53 must
/// not keep everybody's events from being told.
pub(crate) fn events_to_js(events: &[Event]) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::new()
        .serialize_maps_as_objects(true)
        .serialize_large_number_types_as_bigints(true);
    Ok(events.serialize(&serializer)?)
}

/// A clock, for those who must know its time without asking.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockView {
    /// A moment by the real clock that all threads share: milliseconds since 1970,
    /// `performance.timeOrigin + performance.now()`.
    pub at: f64,
    /// Monotonic time then.
    pub monotonic: f64,
    /// Wall time then.
    pub wall: f64,
    /// How fast it runs; 0 while it stands still.
    pub rate: f64,
}

/// What a host is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Status {
    /// It opens its storage and reads its logs.
    Starting,
    /// Another tab hosts this broker; this one takes over when that goes.
    Waiting,
    /// Another tab holds an older form of the database open and must let it go first.
    Blocked,
    /// It serves.
    Running {
        /// The lease's epoch: rises with each host of the database.
        epoch: u64,
    },
    /// It was stopped.
    Stopped,
    /// It cannot serve until it is started again, or the page is loaded anew.
    Failed {
        /// What kind of failure.
        failure: Failure,
        /// In words.
        message: String,
    },
}

/// Why a host cannot serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Failure {
    /// The database was written by a newer version of the software, or wanted by one: reload.
    NewerFormat,
    /// The database was deleted. Starting again begins with an empty one.
    DatabaseDeleted,
    /// The browser closed the database, or there is none here.
    DatabaseClosed,
    /// There is no room to begin with.
    StorageFull,
    /// What is stored makes no sense.
    Corrupt,
    /// The options make no sense.
    InvalidOptions,
    /// The host's wasm has trapped so often that it is not started again by itself. Said by the
    /// page's supervisor.
    Trapped,
    /// Anything else.
    Other,
}

/// Something a person should know while the broker serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Notice {
    /// There is no room: appends are refused.
    StorageFull,
    /// Storage fails in another way.
    StorageFailing,
    /// The broker was taken over by another tab, because this one did not answer.
    TakenOver,
    /// The host was started again, because its wasm had trapped.
    Restarted,
}

/// How a host is opened: the object that `Broker.open` builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostOptions {
    /// The broker's name, which is its database's too.
    pub name: String,
    /// Where its logs are.
    #[serde(default)]
    pub storage: StorageKind,
    /// When a write counts as durable.
    #[serde(default)]
    pub durability: Durability,
    /// Broker configs by Kafka's names.
    #[serde(default)]
    pub config: SortedMap<String, String>,
    /// Whether the clock may be changed: the playground's may.
    #[serde(default)]
    pub clock: bool,
    /// How many bytes of chunks are cached outside wasm memory.
    #[serde(default = "default_cache_bytes")]
    pub cache_bytes: usize,
    /// Why the host before this one died, if this one replaces it.
    #[serde(default)]
    pub restarted_after: Option<String>,
}

fn default_cache_bytes() -> usize {
    64 << 20
}

/// Where logs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// In the browser's database.
    #[default]
    IndexedDb,
    /// In memory, and gone with it.
    Memory,
}

/// When a write counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// When the disk has it.
    #[default]
    Strict,
    /// When the operating system has it: survives a crash of the browser, not a power cut.
    Relaxed,
}
