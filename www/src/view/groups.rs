//! The consumer groups: a flag, the state of the rebalance, the lag, the members.

use partita_core::sorted::SortedSet;
use std::rc::Rc;

use partita_core::broker::{GroupView, MemberView};
use partita_web::port::message::Status;
use yew::prelude::*;

use super::form::{Fields, Several, Typed, on_submit, options, then};
use super::former;
use super::hover::{term, term_at};
use super::member;
use super::parts::{self, CHECK, MORE, PLUS, icon, known, on_click, problem, quiet};
use super::ui::Menu;
use crate::clients::consumer::Pattern;
use crate::model::settings::{ASSIGNORS, ConsumerSettings};
use crate::model::terms::Term;
use crate::model::text;
use crate::model::world::Group;
use crate::session::Session;

/// Kafka's states, and how the track names them.
const STATES: [(Term, &str); 4] = [
    (Term::Empty, "Empty"),
    (Term::Preparing, "Preparing"),
    (Term::Completing, "Completing"),
    (Term::Stable, "Stable"),
];

pub(crate) fn view(session: &Rc<Session>) -> Html {
    let names: SortedSet<String> = {
        let world = session.world.borrow();
        let consumers = session.consumers.borrow();
        let own = consumers
            .values()
            .map(|it| it.settings.borrow().group.clone());
        world.groups.keys().cloned().chain(own).collect()
    };
    let adding = session.ui.borrow().is_open(&Menu::AddConsumer);
    html! {
        <section aria-label="Consumer groups">
            <div class="colhead">
                <h2>{ term(Term::ConsumerGroup, "Consumer groups") }</h2><span>{ names.len() }</span>
                { quiet(Some(PLUS), "Add", "Add a consumer".into(), on_click(session, |session| {
                    session.ui.borrow_mut().toggle(Menu::AddConsumer);
                })) }
            </div>
            if adding || names.is_empty() { { add_form(session) } }
            { for names.iter().map(|name| group(session, name)) }
        </section>
    }
}

/// The form that adds a consumer.
fn add_form(session: &Rc<Session>) -> Html {
    let topics: Vec<String> = {
        let world = session.world.borrow();
        world.visible_topics().map(|it| it.topic.clone()).collect()
    };
    let submit = on_submit(session, |session, fields| match chosen(fields) {
        Ok(settings) => {
            session.add_consumer(settings);
            let mut ui = session.ui.borrow_mut();
            ui.menu = None;
            ui.problems.remove("consumer");
        }
        Err(wrong) => {
            let mut ui = session.ui.borrow_mut();
            ui.problems.insert("consumer".into(), wrong);
        }
    });
    let several = topics.len() > 1;
    html! {
        <form class="card form addform" aria-label="Add a consumer" onsubmit={submit}>
            <label>{ "Group id" }<Typed name="group" initial="billing" /></label>
            <label>{ if several { "Topics" } else { "Topic" } }
                <Several name="topic" values={topics} /></label>
            <label>{ "or a pattern" }
                <Typed name="pattern" placeholder="orders\\..*" described_by="pattern-means" /></label>
            <p id="pattern-means" class="dim fine">
                if several { { "Ctrl or Shift chooses several topics. " } }
                { "A regular expression stands for all topics that it matches, also new ones." }
            </p>
            <label>{ "Assignor" }<select class="in" name="assignor">
                { options(ASSIGNORS.iter().map(|it| (*it, *it)), "range") }</select></label>
            <label>{ "Starts at" }<select class="in" name="reset">
                { options([("earliest", "the first record"), ("latest", "new records only")].into_iter(),
                    "earliest") }</select></label>
            <label>{ "Acknowledges" }<select class="in" name="acknowledge">
                { options([("self", "by itself"), ("hand", "by hand")].into_iter(), "self") }
            </select></label>
            { problem(session, "consumer") }
            <button class="btn sm solid wide">{ "Add consumer" }</button>
        </form>
    }
}

/// The consumer that a person described, or what is wrong with it.
fn chosen(fields: &Fields) -> Result<ConsumerSettings, String> {
    let (group, pattern, topics) = (
        fields.text("group"),
        fields.text("pattern"),
        fields.all("topic"),
    );
    if group.is_empty() {
        return Err("A consumer group needs an id.".into());
    }
    if pattern.is_empty() && topics.is_empty() {
        return Err("A consumer needs a topic or a pattern.".into());
    }
    if !pattern.is_empty() {
        Pattern::new(&pattern)?;
    }
    Ok(ConsumerSettings {
        topics,
        pattern: (!pattern.is_empty()).then_some(pattern),
        assignor: fields.text("assignor"),
        from_beginning: fields.text("reset") != "latest",
        manual: fields.text("acknowledge") == "hand",
        ..ConsumerSettings::new(0, group, "")
    })
}

fn group(session: &Rc<Session>, name: &str) -> Html {
    let group = session.world.borrow().groups.get(name).cloned();
    let lag = session.world.borrow().total_lag(name);
    let state = group
        .as_ref()
        .map_or("", |group| group.view.state.as_str())
        .to_owned();
    let generation = group.as_ref().map_or(0, |group| group.view.generation);
    let number = group.as_ref().map_or(1, |group| group.number);
    let members = member::members(session, name, group.as_ref());
    let menu = Menu::Group(name.to_owned());
    let open = session.ui.borrow().is_open(&menu);
    let (join, size) = (name.to_owned(), member::size(session));
    html! {
        <section class="group" key={name.to_owned()} style={format!("--g:var(--g-{number})")}
            data-group-id={name.to_owned()} data-state={state} data-lag={lag.to_string()}
            data-generation={generation.to_string()} aria-label={format!("Consumer group {name}")}>
            { said(session, name, group.as_ref()) }
            <div class="gh">
                <header class="gt">
                    <svg class="f" viewBox="0 0 12 14" aria-hidden="true">
                        <path d="M2 1v13" stroke="currentColor" stroke-width="1.6" />
                        <path d="M2 1l9 3.6L2 8.4z" fill="currentColor" />
                    </svg>
                    <h3>{ name.to_owned() }</h3>
                    <span class="gen" key={generation}>
                        { term(Term::Generation, "generation") }<span class="num">{ generation }</span>
                    </span>
                </header>
                { track(session, group.as_ref()) }
                { facts(session, group.as_ref()) }
                { lag_box(group.as_ref(), lag) }
                { why(session, group.as_ref()) }
                <div class="gacts">
                    { quiet(Some(PLUS), "Member", format!("Add a member to {name}"),
                        on_click(session, move |session| session.add_member(&join))) }
                    { quiet(Some(MORE), "", format!("More for group {name}"),
                        on_click(session, move |session| session.ui.borrow_mut().toggle(menu.clone()))) }
                </div>
                if open { { more(session, name) } }
                { problem(session, name) }
            </div>
            <ul class="members">
                { for members.iter().map(|member| member::card(session, name, member, size)) }
            </ul>
        </section>
    }
}

/// What has become of the group, for assistive tools to say.
fn said(session: &Session, name: &str, group: Option<&Group>) -> Html {
    let Some(group) = group.filter(|_| session.is_running()) else {
        return html! { <p class="sr" role="status"></p> };
    };
    let called = |member: &MemberView| {
        let known = known(session, group, &member.member_id);
        known.map_or_else(|| member.client_id.clone(), |it| it.name)
    };
    let text = text::group(name, &group.view, called);
    let now = session.link.now().monotonic.0;
    let mut world = session.world.borrow_mut();
    let saying = world.groups.get_mut(name).map(|it| it.said.say(now, text));
    html! { <p class="sr" role="status">{ saying }</p> }
}

fn track(session: &Session, group: Option<&Group>) -> Html {
    if !session.is_running() {
        return html! { <p class="gf">{ no_coordinator(&session.status.borrow()) }</p> };
    }
    let state = group.map_or("Empty", |group| group.view.state.as_str());
    let now = STATES.iter().position(|(it, _)| it.name() == state);
    html! {
        <ol class="states" aria-label="Group state">
            { for STATES.iter().enumerate().map(|(at, (state, short))| {
                let past = now.is_some_and(|now| at < now).then_some("past");
                let warn = state.name().contains("Rebalance").then_some("warn");
                let current = (now == Some(at)).then_some("step");
                html! {
                    <li class={classes!(past, warn)} aria-current={current}>
                        <i></i>{ term_at(*state, *short, current.is_some()) }</li>
                }
            }) }
        </ol>
    }
}

/// Why nobody coordinates the group here.
fn no_coordinator(status: &Status) -> &'static str {
    match status {
        Status::Waiting => "Its coordinator is the broker, and that runs in another tab.",
        Status::Starting | Status::Running { .. } => "No coordinator until the broker has started.",
        Status::Blocked => "No coordinator until an older tab lets the database go.",
        Status::Stopped => "No coordinator while the broker is stopped.",
        Status::Failed { .. } => "No coordinator while the broker cannot serve.",
    }
}

fn facts(session: &Session, group: Option<&Group>) -> Html {
    let Some(group) = group else {
        let joining = session.is_running().then_some("joining");
        return html! { <p class="gf">{ joining }</p> };
    };
    let view = &group.view;
    let leader = known(session, group, &view.leader).map(|it| it.name);
    let members = i64::try_from(view.members.len()).unwrap_or(0);
    html! {
        <p class="gf">
            if !view.protocol.is_empty() {
                <span>{ term(Term::Assignor, "assignor") }{ " " }<b>{ view.protocol.clone() }</b></span>
            }
            if let Some(leader) = leader {
                <span>{ term(Term::Leader, "leader") }{ " " }<b>{ leader }</b></span>
            }
            <span>{ text::count(members, "member") }</span>
        </p>
    }
}

fn lag_box(group: Option<&Group>, lag: i64) -> Html {
    let path = group.and_then(|group| group.lag.path(250.0, 40.0));
    let marks: Vec<_> = group
        .map(|group| group.lag.marks().collect())
        .unwrap_or_default();
    let shown = group.map_or(0, |group| group.lag.values().count());
    let place = |at: usize| {
        let before = crate::model::history::SECONDS.saturating_sub(shown);
        let second = u32::try_from(before.saturating_add(at)).unwrap_or(0);
        f64::from(second) / 59.0 * 100.0
    };
    html! {
        <div class="lagbox">
            <div class="fig"><small>{ term(Term::Lag, "total lag") }</small>{ text::number(lag) }</div>
            <div class="ch">
                <svg viewBox="0 0 250 44" preserveAspectRatio="none" role="img"
                    aria-label="Total lag over the last 60 s">
                    <path d="M0 40.5H250" stroke="var(--line)" vector-effect="non-scaling-stroke" />
                    { for marks.iter().map(|(at, _)| html! {
                        <path d={format!("M{:.1} 2V40", place(*at) * 2.5)} stroke="var(--signal)"
                            stroke-dasharray="2 2" vector-effect="non-scaling-stroke" />
                    }) }
                    <path d={path.unwrap_or_default()} fill="none" stroke="var(--g)"
                        stroke-width="1.5" vector-effect="non-scaling-stroke" />
                </svg>
                { for marks.iter().map(|(at, generation)| html! {
                    <span class="gm" style={format!("left:{:.1}%", place(*at))}>{ generation }</span>
                }) }
            </div>
        </div>
    }
}

/// In a rebalance: what is awaited, and from whom it has come.
fn why(session: &Session, group: Option<&Group>) -> Html {
    let Some(group) = group.filter(|_| session.is_running()) else {
        return Html::default();
    };
    let (words, what): (_, fn(&MemberView) -> bool) = match group.view.state.as_str() {
        "PreparingRebalance" => (
            "A member came or went, so all join again. The broker waits for JoinGroup from each.",
            |member| member.joined,
        ),
        "CompletingRebalance" => (
            "All have joined. The leader runs the assignor and sends the assignment with \
                 SyncGroup; then each member gets its part.",
            |member| member.synced,
        ),
        _ => return Html::default(),
    };
    let GroupView { state, members, .. } = &group.view;
    let is_there = |member: &MemberView| parts::former(session, &member.member_id).is_none();
    html! {
        <div class="why">
            <b class="mono">{ state.clone() }</b><br />{ words }
            if let Some(awaited) = former::awaited(session, group, what) { <p>{ awaited }</p> }
            <ul>{ for members.iter().filter(|member| is_there(member)).map(|member| {
                let name = known(session, group, &member.member_id).map(|it| it.name);
                html! {
                    <li class={classes!((!what(member)).then_some("dim"))}>
                        if what(member) { { icon(CHECK) } }
                        <span class="mono">{ name }</span>
                        { (!what(member)).then_some("not yet") }
                    </li>
                }
            }) }</ul>
        </div>
    }
}

/// What can be done to a group.
fn more(session: &Rc<Session>, name: &str) -> Html {
    let topics: SortedSet<String> = {
        let world = session.world.borrow();
        let commits = world.commits.keys().filter(|(group, _)| group == name);
        commits
            .map(|(_, partition)| partition.topic.clone())
            .collect()
    };
    let reset = |topic: &String, earliest: bool, text: &'static str| {
        let (group, topic) = (name.to_owned(), topic.clone());
        let label = format!("Reset {group} in {topic} to the {text}");
        quiet(
            None,
            text,
            label,
            on_click(session, move |session| {
                session
                    .admin
                    .reset_offsets(&group, &topic, earliest, then(session, &group));
            }),
        )
    };
    let delete = name.to_owned();
    html! {
        <div class="card popin" role="dialog" aria-label={format!("Group {name}")}>
            <p class="eff">{ "Only a group without members can be reset or deleted: the broker \
                refuses a commit from outside while it has some." }</p>
            { for topics.iter().map(|topic| html! {
                <div class="gacts"><span class="dim">{ format!("Reset {topic} to") }</span>
                    { reset(topic, true, "earliest") }{ reset(topic, false, "latest") }</div>
            }) }
            <button type="button" class="btn sm" aria-label={format!("Delete group {name}")}
                onclick={on_click(session, move |session| {
                    session.admin.delete_group(&delete, then(session, &delete));
                })}>{ "Delete the group" }</button>
        </div>
    }
}
