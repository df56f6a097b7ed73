//! A member of a group: a round mark, its partitions, what it works on, what it has read.

use std::rc::Rc;

use partita_core::broker::MemberView;
use partita_core::client::consumer::ConsumerState;
use partita_core::types::TopicPartition;
use yew::prelude::*;

use super::controls;
use super::form::then;
use super::former;
use super::parts::{self, MORE, colour, known, on_click, own, quiet};
use super::progress::progress;
use super::recent::recent;
use super::ui::Menu;
use crate::clients::consumer::{Life, PageConsumer};
use crate::model::former::Former;
use crate::model::text;
use crate::model::world::Group;
use crate::session::Session;

/// What a member without a partition is told.
const WAITS: &str = "waits: more members than partitions";

/// A member: the page's own, what one of these was, or one that came from elsewhere.
pub(crate) enum Member {
    Own(Rc<PageConsumer>),
    Former(Former, MemberView),
    Other { view: MemberView, colour: u32 },
}

/// A group's members: the page's own by number, then the others.
pub(crate) fn members(session: &Session, group: &str, view: Option<&Group>) -> Vec<Member> {
    let consumers = session.consumers.borrow();
    let mine = consumers
        .values()
        .filter(|it| it.settings.borrow().group == group);
    let mut members: Vec<Member> = mine.cloned().map(Member::Own).collect();
    drop(consumers);
    if let Some(group) = view {
        let others = group.view.members.iter();
        let others = others.filter(|member| own(session, &member.member_id).is_none());
        members.extend(
            others.map(|member| match parts::former(session, &member.member_id) {
                Some(former) => Member::Former(former, member.clone()),
                None => Member::Other {
                    colour: known(session, group, &member.member_id).map_or(1, |it| it.colour),
                    view: member.clone(),
                },
            }),
        );
    }
    members
}

/// How much of a member is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    /// Controls stand behind a button.
    Middle,
    /// A line with figures, which opens.
    Row,
}

/// How much of each of the page's consumers is shown: the more there are, the less.
pub(crate) fn size(session: &Session) -> Size {
    match session.consumers.borrow().len() {
        0 | 1 => Size::Full,
        2..=4 => Size::Middle,
        _ => Size::Row,
    }
}

pub(crate) fn card(session: &Rc<Session>, group: &str, member: &Member, size: Size) -> Html {
    match member {
        Member::Own(consumer) => mine(session, group, consumer, size),
        Member::Former(former, view) => former::card(session, group, *former, view, size),
        Member::Other { view, colour } => other(session, group, view, *colour),
    }
}

/// How a consumer of the page stands: a word for tools, and words for people.
fn state(session: &Session, consumer: &PageConsumer) -> (&'static str, &'static str) {
    match consumer.life.get() {
        Life::Crashed => return ("crashed", "crashed"),
        Life::Leaving => return ("leaving", "leaving"),
        Life::Running => {}
    }
    if !session.is_running() {
        return ("retrying", "retrying");
    }
    match consumer.state() {
        ConsumerState::Idle => ("starting", "starting"),
        ConsumerState::Joining | ConsumerState::Assigning | ConsumerState::Syncing => {
            ("joining", "joining")
        }
        ConsumerState::Revoking => ("revoking", "lets go"),
        ConsumerState::Stopping => ("leaving", "leaving"),
        ConsumerState::Crashed => ("failed", "failed"),
        ConsumerState::Stable | ConsumerState::ByHand => {
            if consumer.partitions().is_empty() {
                ("waiting", "waits")
            } else if consumer.paused.get() {
                ("paused", "paused")
            } else if consumer.processing().is_some() {
                ("processing", "processing")
            } else {
                ("polling", "polling")
            }
        }
    }
}

fn mine(session: &Rc<Session>, group: &str, consumer: &Rc<PageConsumer>, size: Size) -> Html {
    let number = consumer.settings.borrow().number;
    let (name, colour) = (consumer.name(), colour(number));
    let (word, words) = state(session, consumer);
    let partitions: Vec<TopicPartition> = match word {
        // The broker gives its partitions to others when its session ends, not before.
        "crashed" => owned_by(session, group, &consumer.member_id()),
        _ => consumer
            .partitions()
            .into_iter()
            .map(|it| it.partition)
            .collect(),
    };
    let lag = {
        let world = session.world.borrow();
        let lags = partitions
            .iter()
            .filter_map(|it| world.committed(group, it));
        lags.fold(0_i64, |sum, it| sum.saturating_add(it.lag))
    };
    let class = match word {
        "waiting" | "joining" | "starting" => "waits",
        "crashed" | "failed" => "crash",
        _ => "",
    };
    let assigned = names(&partitions);
    let revoked = consumer.revoked.borrow().clone();
    let menu = Menu::Member(number);
    let opened = {
        let ui = session.ui.borrow();
        ui.is_open(&menu) || ui.is_open(&Menu::Seek(number))
    };
    let row = size == Size::Row && !opened;
    let controls = opened || size == Size::Full || word == "crashed";
    html! {
        <li class={classes!("card", "member", class, row.then_some("row"))} key={number}
            style={format!("--c:var(--m-{colour})")} data-member={name.clone()}
            data-group={group.to_owned()} data-assigned={assigned} data-state={word}
            data-revoked={names(&revoked)} data-member-id={consumer.member_id()}
            aria-label={format!("Member {name}")}>
            <div class="mh">
                <span class="disc" aria-hidden="true">{ number }</span>
                <b>{ name.clone() }</b>
                if row && !partitions.is_empty() {
                    <div class="chips">{ for partitions.iter().map(small_chip) }</div>
                } else if row && word == "waiting" {
                    <div class="chips"><span class="chip none">{ WAITS }</span></div>
                } else {
                    <span class="st">{ words }</span>
                }
                <span class="lg">{ (!partitions.is_empty()).then(|| format!("lag {}", text::number(lag))) }</span>
                if size != Size::Full {
                    { quiet(Some(MORE), "", format!("More for member {name}"), on_click(session, move |session| {
                        session.ui.borrow_mut().toggle(menu.clone());
                    })) }
                }
            </div>
            if row {
                <div class="bar3"><span style={format!("width:{:.1}%", share(lag))}></span></div>
                { recent(consumer) }
            } else {
                { whole(session, group, consumer, word, &partitions) }
                { controls::acknowledge(session, consumer) }
                if controls { { controls::view(session, consumer, word) } }
            }
        </li>
    }
}

/// A card below its head.
fn whole(
    session: &Rc<Session>,
    group: &str,
    consumer: &Rc<PageConsumer>,
    word: &str,
    partitions: &[TopicPartition],
) -> Html {
    let error = consumer.error.borrow().clone();
    html! {
        <>
            <div class="chips">{ chips(consumer, word, partitions) }{ recent(consumer) }</div>
            { progress(session, consumer, word) }
            if word == "crashed" { { crash_note(session, group, &consumer.member_id()) } }
            if let Some(error) = error { <p class="last bad">{ error }</p> }
            if word == "waiting" { { ways_out(session, group, consumer) } }
        </>
    }
}

/// A lag as the length of a bar, in percent: a thousand records are half of it.
fn share(lag: i64) -> f64 {
    let lag = f64::from(i32::try_from(lag.max(0)).unwrap_or(i32::MAX));
    lag / (lag + 1_000.0) * 100.0
}

/// A partition's number alone.
fn small_chip(partition: &TopicPartition) -> Html {
    let name = partition.to_string();
    html! {
        <span class="chip" key={name.clone()} data-chip={name.clone()} title={name}>
            { partition.partition }
        </span>
    }
}

/// The partitions that a member owns, as the broker has it.
fn owned_by(session: &Session, group: &str, member_id: &str) -> Vec<TopicPartition> {
    let world = session.world.borrow();
    let members = world.groups.get(group).map(|group| &group.view.members);
    let mut members = members.into_iter().flatten();
    let member = members.find(|member| member.member_id == member_id);
    member.map(partitions_of).unwrap_or_default()
}

/// What a member was assigned.
pub(super) fn partitions_of(member: &MemberView) -> Vec<TopicPartition> {
    let assigned = member.assigned.iter();
    assigned
        .map(|(topic, partition)| TopicPartition::new(topic.clone(), *partition))
        .collect()
}

/// A member that the page did not make.
fn other(session: &Session, group: &str, member: &MemberView, colour: u32) -> Html {
    let partitions = partitions_of(member);
    let (word, text) = match partitions.is_empty() {
        true if member.synced => ("waiting", "waits"),
        true => ("joining", "joining"),
        false => ("stable", "from elsewhere"),
    };
    let letter: String = member.client_id.chars().take(1).collect();
    html! {
        <li class={classes!("card", "member", partitions.is_empty().then_some("waits"))}
            key={member.member_id.clone()} style={format!("--c:var(--m-{colour})")}
            data-member={member.member_id.clone()} data-group={group.to_owned()}
            data-assigned={names(&partitions)} data-state={word}
            data-member-id={member.member_id.clone()}
            aria-label={format!("Member {}", member.client_id)}>
            <div class="mh">
                <span class="disc" aria-hidden="true">{ letter }</span>
                <b>{ member.client_id.clone() }</b><span class="st">{ text }</span>
                <span class="lg">{ member.client_host.clone() }</span>
            </div>
            <div class="chips">
                { for partitions.iter().map(chip) }
                if partitions.is_empty() { <span class="chip none">{ "no partition" }</span> }
            </div>
            { silence_note(session, group, &member.member_id) }
        </li>
    }
}

pub(super) fn names(partitions: &[TopicPartition]) -> String {
    let names = partitions.iter().map(ToString::to_string);
    names.collect::<Vec<_>>().join(",")
}

pub(super) fn chip(partition: &TopicPartition) -> Html {
    let name = partition.to_string();
    html! { <span class="chip" key={name.clone()} data-chip={name.clone()}>{ name }</span> }
}

/// Why a member waits, and what gives it a partition.
fn ways_out(session: &Rc<Session>, group: &str, waiting: &PageConsumer) -> Html {
    let name = waiting.name();
    let topic = waiting.topics(session).into_iter().next();
    let partitions = topic.and_then(|topic| {
        let world = session.world.borrow();
        let count = world.topics.get(&topic)?.partitions;
        Some((topic, count))
    });
    let owner = {
        let consumers = session.consumers.borrow();
        let mut others = consumers
            .values()
            .filter(|it| it.settings.borrow().group == group && it.life.get() == Life::Running);
        others.find(|it| !it.partitions().is_empty()).cloned()
    };
    let fact = match &partitions {
        Some((topic, count)) => {
            format!(
                ", and {topic} has {}",
                text::count((*count).into(), "partition")
            )
        }
        None => String::new(),
    };
    let out = |text: String, act: fn(&Rc<PageConsumer>), owner: &Rc<PageConsumer>| {
        let label = format!("{text}, so that {name} takes over");
        let owner = Rc::clone(owner);
        quiet(None, &text, label, on_click(session, move |_| act(&owner)))
    };
    html! {
        <>
            <p class="note">{ format!("Each partition has one owner in a group{fact}. {name} takes \
                over as soon as another member leaves or crashes.") }</p>
            <div class="macts outs">
                if let Some((topic, count)) = partitions {
                    <button type="button" class="btn sm" onclick={on_click(session, move |session| {
                        let more = count.saturating_add(1);
                        session.admin.grow_topic(&topic, more, then(session, &topic));
                    })}>{ format!("Add a {} partition", text::ordinal(count.saturating_add(1))) }</button>
                }
                if let Some(owner) = owner {
                    { out(format!("Let {} leave", owner.name()), |it| it.leave(), &owner) }
                    { out(format!("Crash {}", owner.name()), |it| it.crash(), &owner) }
                }
            </div>
        </>
    }
}

fn chips(consumer: &PageConsumer, word: &str, partitions: &[TopicPartition]) -> Html {
    let revoked = consumer.revoked.borrow();
    match word {
        "waiting" => {
            html! { <span class="chip none">{ WAITS }</span> }
        }
        "crashed" | "failed" | "retrying" | "leaving" if partitions.is_empty() => {
            html! { <span class="chip none">{ "no partition" }</span> }
        }
        "joining" | "starting" if partitions.is_empty() && revoked.is_empty() => {
            html! { <span class="chip none">{ "joining, no partition yet" }</span> }
        }
        _ => html! {
            <>
                { for partitions.iter().map(chip) }
                { for revoked.iter().map(|it| html! { <span class="chip gone">{ it.to_string() }</span> }) }
            </>
        },
    }
}

/// How long the broker still waits for a member, if it has not heard of it for a while, and the
/// whole time that it waits; both in milliseconds.
pub(super) fn session_left(session: &Session, group: &str, member_id: &str) -> Option<(u64, u64)> {
    let world = session.world.borrow();
    let group = world.groups.get(group)?;
    let mut members = group.view.members.iter();
    let member = members.find(|member| member.member_id == member_id)?;
    let since = session.link.now().monotonic.0.saturating_sub(group.seen_at);
    let left = member.session_ends_in?.saturating_sub(since);
    Some((left, u64::try_from(member.session_timeout).unwrap_or(0)))
}

fn crash_note(session: &Session, group: &str, member_id: &str) -> Html {
    match session_left(session, group, member_id) {
        Some((left, whole)) => {
            let text = format!(
                "It sent no LeaveGroup, so the broker waits: its partitions move in {} s, when \
                 session.timeout.ms ends.",
                left.div_ceil(1000)
            );
            countdown(&text, left, whole)
        }
        None => html! {
            <p class="sess">{ "The broker has given it up; its partitions went to the others." }</p>
        },
    }
}

/// A member from elsewhere that sends no heartbeats any more: its program has ended, say.
fn silence_note(session: &Session, group: &str, member_id: &str) -> Html {
    match session_left(session, group, member_id) {
        // Heartbeats come three times in a session or more.
        Some((left, whole))
            if session.is_running() && left.saturating_mul(5) < whole.saturating_mul(3) =>
        {
            let text = format!(
                "Perhaps the page before it was loaded anew. The broker gives it up in {} s, when \
                 session.timeout.ms ends.",
                left.div_ceil(1000)
            );
            countdown(&text, left, whole)
        }
        Some(_) | None => Html::default(),
    }
}

pub(super) fn countdown(text: &str, left: u64, whole: u64) -> Html {
    let share = left
        .saturating_mul(100)
        .checked_div(whole)
        .unwrap_or(0)
        .min(100);
    html! {
        <div class="sess" role="timer">
            <span><b>{ "No heartbeat. " }</b>{ text.to_owned() }</span>
            <div class="meter"><span style={format!("width:{share}%")}></span></div>
        </div>
    }
}
