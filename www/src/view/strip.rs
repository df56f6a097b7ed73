//! A partition as a strip: records in offset order, the log's bounds, a lane for each group.

use std::rc::Rc;

use partita_core::broker::PartitionView;
use partita_core::types::TopicPartition;
use yew::prelude::*;

use super::parts::{Known, flag_committed, flag_position, known, on_click, own};
use crate::model::cells::{key_colour, key_letters};
use crate::model::strip::{Layout, PITCH};
use crate::model::terms::Term;
use crate::model::text;
use crate::model::world::{Committed, owned};
use crate::session::Session;

/// A record on the strip.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    offset: i64,
    state: &'static str,
    /// The colour of the member that has it, while one has.
    holder: Option<u32>,
    colour: u32,
    letters: String,
    selected: bool,
}

/// A group in this partition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lane {
    pub(super) group: String,
    pub(super) number: usize,
    pub(super) committed: Option<Committed>,
    pub(super) position: Option<i64>,
    pub(super) owner: Option<Known>,
}

/// All that a strip shows: it is drawn anew only when some of it changes.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct StripProps {
    name: TopicPartition,
    view: PartitionView,
    layout: Layout,
    cells: Vec<Cell>,
    lanes: Vec<Lane>,
    session: Rc<Session>,
}

/// What a strip shows now.
pub(crate) fn props(
    session: &Rc<Session>,
    name: TopicPartition,
    view: PartitionView,
) -> StripProps {
    let ui = session.ui.borrow();
    let width = if ui.strip_width > 100.0 {
        ui.strip_width
    } else {
        600.0
    };
    let layout = Layout::new(view.log_start_offset, view.log_end_offset, width);
    let groups = session.world.borrow().groups_at(&name);
    let lanes: Vec<Lane> = groups
        .into_iter()
        .map(|group| lane(session, &name, group))
        .collect();
    let in_hand = in_hand(session, &name);
    let records = session.cells.borrow();
    let looked_at = lanes.iter().find(|it| ui.group.as_ref() == Some(&it.group));
    let committed = looked_at
        .or_else(|| lanes.first())
        .map(|lane| lane.committed);
    let cells = layout.offsets().map(|offset| {
        let record = records.get(&name, offset);
        let key = record.and_then(|record| record.key.as_deref());
        let holder = in_hand.iter().find(|(at, _)| *at == offset);
        let acknowledged = committed.flatten().is_some_and(|it| offset < it.offset);
        Cell {
            offset,
            state: match holder {
                _ if offset >= view.high_watermark => "pending",
                Some(_) => "held",
                None if acknowledged => "done",
                None => "new",
            },
            holder: holder.map(|(_, colour)| *colour),
            colour: key_colour(key),
            letters: match record {
                Some(_) => key_letters(key),
                None => "·".into(),
            },
            selected: ui.inspected == Some((name.clone(), offset)),
        }
    });
    StripProps {
        cells: cells.collect(),
        layout,
        lanes,
        name,
        view,
        session: Rc::clone(session),
    }
}

pub(super) fn lane(session: &Session, name: &TopicPartition, group_id: String) -> Lane {
    let world = session.world.borrow();
    let group = world.groups.get(&group_id);
    let member = group.and_then(|group| {
        let mut members = group.view.members.iter();
        members.find(|member| owned(member, name))
    });
    let position = member
        .and_then(|member| own(session, &member.member_id))
        .and_then(|consumer| consumer.position(name));
    Lane {
        number: group.map_or(1, |group| group.number),
        committed: world.committed(&group_id, name),
        position,
        owner: group
            .zip(member)
            .and_then(|(group, member)| known(session, group, &member.member_id)),
        group: group_id,
    }
}

/// Which offsets of a partition the page's consumers work on, each with the consumer's colour.
fn in_hand(session: &Session, name: &TopicPartition) -> Vec<(i64, u32)> {
    let consumers = session.consumers.borrow();
    let working = consumers.values().filter_map(|consumer| {
        let at = consumer.processing()?;
        let colour = super::parts::colour(consumer.settings.borrow().number);
        (at.partition == *name).then_some((at.record.offset, colour))
    });
    working.collect()
}

/// A partition.
#[function_component(Strip)]
pub(crate) fn strip(props: &StripProps) -> Html {
    let StripProps {
        name, view, lanes, ..
    } = props;
    let owners = lanes.iter().map(|lane| match &lane.owner {
        Some(owner) => html! {
            <span class="owner"><i class="disc" style={format!("--c:var(--m-{})", owner.colour)}></i>
                { owner.name.clone() }</span>
        },
        None => html! { <span class="owner">{ format!("{}: no owner", lane.group) }</span> },
    });
    html! {
        <div class="strip" role="group" tabindex="0"
            aria-label={format!("Partition {name}")}
            data-partition={name.to_string()}
            data-log-start-offset={view.log_start_offset.to_string()}
            data-high-watermark={view.high_watermark.to_string()}
            data-log-end-offset={view.log_end_offset.to_string()}
            data-leader-epoch={view.leader_epoch.to_string()}
            data-online={view.online.to_string()}>
            <div class="gut">
                <b title={name.to_string()}>{ text::short(name) }</b>
                <span data-term={Term::LogStartOffset.name()}>{ format!("start {}", view.log_start_offset) }</span>
                { for lanes.iter().enumerate().map(|(at, lane)| html! {
                    <span class="gl" style={format!("--i:{at};--g:var(--g-{})", lane.number)}>
                        { lane.group.clone() }
                    </span>
                }) }
                { for owners }
            </div>
            <div class="body" style={format!("--lanes:{}", lanes.len())}>
                { bed(props) }
                { for lanes.iter().enumerate().map(|(at, lane)| draw_lane(props, at, lane)) }
            </div>
        </div>
    }
}

/// The rail, the cells, the ruler and the log's bounds.
fn bed(props: &StripProps) -> Html {
    let StripProps { view, layout, .. } = props;
    let (hw, end) = (view.high_watermark, view.log_end_offset);
    let at = |x: f64| format!("left:{x:.1}px");
    let end_x = layout.x(end);
    let slots = [(0.0, "cell slot"), (1.0, "cell slot far")].map(|(after, class)| {
        let x = end_x + after * PITCH + 1.0;
        html! { <span {class} style={moved(x)}></span> }
    });
    let flags: Vec<i64> = props
        .lanes
        .iter()
        .filter_map(|it| it.committed)
        .map(|it| it.offset)
        .collect();
    let ticks = layout.ticks().map(|(offset, large)| {
        let named = large && (offset - hw).abs() > 1 && !flags.contains(&offset);
        html! {
            <i key={offset} class={classes!("tick", large.then_some("big"))}
                style={moved(layout.x(offset))}>
                if named { <span class="tl">{ offset }</span> }
            </i>
        }
    });
    html! {
        <>
            <div class="bed"></div>
            <span class="rail" style={format!("width:{:.1}px", end_x + 17.0)}></span>
            <span class="drop" style={at(end_x + 13.0)}></span>
            { for props.cells.iter().map(|cell| draw_cell(props, cell)) }
            if layout.hidden() > 0 {
                <span class="fold" style={at(layout.fold_x())}
                    title={format!("{} more", text::count(layout.hidden(), "record"))}>
                    <svg viewBox="0 0 18 32" fill="none" stroke="currentColor" stroke-width="1.3"
                        aria-hidden="true">
                        <path d="M8 4L4 12l5 4-4 12M13 4l-4 8 5 4-4 12" />
                    </svg>
                </span>
            }
            { for slots }
            { for ticks }
            <span class="mark" style={moved(layout.x(hw))}>
                <span class={classes!("tl", "hw", flags.contains(&hw).then_some("beside"))}>{ hw }</span>
            </span>
            if hw == end {
                <span class="mk" style={at(end_x + 16.0)} data-term={Term::HighWatermark.name()}>{ "HW = LEO" }</span>
            } else {
                <span class="mk before" style={at(layout.x(hw))} data-term={Term::HighWatermark.name()}>{ "HW" }</span>
                <span class="mark leo" style={moved(end_x)}></span>
                <span class="mk leo" style={at(end_x + 16.0)} data-term={Term::LogEndOffset.name()}>
                    { format!("LEO {end}") }
                </span>
            }
        </>
    }
}

/// Where something stands that glides when the strip moves.
fn moved(x: f64) -> String {
    format!("transform:translateX({x:.1}px)")
}

fn draw_cell(props: &StripProps, cell: &Cell) -> Html {
    let words = match cell.state {
        "pending" => "not yet durable",
        "done" => "acknowledged",
        "held" => "being processed",
        _ => "not read yet",
    };
    let mut style = moved(props.layout.x(cell.offset) + 1.0);
    if let Some(colour) = cell.holder {
        style.push_str(&format!(";--c:var(--m-{colour})"));
    }
    let (name, offset) = (props.name.clone(), cell.offset);
    let id = format!("{name}@{offset}");
    let label = format!("{name} offset {offset}, {words}");
    let open = on_click(&props.session, move |session| {
        let mut ui = session.ui.borrow_mut();
        ui.inspected = Some((name.clone(), offset));
    });
    html! {
        <button type="button" key={offset.to_string()} {style} tabindex="-1" data-cell={id}
            aria-label={label} onclick={open}
            class={classes!("cell", format!("k{}", cell.colour), cell.state,
                cell.selected.then_some("sel"))}>
            { cell.letters.clone() }
        </button>
    }
}

/// What a group has committed and where its owner stands; the way between is the lag.
fn draw_lane(props: &StripProps, at: usize, lane: &Lane) -> Html {
    let StripProps {
        name, view, layout, ..
    } = props;
    let place = format!("{}/{name}", lane.group);
    let mut style = format!("--i:{at};--g:var(--g-{})", lane.number);
    if let Some(owner) = &lane.owner {
        style.push_str(&format!(";--c:var(--m-{})", owner.colour));
    }
    let end_x = layout.x(view.high_watermark);
    let committed = lane.committed.map(|it| {
        let x = layout.x(it.offset);
        html! {
            <>
                <span class="lag" style={format!("left:{x:.1}px;width:{:.1}px", (end_x - x).max(0.0))}>
                </span>
                <span class="flag c" role="img" data-term={Term::Committed.name()} data-committed={place.clone()}
                    data-offset={it.offset.to_string()} data-lag={it.lag.to_string()}
                    aria-label={format!("{} committed {}, lag {}", lane.group, it.offset, it.lag)}
                    style={moved(x)}>
                    { flag_committed() }<span>{ it.offset }</span>
                </span>
                <span class="lagn" data-term={Term::Lag.name()}>{ format!("lag {}", text::number(it.lag)) }</span>
            </>
        }
    });
    let position = lane.position.map(|position| {
        let beside = lane.committed.is_none_or(|it| it.offset != position);
        html! {
            <span class="flag p" role="img" data-term={Term::Position.name()} data-position={place.clone()}
                data-offset={position.to_string()}
                aria-label={format!("{} takes {position} next", lane.group)}
                style={moved(layout.x(position))}>
                { flag_position() }
                <span>{ beside.then_some(position) }</span>
            </span>
        }
    });
    let port = lane.owner.is_none().then_some("open");
    html! {
        <div class="lane" key={lane.group.clone()} {style}>
            <span class="base"></span>
            { position }
            { committed }
            <span class={classes!("port", port)} data-port={place}></span>
        </div>
    }
}
