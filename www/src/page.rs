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
mod tests {
    use super::*;
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
    use web_sys::MessageChannel;

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    async fn shows_the_broker_once_it_says_that_it_runs() {
        let document = web_sys::window().unwrap().document().unwrap();
        let root = document.create_element("div").unwrap();
        document.body().unwrap().append_child(&root).unwrap();
        root.set_id("app");
        let channel = MessageChannel::new().unwrap();
        run_page(
            &PortLink::new(channel.port1().unchecked_into()),
            js_sys::Function::new_no_args(""),
        )
        .unwrap();

        let running = js_sys::Object::new();
        for (name, value) in [("type", "status"), ("state", "running")] {
            js_sys::Reflect::set(&running, &name.into(), &value.into()).unwrap();
        }
        js_sys::Reflect::set(&running, &"epoch".into(), &1.into()).unwrap();
        channel.port2().post_message(&running).unwrap();
        let status = loop {
            next_task().await;
            if let Some(status) = root.query_selector("[data-broker=running]").unwrap() {
                break status;
            }
        };
        assert!(status.text_content().unwrap().contains("Broker running"));
    }

    /// Lets the page handle its messages and render.
    async fn next_task() {
        let task = js_sys::Promise::new(&mut |resolve, _| {
            let window = web_sys::window().unwrap();
            window.set_timeout_with_callback(&resolve).unwrap();
        });
        wasm_bindgen_futures::JsFuture::from(task).await.unwrap();
    }
}
