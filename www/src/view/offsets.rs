//! What the broker keeps for its groups, as the tree that ZooKeeper held in early Kafka.

use partita_core::sorted::SortedSet;
use std::rc::Rc;

use yew::prelude::*;

use super::parts::known;
use crate::model::world::owned;
use crate::session::Session;

/// A path and its entries: name, value, and whether there is something.
type Column = (String, Vec<(String, String, bool)>);

pub(crate) fn view(session: &Rc<Session>) -> Html {
    html! {
        <div class="trees">
            <p class="side">{ "Early Kafka kept these in ZooKeeper. Today they are records in the log " }
                <span class="mono">{ "__consumer_offsets" }</span>{ "; this tree is read from it, live." }</p>
            <div class="tree">
                { for columns(session).into_iter().map(|(path, rows)| html! {
                    <section key={path.clone()}><h4 title={path.clone()}>{ path }</h4><ul>
                        { for rows.into_iter().map(|(name, value, some)| html! {
                            <li><span>{ format!("/{name}") }</span>
                                <b class={(!some).then_some("dim")}>{ value }</b></li>
                        }) }
                    </ul></section>
                }) }
            </div>
        </div>
    }
}

fn columns(session: &Session) -> Vec<Column> {
    let world = session.world.borrow();
    let mut columns = Vec::new();
    for topic in world.visible_topics() {
        let rows = world.partitions_of(&topic.topic).map(|(name, it)| {
            let bounds = format!("{} … {}", it.log_start_offset, it.high_watermark);
            (name.partition.to_string(), bounds, true)
        });
        columns.push((
            format!("/brokers/topics/{}/partitions", topic.topic),
            rows.collect(),
        ));
    }
    for (name, group) in &world.groups {
        let committed = world.commits.keys().filter(|(group, _)| group == name);
        let topics: SortedSet<&str> = committed.map(|(_, it)| it.topic.as_str()).collect();
        for topic in topics {
            let commits = world.commits.values();
            let commits = commits.filter(|it| it.group == *name && it.topic == topic);
            let offsets = commits.map(|it| (it.partition.to_string(), it.offset.to_string(), true));
            columns.push((
                format!("/consumers/{name}/offsets/{topic}"),
                offsets.collect(),
            ));
            let owners = world.partitions_of(topic).map(|(partition, _)| {
                let mut members = group.view.members.iter();
                let owner = members.find(|member| owned(member, partition));
                let owner = owner.and_then(|it| known(session, group, &it.member_id));
                let (value, some) = match owner {
                    Some(owner) => (owner.name, true),
                    None => ("none".to_owned(), false),
                };
                (partition.partition.to_string(), value, some)
            });
            columns.push((
                format!("/consumers/{name}/owners/{topic}"),
                owners.collect(),
            ));
        }
        let ids = group.view.members.iter().map(|member| {
            let id = known(session, group, &member.member_id);
            let id = id.map_or_else(|| member.member_id.clone(), |it| it.name);
            let count = member.assigned.len();
            let what = match count {
                0 => "no partition".to_owned(),
                1 => "1 partition".to_owned(),
                _ => format!("{count} partitions"),
            };
            (id, what, count > 0)
        });
        columns.push((format!("/consumers/{name}/ids"), ids.collect()));
    }
    columns
}
