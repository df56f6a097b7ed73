//! What several parts of the page use: icons, buttons, marks, names of members.

use std::rc::Rc;

use yew::prelude::*;

use crate::clients::consumer::PageConsumer;
use crate::model::cells::{key_colour, key_letters};
use crate::model::former::Former;
use crate::model::world::Group;
use crate::session::Session;

/// An icon of 16 pixels by its drawing.
pub(crate) fn icon(drawing: &'static str) -> Html {
    html! {
        <svg class="i" viewBox="0 0 16 16" aria-hidden="true"><path d={drawing} /></svg>
    }
}

pub(crate) const PAUSE: &str = "M5.5 3.5v9M10.5 3.5v9";
pub(crate) const PLAY: &str = "M5 3.5l7 4.5-7 4.5z";
pub(crate) const STEP: &str = "M3.5 3.5l6 4.5-6 4.5zM12.5 3.5v9";
pub(crate) const STOP: &str =
    "M5 4h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z";
pub(crate) const PLUS: &str = "M8 3.5v9M3.5 8h9";
pub(crate) const MORE: &str = "M3.5 8h.01M8 8h.01M12.5 8h.01";
pub(crate) const DOWN: &str = "M4 6.5l4 4 4-4";
pub(crate) const UP: &str = "M4 9.5l4-4 4 4";
pub(crate) const CLOSE: &str = "M4 4l8 8M12 4l-8 8";
pub(crate) const WARN: &str = "M8 2.3l6.2 11H1.8zM8 6.5v3.2M8 11.6h.01";
pub(crate) const CHECK: &str = "M3.5 8.5l3 3 6-7";
pub(crate) const HELP: &str = "M8 2.2a5.8 5.8 0 1 0 0 11.6 5.8 5.8 0 1 0 0-11.6zM6.2 6.4a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.8.6-.8 1.2M8 11.2h.01";
pub(crate) const SUN: &str = "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 1 0 0-11zM8 2.5v11";

/// A flag that flies back from its pole: committed.
pub(crate) fn flag_committed() -> Html {
    html! {
        <svg viewBox="0 0 11 12" aria-hidden="true">
            <path d="M11 0H0l3 4.5L0 9h11z" fill="currentColor" />
        </svg>
    }
}

/// A hollow flag that flies on: position.
pub(crate) fn flag_position() -> Html {
    html! {
        <svg viewBox="0 0 11 12" aria-hidden="true">
            <path d="M.7.7h9.2L7.2 4.5l2.7 3.8H.7z" fill="var(--bg)" stroke="currentColor"
                stroke-width="1.3" />
        </svg>
    }
}

/// Does something to the session at a click.
pub(crate) fn on_click(
    session: &Rc<Session>,
    act: impl Fn(&Rc<Session>) + 'static,
) -> Callback<MouseEvent> {
    let session = Rc::clone(session);
    Callback::from(move |event: MouseEvent| {
        event.stop_propagation();
        act(&session);
        session.changed();
    })
}

/// A small button with an icon and a text. `name` is what assistive tools say.
pub(crate) fn quiet(
    drawing: Option<&'static str>,
    text: &str,
    name: String,
    onclick: Callback<MouseEvent>,
) -> Html {
    let class = match text.is_empty() {
        true => "btn sm quiet icon",
        false => "btn sm quiet",
    };
    html! {
        <button type="button" {class} aria-label={name} {onclick}>
            { drawing.map(icon) }
            if !text.is_empty() { <span class="lbl">{ text.to_owned() }</span> }
        </button>
    }
}

/// A record as a small square: its key's colour and first letters.
pub(crate) fn mini(key: Option<&[u8]>, full: bool) -> Html {
    let colour = format!("k{}", key_colour(key));
    html! {
        <span class={classes!("mini", full.then_some("full"), colour)}>{ key_letters(key) }</span>
    }
}

/// A member as the page names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// `c1`, or the client id of a member from elsewhere; for what the page's own were, also when.
    pub(crate) name: String,
    /// Its colour, from 1 to 8.
    pub(crate) colour: u32,
}

/// What a member id is called.
pub(crate) fn known(session: &Session, group: &Group, member_id: &str) -> Option<Known> {
    if let Some(consumer) = own(session, member_id) {
        return Some(Known {
            name: consumer.name(),
            colour: colour(consumer.settings.borrow().number),
        });
    }
    if let Some(former) = former(session, member_id) {
        return Some(Known {
            name: format!("{} {}", former.name(), former.before()),
            colour: colour(former.number),
        });
    }
    let others = group.view.members.iter();
    let mut others = others.filter(|member| own(session, &member.member_id).is_none());
    let at = others.position(|member| member.member_id == member_id)?;
    let member = group
        .view
        .members
        .iter()
        .find(|it| it.member_id == member_id)?;
    let taken = session.consumers.borrow().len();
    let number = u32::try_from(taken.saturating_add(at)).unwrap_or(0);
    Some(Known {
        name: member.client_id.clone(),
        colour: colour(number.saturating_add(1)),
    })
}

/// The page's own consumer with that member id.
pub(crate) fn own(session: &Session, member_id: &str) -> Option<Rc<PageConsumer>> {
    let consumers = session.consumers.borrow();
    let mut all = consumers.values();
    all.find(|consumer| !member_id.is_empty() && consumer.member_id() == member_id)
        .cloned()
}

/// The consumer of the page that had that member id and is not that member any more.
pub(crate) fn former(session: &Session, member_id: &str) -> Option<Former> {
    match own(session, member_id) {
        Some(_) => None,
        None => session.member_ids.borrow().find(member_id),
    }
}

/// The colour of the consumer with that number.
pub(crate) fn colour(number: u32) -> u32 {
    (number.saturating_sub(1) % 8).saturating_add(1)
}

/// What went wrong with something, as a line of text.
pub(crate) fn problem(session: &Session, about: &str) -> Html {
    let ui = session.ui.borrow();
    match ui.problems.get(about) {
        Some(text) => html! { <p class="last bad" role="alert">{ text.clone() }</p> },
        None => Html::default(),
    }
}
