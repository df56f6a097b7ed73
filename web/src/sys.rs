//! What the platform must have: timers, clocks, randomness, ports. All are taken from the global
//! object by name, so that the same code runs in a page, a worker and Node.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use js_sys::{Array, Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{MessageChannel, MessagePort};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn js_set_timeout(callback: &Function, millis: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn js_clear_timeout(timer: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(thread_local_v2, js_namespace = performance, js_name = timeOrigin)]
    static TIME_ORIGIN: f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(buffer: &Uint8Array) -> Uint8Array;

    /// One end of a channel: a `MessagePort`, or anything with its `postMessage` and `onmessage`.
    #[derive(Debug, Clone)]
    pub type Port;
    #[wasm_bindgen(method, structural, catch, js_name = postMessage)]
    pub(crate) fn post_message(
        this: &Port,
        message: &JsValue,
        transfer: &Array,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, structural, setter, js_name = onmessage)]
    pub(crate) fn set_onmessage(this: &Port, handler: &JsValue);
    #[wasm_bindgen(method, structural, catch, js_name = close)]
    pub(crate) fn close(this: &Port) -> Result<(), JsValue>;

    /// A message as it arrives.
    pub(crate) type Message;
    #[wasm_bindgen(method, structural, getter)]
    pub(crate) fn data(this: &Message) -> JsValue;

    /// `navigator.locks`. Written by hand: web-sys has it behind a cfg that everyone who builds
    /// this crate would have to set.
    pub(crate) type Locks;
    #[wasm_bindgen(method, structural, catch, js_name = request)]
    pub(crate) fn request(
        this: &Locks,
        name: &str,
        options: &JsValue,
        granted: &Function,
    ) -> Result<Promise, JsValue>;
}

/// Milliseconds since 1970 by a clock that never goes back and that all threads share.
pub(crate) fn monotonic_now() -> f64 {
    TIME_ORIGIN.with(|origin| *origin) + performance_now()
}

/// Milliseconds since 1970 by the system's clock.
pub(crate) fn wall_now() -> f64 {
    js_sys::Date::now()
}

/// 256 bits of cryptographic randomness.
pub(crate) fn random_seed() -> [u8; 32] {
    let buffer = Uint8Array::new_with_length(32);
    let mut seed = [0; 32];
    get_random_values(&buffer).copy_to(&mut seed);
    seed
}

/// So many random bytes, which nothing makes smaller, outside wasm memory.
pub(crate) fn random_bytes(length: u32) -> Uint8Array {
    /// As many as the platform gives at once.
    const AT_ONCE: u32 = 65_536;
    let bytes = Uint8Array::new_with_length(length);
    let mut at = 0;
    while at < length {
        let end = at.saturating_add(AT_ONCE).min(length);
        get_random_values(&bytes.subarray(at, end));
        at = end;
    }
    bytes
}

/// `navigator.locks`, where there is such a thing: not in Node, nor in an insecure context.
pub(crate) fn locks() -> Option<Locks> {
    let navigator = js_sys::Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    if !navigator.is_object() {
        return None;
    }
    let locks = js_sys::Reflect::get(&navigator, &"locks".into()).ok()?;
    locks.is_object().then(|| locks.unchecked_into())
}

/// A timer that calls back once, at the time set last.
pub(crate) struct Timer {
    callback: Closure<dyn FnMut()>,
    running: RefCell<Option<JsValue>>,
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}

impl Timer {
    pub(crate) fn new(callback: impl FnMut() + 'static) -> Self {
        Self {
            callback: Closure::new(callback),
            running: RefCell::default(),
        }
    }

    /// Calls back in so many milliseconds, and not at the time set before; `None`: not at all.
    pub(crate) fn set(&self, millis: Option<f64>) {
        let mut running = self.running.borrow_mut();
        if let Some(timer) = running.take() {
            js_clear_timeout(&timer);
        }
        // Rounded up, or it would be a little early and set again. Browsers count in 31 bits.
        let millis = millis.map(|millis| millis.ceil().clamp(0.0, 2_000_000_000.0));
        *running = millis.map(|ms| js_set_timeout(self.callback.as_ref().unchecked_ref(), ms));
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.set(None);
    }
}

/// Calls back once after everything that the platform has queued by now; sooner than a timer can.
pub(crate) struct Again {
    sender: MessagePort,
    receiver: MessagePort,
    pending: Rc<Cell<bool>>,
    callback: RefCell<Option<Closure<dyn FnMut()>>>,
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again").finish_non_exhaustive()
    }
}

impl Again {
    /// # Errors
    /// Where there is no `MessageChannel`, which every platform has that runs wasm modules.
    pub(crate) fn new() -> Result<Self, JsValue> {
        let channel = MessageChannel::new()?;
        let (sender, receiver) = (channel.port1(), channel.port2());
        Ok(Self {
            sender,
            receiver,
            pending: Rc::default(),
            callback: RefCell::default(),
        })
    }

    /// Says what is to be called.
    pub(crate) fn call(&self, callback: impl Fn() + 'static) {
        let pending = Rc::clone(&self.pending);
        let callback = Closure::new(move || {
            pending.set(false);
            callback();
        });
        self.receiver
            .set_onmessage(Some(callback.as_ref().unchecked_ref()));
        unref(&self.receiver);
        *self.callback.borrow_mut() = Some(callback);
    }

    /// Asks for the call.
    pub(crate) fn soon(&self) {
        if !self.pending.replace(true)
            && let Err(error) = self.sender.post_message(&JsValue::NULL)
        {
            web_sys::console::error_2(&"partita: the host cannot go on".into(), &error);
        }
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        self.receiver.set_onmessage(None);
        self.receiver.close();
    }
}

/// In Node, a port that listens keeps the process alive; this one must not.
fn unref(port: &MessagePort) {
    if let Ok(unref) = js_sys::Reflect::get(port, &"unref".into())
        && let Some(unref) = unref.dyn_ref::<Function>()
        && let Err(error) = unref.call0(port)
    {
        web_sys::console::error_1(&error);
    }
}

/// Waits for so many real milliseconds.
pub(crate) async fn sleep(millis: f64) {
    let promise = Promise::new(&mut |resolve, _| {
        js_set_timeout(&resolve, millis);
    });
    // A timer's promise is never rejected.
    drop(wasm_bindgen_futures::JsFuture::from(promise).await);
}
