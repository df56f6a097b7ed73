//! A record, opened: what is in it, and why it lies in its partition.

use std::rc::Rc;

use partita_core::client::partitioner::murmur2;
use partita_core::records::Record;
use partita_core::types::TopicPartition;
use yew::prelude::*;

use super::parts::{CLOSE, icon, mini, on_click};
use crate::model::text;
use crate::session::Session;

/// How wide the inspector is, in pixels.
const WIDTH: f64 = 392.0;

pub(crate) fn view(session: &Rc<Session>) -> Html {
    let Some((name, offset)) = session.ui.borrow().inspected.clone() else {
        return Html::default();
    };
    let record = session.cells.borrow().get(&name, offset).cloned();
    let key = record.as_ref().and_then(|record| record.key.clone());
    html! {
        <div class="inspect" style={place(session, &name, offset)} role="dialog" aria-label={format!("Record {name}@{offset}")}>
            <header>
                { mini(key.as_deref(), true) }<b>{ format!("{name}@{offset}") }</b>
                <button type="button" class="btn icon quiet sm close" aria-label="Close the record"
                    onclick={on_click(session, |session| session.ui.borrow_mut().inspected = None)}>
                    { icon(CLOSE) }
                </button>
            </header>
            { match record {
                Some(record) => content(session, &name, &record),
                None => html! { <p class="dim">{ "This record is not loaded: only the first two and \
                    the newest of a partition are." }</p> },
            } }
        </div>
    }
}

/// Below the record's strip, where it was opened: it does not follow a record that moves.
fn place(session: &Session, name: &TopicPartition, offset: i64) -> Option<String> {
    let record = (name.clone(), offset);
    if let Some((placed, style)) = &session.ui.borrow().inspector
        && *placed == record
    {
        return Some(style.clone());
    }
    let document = web_sys::window()?.document()?;
    let cell = format!("[data-cell=\"{name}@{offset}\"]");
    let cell = document.query_selector(&cell).ok()??;
    let strip = cell.closest("[data-partition]").ok()??;
    let plane = cell.closest(".plane").ok()??;
    let (cell, strip, plane) = (
        cell.get_bounding_client_rect(),
        strip.get_bounding_client_rect(),
        plane.get_bounding_client_rect(),
    );
    let most = (plane.width() - WIDTH).max(0.0);
    let left = (cell.left() - plane.left() - WIDTH * 0.4).clamp(0.0, most);
    let top = strip.bottom() - plane.top() + 4.0;
    let style = format!("left:{left:.0}px;top:{top:.0}px");
    session.ui.borrow_mut().inspector = Some((record, style.clone()));
    Some(style)
}

fn content(session: &Session, name: &TopicPartition, record: &Record) -> Html {
    let headers = record
        .headers
        .iter()
        .map(|(name, value)| format!("{name}={}", text::content(value.as_deref())));
    let headers = headers.collect::<Vec<_>>().join("  ");
    let time = js_sys::Date::new(&date(record.timestamp).into());
    let world = session.world.borrow();
    let append_time = world.topics.get(&name.topic).is_some_and(|topic| {
        let configs = topic.configs.iter();
        let mut types = configs.filter(|(key, _)| key == "message.timestamp.type");
        types.any(|(_, value)| value == "LogAppendTime")
    });
    let kind = if append_time {
        "LogAppendTime"
    } else {
        "CreateTime"
    };
    html! {
        <>
            <dl>
                <dt>{ "key" }</dt><dd>{ text::content(record.key.as_deref()) }</dd>
                <dt>{ "value" }</dt><dd>{ text::content(record.value.as_deref()) }</dd>
                <dt>{ "headers" }</dt><dd>{ if headers.is_empty() { "none".to_owned() } else { headers } }</dd>
                <dt>{ "timestamp" }</dt><dd>{ String::from(time.to_iso_string()) }{ " " }
                    <span class="dim">{ kind }</span></dd>
            </dl>
            { why(name, record, world.topics.get(&name.topic).map_or(1, |it| it.partitions)) }
        </>
    }
}

#[allow(clippy::cast_precision_loss, reason = "dates fit into 53 bits")]
fn date(millis: i64) -> f64 {
    millis as f64
}

/// Why the record is here.
fn why(name: &TopicPartition, record: &Record, partitions: i32) -> Html {
    let Some(key) = record.key.as_deref() else {
        return html! {
            <div class="hash"><h4>{ format!("Why {name}?") }</h4>
                <p class="dim">{ "It has no key: the producer gave it a partition by hand or in turn." }</p>
            </div>
        };
    };
    let hash = murmur2(key);
    let positive = hash & i32::MAX;
    let place = positive.checked_rem(partitions).unwrap_or(0);
    let by_hand = place != name.partition;
    html! {
        <div class="hash"><h4>{ format!("Why {name}?") }</h4>
            <ol>
                <li><small>{ "key bytes" }</small>{ text::hex(key.get(..8).unwrap_or(key)) }</li>
                <li><small>{ "murmur2" }</small>{ format!("0x{hash:08x}") }</li>
                <li><small>{ "no sign bit" }</small>{ text::number(positive.into()) }</li>
                <li><small>{ format!("mod {partitions} partitions") }</small>
                    <span class="res">{ place }</span></li>
            </ol>
            if by_hand { <p class="dim">{ "The key points elsewhere: the partition was given by hand, \
                or the topic had another number of partitions then." }</p> }
        </div>
    }
}
