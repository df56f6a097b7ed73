//! The topics, each with its partitions as strips.

use std::rc::Rc;

use partita_core::broker::TopicView;
use yew::prelude::*;

use super::form::{Typed, on_submit, then};
use super::hover::term;
use super::parts::{MORE, PLUS, flag_committed, flag_position, on_click, problem, quiet};
use super::strip::{self, Strip};
use super::ui::Menu;
use super::{notices, row};
use crate::model::settings::topic_name_problem;
use crate::model::terms::Term;
use crate::model::text;
use crate::session::Session;

pub(crate) fn view(session: &Rc<Session>, measure: NodeRef) -> Html {
    let topics: Vec<TopicView> = session.world.borrow().visible_topics().cloned().collect();
    let creating = session.ui.borrow().is_open(&Menu::CreateTopic) || topics.is_empty();
    html! {
        <section class="col-topics" aria-label="Topics">
            <div class="colhead">
                <h2>{ "Topics" }</h2><span>{ topics.len() }</span>
                { quiet(Some(PLUS), "Create", "Create a topic".into(), on_click(session, |session| {
                    session.ui.borrow_mut().toggle(Menu::CreateTopic);
                })) }
            </div>
            <div class="measure" ref={measure}></div>
            if creating { { create_form(session) } }
            { for topics.iter().map(|it| topic(session, it)) }
            if !topics.iter().all(|it| session.world.borrow().in_rows(&it.topic)) { { legend(session) } }
            { notices::tries(session) }
        </section>
    }
}

/// The form that creates a topic.
pub(crate) fn create_form(session: &Rc<Session>) -> Html {
    let submit = on_submit(session, |session, fields| {
        let name = fields.text("name");
        let partitions = fields
            .number("partitions")
            .and_then(|it| i32::try_from(it).ok());
        let wrong = match (topic_name_problem(&name), partitions) {
            (Some(wrong), _) => Some(wrong),
            (None, Some(1..=10_000)) => None,
            (None, Some(_) | None) => Some("A topic has at least one partition."),
        };
        match wrong {
            Some(wrong) => {
                let mut ui = session.ui.borrow_mut();
                ui.problems.insert("create".into(), wrong.to_owned());
            }
            None => {
                session
                    .admin
                    .create_topic(&name, partitions.unwrap_or(1), then(session, "create"))
            }
        }
    });
    html! {
        <form class="mkform" aria-label="Create a topic" onsubmit={submit}>
            <div class="rowf">
                <label>{ "Name" }<Typed name="name" initial="orders" described_by="topic-names" /></label>
                <label>{ "Partitions" }<Typed name="partitions" kind="number" min="1" initial="2" /></label>
                <button class="btn solid">{ "Create topic" }</button>
            </div>
            { problem(session, "create") }
            <p id="topic-names" class="dim fine">
                { "Letters, digits, dot, underscore and hyphen, 249 at most." }
            </p>
        </form>
    }
}

fn topic(session: &Rc<Session>, topic: &TopicView) -> Html {
    let name = topic.topic.clone();
    let partitions: Vec<_> = {
        let world = session.world.borrow();
        let all = world.partitions_of(&name);
        all.map(|(name, view)| (name.clone(), view.clone()))
            .collect()
    };
    let (rows, strips): (Vec<_>, Vec<_>) = {
        let (world, ui) = (session.world.borrow(), session.ui.borrow());
        let in_rows = world.in_rows(&name);
        let all = partitions.into_iter();
        all.partition(|(partition, _)| in_rows && !ui.opened.contains(partition))
    };
    let menu = Menu::Topic(name.clone());
    let open = session.ui.borrow().is_open(&menu);
    let configs = topic
        .configs
        .iter()
        .map(|(key, value)| format!("{key} {value}"));
    let configs = configs.collect::<Vec<_>>().join(" · ");
    let (grow, grown) = (name.clone(), topic.partitions.saturating_add(1));
    html! {
        <section class="topic" key={name.clone()} data-topic={name.clone()}
            aria-label={format!("Topic {name}")}>
            <header class="th">
                <h3>{ name.clone() }</h3>
                <span class="facts">{ term(Term::Partition, text::count(topic.partitions.into(), "partition")) }</span>
                <span class="facts mono">{ configs }</span>
                <div class="acts">
                    { quiet(Some(PLUS), "Partition", format!("Add a partition to {name}"),
                        on_click(session, move |session| {
                            session.admin.grow_topic(&grow, grown, then(session, &grow));
                        })) }
                    { quiet(Some(MORE), "", format!("More for topic {name}"),
                        on_click(session, move |session| session.ui.borrow_mut().toggle(menu.clone()))) }
                </div>
                if open { { more(session, &name) } }
            </header>
            { problem(session, &name) }
            { for strips.into_iter().map(|(partition, view)| {
                let key = partition.to_string();
                let props = strip::props(session, partition, view);
                html! { <Strip {key} ..props /> }
            }) }
            if !rows.is_empty() { { row::rows(session, rows) } }
        </section>
    }
}

/// What can be done to a topic.
fn more(session: &Rc<Session>, name: &str) -> Html {
    let delete = name.to_owned();
    html! {
        <div class="pop at-right" role="dialog" aria-label={format!("Topic {name}")}>
            <h4>{ format!("Topic {name}") }</h4>
            <p class="eff">{ "Deleting takes its records and what groups have committed in it." }</p>
            <button type="button" class="btn sm" aria-label={format!("Delete topic {name}")}
                onclick={on_click(session, move |session| {
                    session.admin.delete_topic(&delete, then(session, &delete));
                })}>{ "Delete the topic" }</button>
        </div>
    }
}

/// What the cells and flags mean.
fn legend(session: &Session) -> Html {
    let done = {
        let (world, ui) = (session.world.borrow(), session.ui.borrow());
        let looked_at = ui.group.clone().filter(|it| world.groups.contains_key(it));
        match looked_at.or_else(|| world.groups.keys().next().cloned()) {
            Some(group) if world.groups.len() > 1 => format!("acknowledged by {group}"),
            Some(_) | None => "acknowledged".to_owned(),
        }
    };
    let cell = |class: &'static str, text: &str| {
        html! {
            <li style="--c:var(--m-1)"><i class={classes!("sw", "cell", "k2", class)}></i>{ text.to_owned() }</li>
        }
    };
    html! {
        <ul class="legend" aria-label="Legend">
            { cell("done", &done) }
            { cell("held", "with a consumer") }
            { cell("new", "unread") }
            { cell("pending", "not yet durable") }
            <li class="mark-of">{ flag_committed() }{ term(Term::Committed, "committed") }</li>
            <li class="mark-of">{ flag_position() }{ term(Term::Position, "position") }</li>
            <li><b>{ "HW" }</b>{ term(Term::HighWatermark, "high watermark") }</li>
            <li><b>{ "LEO" }</b>{ term(Term::LogEndOffset, "log end offset") }</li>
        </ul>
    }
}
