//! What the page's consumers were: members that have vanished, which their group still counts.

use std::rc::Rc;

use partita_core::broker::MemberView;
use yew::prelude::*;

use super::member::{Size, chip, countdown, names, partitions_of, session_left};
use super::parts::{self, colour};
use crate::model::former::Former;
use crate::model::text;
use crate::model::world::Group;
use crate::session::Session;

/// A consumer as it was, until its session has run out.
pub(super) fn card(
    session: &Rc<Session>,
    group: &str,
    former: Former,
    member: &MemberView,
    size: Size,
) -> Html {
    let partitions = partitions_of(member);
    let row = size == Size::Row;
    let name = format!("{} {}", former.name(), former.before());
    let left = session_left(session, group, &member.member_id).filter(|_| session.is_running());
    html! {
        <li class={classes!("card", "member", "former", row.then_some("row"))}
            key={member.member_id.clone()}
            style={format!("--c:var(--m-{})", colour(former.number))}
            data-member={member.member_id.clone()} data-group={group.to_owned()}
            data-assigned={names(&partitions)} data-state="former" data-former={former.name()}
            data-member-id={member.member_id.clone()} aria-label={format!("Member {name}")}>
            <div class="mh">
                <span class="disc" aria-hidden="true">{ former.number }</span>
                <b>{ former.name() }</b><span class="st">{ former.before() }</span>
                <span class="lg">{ left.filter(|_| row).map(|(left, _)| format!("{} left", text::seconds(left))) }</span>
            </div>
            if !row {
                if !partitions.is_empty() {
                    <div class="chips">{ for partitions.iter().map(chip) }</div>
                }
                { note(former, left) }
            }
        </li>
    }
}

/// How it vanished, and until when its group keeps it, if the broker has told that.
fn note(former: Former, left: Option<(u64, u64)>) -> Html {
    let vanished = former.vanished();
    match left {
        Some((left, whole)) => {
            let left_in_words = text::seconds(left);
            let text = format!(
                "{vanished} and sent no LeaveGroup, so it stays a member for {left_in_words} more, \
                 until session.timeout.ms ends."
            );
            countdown(&text, left, whole)
        }
        None => html! {
            <p class="sess">{ format!("{vanished} and sent no LeaveGroup, so it stays a member \
                until session.timeout.ms ends.") }</p>
        },
    }
}

/// Whose former sessions a group that rebalances waits for, if for any; `arrived` says which
/// members have sent what it waits for.
pub(super) fn awaited(
    session: &Session,
    group: &Group,
    arrived: impl Fn(&MemberView) -> bool,
) -> Option<String> {
    let view = &group.view;
    let missing = view.members.iter().filter(|member| !arrived(member));
    let mut names = Vec::new();
    let mut longest = None;
    for member in missing {
        if let Some(former) = parts::former(session, &member.member_id) {
            names.push(former.name());
            let left = session_left(session, &view.group, &member.member_id);
            longest = longest.max(left.map(|(left, _)| left));
        }
    }
    text::former_sessions(&names, longest)
}
