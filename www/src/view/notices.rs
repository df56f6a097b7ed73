//! What a person should know, above the flow: what happened, what is safe, what helps.

use std::rc::Rc;

use partita_web::port::message::{Failure, Notice, Status, ToHost};
use yew::prelude::*;

use super::bar::{set_speed, switch_broker};
use super::parts::{PLAY, STOP, WARN, icon, on_click};
use crate::session::Session;

pub(crate) fn view(session: &Rc<Session>) -> Html {
    html! {
        <>
            { hero(session) }
            { status(session) }
            { for session.notices.borrow().iter().map(|(notice, text)| told(*notice, text)) }
        </>
    }
}

/// The only consumer's group, for somebody who sees this for the first time.
fn first_group(session: &Session) -> Option<String> {
    let consumers = session.consumers.borrow();
    let first = consumers.len() == 1 && !session.ui.borrow().hero_dismissed;
    let only = consumers.values().next()?;
    (first && session.is_running()).then(|| only.settings.borrow().group.clone())
}

/// What a first visitor may try.
pub(crate) fn tries(session: &Rc<Session>) -> Html {
    if first_group(session).is_none() {
        return Html::default();
    }
    let one = |text: &'static str, what: &'static str, act: fn(&Rc<Session>)| {
        html! {
            <div><button type="button" class="link" onclick={on_click(session, act)}>{ text }</button>
                <p>{ what }</p></div>
        }
    };
    html! {
        <div class="tries" role="group" aria-label="To try">
            { one("Open a record", "See what is in it, and why it went to this partition.", |session| {
                let newest = session.world.borrow().newest();
                session.ui.borrow_mut().inspected = newest;
            }) }
            { one("Take the broker away", "Clients retry; offsets stay; nothing is lost.",
                switch_broker) }
            { one("Slow time to 0.1×", "Follow one record from its producer to its commit.",
                |session| set_speed(session, 0.1)) }
        </div>
    }
}

/// What a first visitor reads, until there is more than one consumer.
fn hero(session: &Rc<Session>) -> Html {
    let Some(group) = first_group(session) else {
        return Html::default();
    };
    html! {
        <div class="hero">
            <div>
                <h1>{ "A real broker is running in this tab." }</h1>
                <p>{ "Producers on the left write records to a topic. Its partitions keep them, in \
                      order, in this browser. Consumers on the right read at their own pace, and \
                      the broker remembers how far each group got." }</p>
            </div>
            <div class="acts">
                <button type="button" class="btn solid"
                    onclick={on_click(session, move |session| session.add_member(&group))}>
                    { "Add a second consumer" }
                </button>
                <button type="button" class="btn" onclick={on_click(session, |session| {
                    session.ui.borrow_mut().hero_dismissed = true;
                })}>{ "Close" }</button>
            </div>
        </div>
    }
}

/// What the broker's state means for a person.
fn status(session: &Rc<Session>) -> Html {
    match &*session.status.borrow() {
        Status::Running { .. } | Status::Starting => Html::default(),
        Status::Stopped => notice(
            true,
            "The broker is stopped. Nothing is lost.",
            "Records and committed offsets are in IndexedDB. Clients keep retrying, as Kafka \
             clients do. After the start each group reads on from its committed offsets; what it \
             had processed but not acknowledged comes again.",
            start(session, "Start the broker"),
        ),
        Status::Waiting => notice(
            true,
            "The broker runs in another tab.",
            "One tab of this site hosts the broker. This one takes over as soon as that one is \
             closed or reloaded, and goes on with its producers and consumers as they are then.",
            Html::default(),
        ),
        Status::Blocked => notice(
            true,
            "Another tab still uses an older form of the database.",
            "Close or reload the other tabs of this site; then this one goes on.",
            Html::default(),
        ),
        Status::Failed { failure, message } => failed(session, *failure, message),
    }
}

fn failed(session: &Rc<Session>, failure: Failure, message: &str) -> Html {
    let (title, text) = match failure {
        Failure::NewerFormat => (
            "A newer version of this page has stored its data here.",
            "Reload this tab to get that version. Nothing was changed.",
        ),
        Failure::DatabaseDeleted => (
            "The database was deleted.",
            "Somebody cleared this site's data. Starting again begins with an empty broker.",
        ),
        Failure::DatabaseClosed => (
            "The browser closed the database.",
            "What was acknowledged is safe. Start the broker to open it again.",
        ),
        Failure::StorageFull => (
            "There is no room to begin with.",
            "Free space on this device, then start the broker. Nothing was deleted.",
        ),
        Failure::Corrupt => (
            "What is stored makes no sense.",
            "The broker does not guess. Export what is there before you clear this site's data.",
        ),
        Failure::Trapped => (
            "The broker stopped after an internal error, three times in a minute.",
            "What was acknowledged is in IndexedDB. Export it, or start the broker again.",
        ),
        Failure::InvalidOptions | Failure::Other => ("The broker cannot serve.", ""),
    };
    let actions = html! {
        <>
            { start(session, "Start again") }
            <button type="button" class="btn" onclick={on_click(session, |session| {
                session.export();
            })}>{ "Export the data" }</button>
        </>
    };
    notice(false, title, &format!("{text} {message}"), actions)
}

/// Something the host tells while it serves.
fn told(told: Notice, message: &str) -> Html {
    let (calm, title, text) = match told {
        Notice::StorageFull => (
            false,
            "Storage is full: new records are refused.",
            "The browser gives no more room, so the broker answers producers with \
             KAFKA_STORAGE_ERROR; they hold their records and retry. All acknowledged records are \
             safe. Reading, committing and deleting work as before. Delete a topic or free space \
             on this device.",
        ),
        Notice::StorageFailing => (
            false,
            "The browser's database refuses writes.",
            "Nothing is acknowledged that is not stored; clients retry.",
        ),
        Notice::TakenOver => (
            true,
            "Another tab has taken the broker over.",
            "This tab did not answer in time. Nothing acknowledged is lost.",
        ),
        Notice::Restarted => (
            true,
            "The broker was started again after an internal error.",
            "It has recovered from IndexedDB, as after a crash. Clients have connected again.",
        ),
    };
    notice(calm, title, &format!("{text} {message}"), Html::default())
}

fn start(session: &Rc<Session>, text: &'static str) -> Html {
    html! {
        <button type="button" class="btn solid"
            onclick={on_click(session, |session| session.link.say(&ToHost::Start))}>
            { icon(PLAY) }{ text }
        </button>
    }
}

fn notice(calm: bool, title: &str, text: &str, actions: Html) -> Html {
    let drawing = if calm { STOP } else { WARN };
    html! {
        <div class={classes!("notice", calm.then_some("calm"))} role="alert">
            <svg class="i glyph" viewBox="0 0 16 16" aria-hidden="true"><path d={drawing} /></svg>
            <h2>{ title.to_owned() }</h2>
            <p>{ text.to_owned() }</p>
            <div class="acts">{ actions }</div>
        </div>
    }
}
