//! How much the origin stores, and how much it may.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Bytes used and bytes allowed, as `navigator.storage.estimate()` has them; `None` where there is
/// no such thing.
pub(super) async fn estimate() -> Option<(f64, f64)> {
    let get = |object: &JsValue, name: &str| {
        let value = Reflect::get(object, &name.into()).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    };
    let navigator = get(&js_sys::global(), "navigator")?;
    let storage = get(&navigator, "storage")?;
    let estimate = get(&storage, "estimate")?.dyn_into::<Function>().ok()?;
    let promise = estimate.call0(&storage).ok()?.dyn_into::<Promise>().ok()?;
    let estimate = JsFuture::from(promise).await.ok()?;
    let number = |name| get(&estimate, name).and_then(|value| value.as_f64());
    Some((number("usage")?, number("quota")?))
}
