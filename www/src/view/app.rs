//! The page as a whole.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use yew::prelude::*;

use super::{
    bar, drawer, empty, flights, groups, hover, inspector, keys, notices, producers, topics, wires,
};
use crate::session::Session;

/// What the app needs.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct AppProps {
    pub(crate) session: Rc<Session>,
}

/// The whole page, drawn anew at most once per frame.
#[function_component(App)]
pub(crate) fn app(props: &AppProps) -> Html {
    let session = &props.session;
    let update = use_force_update();
    let measure = use_node_ref();
    {
        let session = Rc::clone(session);
        use_effect_with((), move |()| {
            session.on_change(move || update.force_update());
            session.changed();
            keys::listen(&session);
            hover::listen(&session);
        });
    }
    {
        let session = Rc::clone(session);
        let measure = measure.clone();
        use_effect_with((), move |()| watch_width(&session, &measure));
    }
    {
        let session = Rc::clone(session);
        use_effect(move || {
            wires::draw(&session);
            flights::launch(&session);
        });
    }
    {
        let open = session.ui.borrow().menu.clone();
        use_effect_with(open, |open| {
            if open.is_some() {
                come_into_view();
            }
        });
    }
    let nothing = {
        let world = session.world.borrow();
        world.visible_topics().next().is_none() && session.producers.borrow().is_empty()
    };
    html! {
        <>
            { bar::view(session) }
            <main class="stage">
                <div class="flow">
                    <div class="plane">
                        { notices::view(session) }
                        if nothing {
                            { empty::view(session, measure.clone()) }
                        } else {
                            <div class="cols">
                                { producers::view(session) }
                                { topics::view(session, measure) }
                                { groups::view(session) }
                            </div>
                        }
                        { wires::view() }
                        { flights::view(session) }
                        { inspector::view(session) }
                        { keys::help(session) }
                    </div>
                </div>
            </main>
            { drawer::view(session) }
            <hover::Meanings />
        </>
    }
}

/// What was opened is not left below the edge.
fn come_into_view() {
    let opened = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| {
            document
                .query_selector(".popin, .addform, .pop, .mkform")
                .ok()?
        });
    if let Some(opened) = opened {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        opened.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Keeps the width of the strips, which decides how many records they show.
fn watch_width(session: &Rc<Session>, measure: &NodeRef) {
    let measure = measure.clone();
    let session = Rc::clone(session);
    // As long as the page.
    let resized = Closure::<dyn FnMut()>::new(move || {
        let Some(element) = measure.cast::<web_sys::HtmlElement>() else {
            return;
        };
        let width = element.get_bounding_client_rect().width();
        let moved = {
            let mut ui = session.ui.borrow_mut();
            let moved = (ui.strip_width - width).abs() > 0.5;
            ui.strip_width = width;
            moved
        };
        if moved {
            session.changed();
        }
    });
    let observed = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id("app"))
        .and_then(|app| app.query_selector(".plane").ok().flatten());
    let observer = web_sys::ResizeObserver::new(resized.as_ref().unchecked_ref());
    if let (Some(plane), Ok(observer)) = (observed, observer) {
        observer.observe(&plane);
        std::mem::forget(observer);
    }
    resized.forget();
}
