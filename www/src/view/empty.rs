//! The page before there is a topic.

use std::rc::Rc;

use yew::prelude::*;

use super::form::then;
use super::parts::on_click;
use super::topics::create_form;
use crate::model::settings::ConsumerSettings;
use crate::session::Session;

pub(crate) fn view(session: &Rc<Session>, measure: NodeRef) -> Html {
    html! {
        <div class="cols ghost">
            <section aria-label="Producers">
                <div class="colhead"><h2>{ "Producers" }</h2></div>
                <p class="hint">{ "A producer writes records to a topic." }<br />
                    { "It needs a topic first." }</p>
            </section>
            <section class="col-topics" aria-label="Topics">
                <div class="colhead"><h2>{ "Topics" }</h2></div>
                <div class="measure" ref={measure}></div>
                <div class="lead">
                    <h1>{ "Nothing here yet." }</h1>
                    <p>{ "A topic is a named log, cut into partitions. Make one, or start from an \
                          example that is already running." }</p>
                </div>
                { create_form(session) }
                { ghost("orders-0") }
                { ghost("orders-1") }
                <div class="prompt">
                    <b>{ "Or start from" }</b>
                    <button type="button" class="btn sm"
                        onclick={on_click(session, |session| example(session, 1))}>
                        { "Publish-subscribe" }
                    </button>
                    <button type="button" class="btn sm"
                        onclick={on_click(session, |session| example(session, 2))}>
                        { "Consumer group" }
                    </button>
                </div>
            </section>
            <section aria-label="Consumer groups">
                <div class="colhead"><h2>{ "Consumer groups" }</h2></div>
                <p class="hint">{ "Consumers with the same group id share the partitions of a \
                    topic. The broker keeps one offset for each partition and group." }</p>
            </section>
        </div>
    }
}

/// A topic with two partitions, a producer, and so many consumers in one group.
fn example(session: &Rc<Session>, consumers: u32) {
    let begin = Rc::clone(session);
    let done = then(session, "create");
    session.admin.create_topic(
        "orders",
        2,
        Box::new(move |result| {
            if result.is_ok() {
                begin.add_producer("orders", true);
                for _ in 0..consumers {
                    begin.add_consumer(ConsumerSettings::new(0, "billing", "orders"));
                }
            }
            done(result);
        }),
    );
}

/// A strip as it will look.
fn ghost(name: &'static str) -> Html {
    let slots = (0..20).map(|at| {
        let at = f64::from(at);
        let (x, opacity) = (7.0 + at * 28.0, (1.0 - at / 18.0).max(0.1));
        html! {
            <span class="cell slot"
                style={format!("transform:translateX({x}px);opacity:{opacity:.2}")}></span>
        }
    });
    html! {
        <div class="strip" aria-hidden="true">
            <div class="gut"><b class="dim">{ name }</b></div>
            <div class="body" style="--lanes:0"><div class="bed"></div><div class="clip">
                { for slots }
            </div></div>
        </div>
    }
}
