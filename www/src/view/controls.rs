//! What can be done with a consumer of the page.

use std::rc::Rc;

use partita_core::client::consumer::SeekTo;
use partita_core::types::TopicPartition;
use yew::prelude::*;

use super::form::{Answer, Fields, Typed, on_number, on_submit, options};
use super::hover::{explained, id};
use super::parts::{on_click, quiet};
use super::ui::Menu;
use crate::clients::consumer::PageConsumer;
use crate::model::terms::Term;
use crate::session::Session;

/// All but acknowledging; `word` is the member's state.
pub(crate) fn view(session: &Rc<Session>, consumer: &Rc<PageConsumer>, word: &str) -> Html {
    let (number, name) = {
        let settings = consumer.settings.borrow();
        (settings.number, settings.name())
    };
    if word == "crashed" {
        return crashed(session, consumer, number, &name);
    }
    let act = |act: fn(&Rc<Session>, &Rc<PageConsumer>)| {
        let consumer = Rc::clone(consumer);
        on_click(session, move |session| act(session, &consumer))
    };
    let (verb, pause) = match consumer.paused.get() {
        true => ("Resume", act(|_, consumer| consumer.pause(false))),
        false => ("Pause", act(|_, consumer| consumer.pause(true))),
    };
    let seeking = session.ui.borrow().is_open(&Menu::Seek(number));
    let toggle = on_click(session, move |session| {
        // The card stays open when that is closed.
        let mut ui = session.ui.borrow_mut();
        ui.menu = Some(match ui.is_open(&Menu::Seek(number)) {
            true => Menu::Member(number),
            false => Menu::Seek(number),
        });
    });
    html! {
        <>
            <div class="macts">
                { explained(Term::Pause, verb, format!("{verb} {name}"), pause) }
                { explained(Term::Seek, "Seek", format!("Seek {name}"), toggle) }
                { explained(Term::Leave, "Leave", format!("Leave {name}"),
                    act(|_, consumer| consumer.leave())) }
                { explained(Term::Crash, "Crash", format!("Crash {name}"),
                    act(|_, consumer| consumer.crash())) }
            </div>
            if seeking { { seek(session, consumer, &name) } }
            { settings(session, consumer, &name) }
        </>
    }
}

/// A button for each partition with records that wait for a person, the first one solid.
pub(super) fn acknowledge(session: &Rc<Session>, consumer: &Rc<PageConsumer>) -> Html {
    let waiting = consumer.unacknowledged.borrow();
    let buttons = waiting.iter().enumerate().map(|(at, (partition, offset))| {
        let place = format!("{partition}@{offset}");
        let (name, acknowledged) = (partition.clone(), Rc::clone(consumer));
        let class = if at == 0 { "btn sm solid" } else { "btn sm" };
        let commit = on_click(session, move |_| acknowledged.acknowledge(&name));
        html! {
            <button type="button" key={partition.to_string()} {class} onclick={commit}
                title={format!("commits {}", offset.saturating_add(1))}>
                { format!("Acknowledge {place}") }
            </button>
        }
    });
    match waiting.is_empty() {
        true => Html::default(),
        false => html! { <div class="macts acks">{ for buttons }</div> },
    }
}

fn crashed(session: &Rc<Session>, consumer: &Rc<PageConsumer>, number: u32, name: &str) -> Html {
    let again = {
        let consumer = Rc::clone(consumer);
        on_click(session, move |_| consumer.start())
    };
    let remove = on_click(session, move |session| session.forget_consumer(number));
    html! {
        <div class="macts">
            { quiet(None, "Start again", format!("Start {name} again"), again) }
            { quiet(None, "Remove", format!("Remove {name}"), remove) }
        </div>
    }
}

/// Where to read on.
fn seek(session: &Rc<Session>, consumer: &Rc<PageConsumer>, name: &str) -> Html {
    let partitions: Vec<String> = consumer
        .partitions()
        .into_iter()
        .map(|status| status.partition.to_string())
        .collect();
    let submit = {
        let consumer = Rc::clone(consumer);
        on_submit(session, move |session, fields| {
            if let Some((partition, to)) = target(fields) {
                consumer.seek(&partition, to);
                session.ui.borrow_mut().menu = None;
            }
        })
    };
    let first = partitions.first().cloned().unwrap_or_default();
    let radio = |value: &'static str, text: &'static str| {
        html! {
            <label class="opt"><Answer name="to" {value} />
                { text }<span></span></label>
        }
    };
    html! {
        <form class="popin" aria-label={format!("Seek {name}")} onsubmit={submit}>
            <label class="opt"><span></span>{ "Partition" }<select class="in" name="partition">
                { options(partitions.iter().map(|it| (it.as_str(), it.as_str())), &first) }
            </select></label>
            { radio("beginning", "Beginning") }
            { radio("end", "End") }
            <label class="opt"><Answer name="to" value="offset" chosen=true />
                { "Offset" }<Typed name="offset" kind="number" min="0" initial="0" label="Offset" /></label>
            <label class="opt"><Answer name="to" value="time" />
                { "Time" }<Typed name="time" kind="datetime-local" step="1" initial={a_minute_ago()} label="Time" /></label>
            <p class="eff">{ "It reads on from there: records it has had come again, or are skipped. A time leads \
                to the first record of that time or later. The committed offset stays until the next \
                acknowledgement." }</p>
            <button class="btn sm solid">{ "Seek" }</button>
        </form>
    }
}

fn target(fields: &Fields) -> Option<(TopicPartition, SeekTo)> {
    let name = fields.text("partition");
    let (topic, partition) = name.rsplit_once('-')?;
    let to = match fields.text("to").as_str() {
        "beginning" => SeekTo::Beginning,
        "end" => SeekTo::End,
        "time" => SeekTo::Timestamp(milliseconds(&fields.text("time"))?),
        _ => SeekTo::Offset(fields.number("offset")?.max(0)),
    };
    Some((TopicPartition::new(topic, partition.parse().ok()?), to))
}

/// A time that was chosen, in the person's time zone, as milliseconds since 1970.
fn milliseconds(local: &str) -> Option<i64> {
    let time = js_sys::Date::parse(local);
    format!("{time:.0}").parse().ok()
}

/// A minute ago, as a field for a local time holds it.
fn a_minute_ago() -> String {
    let zone = js_sys::Date::new_0().get_timezone_offset() * 60_000.0;
    let local = js_sys::Date::now() - 60_000.0 - zone;
    let text = String::from(js_sys::Date::new(&local.into()).to_iso_string());
    text.get(..19).unwrap_or_default().to_owned()
}

/// How long a record takes, and who acknowledges.
fn settings(session: &Rc<Session>, consumer: &Rc<PageConsumer>, name: &str) -> Html {
    let (processing, manual) = {
        let settings = consumer.settings.borrow();
        (settings.processing, settings.manual)
    };
    let change = {
        let consumer = Rc::clone(consumer);
        on_number(session, move |session, seconds| {
            let millis = (seconds * 1000.0).round().clamp(0.0, 10_000.0);
            let millis = format!("{millis:.0}").parse().unwrap_or(500);
            consumer.set_processing(millis);
            session.save();
        })
    };
    let by_hand = |manual: bool| {
        let consumer = Rc::clone(consumer);
        on_click(session, move |session| {
            consumer.set_manual(manual);
            session.save();
        })
    };
    let seconds = f64::from(u32::try_from(processing).unwrap_or(0)) / 1000.0;
    html! {
        <>
            <div class="slider">
                <input class="r" type="range" min="0" max="3" step="0.1" value={seconds.to_string()}
                    aria-label={format!("Processing time of {name}, seconds")} oninput={change} />
                <span>{ format!("{seconds:.1} s a record") }</span>
            </div>
            <div class="seg" role="group" aria-label={format!("How {name} acknowledges")}>
                <button type="button" aria-pressed={(!manual).to_string()}
                    onclick={by_hand(false)}>{ "Acknowledges itself" }</button>
                <button type="button" aria-pressed={manual.to_string()}
                    data-term={Term::ByHand.name()} aria-describedby={id(Term::ByHand.name())}
                    onclick={by_hand(true)}>{ "By hand" }</button>
            </div>
        </>
    }
}
