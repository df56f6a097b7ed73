//! A regular expression for the names of topics, as JavaScript reads it.

use js_sys::{Array, Function, Reflect, RegExp};
use wasm_bindgen::prelude::*;

/// Matches whole names, as Kafka's own consumer does.
#[derive(Debug)]
pub(crate) struct Pattern(RegExp);

impl Pattern {
    /// # Errors
    /// What is wrong with the expression, for a person.
    pub(crate) fn new(expression: &str) -> Result<Self, String> {
        let whole = format!("^(?:{expression})$");
        // The class itself would throw past us.
        let made = Reflect::get(&js_sys::global(), &"RegExp".into()).and_then(|class| {
            Reflect::construct(
                class.unchecked_ref::<Function>(),
                &Array::of1(&whole.into()),
            )
        });
        match made {
            Ok(made) => Ok(Self(made.unchecked_into())),
            Err(_) => Err(format!("“{expression}” is no regular expression.")),
        }
    }

    /// Whether a topic of that name is meant.
    pub(crate) fn matches(&self, topic: &str) -> bool {
        self.0.test(topic)
    }
}
