//! The page's entry: mounts the app and listens to the broker on its port.

use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, MessagePort};
use yew::prelude::*;

/// What the page knows of its broker.
#[derive(Clone, PartialEq, Properties)]
struct AppProps {
    /// The page's end of the channel to the broker's worker.
    port: MessagePort,
}

/// The whole page.
#[function_component(App)]
fn app(props: &AppProps) -> Html {
    let broker = use_state(|| None::<String>);
    {
        let broker = broker.clone();
        use_effect_with(props.port.clone(), move |port| {
            let port = port.clone();
            let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                let running = js_sys::Reflect::get(&event.data(), &"running".into());
                broker.set(running.ok().and_then(|name| name.as_string()));
            });
            port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
            move || {
                port.set_onmessage(None);
                drop(on_message);
            }
        });
    }
    let state = if broker.is_some() {
        "running"
    } else {
        "starting"
    };
    html! {
        <main>
            <h1>{ "Partita" }</h1>
            <p role="status" data-broker={state}>
                { broker.as_ref().map(|name| format!("Broker {name} is running")) }
            </p>
        </main>
    }
}

/// Mounts the playground into the document's `#app`; `port` leads to the broker's worker.
///
/// # Errors
/// When the document has no `#app`.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports only what is public")]
pub fn run_page(port: MessagePort) -> Result<(), JsValue> {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"))
        .ok_or_else(|| JsValue::from_str("the document has no element #app"))?;
    yew::Renderer::<App>::with_root_and_props(root, AppProps { port }).render();
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
        run_page(channel.port1()).unwrap();

        let running = js_sys::Object::new();
        js_sys::Reflect::set(&running, &"running".into(), &"shop".into()).unwrap();
        channel.port2().post_message(&running).unwrap();
        let status = loop {
            next_task().await;
            if let Some(status) = root.query_selector("[data-broker=running]").unwrap() {
                break status;
            }
        };
        assert_eq!(status.text_content().unwrap(), "Broker shop is running");
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
