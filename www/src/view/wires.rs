//! The lines: from a producer to its partitions, from a partition to its owner.
//!
//! Drawn when all the rest has its place. A line to a new owner takes hold; one that a rebalance
//! takes away lets go, and leaves its old way dotted.

use std::cell::RefCell;

use partita_core::sorted::SortedMap;
use wasm_bindgen::JsCast as _;
use web_sys::Element;
use yew::prelude::*;

use super::shapes::{self, Shape};
use crate::session::Session;

/// How much of a line is left when it has let go, in pixels.
const STUB: f64 = 33.0;
/// From one line that takes hold to the next, in milliseconds.
const APART: u32 = 70;

thread_local! {
    /// The lines that records may take, by [`way_in`] and [`way_out`].
    static WAYS: RefCell<SortedMap<String, String>> = const { RefCell::new(SortedMap::new()) };
}

/// The path from a producer to a partition, up to where its rail begins.
pub(super) fn way_in(producer: &str, partition: &str) -> Option<String> {
    WAYS.with_borrow(|ways| ways.get(&in_key(producer, partition)).cloned())
}

/// The path from a partition's port to the member that owns it.
pub(super) fn way_out(group: &str, partition: &str, member: &str) -> Option<String> {
    WAYS.with_borrow(|ways| ways.get(&own_key(group, partition, member)).cloned())
}

fn in_key(producer: &str, partition: &str) -> String {
    format!("in {producer} {partition}")
}

fn own_key(group: &str, partition: &str, member: &str) -> String {
    format!("own {group}/{partition} {member}")
}

/// A place on the plane.
#[derive(Debug, Clone, Copy)]
struct Place {
    left: f64,
    right: f64,
    top: f64,
    middle: f64,
}

/// What is drawn, and the plane on which all of it stands.
struct Lines<'a> {
    plane: &'a Element,
    origin: (f64, f64),
    /// Whether nothing passes: the broker is away.
    cut: bool,
    shapes: Vec<Shape>,
    ways: SortedMap<String, String>,
    /// How many lines have owners.
    owned: u32,
}

/// Where the lines are drawn.
pub(crate) fn view() -> Html {
    let end = Callback::from(|event: AnimationEvent| shapes::end(&event));
    html! { <svg class="wires" aria-hidden="true" onanimationend={end}></svg> }
}

pub(crate) fn draw(session: &Session) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    let find = |selector: &str| document.query_selector(selector).ok().flatten();
    let (Some(svg), Some(plane)) = (find("svg.wires"), find(".plane")) else {
        return;
    };
    // Small screens show names instead of lines.
    if svg.get_bounding_client_rect().width() <= 0.0 {
        svg.set_text_content(None);
        return;
    }
    let origin = plane.get_bounding_client_rect();
    let mut lines = Lines {
        plane: &plane,
        origin: (origin.left(), origin.top()),
        cut: !session.is_running(),
        shapes: Vec::new(),
        ways: SortedMap::new(),
        owned: 0,
    };
    lines.producers();
    for member in all(&plane, "[data-member]") {
        lines.member(&member);
    }
    WAYS.set(lines.ways);
    if let Err(error) = shapes::show(&svg, lines.shapes) {
        web_sys::console::warn_1(&error);
    }
}

impl Lines<'_> {
    fn place(&self, element: &Element) -> Place {
        let rect = element.get_bounding_client_rect();
        let (left, top) = self.origin;
        Place {
            left: rect.left() - left,
            right: rect.right() - left,
            top: rect.top() - top,
            middle: rect.top() - top + rect.height() / 2.0,
        }
    }

    fn producers(&mut self) {
        let strips = all(self.plane, ".strip[data-partition]");
        let producers = all(self.plane, "[data-producer]");
        let count = u32::try_from(producers.len()).unwrap_or(1);
        let middle = f64::from(count.saturating_sub(1)) / 2.0;
        let mut intakes = SortedMap::new();
        for topic in all(self.plane, ".topic") {
            let rows: Vec<Place> = all(&topic, ".rowof")
                .iter()
                .map(|it| self.place(it))
                .collect();
            if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
                let name = topic.get_attribute("data-topic").unwrap_or_default();
                self.intake_bar(&name, &rows);
                intakes.insert(name, (*first, *last));
            }
        }
        for (at, producer) in (0_u32..).zip(&producers) {
            let Some(nib) = producer.query_selector(".nib").ok().flatten() else {
                continue;
            };
            let (card, nib) = (self.place(producer), self.place(&nib));
            let from = (card.right, nib.middle);
            let colour = format!("var(--p-{})", at % 6 + 1);
            let attribute = |name: &str| producer.get_attribute(name).unwrap_or_default();
            let (topic, name) = (attribute("data-topic"), attribute("data-producer"));
            if let Some((first, last)) = intakes.get(&topic) {
                let share = (f64::from(at) + 0.5) / f64::from(count.max(1));
                let y = first.middle + (last.middle - first.middle) * share;
                let rate: f64 = attribute("data-rate").parse().unwrap_or(0.0);
                let wide = format!("{:.1}", (rate / 80.0).clamp(1.5, 6.0));
                let d = curve(from, (first.left - 15.0, y));
                self.producer_line(format!("in {name} {topic}"), d, &name, &colour, &wide);
            }
            for strip in &strips {
                let owner = strip.closest(".topic").ok().flatten();
                let owner = owner.and_then(|topic| topic.get_attribute("data-topic"));
                let body = strip.query_selector(".body").ok().flatten();
                let (Some(body), true) = (body, owner.as_deref() == Some(topic.as_str())) else {
                    continue;
                };
                let body = self.place(&body);
                let y = body.top + 8.5 + (f64::from(at) - middle) * 3.0;
                let d = format!(
                    "{}L{:.1} {y:.1}",
                    curve(from, (body.left - 74.0, y)),
                    body.left - 4.0
                );
                let partition = strip.get_attribute("data-partition").unwrap_or_default();
                let key = in_key(&name, &partition);
                self.ways.insert(key.clone(), d.clone());
                self.producer_line(key, d, &name, &colour, "1.25");
                if let Some(line) = self.shapes.last_mut() {
                    line.attributes.push(("data-to", partition));
                }
            }
            let end = Shape::circle(format!("from {name}"), from);
            self.shapes.push(dot(end, &colour));
        }
    }

    fn producer_line(&mut self, key: String, d: String, name: &str, colour: &str, wide: &str) {
        let line = Shape::path(key, d)
            .with("data-from", name)
            .with("stroke", colour)
            .with("stroke-width", wide);
        self.shapes.push(match self.cut {
            true => line.with("stroke-dasharray", "3 5").with("opacity", ".5"),
            false => line.with("opacity", ".75"),
        });
    }

    /// The bar that shares what producers write among a topic's rows.
    fn intake_bar(&mut self, topic: &str, rows: &[Place]) {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return;
        };
        let x = first.left - 14.0;
        let mut d = format!(
            "M{x:.1} {:.1}V{:.1}",
            first.middle - 12.0,
            last.middle + 12.0
        );
        for row in rows {
            d.push_str(&format!("M{x:.1} {:.1}h10", row.middle));
        }
        let bar = Shape::path(format!("intake {topic}"), d).with("stroke", "var(--edge)");
        self.shapes.push(bar);
    }

    /// From the ports of a member's partitions to its card.
    fn member(&mut self, member: &Element) {
        let attribute = |name: &str| member.get_attribute(name).unwrap_or_default();
        let (group, name) = (attribute("data-group"), attribute("data-member"));
        let style = attribute("style");
        let colour = style.trim_start_matches("--c:").trim_end_matches(';');
        let state = attribute("data-state");
        let vanished = matches!(state.as_str(), "crashed" | "former");
        let card = self.place(member);
        let chips = member.query_selector(".chips").ok().flatten();
        let y0 = chips.map_or(card.middle, |chips| self.place(&chips).top + 10.0);
        let end = (card.left, y0);
        let (assigned, revoked) = (attribute("data-assigned"), attribute("data-revoked"));
        let owned = self.ports(&group, &assigned);
        let gone = self.ports(&group, &revoked);
        let ends = (assigned.is_empty() && !vanished).then_some(end);
        let member = Owner {
            group: &group,
            name: &name,
            colour,
            end,
            cut: self.cut || vanished,
        };
        if owned.len() > 2 && owned.iter().all(|(_, port)| port.tag_name() == "I") {
            self.bundle(&member, &owned);
        } else {
            self.own(&member, &owned);
        }
        self.gone(&member, &gone);
        if let Some((x, y)) = ends {
            let line = Shape::path(
                format!("stub {group} {name}"),
                format!("M{:.1} {y:.1}H{:.1}", x - 22.0, x - 4.0),
            );
            self.shapes.push(
                line.with("stroke", "var(--edge)")
                    .with("stroke-width", "1.5")
                    .with("stroke-dasharray", "1.5 4")
                    .with("stroke-linecap", "round"),
            );
            let end = Shape::circle(format!("open {group} {name}"), end);
            self.shapes.push(open(end, colour));
        }
    }

    /// The ports of partitions that are listed with commas, those that are on the page.
    fn ports(&self, group: &str, partitions: &str) -> Vec<(String, Element)> {
        let names = partitions.split(',').filter(|it| !it.is_empty());
        let ports = names.filter_map(|partition| {
            let wanted = format!("[data-port=\"{group}/{partition}\"]");
            let port = self.plane.query_selector(&wanted).ok()??;
            Some((partition.to_owned(), port))
        });
        ports.collect()
    }

    /// A line for each partition; one that is new takes hold.
    fn own(&mut self, member: &Owner<'_>, ports: &[(String, Element)]) {
        for (partition, port, end) in self.spread(member, ports) {
            let key = own_key(member.group, &partition, member.name);
            let d = curve((port.right, port.middle), end);
            let line = Shape::path(key.clone(), d.clone())
                .with("data-wire", &*partition)
                .with("data-owner", member.name)
                .with("stroke", member.colour)
                .with("stroke-width", "2");
            let delay = self.owned.saturating_mul(APART);
            self.owned = self.owned.saturating_add(1);
            self.shapes.push(match member.cut {
                true => line.with("stroke-dasharray", "3 5").with("opacity", ".7"),
                false => line.holding(delay),
            });
            let dot_key = format!("at {} {} {partition}", member.group, member.name);
            self.shapes
                .push(dot(Shape::circle(dot_key, end), member.colour));
            self.ways.insert(key, d);
        }
    }

    /// Where a rebalance has taken a partition away: a stub at its port, and the old way dotted.
    fn gone(&mut self, member: &Owner<'_>, ports: &[(String, Element)]) {
        for (partition, port, end) in self.spread(member, ports) {
            let from = (port.right, port.middle);
            let key = |what: &str| format!("{what} {}/{partition} {}", member.group, member.name);
            let way = curve(from, end);
            self.shapes.push(
                Shape::path(key("old"), way.clone())
                    .with("stroke", "var(--edge)")
                    .with("stroke-width", "1.25")
                    .with("stroke-dasharray", "1.5 5")
                    .with("stroke-linecap", "round"),
            );
            // A curve begins level: its first pixels are nearly straight.
            let tip = (from.0 + STUB, from.1 + (end.1 - from.1) * 0.06);
            self.shapes.push(
                Shape::path(key("let go"), way)
                    .with("class", "letgo")
                    .with("stroke-dasharray", format!("{STUB} 9999"))
                    .with("stroke", "var(--signal)")
                    .with("stroke-width", "2"),
            );
            let end = Shape::circle(key("tip"), tip).with("class", "tip-end");
            self.shapes.push(open(end, "var(--signal)"));
        }
    }

    /// Where each of a member's lines ends: beside each other at its card.
    fn spread(
        &self,
        member: &Owner<'_>,
        ports: &[(String, Element)],
    ) -> Vec<(String, Place, (f64, f64))> {
        let count = u32::try_from(ports.len()).unwrap_or(1);
        let middle = f64::from(count.saturating_sub(1)) / 2.0;
        let (x, y) = member.end;
        let ports = (0_u32..).zip(ports);
        let spread = ports.map(|(at, (partition, port))| {
            let end = (x, y + (f64::from(at) - middle) * 8.0);
            (partition.clone(), self.place(port), end)
        });
        spread.collect()
    }

    /// Many partitions of one member: thin lines that meet, and one on to its card.
    fn bundle(&mut self, member: &Owner<'_>, ports: &[(String, Element)]) {
        // All lines of rows begin beside them, not between their figures.
        let ports: Vec<(&str, Place)> = ports
            .iter()
            .map(|(partition, port)| {
                let row = port.closest(".rowof").ok().flatten();
                let right = row.map_or(0.0, |row| self.place(&row).right);
                let port = self.place(port);
                (partition.as_str(), Place { right, ..port })
            })
            .collect();
        let count = u32::try_from(ports.len()).unwrap_or(1).max(1);
        let sum: f64 = ports.iter().map(|(_, port)| port.middle).sum();
        let right = ports.iter().map(|(_, port)| port.right).fold(0.0, f64::max);
        let meet = (right + 28.0, sum / f64::from(count));
        let drawn = |line: Shape, wide: &str| {
            let line = line
                .with("data-owner", member.name)
                .with("stroke", member.colour)
                .with("stroke-width", wide);
            match member.cut {
                true => line.with("stroke-dasharray", "3 5"),
                false => line,
            }
        };
        for (partition, port) in ports {
            let d = curve((port.right + 2.0, port.middle), meet);
            let key = own_key(member.group, partition, member.name);
            let line = Shape::path(key, d).with("data-wire", partition);
            self.shapes.push(drawn(line, "1").with("opacity", ".8"));
        }
        let key = format!("bundle {} {}", member.group, member.name);
        let line = Shape::path(key.clone(), curve(meet, member.end));
        self.shapes.push(drawn(line, "2.5"));
        let end = Shape::circle(format!("end of {key}"), member.end);
        self.shapes.push(dot(end, member.colour));
    }
}

/// A member whose lines are drawn.
struct Owner<'a> {
    group: &'a str,
    name: &'a str,
    colour: &'a str,
    /// Where its lines end.
    end: (f64, f64),
    /// Whether nothing passes.
    cut: bool,
}

/// The end of a line.
fn dot(circle: Shape, colour: &str) -> Shape {
    circle
        .with("fill", colour)
        .with("stroke", "var(--bg)")
        .with("stroke-width", "2")
}

/// The end of a line that leads nowhere.
fn open(circle: Shape, colour: &str) -> Shape {
    circle
        .with("fill", "var(--bg)")
        .with("stroke", colour)
        .with("stroke-width", "1.75")
}

fn curve(from: (f64, f64), to: (f64, f64)) -> String {
    let bend = (to.0 - from.0) * 0.52;
    format!(
        "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
        from.0,
        from.1,
        from.0 + bend,
        from.1,
        to.0 - bend,
        to.1,
        to.0,
        to.1,
    )
}

pub(super) fn all(plane: &Element, selector: &str) -> Vec<Element> {
    let Ok(list) = plane.query_selector_all(selector) else {
        return Vec::new();
    };
    let nodes = (0..list.length()).filter_map(|at| list.get(at));
    nodes
        .filter_map(|node| node.dyn_into::<Element>().ok())
        .collect()
}
