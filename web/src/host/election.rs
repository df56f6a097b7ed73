//! Which tab's worker hosts the broker: the one that holds the Web Lock of the database.
//!
//! The lock falls to the next who waits as soon as the holder's page is closed, reloaded or killed.
//! A frozen holder keeps it, so those who wait ask it for a sign of life; if several questions in a
//! row stay unanswered, one takes the lock by force. That is safe because the lease in the
//! database, not the lock, decides who may write and answer (`storage::indexeddb`).
//!
//! Where there are no Web Locks (Node, insecure contexts), whoever opens the database is its host.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use tokio::sync::oneshot;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::sys::{self, Locks, sleep};

/// How often those who wait ask for a sign of life.
const ASK_MILLIS: f64 = 500.0;
/// So many questions unanswered in a row, and the holder is taken to be frozen. With the rest of a
/// take-over this stays under the 5 s after which clients begin to give up.
const ASK_TIMES: u32 = 6;
const ASK: &str = "alive?";
const ANSWER: &str = "alive";

/// The right to host, until it is dropped or taken away.
pub(crate) struct Place {
    release: Option<Release>,
    channel: Option<BroadcastChannel>,
    _answer: Option<Closure<dyn FnMut(MessageEvent)>>,
}

type Release = Rc<RefCell<Option<Function>>>;

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.set_onmessage(None);
            channel.close();
        }
        if let Some(release) = self.release.as_ref().and_then(|release| release.take()) {
            // Resolving a promise of our own cannot fail.
            drop(release.call0(&JsValue::NULL));
        }
    }
}

/// Waits for the place of `name`. `waiting` is called once if another has it, `lost` if it is
/// taken away later.
///
/// # Errors
/// When the platform refuses locks or channels.
pub(crate) async fn win(
    name: &str,
    waiting: impl FnOnce(),
    lost: impl Fn() + 'static,
) -> Result<Place, JsValue> {
    let Some(locks) = sys::locks() else {
        return Ok(Place {
            release: None,
            channel: None,
            _answer: None,
        });
    };
    let lost: Rc<dyn Fn()> = Rc::new(lost);
    let free = Request::new(&locks, name, &[("ifAvailable", true)], &lost)?;
    if decided(free.granted.await)? {
        return Place::hold(name, free.release);
    }
    waiting();
    let request = wait(&locks, name, &lost).await?;
    Place::hold(name, request)
}

/// Waits in line, and takes the lock by force if its holder does not answer.
async fn wait(locks: &Locks, name: &str, lost: &Rc<dyn Fn()>) -> Result<Release, JsValue> {
    let mut queued = Request::new(locks, name, &[], lost)?;
    let channel = BroadcastChannel::new(name)?;
    let heard = Rc::new(Cell::new(false));
    let on_message = {
        let heard = Rc::clone(&heard);
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if event.data().as_string().as_deref() == Some(ANSWER) {
                heard.set(true);
            }
        })
    };
    channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    let _close = CloseOnDrop(channel.clone());
    let mut unanswered = 0;
    while unanswered < ASK_TIMES {
        heard.set(false);
        channel.post_message(&ASK.into())?;
        // Not all who wait at the same moment: the first to take over answers the others.
        let pause = ASK_MILLIS * (1.0 + js_sys::Math::random() / 4.0);
        let asked = sys::monotonic_now();
        tokio::select! {
            biased;
            granted = &mut queued.granted => {
                decided(granted)?;
                return Ok(queued.release);
            }
            () = sleep(pause) => {}
        }
        // Who was frozen itself has not given the other the time to answer.
        let on_time = sys::monotonic_now() - asked < 3.0 * pause;
        unanswered = if heard.get() || !on_time {
            0
        } else {
            unanswered + 1
        };
    }
    drop(queued);
    let stolen = Request::new(locks, name, &[("steal", true)], lost)?;
    decided(stolen.granted.await)?;
    Ok(stolen.release)
}

/// Whether a lock was granted, of what a [`Request`] heard.
fn decided(heard: Result<Granted, oneshot::error::RecvError>) -> Granted {
    heard.unwrap_or_else(|_| Err("nobody decides about the lock".into()))
}

struct CloseOnDrop(BroadcastChannel);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.set_onmessage(None);
        self.0.close();
    }
}

impl Place {
    /// Whether nobody has taken it away.
    pub(crate) fn is_held(&self) -> bool {
        let held = |release: &Release| release.borrow().is_some();
        self.release.as_ref().is_none_or(held)
    }

    /// Answers those who wait, from now on.
    fn hold(name: &str, release: Release) -> Result<Self, JsValue> {
        let channel = BroadcastChannel::new(name)?;
        let answer = {
            let channel = channel.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if event.data().as_string().as_deref() == Some(ASK)
                    && let Err(error) = channel.post_message(&ANSWER.into())
                {
                    web_sys::console::error_1(&error);
                }
            })
        };
        channel.set_onmessage(Some(answer.as_ref().unchecked_ref()));
        Ok(Self {
            release: Some(release),
            channel: Some(channel),
            _answer: Some(answer),
        })
    }
}

/// Whether a lock is held now; an error if the platform refuses to say.
type Granted = Result<bool, JsValue>;

/// A lock that was asked for. If it is granted when nobody waits for it any more, it is let go.
struct Request {
    /// Whether it was granted, once that is decided.
    granted: oneshot::Receiver<Granted>,
    /// Lets it go.
    release: Release,
}

impl Request {
    fn new(
        locks: &Locks,
        name: &str,
        options: &[(&str, bool)],
        lost: &Rc<dyn Fn()>,
    ) -> Result<Self, JsValue> {
        let bag = Object::new();
        for (option, value) in options {
            Reflect::set(&bag, &(*option).into(), &(*value).into())?;
        }
        let (sender, granted) = oneshot::channel();
        let decide = Rc::new(Cell::new(Some(sender)));
        let release = Release::default();
        let callback = {
            let (decide, release) = (Rc::clone(&decide), Rc::clone(&release));
            Closure::once_into_js(move |lock: JsValue| -> JsValue {
                let held = !lock.is_null();
                let told = decide.take().map(|sender| sender.send(Ok(held)));
                if !held || !matches!(told, Some(Ok(()))) {
                    return JsValue::UNDEFINED;
                }
                // The lock is held until this promise is resolved.
                Promise::new(&mut |resolve, _| *release.borrow_mut() = Some(resolve)).into()
            })
        };
        let ended = locks.request(name, &bag, callback.unchecked_ref())?;
        let (lost, own) = (Rc::clone(lost), Rc::clone(&release));
        spawn_local(async move {
            let Err(error) = JsFuture::from(ended).await else {
                return;
            };
            // Refused: the callback is never called. Or held, and stolen.
            if let Some(sender) = decide.take() {
                // Nobody listens any more if nobody waits.
                drop(sender.send(Err(error)));
            } else if own.take().is_some() {
                lost();
            }
        });
        Ok(Self { granted, release })
    }
}
