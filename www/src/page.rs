//! The page's entry: mounts the app on a link to the broker's host.

use partita_web::PortLink;
use wasm_bindgen::prelude::*;

use crate::session::Session;
use crate::view::app::{App, AppProps};

/// Mounts the playground into the document's `#app`; `link` leads to the broker's host, and
/// `export` hands all that is stored to the person.
///
/// # Errors
/// When the document has no `#app`.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports only what is public")]
pub fn run_page(link: &PortLink, export: js_sys::Function) -> Result<(), JsValue> {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"))
        .ok_or_else(|| JsValue::from_str("the document has no element #app"))?;
    let session = Session::new(link.link(), export);
    yew::Renderer::<App>::with_root_and_props(root, AppProps { session }).render();
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
