//! The lines: from a producer to its partitions, from a partition to its owner.
//!
//! Drawn when all the rest has its place, and written only if they differ.

use std::cell::RefCell;
use std::fmt::Write as _;

use wasm_bindgen::JsCast as _;
use web_sys::Element;

use crate::session::Session;

thread_local! {
    /// What the lines were when they were last written.
    static DRAWN: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A place on the plane.
#[derive(Debug, Clone, Copy)]
struct Place {
    left: f64,
    right: f64,
    top: f64,
    middle: f64,
}

pub(crate) fn draw(session: &Session) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else {
        return;
    };
    let find = |selector: &str| document.query_selector(selector).ok().flatten();
    let (Some(svg), Some(plane)) = (find("svg.wires"), find(".plane")) else {
        return;
    };
    let drawn = lines(session, &plane);
    DRAWN.with_borrow_mut(|before| {
        if *before != drawn || svg.child_element_count() == 0 {
            svg.set_inner_html(&drawn);
            *before = drawn;
        }
    });
}

fn lines(session: &Session, plane: &Element) -> String {
    let mut out = String::new();
    let origin = plane.get_bounding_client_rect();
    let place = |element: &Element| {
        let rect = element.get_bounding_client_rect();
        Place {
            left: rect.left() - origin.left(),
            right: rect.right() - origin.left(),
            top: rect.top() - origin.top(),
            middle: rect.top() - origin.top() + rect.height() / 2.0,
        }
    };
    let cut = !session.is_running();
    let strips = all(plane, "[data-partition]");
    let producers = all(plane, "[data-producer]");
    let count = u32::try_from(producers.len()).unwrap_or(1);
    let middle = f64::from(count.saturating_sub(1)) / 2.0;
    for topic in all(plane, ".topic") {
        intake_bar(&mut out, &all(&topic, ".rowof"), &place);
    }
    for (at, producer) in (0_u32..).zip(&producers) {
        let Some(nib) = producer.query_selector(".nib").ok().flatten() else {
            continue;
        };
        let (card, nib) = (place(producer), place(&nib));
        let colour = format!("var(--p-{})", at % 6 + 1);
        let topic = producer.get_attribute("data-topic").unwrap_or_default();
        let name = producer.get_attribute("data-producer").unwrap_or_default();
        let intake = plane
            .query_selector(&format!(".topic[data-topic=\"{topic}\"]"))
            .ok()
            .flatten()
            .map_or_else(Vec::new, |topic| all(&topic, ".rowof"));
        if let (Some(first), Some(last)) = (intake.first(), intake.last()) {
            let (first, last) = (place(first), place(last));
            let share = (f64::from(at) + 0.5) / f64::from(count.max(1));
            let y = first.middle + (last.middle - first.middle) * share;
            let rate = producer.get_attribute("data-rate");
            let rate: f64 = rate.and_then(|rate| rate.parse().ok()).unwrap_or(0.0);
            let curve = curve((card.right, nib.middle), (first.left - 15.0, y));
            let (wide, dash) = ((rate / 80.0).clamp(1.5, 6.0), dash(cut));
            write(
                &mut out,
                format_args!(
                    "<path data-from=\"{name}\" d=\"{curve}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"{wide:.1}\" {dash}/>"
                ),
            );
        }
        for strip in &strips {
            if intake.contains(strip) {
                continue;
            }
            let owner = strip.closest(".topic").ok().flatten();
            let owner = owner.and_then(|topic| topic.get_attribute("data-topic"));
            let body = strip.query_selector(".body").ok().flatten();
            let (Some(body), true) = (body, owner.as_deref() == Some(topic.as_str())) else {
                continue;
            };
            let body = place(&body);
            let y = body.top + 8.5 + (f64::from(at) - middle) * 3.0;
            let curve = curve((card.right, nib.middle), (body.left - 74.0, y));
            let dash = dash(cut);
            write(
                &mut out,
                format_args!(
                    "<path data-from=\"{name}\" d=\"{curve}L{:.1} {y:.1}\" fill=\"none\" \
                 stroke=\"{colour}\" stroke-width=\"1.25\" {dash}/>",
                    body.left - 4.0,
                ),
            );
        }
        write(
            &mut out,
            format_args!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{colour}\" stroke=\"var(--bg)\" \
             stroke-width=\"2\"/>",
                card.right, nib.middle,
            ),
        );
    }
    for member in all(plane, "[data-member]") {
        member_lines(&mut out, plane, &member, &place, cut);
    }
    out
}

/// How a producer's line is drawn: dotted while nothing passes.
fn dash(cut: bool) -> &'static str {
    if cut {
        "stroke-dasharray=\"3 5\" opacity=\".5\""
    } else {
        "opacity=\".75\""
    }
}

/// The bar that shares what producers write among a topic's rows.
fn intake_bar(out: &mut String, rows: &[Element], place: &impl Fn(&Element) -> Place) {
    let rows: Vec<Place> = rows.iter().map(place).collect();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return;
    };
    let x = first.left - 14.0;
    write(
        out,
        format_args!(
            "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"var(--edge)\" stroke-width=\"2\"/>",
            first.middle - 12.0,
            last.middle + 12.0
        ),
    );
    for row in rows {
        write(
            out,
            format_args!(
                "<path d=\"M{x:.1} {:.1}h10\" stroke=\"var(--edge)\"/>",
                row.middle
            ),
        );
    }
}

/// From the ports of a member's partitions to its card.
fn member_lines(
    out: &mut String,
    plane: &Element,
    member: &Element,
    place: &impl Fn(&Element) -> Place,
    cut: bool,
) {
    let attribute = |name: &str| member.get_attribute(name).unwrap_or_default();
    let (assigned, group, name) = (
        attribute("data-assigned"),
        attribute("data-group"),
        attribute("data-member"),
    );
    let style = attribute("style");
    let colour = style
        .trim_start_matches("--c:")
        .trim_end_matches(';')
        .to_owned();
    let cut = cut || attribute("data-state") == "crashed";
    let card = place(member);
    let chips = member.query_selector(".chips").ok().flatten();
    let y0 = chips.map_or(card.middle, |chips| place(&chips).top + 10.0);
    let partitions: Vec<&str> = assigned.split(',').filter(|it| !it.is_empty()).collect();
    let ports: Vec<(&str, Element)> = partitions
        .iter()
        .filter_map(|partition| {
            let wanted = format!("[data-port=\"{group}/{partition}\"]");
            Some((*partition, plane.query_selector(&wanted).ok()??))
        })
        .collect();
    let bundled = ports.len() > 2 && ports.iter().all(|(_, port)| port.tag_name() == "I");
    if bundled {
        // All lines of rows begin beside them, not between their figures.
        let beside = |port: &Element| {
            let row = port.closest(".rowof").ok().flatten();
            let right = row.map_or(0.0, |row| place(&row).right);
            Place {
                right,
                ..place(port)
            }
        };
        let ports: Vec<(&str, Place)> =
            ports.iter().map(|(it, port)| (*it, beside(port))).collect();
        return bundle(out, &ports, (card.left, y0), &name, &colour, cut);
    }
    let middle = f64::from(
        u32::try_from(partitions.len())
            .unwrap_or(1)
            .saturating_sub(1),
    ) / 2.0;
    for (at, (partition, port)) in (0_u32..).zip(&ports) {
        let port = place(port);
        let y = y0 + (f64::from(at) - middle) * 8.0;
        let curve = curve((port.right, port.middle), (card.left, y));
        let dash = if cut {
            "stroke-dasharray=\"3 5\" opacity=\".7\""
        } else {
            ""
        };
        write(
            out,
            format_args!(
                "<path data-wire=\"{partition}\" data-owner=\"{name}\" d=\"{curve}\" fill=\"none\" \
             stroke=\"{colour}\" stroke-width=\"2\" {dash}/><circle cx=\"{:.1}\" cy=\"{y:.1}\" \
             r=\"3.5\" fill=\"{colour}\" stroke=\"var(--bg)\" stroke-width=\"2\"/>",
                card.left,
            ),
        );
    }
    if partitions.is_empty() && attribute("data-state") != "crashed" {
        write(
            out,
            format_args!(
                "<path d=\"M{:.1} {y0:.1}H{:.1}\" stroke=\"var(--edge)\" stroke-width=\"1.5\" \
             stroke-dasharray=\"1.5 4\" stroke-linecap=\"round\"/><circle cx=\"{:.1}\" \
             cy=\"{y0:.1}\" r=\"3.5\" fill=\"var(--bg)\" stroke=\"{colour}\" stroke-width=\"1.75\"/>",
                card.left - 22.0,
                card.left - 4.0,
                card.left,
            ),
        );
    }
}

/// Many partitions of one member: thin lines that meet, and one on to its card.
fn bundle(
    out: &mut String,
    ports: &[(&str, Place)],
    end: (f64, f64),
    name: &str,
    colour: &str,
    cut: bool,
) {
    let count = u32::try_from(ports.len()).unwrap_or(1).max(1);
    let sum: f64 = ports.iter().map(|(_, port)| port.middle).sum();
    let right = ports.iter().map(|(_, port)| port.right).fold(0.0, f64::max);
    let meet = (right + 28.0, sum / f64::from(count));
    let dash = if cut { "stroke-dasharray=\"3 5\"" } else { "" };
    for (partition, port) in ports {
        let curve = curve((port.right + 2.0, port.middle), meet);
        write(
            out,
            format_args!(
                "<path data-wire=\"{partition}\" data-owner=\"{name}\" d=\"{curve}\" \
             fill=\"none\" stroke=\"{colour}\" opacity=\".8\" {dash}/>"
            ),
        );
    }
    let curve = curve(meet, end);
    write(
        out,
        format_args!(
            "<path data-owner=\"{name}\" d=\"{curve}\" fill=\"none\" stroke=\"{colour}\" \
         stroke-width=\"2.5\" {dash}/><circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" \
         fill=\"{colour}\" stroke=\"var(--bg)\" stroke-width=\"2\"/>",
            end.0, end.1,
        ),
    );
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

fn all(plane: &Element, selector: &str) -> Vec<Element> {
    let Ok(list) = plane.query_selector_all(selector) else {
        return Vec::new();
    };
    let nodes = (0..list.length()).filter_map(|at| list.get(at));
    nodes
        .filter_map(|node| node.dyn_into::<Element>().ok())
        .collect()
}

fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    out.write_fmt(text).unwrap_or_default();
}
