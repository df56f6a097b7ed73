//! Shapes of an SVG by key: those that stay are changed, not drawn anew, so that what moves goes on
//! moving.

use std::cell::RefCell;

use partita_core::sorted::{SortedMap, SortedSet};
use wasm_bindgen::JsValue;
use web_sys::{AnimationEvent, Element};
use yew::TargetCast as _;

const NAMESPACE: Option<&str> = Some("http://www.w3.org/2000/svg");

/// A path or a circle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    /// Its name among all shapes.
    pub(super) key: String,
    pub(super) tag: &'static str,
    pub(super) attributes: Vec<(&'static str, String)>,
}

impl Shape {
    pub(super) fn path(key: String, d: String) -> Self {
        let attributes = vec![("d", d), ("fill", "none".to_owned())];
        Self {
            key,
            tag: "path",
            attributes,
        }
    }

    pub(super) fn circle(key: String, (x, y): (f64, f64)) -> Self {
        let attributes = vec![
            ("cx", format!("{x:.1}")),
            ("cy", format!("{y:.1}")),
            ("r", "3.5".to_owned()),
        ];
        Self {
            key,
            tag: "circle",
            attributes,
        }
    }

    /// A line that takes hold of something, and lets go of it at its end.
    pub(super) fn holding(self, delay: u32) -> Self {
        self.with("class", "hold")
            .with("pathLength", "1")
            .with("style", format!("animation-delay:{delay}ms"))
    }

    fn is_held(&self) -> bool {
        self.attributes.contains(&("class", "hold".to_owned()))
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }
}

thread_local! {
    /// What is drawn, by key.
    static DRAWN: RefCell<SortedMap<String, (Shape, Element)>> = const { RefCell::new(SortedMap::new()) };
}

/// A line that has let go goes at last.
pub(super) fn end(event: &AnimationEvent) {
    if let Some(line) = event.target_dyn_into::<Element>()
        && line.class_list().contains("going")
    {
        line.remove();
    }
}

/// Makes the SVG show these shapes, paths below circles.
pub(super) fn show(svg: &Element, shapes: Vec<Shape>) -> Result<(), JsValue> {
    DRAWN.with_borrow_mut(|drawn| {
        if svg.child_element_count() == 0 {
            drawn.clear();
        }
        let keys: SortedSet<&str> = shapes.iter().map(|it| it.key.as_str()).collect();
        let mut went = Ok(());
        drawn.retain(|key, (shape, element)| {
            let stays = keys.contains(key.as_str());
            if !stays && shape.is_held() {
                went = element.set_attribute("class", "going");
            } else if !stays {
                element.remove();
            }
            stays
        });
        went?;
        for shape in shapes {
            match drawn.get_mut(&shape.key) {
                Some((before, element)) => {
                    if *before != shape {
                        change(element, before, &shape)?;
                        *before = shape;
                    }
                }
                None => {
                    let element = create(svg, &shape)?;
                    drawn.insert(shape.key.clone(), (shape, element));
                }
            }
        }
        Ok(())
    })
}

fn create(svg: &Element, shape: &Shape) -> Result<Element, JsValue> {
    let document = svg.owner_document().ok_or(JsValue::UNDEFINED)?;
    let element = document.create_element_ns(NAMESPACE, shape.tag)?;
    for (name, value) in &shape.attributes {
        element.set_attribute(name, value)?;
    }
    match shape.tag {
        "path" => svg.prepend_with_node_1(&element)?,
        _ => svg.append_with_node_1(&element)?,
    }
    Ok(element)
}

fn change(element: &Element, before: &Shape, shape: &Shape) -> Result<(), JsValue> {
    for (name, _) in &before.attributes {
        if !shape.attributes.iter().any(|(it, _)| it == name) {
            element.remove_attribute(name)?;
        }
    }
    for attribute in &shape.attributes {
        if !before.attributes.contains(attribute) {
            element.set_attribute(attribute.0, &attribute.1)?;
        }
    }
    Ok(())
}
