//! A lock among the tabs of an origin, which falls to the next in line when its holder dies.
//!
//! It is a Web Lock. Where there are none, it is a database of its own, in which nothing is stored:
//! a change of a database's version waits until everybody else has closed it, in line, and dying
//! closes it. So to have changed the version, and to have it open still, is to hold the lock.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use tokio::sync::{Notify, oneshot};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{IdbDatabase, IdbFactory, IdbOpenDbRequest};

use crate::sys::{self, Locks};

/// Whether a lock is held now; an error if the platform refuses to say.
pub(super) type Granted = Result<bool, JsValue>;

/// Lets a lock go that is held.
type Release = Rc<RefCell<Option<Function>>>;

/// A lock that was asked for. It is let go when this is dropped; if it is granted after that, at
/// once.
pub(super) struct Lock {
    /// Whether it was granted, once that is decided.
    pub(super) granted: oneshot::Receiver<Granted>,
    /// Notified when it turns out that another has it.
    pub(super) taken: Rc<Notify>,
    release: Release,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // It resolves a promise of our own or closes a database, and neither can fail.
            drop(release.call0(&JsValue::NULL));
        }
    }
}

/// Whether a lock was granted, of what a [`Lock`] heard.
pub(super) fn decided(heard: Result<Granted, oneshot::error::RecvError>) -> Granted {
    heard.unwrap_or_else(|_| Err("nobody decides about the lock".into()))
}

impl Lock {
    /// A Web Lock; `option` is one of those that are `false` by default. `lost` is called if it is
    /// stolen.
    pub(super) fn web(
        locks: &Locks,
        name: &str,
        option: Option<&str>,
        lost: &Rc<dyn Fn()>,
    ) -> Result<Self, JsValue> {
        let bag = Object::new();
        if let Some(option) = option {
            Reflect::set(&bag, &option.into(), &true.into())?;
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
        Ok(Self {
            granted,
            taken: Rc::default(),
            release,
        })
    }

    /// A database that passes for a lock. `lost` is called if the browser closes it.
    pub(super) fn database(name: &str, lost: &Rc<dyn Fn()>) -> Result<Self, JsValue> {
        let name = format!("{name} (lock)");
        let (sender, granted) = oneshot::channel();
        let taken = Rc::<Notify>::default();
        let release = Release::default();
        let factory = Reflect::get(&js_sys::global(), &"indexedDB".into())?;
        if !factory.is_object() {
            return Err("there is no IndexedDB here".into());
        }
        let factory: IdbFactory = factory.unchecked_into();
        let (lost, own, others) = (Rc::clone(lost), Rc::clone(&release), Rc::clone(&taken));
        spawn_local(async move {
            let database = match change(&factory, &name, &others).await {
                Ok(database) => database,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let closed = Closure::once_into_js(move || lost());
            database.set_onclose(Some(closed.unchecked_ref()));
            let close = {
                let database = database.clone();
                Closure::once_into_js(move || {
                    database.set_onclose(None);
                    database.close();
                })
            };
            // Before the other hears of it: it may let the lock go at once.
            *own.borrow_mut() = Some(close.unchecked_into());
            if sender.send(Ok(true)).is_err()
                && let Some(close) = own.take()
            {
                drop(close.call0(&JsValue::NULL));
            }
        });
        Ok(Self {
            granted,
            taken,
            release,
        })
    }
}

/// Opens a database in a higher version than it ever had, which its other users must have closed.
async fn change(
    factory: &IdbFactory,
    name: &str,
    taken: &Rc<Notify>,
) -> Result<IdbDatabase, JsValue> {
    // Higher than all before it, unless the clock was set back or two ask in the same millisecond.
    let mut version = Some(sys::wall_now().floor());
    loop {
        let request = match version {
            Some(version) => factory.open_with_f64(name, version)?,
            None => factory.open(name)?,
        };
        match opened(&request, taken).await {
            Ok((database, true)) => return Ok(database),
            Ok((database, false)) => {
                version = Some(database.version() + 1.0);
                database.close();
            }
            Err(error) if is_version_error(&error) => version = None,
            Err(error) => return Err(error),
        }
    }
}

/// What a request opens, and whether that changed its version.
async fn opened(
    request: &IdbOpenDbRequest,
    taken: &Rc<Notify>,
) -> Result<(IdbDatabase, bool), JsValue> {
    let changed = Rc::new(Cell::new(false));
    let on_change = {
        let changed = Rc::clone(&changed);
        Closure::<dyn FnMut()>::new(move || changed.set(true))
    };
    let on_blocked = {
        let taken = Rc::clone(taken);
        Closure::<dyn FnMut()>::new(move || taken.notify_one())
    };
    request.set_onupgradeneeded(Some(on_change.as_ref().unchecked_ref()));
    request.set_onblocked(Some(on_blocked.as_ref().unchecked_ref()));
    let done = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    let done = JsFuture::from(done).await;
    request.set_onupgradeneeded(None);
    request.set_onblocked(None);
    match done {
        Ok(_) => Ok((request.result()?.unchecked_into(), changed.get())),
        Err(event) => {
            let error = request.error()?;
            Err(error.map_or(event, JsValue::from))
        }
    }
}

fn is_version_error(error: &JsValue) -> bool {
    let exception = error.dyn_ref::<web_sys::DomException>();
    exception.is_some_and(|exception| exception.name() == "VersionError")
}
