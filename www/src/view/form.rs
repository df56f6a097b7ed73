//! Forms: what a person typed, by the fields' names; and what an admin operation answers.

use std::rc::Rc;

use partita_core::client::ClientError;
use wasm_bindgen::JsCast as _;
use web_sys::{FormData, HtmlFormElement, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::clients::explain;
use crate::session::Session;

/// The fields of a form that was submitted.
pub(crate) struct Fields(FormData);

impl Fields {
    /// A field's text, without spaces around it.
    pub(crate) fn text(&self, name: &str) -> String {
        let value = self.0.get(name).as_string().unwrap_or_default();
        value.trim().to_owned()
    }

    /// A field's text as it is.
    pub(crate) fn raw(&self, name: &str) -> String {
        self.0.get(name).as_string().unwrap_or_default()
    }

    /// All that was chosen in a field.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let values = self.0.get_all(name);
        values.iter().filter_map(|it| it.as_string()).collect()
    }

    /// A field's whole number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }
}

/// Does something with the fields when a form is submitted.
pub(crate) fn on_submit(
    session: &Rc<Session>,
    act: impl Fn(&Rc<Session>, &Fields) + 'static,
) -> Callback<SubmitEvent> {
    let session = Rc::clone(session);
    Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        let form = event.target_dyn_into::<HtmlFormElement>();
        let fields = form.and_then(|form| FormData::new_with_form(&form).ok());
        if let Some(fields) = fields {
            act(&session, &Fields(fields));
            session.changed();
        }
    })
}

/// Does something with the value that was chosen in a `select`.
pub(crate) fn on_choice(
    session: &Rc<Session>,
    act: impl Fn(&Rc<Session>, String) + 'static,
) -> Callback<Event> {
    let session = Rc::clone(session);
    Callback::from(move |event: Event| {
        let target = event.target();
        let select = target.and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
        if let Some(select) = select {
            act(&session, select.value());
            session.changed();
        }
    })
}

/// Does something with the number of a slider or field while it moves.
pub(crate) fn on_number(
    session: &Rc<Session>,
    act: impl Fn(&Rc<Session>, f64) + 'static,
) -> Callback<InputEvent> {
    let session = Rc::clone(session);
    Callback::from(move |event: InputEvent| {
        let target = event.target();
        let input = target.and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some(value) = input.map(|input| input.value_as_number())
            && value.is_finite()
        {
            act(&session, value);
            session.changed();
        }
    })
}

/// A field that people type into.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct TypedProps {
    pub(crate) name: AttrValue,
    #[prop_or(AttrValue::Static("text"))]
    pub(crate) kind: AttrValue,
    /// What stands in it at first.
    #[prop_or_default]
    pub(crate) initial: AttrValue,
    #[prop_or_default]
    pub(crate) placeholder: AttrValue,
    /// Its name for assistive tools, if it has no label.
    #[prop_or_default]
    pub(crate) label: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) min: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) step: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) described_by: Option<AttrValue>,
}

/// A component, because the page is drawn anew with each record: a field that is drawn again is
/// set to its first value again, and what was typed is lost. This one is drawn once.
#[function_component(Typed)]
pub(crate) fn typed(props: &TypedProps) -> Html {
    html! {
        <input class="in" name={&props.name} type={&props.kind} value={&props.initial}
            placeholder={&props.placeholder} aria-label={props.label.clone()}
            min={props.min.clone()} step={props.step.clone()} aria-describedby={props.described_by.clone()}
            autocomplete="off" spellcheck="false" />
    }
}

/// One of several answers, drawn once for the same reason.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct AnswerProps {
    pub(crate) name: AttrValue,
    pub(crate) value: AttrValue,
    #[prop_or_default]
    pub(crate) chosen: bool,
}

#[function_component(Answer)]
pub(crate) fn answer(props: &AnswerProps) -> Html {
    html! {
        <input type="radio" name={&props.name} value={&props.value} checked={props.chosen} />
    }
}

/// A choice of several, drawn once for the same reason.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SeveralProps {
    pub(crate) name: AttrValue,
    /// The first one is chosen at first.
    pub(crate) values: Vec<String>,
}

#[function_component(Several)]
pub(crate) fn several(props: &SeveralProps) -> Html {
    let SeveralProps { name, values } = props;
    let first = values.first().map_or("", String::as_str);
    let shown = values.len().clamp(2, 5).to_string();
    html! {
        <select class="in" {name} multiple={values.len() > 1}
            size={(values.len() > 1).then_some(shown)}>
            { options(values.iter().map(|it| (it.as_str(), it.as_str())), first) }
        </select>
    }
}

/// The options of a `select`.
pub(crate) fn options<'a>(values: impl Iterator<Item = (&'a str, &'a str)>, chosen: &str) -> Html {
    values
        .map(|(value, text)| {
            html! {
                <option value={value.to_owned()} selected={value == chosen}>{ text.to_owned() }</option>
            }
        })
        .collect()
}

/// Notes how an admin operation went: closes what was open, or says what went wrong.
pub(crate) fn then(session: &Rc<Session>, about: &str) -> Box<dyn FnOnce(Result<(), ClientError>)> {
    let session = Rc::clone(session);
    let about = about.to_owned();
    Box::new(move |result| {
        {
            let mut ui = session.ui.borrow_mut();
            match result {
                Ok(()) => {
                    ui.problems.remove(&about);
                    ui.menu = None;
                }
                Err(error) => {
                    ui.problems.insert(about, explain(&error));
                }
            }
        }
        session.changed();
    })
}
