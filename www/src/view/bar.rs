//! The top bar: the broker's lamp, time in the middle, storage.

use std::rc::Rc;

use partita_web::port::message::{Status, ToHost};
use wasm_bindgen::JsCast as _;
use yew::prelude::*;

use super::form::on_number;
use super::parts::{HELP, PAUSE, PLAY, STEP, STOP, SUN, icon, on_click};
use crate::model::text;
use crate::session::Session;

/// The speeds that the scale names.
const SPEEDS: [(f64, &str); 5] = [
    (0.1, "0.1"),
    (0.3, "0.3"),
    (1.0, "1"),
    (3.0, "3"),
    (10.0, "10"),
];

pub(crate) fn view(session: &Rc<Session>) -> Html {
    html! {
        <header class="bar">
            <div class="brand">{ mark() }<span class="nm">{ "Partita" }</span></div>
            <span class="sep"></span>
            { lamp(session) }
            { time(session) }
            { storage(session) }
            <span class="sep"></span>
            <button type="button" class="btn icon quiet" aria-label="Keys and console" title="?"
                onclick={on_click(session, |session| {
                    let mut ui = session.ui.borrow_mut();
                    ui.help = !ui.help;
                })}>{ icon(HELP) }</button>
            <button type="button" class="btn icon quiet" aria-label="Light or dark"
                onclick={on_click(session, |_| switch_theme())}>{ icon(SUN) }</button>
        </header>
    }
}

fn mark() -> Html {
    html! {
        <svg viewBox="0 0 22 22" aria-hidden="true"><g fill="currentColor">
            <rect x="1" y="3" width="9" height="4" rx="1" />
            <rect x="12" y="3" width="4" height="4" rx="1" opacity=".45" />
            <rect x="5" y="9" width="4" height="4" rx="1" opacity=".45" />
            <rect x="11" y="9" width="10" height="4" rx="1" />
            <rect x="1" y="15" width="5" height="4" rx="1" />
            <rect x="8" y="15" width="6" height="4" rx="1" opacity=".45" />
        </g></svg>
    }
}

/// The broker's state: the word for `data-broker`, the lamp's form, and what a person reads.
fn state(session: &Session) -> (&'static str, &'static str, &'static str) {
    let full = session.world.borrow().full.is_some();
    match &*session.status.borrow() {
        Status::Running { .. } if full => ("full", "full", "Running, storage full"),
        Status::Running { .. } => ("running", "running", "Broker running"),
        Status::Starting => ("starting", "recovering", "Broker starting"),
        Status::Waiting => ("waiting", "recovering", "Broker in another tab"),
        Status::Blocked => ("blocked", "recovering", "Waiting for an older tab"),
        Status::Stopped => ("stopped", "stopped", "Broker stopped"),
        Status::Failed { .. } => ("failed", "stopped", "Broker failed"),
    }
}

fn lamp(session: &Rc<Session>) -> Html {
    let (word, lamp, text) = state(session);
    let stopped = matches!(word, "stopped" | "failed");
    let can = stopped || matches!(word, "running" | "full");
    let class = match stopped {
        true => "btn sm solid",
        false => "btn sm",
    };
    let (name, verb, drawing) = match stopped {
        true => ("Start the broker", "Start", PLAY),
        false => ("Stop the broker", "Stop", STOP),
    };
    html! {
        <div class="broker" data-broker={word}>
            <span class={classes!("lamp", lamp)}></span>
            <span role="status"><b>{ text }</b></span>
            <button type="button" {class} aria-label={name} disabled={!can}
                onclick={on_click(session, switch_broker)}>{ icon(drawing) }{ verb }</button>
        </div>
    }
}

/// Stops the broker, or starts it.
pub(crate) fn switch_broker(session: &Rc<Session>) {
    let message = match &*session.status.borrow() {
        Status::Stopped | Status::Failed { .. } => ToHost::Start,
        Status::Running { .. } => ToHost::Stop,
        Status::Starting | Status::Waiting | Status::Blocked => return,
    };
    session.link.say(&message);
}

/// Whether time stands still.
fn is_paused(session: &Session) -> bool {
    session.clock.get().rate <= 0.0
}

/// Stops time, or lets it run on.
pub(crate) fn switch_time(session: &Rc<Session>) {
    let on = !is_paused(session);
    session.step.borrow_mut().take();
    session.link.say(&ToHost::Pause { on });
}

/// Takes one thing that is due, while time stands still.
pub(crate) fn step(session: &Rc<Session>) {
    if is_paused(session) {
        session.link.say(&ToHost::Step);
    }
}

/// Changes how fast time runs.
pub(crate) fn set_speed(session: &Rc<Session>, rate: f64) {
    let rate = (rate.clamp(0.1, 10.0) * 100.0).round() / 100.0;
    session.speed.set(rate);
    session.link.say(&ToHost::Rate { rate });
}

fn time(session: &Rc<Session>) -> Html {
    let paused = is_paused(session);
    let rate = session.speed.get();
    let elapsed = session.link.now().monotonic.0.saturating_sub(session.began);
    let (name, drawing) = match paused {
        true => ("Run time", PLAY),
        false => ("Pause time", PAUSE),
    };
    let position = |rate: f64| format!("left:{:.1}%", (rate.log10() + 1.0) / 2.0 * 100.0);
    let marks = SPEEDS.iter().map(|(speed, text)| {
        let on = (speed - rate).abs() < 0.01;
        html! {
            <><i style={position(*speed)}></i>
            <u class={on.then_some("on")} style={position(*speed)}>
                { *text }{ on.then_some("×") }
            </u></>
        }
    });
    html! {
        <div class="transport" role="group" aria-label="Time" data-paused={paused.to_string()}>
            <button type="button" class="btn icon quiet" aria-label={name} title="Space"
                onclick={on_click(session, switch_time)}>{ icon(drawing) }</button>
            <button type="button" class="btn icon quiet" aria-label="One step" title="."
                disabled={!paused} onclick={on_click(session, step)}>{ icon(STEP) }</button>
            <div class="speed">
                <span class="ax"></span>
                { for marks }
                <input type="range" min="-1" max="1" step="0.01" aria-label="Speed"
                    aria-valuetext={format!("{rate} times")} value={rate.log10().to_string()}
                    oninput={on_number(session, |session, log| set_speed(session, snap(log)))} />
                <span class="thumb" style={position(rate)}></span>
            </div>
            <span class="clock num" aria-label="Time in the page">{ text::clock(elapsed) }</span>
            if let Some(step) = &*session.step.borrow() {
                <span class="stepped" role="status" title={step.clone()}>{ step.clone() }</span>
            }
        </div>
    }
}

/// A speed from the scale's logarithm; near a named one it is that one.
fn snap(log: f64) -> f64 {
    let rate = 10_f64.powf(log);
    let near = SPEEDS
        .iter()
        .find(|(speed, _)| (speed.log10() - log).abs() < 0.06);
    near.map_or(rate, |(speed, _)| *speed)
}

fn storage(session: &Rc<Session>) -> Html {
    let (used, quota) = session.storage.get().unwrap_or((0.0, 0.0));
    let share = match quota > 0.0 {
        true => (used / quota * 100.0).clamp(0.0, 100.0),
        false => 0.0,
    };
    let full = session.world.borrow().full.is_some();
    html! {
        <div class="store" role="group" aria-label="Storage"
            title="Durability strict: a record is acknowledged when the disk has it">
            <div class="l">
                <span>{ "IndexedDB" }</span>
                <span class="num">
                    { text::bytes(used) }
                    <span class="dim">{ format!(" of {}", text::bytes(quota)) }</span>
                </span>
            </div>
            <div class={classes!("meter", full.then_some("full"))}>
                <span style={format!("width:{share:.2}%")}></span>
            </div>
        </div>
    }
}

fn switch_theme() {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.document_element());
    let Some(root) = root.and_then(|root| root.dyn_into::<web_sys::HtmlElement>().ok()) else {
        return;
    };
    let light = root.get_attribute("data-theme").as_deref() == Some("light");
    let theme = if light { "dark" } else { "light" };
    if let Err(error) = root.set_attribute("data-theme", theme) {
        web_sys::console::warn_1(&error);
    }
    let storage = web_sys::window().and_then(|window| window.local_storage().ok().flatten());
    if let Some(Err(error)) = storage.map(|storage| storage.set_item("partita.theme", theme)) {
        web_sys::console::warn_1(&error);
    }
}
