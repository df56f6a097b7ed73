//! The producers: square cards.

use std::rc::Rc;

use bytes::Bytes;
use partita_core::client::producer::ProducerRecord;
use yew::prelude::*;

use super::form::{Fields, Typed, on_choice, on_number, on_submit, options};
use super::hover::term;
use super::parts::{MORE, PLUS, on_click, quiet};
use super::ui::Menu;
use crate::clients::producer::{LastSend, PageProducer};
use crate::model::settings::{Keys, ProducerSettings};
use crate::model::terms::Term;
use crate::model::text;
use crate::session::Session;

/// From so many producers on, each is a row.
const ROWS_FROM: usize = 4;
/// So many unanswered records are nothing to speak of while the broker serves.
const MANY_WAITING: usize = 20;

pub(crate) fn view(session: &Rc<Session>) -> Html {
    let producers: Vec<_> = session.producers.borrow().values().cloned().collect();
    html! {
        <section aria-label="Producers">
            <div class="colhead">
                <h2>{ "Producers" }</h2><span>{ producers.len() }</span>
                { quiet(Some(PLUS), "Add", "Add a producer".into(), on_click(session, add)) }
            </div>
            if producers.is_empty() {
                <p class="hint">{ "A producer writes records to a topic." }</p>
            }
            <div class="producers">{ for producers.iter().map(|it| card(session, it)) }</div>
        </section>
    }
}

/// Adds a producer to the topic that the last one writes to, or the first there is.
fn add(session: &Rc<Session>) {
    let last = {
        let producers = session.producers.borrow();
        let last = producers.values().next_back();
        last.map(|producer| producer.settings.borrow().topic.clone())
    };
    let topic = last.or_else(|| {
        let world = session.world.borrow();
        world
            .visible_topics()
            .next()
            .map(|topic| topic.topic.clone())
    });
    if let Some(topic) = topic {
        session.add_producer(&topic, false);
    }
}

fn card(session: &Rc<Session>, producer: &Rc<PageProducer>) -> Html {
    let settings = producer.settings.borrow().clone();
    let (number, name) = (settings.number, settings.name());
    let colour = (number.saturating_sub(1) % 6).saturating_add(1);
    let menu = Menu::Producer(number);
    let open = session.ui.borrow().is_open(&menu);
    let steadily = |steady: bool| {
        let producer = Rc::clone(producer);
        on_click(session, move |session| {
            producer.change(|settings| settings.steady = steady);
            session.save();
        })
    };
    let row = !open && session.producers.borrow().len() >= ROWS_FROM;
    let rate = if settings.steady { settings.rate } else { 0.0 };
    html! {
        <article class={classes!("card", "producer", row.then_some("row"))} key={number} style={format!("--c:var(--p-{colour})")}
            data-producer={name.clone()} data-topic={settings.topic.clone()}
            data-rate={rate.to_string()} aria-label={format!("Producer {name}")}>
            <header class="ph">
                <span class="nib" aria-hidden="true">{ number }</span><b>{ name.clone() }</b>
                <span class="to">{ "to " }{ topic_choice(session, producer, &settings) }</span>
                { quiet(Some(MORE), "", format!("More for producer {name}"),
                    on_click(session, move |session| session.ui.borrow_mut().toggle(menu.clone()))) }
            </header>
            if row {
                { spark(producer, &settings) }
                if !matches!(&*producer.last.borrow(), LastSend::Stored { .. } | LastSend::None) {
                    { last(session, producer) }
                }
            } else {
            <div class="seg" role="group" aria-label={format!("How {name} sends")}>
                <button type="button" aria-pressed={settings.steady.to_string()}
                    onclick={steadily(true)}>{ "Steadily" }</button>
                <button type="button" aria-pressed={(!settings.steady).to_string()}
                    onclick={steadily(false)}>{ "One record" }</button>
            </div>
            if settings.steady {
                { steady(session, producer, &settings) }
            } else {
                { one(session, producer, &settings) }
            }
            { last(session, producer) }
            if open { { set(session, producer, &settings) } } else { { sum(&settings) } }
            }
        </article>
    }
}

fn topic_choice(
    session: &Rc<Session>,
    producer: &Rc<PageProducer>,
    settings: &ProducerSettings,
) -> Html {
    let world = session.world.borrow();
    let mut topics: Vec<&str> = world.visible_topics().map(|it| it.topic.as_str()).collect();
    if topics.len() < 2 && topics.first().is_none_or(|only| *only == settings.topic) {
        return html! { { settings.topic.clone() } };
    }
    if !topics.contains(&settings.topic.as_str()) {
        topics.push(&settings.topic);
    }
    let producer = Rc::clone(producer);
    let chosen = on_choice(session, move |session, topic| {
        producer.change(|settings| settings.topic = topic);
        session.save();
    });
    html! {
        <select class="plain" aria-label={format!("Topic of {}", settings.name())} onchange={chosen}>
            { options(topics.into_iter().map(|topic| (topic, topic)), &settings.topic) }
        </select>
    }
}

/// The rate, chosen and seen.
fn steady(session: &Rc<Session>, producer: &Rc<PageProducer>, settings: &ProducerSettings) -> Html {
    let change = {
        let producer = Rc::clone(producer);
        on_number(session, move |session, log| {
            let rate = 10_f64.powf(log);
            let rate = if rate < 10.0 {
                (rate * 10.0).round() / 10.0
            } else {
                rate.round()
            };
            producer.change(|settings| settings.rate = rate);
            session.save();
        })
    };
    html! {
        <>
            { spark(producer, settings) }
            <div class="slider">
                <input class="r" type="range" min="-1" max="3.3" step="0.05"
                    value={settings.rate.log10().to_string()} oninput={change}
                    aria-label={format!("Rate of {}, records per second", settings.name())} />
                <span>{ "rate" }</span>
            </div>
        </>
    }
}

/// What was sent in the last minute, and the rate that was chosen.
fn spark(producer: &PageProducer, settings: &ProducerSettings) -> Html {
    let path = producer.sent.borrow().path(100.0, 27.0);
    let rate = if settings.steady { settings.rate } else { 0.0 };
    let shown = match rate < 10.0 {
        true => format!("{rate:.1}"),
        false => format!("{rate:.0}"),
    };
    html! {
        <div class="spark">
            <svg viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
                <path d={path.unwrap_or_default()} fill="none" stroke="var(--c)"
                    stroke-width="1.5" vector-effect="non-scaling-stroke" />
                <path d="M0 27.5H100" stroke="var(--line)" vector-effect="non-scaling-stroke" />
            </svg>
            <span class="v">{ shown }<small>{ " /s" }</small></span>
        </div>
    }
}

/// One record, as it is typed.
fn one(session: &Rc<Session>, producer: &Rc<PageProducer>, settings: &ProducerSettings) -> Html {
    let name = settings.name();
    let submit = {
        let producer = Rc::clone(producer);
        on_submit(session, move |_, fields| producer.send_one(record(fields)))
    };
    let world = session.world.borrow();
    let partitions = world
        .topics
        .get(&settings.topic)
        .map_or(0, |it| it.partitions);
    let numbers: Vec<String> = (0..partitions).map(|number| number.to_string()).collect();
    let choices = std::iter::once(("", "by the partitioner")).chain(
        numbers
            .iter()
            .map(|number| (number.as_str(), number.as_str())),
    );
    html! {
        <form class="form" aria-label={format!("Send one record from {name}")} onsubmit={submit}>
            <label>{ "Key" }<Typed name="key" placeholder="none" /></label>
            <label>{ "Value" }<Typed name="value" initial="{\"total\":42}" /></label>
            <label>{ "Headers" }<Typed name="headers" placeholder="trace=7f3a" /></label>
            <label>{ "Partition" }<select class="in" name="partition">
                { options(choices, "") }</select></label>
            <button class="btn sm solid wide">{ "Send one record" }</button>
        </form>
    }
}

fn record(fields: &Fields) -> ProducerRecord {
    let bytes = |text: String| Bytes::from(text.into_bytes());
    let key = fields.raw("key");
    let headers = fields.text("headers");
    let headers = headers.split([',', ' ']).filter_map(|header| {
        let (name, value) = header.split_once('=')?;
        Some((name.trim().to_owned(), Some(bytes(value.trim().to_owned()))))
    });
    ProducerRecord {
        partition: fields
            .number("partition")
            .and_then(|it| i32::try_from(it).ok()),
        timestamp: None,
        key: (!key.is_empty()).then(|| bytes(key)),
        value: Some(bytes(fields.raw("value"))),
        headers: headers.collect(),
    }
}

/// How the last send went, and what waits: for the broker, or because there is much.
fn last(session: &Session, producer: &PageProducer) -> Html {
    let waiting = producer.waiting();
    let usual = if session.is_running() {
        MANY_WAITING
    } else {
        0
    };
    match &*producer.last.borrow() {
        LastSend::Failed(error) => html! {
            <p class="last bad" role="status"><span class="num">{ error.clone() }</span></p>
        },
        LastSend::None | LastSend::Sent | LastSend::Stored { .. } if waiting > usual => {
            let verb = if waiting == 1 { "waits" } else { "wait" };
            html! {
                <p class="last">
                    { format!("{} {verb}", text::count_of(waiting, "record")) }</p>
            }
        }
        LastSend::None => html! { <p class="last">{ "nothing sent yet" }</p> },
        LastSend::Sent => html! { <p class="last">{ "sent, not acknowledged" }</p> },
        LastSend::Stored { place, took } => html! {
            <p class="last">{ "last" }
                <span class="num" data-last={place.clone()}>{ place.clone() }</span>
                <span>{ format!("in {took} ms") }</span></p>
        },
    }
}

/// The settings in one line.
fn sum(settings: &ProducerSettings) -> Html {
    let keyless = if settings.sticky {
        "sticky"
    } else {
        "round robin"
    };
    let partitioner = match (settings.steady, settings.keys) {
        (true, Keys::None) => keyless,
        (true, Keys::Countries) => "murmur2",
        (false, _) => "murmur2, keyless in turn",
    };
    let acks = match settings.acks {
        -1 => "acks all".to_owned(),
        acks => format!("acks {acks}"),
    };
    let idempotent = if settings.idempotent {
        " · idempotent"
    } else {
        ""
    };
    html! { <p class="sum">{ format!("{partitioner} · {acks}{idempotent}") }</p> }
}

/// The settings as a list.
fn set(session: &Rc<Session>, producer: &Rc<PageProducer>, settings: &ProducerSettings) -> Html {
    let choice = |label: Html,
                  name: &'static str,
                  values: &[(&'static str, &'static str)],
                  chosen: &str,
                  change: fn(&mut ProducerSettings, &str)| {
        let producer = Rc::clone(producer);
        let on = on_choice(session, move |session, value| {
            producer.change(|settings| change(settings, &value));
            session.save();
        });
        html! {
            <><dt>{ label }</dt><dd><select class="plain" onchange={on}
                aria-label={format!("{name} of {}", settings.name())}>
                { options(values.iter().copied(), chosen) }</select></dd></>
        }
    };
    let keys = match settings.keys {
        Keys::Countries => "countries",
        Keys::None => "none",
    };
    let remove = settings.number;
    html! {
        <>
            <dl class="set">
                { choice(html! { "Key" }, "Key", &[("countries", "country code"), ("none", "none")], keys, |it, value| {
                    it.keys = if value == "none" { Keys::None } else { Keys::Countries };
                }) }
                { choice(term(Term::Partitioner, "Keyless"), "Keyless", &[("turn", "round robin"), ("sticky", "sticky")],
                    if settings.sticky { "sticky" } else { "turn" },
                    |it, value| it.sticky = value == "sticky") }
                { choice(term(Term::Acks, "acks"), "acks", &[("-1", "all"), ("1", "1"), ("0", "0")], &settings.acks.to_string(),
                    |it, value| it.acks = value.parse().unwrap_or(-1)) }
                { choice(term(Term::Idempotence, "idempotence"), "idempotence", &[("on", "on"), ("off", "off")],
                    if settings.idempotent { "on" } else { "off" },
                    |it, value| it.idempotent = value == "on") }
            </dl>
            <div class="macts">
                { quiet(None, "Remove", format!("Remove producer {}", settings.name()),
                    on_click(session, move |session| {
                        session.ui.borrow_mut().menu = None;
                        session.remove_producer(remove);
                    })) }
            </div>
        </>
    }
}
