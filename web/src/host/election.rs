//! Which tab's worker hosts the broker: the one that holds the Web Lock of the database.
//!
//! The lock falls to the next who waits as soon as the holder's page is closed, reloaded or killed.
//! A frozen holder keeps it, so those who wait ask it for a sign of life; if several questions in a
//! row stay unanswered, one takes the lock by force. That is safe because the lease in the
//! database, not the lock, decides who may write and answer (`storage::indexeddb`).
//!
//! Where there are no Web Locks (an insecure context: plain http from another machine), a database
//! beside the broker's passes for one (`lock`). That cannot be taken by force, so who does without
//! it says so, and who hears that has lost its place.

use std::cell::Cell;
use std::fmt;
use std::pin::pin;
use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use super::lock::{Lock, decided};
use crate::sys::{self, sleep};

/// How often those who wait ask for a sign of life.
const ASK_MILLIS: f64 = 500.0;
/// So many questions unanswered in a row, and the holder is taken to be frozen. With the rest of a
/// take-over this stays under the 5 s after which clients begin to give up.
const ASK_TIMES: u32 = 6;
const ASK: &str = "alive?";
const ANSWER: &str = "alive";
const TAKEN: &str = "taken";

/// The right to host, until it is dropped or taken away.
pub(crate) struct Place {
    held: Rc<Cell<bool>>,
    /// Kept even if it was never granted: then it is this one's turn when the frozen holder dies.
    _lock: Lock,
    channel: BroadcastChannel,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
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
    let held = Rc::new(Cell::new(true));
    let lost: Rc<dyn Fn()> = {
        let held = Rc::clone(&held);
        Rc::new(move || {
            held.set(false);
            lost();
        })
    };
    let lock = match sys::locks() {
        Some(locks) => {
            let request = |option: Option<&str>| Lock::web(&locks, name, option, &lost);
            let mut lock = request(Some("ifAvailable"))?;
            if !decided((&mut lock.granted).await)? {
                waiting();
                lock = request(None)?;
                if !in_line(&mut lock, name, None::<fn()>).await? {
                    lock = request(Some("steal"))?;
                    decided((&mut lock.granted).await)?;
                }
            }
            lock
        }
        None => {
            let mut lock = Lock::database(name, &lost)?;
            if !in_line(&mut lock, name, Some(waiting)).await? {
                let channel = CloseOnDrop(BroadcastChannel::new(name)?);
                channel.0.post_message(&TAKEN.into())?;
            }
            lock
        }
    };
    Place::hold(name, lock, held, lost)
}

/// Waits in line for a lock; `waiting` is called as soon as it is known that another has it.
/// `false`: it was not granted, and its holder does not answer.
async fn in_line(
    lock: &mut Lock,
    name: &str,
    mut waiting: Option<impl FnOnce()>,
) -> Result<bool, JsValue> {
    let channel = BroadcastChannel::new(name)?;
    let heard = Rc::new(Cell::new(false));
    let on_message = {
        let (heard, taken) = (Rc::clone(&heard), Rc::clone(&lock.taken));
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if event.data().as_string().as_deref() == Some(ANSWER) {
                heard.set(true);
                taken.notify_one();
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
        let mut pausing = pin!(sleep(pause));
        loop {
            tokio::select! {
                biased;
                granted = &mut lock.granted => return decided(granted),
                () = lock.taken.notified() => {
                    if let Some(waiting) = waiting.take() {
                        waiting();
                    }
                }
                () = &mut pausing => break,
            }
        }
        // Who was frozen itself has not given the other the time to answer.
        let on_time = sys::monotonic_now() - asked < 3.0 * pause;
        unanswered = if heard.get() || !on_time {
            0
        } else {
            unanswered + 1
        };
    }
    Ok(false)
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
        self.held.get()
    }

    /// Answers those who wait, from now on, and hears of who does not wait any longer.
    fn hold(
        name: &str,
        lock: Lock,
        held: Rc<Cell<bool>>,
        lost: Rc<dyn Fn()>,
    ) -> Result<Self, JsValue> {
        let channel = BroadcastChannel::new(name)?;
        let heard = {
            let channel = channel.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                match event.data().as_string().as_deref() {
                    Some(ASK) => {
                        if let Err(error) = channel.post_message(&ANSWER.into()) {
                            web_sys::console::error_1(&error);
                        }
                    }
                    Some(TAKEN) => lost(),
                    _ => {}
                }
            })
        };
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        Ok(Self {
            held,
            _lock: lock,
            channel,
            _heard: heard,
        })
    }
}
