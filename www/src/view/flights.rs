//! Records on their way: each is an element that follows a path by CSS alone.
//!
//! A record that is acknowledged flies from its producer to its place in the partition; one that a
//! consumer is given, from there to the consumer's card. Both together take less than a record's
//! processing does unless a person changes that, so that it arrives before it is acknowledged.

use std::cell::RefCell;
use std::rc::Rc;

use partita_core::sorted::SortedMap;
use partita_core::types::TopicPartition;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement};
use yew::prelude::*;

use super::wires::{way_in, way_out};
use crate::model::flights::{Flight, MOST, Way};
use crate::model::strip::{Layout, PITCH};
use crate::session::Session;

/// How long a flight takes when time runs at its usual speed, in milliseconds.
const IN_MILLIS: f64 = 400.0;
const OUT_MILLIS: f64 = 540.0;

/// Where the page below stands and how wide it is, and the speed of time.
type Below = (Option<(f64, f64)>, f64);

thread_local! {
    static BELOW: RefCell<Below> = const { RefCell::new((None, 1.0)) };
    /// When the last record that flies to a partition arrives there, in milliseconds since 1970,
    /// and its offset: it does not fly on before that.
    static ARRIVALS: RefCell<SortedMap<TopicPartition, (i64, f64)>> = const { RefCell::new(SortedMap::new()) };
}

/// Where they fly. What is in it is put there by [`launch`], and goes when it has arrived.
pub(crate) fn view(session: &Rc<Session>) -> Html {
    let paused = session.clock.get().rate <= 0.0;
    let landed = Callback::from(|event: AnimationEvent| {
        if let Some(record) = event.target_dyn_into::<Element>() {
            record.remove();
        }
    });
    html! {
        <div class="flights" aria-hidden="true" data-paused={paused.to_string()}
            onanimationend={landed}></div>
    }
}

/// Lets what has happened since the last drawing fly.
pub(crate) fn launch(session: &Session) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    let Some(air) = document.query_selector(".flights").ok().flatten() else {
        return;
    };
    land_when_moved(session, &document, &air);
    let flying = usize::try_from(air.child_element_count()).unwrap_or(MOST);
    let flights = session
        .flights
        .borrow_mut()
        .take(MOST.saturating_sub(flying));
    // What is not to be seen would never arrive.
    let hidden = document.hidden() || air.client_width() == 0;
    if flights.is_empty() || hidden || wants_no_motion() {
        return;
    }
    for flight in flights {
        if let Err(error) = begin(session, &document, &air, &flight) {
            web_sys::console::warn_1(&error);
        }
    }
}

/// Those in the air end where they are when the page below them moves, or time changes its speed.
fn land_when_moved(session: &Session, document: &Document, air: &Element) {
    let place = document.query_selector(".cols").ok().flatten().map(|cols| {
        let (cols, air) = (
            cols.get_bounding_client_rect(),
            air.get_bounding_client_rect(),
        );
        (cols.top() - air.top(), cols.width())
    });
    let below = (place, session.speed.get());
    BELOW.with_borrow_mut(|before| {
        if *before != below {
            *before = below;
            air.set_text_content(None);
        }
    });
}

/// Puts one into the air, if both its ends are to be seen.
fn begin(
    session: &Session,
    document: &Document,
    air: &Element,
    flight: &Flight,
) -> Result<(), JsValue> {
    let Some(path) = path(session, document, air, flight) else {
        return Ok(());
    };
    let speed = session.speed.get();
    let now = js_sys::Date::now();
    let (length, wait) = ARRIVALS.with_borrow_mut(|arrivals| {
        arrivals.retain(|_, (_, at)| *at > now);
        match flight.way {
            Way::In { .. } => {
                let length = IN_MILLIS / speed;
                arrivals.insert(flight.partition.clone(), (flight.offset, now + length));
                (length, 0.0)
            }
            Way::Out { .. } => {
                let arrival = arrivals.get(&flight.partition);
                let arrival = arrival.filter(|(newest, _)| flight.offset <= *newest);
                (OUT_MILLIS / speed, arrival.map_or(0.0, |(_, at)| at - now))
            }
        }
    });
    let record: HtmlElement = document.create_element("div")?.unchecked_into();
    record.set_class_name(&format!("rec k{}", flight.colour));
    record.set_text_content(Some(&flight.letters));
    let way = match flight.way {
        Way::In { .. } => "in",
        Way::Out { .. } => "out",
    };
    let place = format!("{}@{}", flight.partition, flight.offset);
    record.set_attribute("data-flight", way)?;
    record.set_attribute("data-of", &place)?;
    let style = format!(
        "offset-path:path('{path}');animation-duration:{length:.0}ms;animation-delay:{wait:.0}ms"
    );
    record.set_attribute("style", &style)?;
    air.append_child(&record)?;
    Ok(())
}

/// The whole way of a flight, on the plane.
fn path(session: &Session, document: &Document, air: &Element, flight: &Flight) -> Option<String> {
    let name = flight.partition.to_string();
    let find = |selector: &str| document.query_selector(selector).ok().flatten();
    let body = find(&format!(".strip[data-partition=\"{name}\"] .body"))?;
    let (plane, body) = (
        air.get_bounding_client_rect(),
        body.get_bounding_client_rect(),
    );
    let (left, top) = (body.left() - plane.left(), body.top() - plane.top());
    let x = left + layout(session, flight, body.width())?.x(flight.offset) + PITCH / 2.0;
    match &flight.way {
        Way::In { producer } => {
            let rail = top + 8.5;
            Some(format!(
                "{}L{:.1} {rail:.1}Q{x:.1} {rail:.1} {x:.1} {:.1}L{x:.1} {:.1}",
                way_in(producer, &name)?,
                x - 6.0,
                rail + 9.5,
                rail + 25.5,
            ))
        }
        Way::Out { group, member } => {
            let way = way_out(group, &name, member)?;
            let port = find(&format!("[data-port=\"{group}/{name}\"]"))?.get_bounding_client_rect();
            let right = port.right() - plane.left();
            let middle = port.top() + port.height() / 2.0 - plane.top();
            // Down to the lane, along it to the port, and on with the owner's line.
            Some(format!(
                "M{x:.1} {:.1}C{x:.1} {middle:.1} {:.1} {middle:.1} {:.1} {middle:.1}L{right:.1} {middle:.1}{}",
                top + 34.0,
                x + 14.0,
                (x + 40.0).min(right),
                way.get(way.find('C')?..)?,
            ))
        }
    }
}

/// How the strip is laid out when the record is in it.
fn layout(session: &Session, flight: &Flight, width: f64) -> Option<Layout> {
    let world = session.world.borrow();
    let view = world.partitions.get(&flight.partition)?;
    let end = view.log_end_offset.max(flight.offset.saturating_add(1));
    Some(Layout::new(view.log_start_offset, end, width))
}

/// Whether the person has asked for less motion.
fn wants_no_motion() -> bool {
    let asked = web_sys::window().and_then(|window| {
        window
            .match_media("(prefers-reduced-motion: reduce)")
            .ok()?
    });
    asked.is_some_and(|asked| asked.matches())
}
