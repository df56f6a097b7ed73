//! What the page remembers over a reload: its clients. Records and offsets are the broker's.

use serde::Serialize as _;
use wasm_bindgen::JsValue;

use crate::model::settings::Saved;

const KEY: &str = "partita.playground";

/// What was saved last; nothing, where nothing can be read.
pub(crate) fn load() -> Saved {
    storage()
        .and_then(|storage| storage.get_item(KEY).ok().flatten())
        .and_then(|text| js_sys::JSON::parse(&text).ok())
        .and_then(|value| serde_wasm_bindgen::from_value(value).ok())
        .unwrap_or_default()
}

/// Saves. A page without storage of its own forgets its clients, and says so in the console.
pub(crate) fn save(saved: &Saved) {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    let text = saved
        .serialize(&serializer)
        .map_err(JsValue::from)
        .and_then(|value| js_sys::JSON::stringify(&value));
    let result = text.and_then(|text| match storage() {
        Some(storage) => storage.set_item(KEY, &String::from(text)),
        None => Err("there is no local storage".into()),
    });
    if let Err(error) = result {
        web_sys::console::warn_2(
            &"partita: the page's clients are not remembered".into(),
            &error,
        );
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
