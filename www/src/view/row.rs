//! A partition as a row: its last ten seconds in bars, for a topic with many partitions or records.
//!
//! Bright bars are records that the first group has not committed; ▼ and ▲ stand where groups have
//! committed. The row opens to cells.

use std::rc::Rc;

use partita_core::broker::PartitionView;
use partita_core::types::TopicPartition;
use yew::prelude::*;

use super::parts::on_click;
use super::strip::{Lane, lane};
use crate::model::rates::{BARS, Bars};
use crate::model::text;
use crate::session::Session;

/// From this lag on a figure asks to be looked at.
const MUCH: i64 = 1_000;
const HEIGHT: f64 = 27.0;

/// All that a row shows.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct RowProps {
    name: TopicPartition,
    view: PartitionView,
    bars: Bars,
    /// The records that make a bar as high as the row: the same for all rows of a topic.
    most: u32,
    lanes: Vec<Lane>,
    session: Rc<Session>,
}

/// A topic's partitions as rows below their heads; `opened` ones are left out.
pub(crate) fn rows(
    session: &Rc<Session>,
    partitions: Vec<(TopicPartition, PartitionView)>,
) -> Html {
    let groups: Vec<(String, usize)> = {
        let world = session.world.borrow();
        let here = |group: &String| {
            let mut names = partitions.iter().map(|(name, _)| name);
            names.any(|name| world.groups_at(name).contains(group))
        };
        let groups = world.groups.iter().filter(|(name, _)| here(name));
        groups.map(|(name, it)| (name.clone(), it.number)).collect()
    };
    let all: Vec<Bars> = {
        let world = session.world.borrow();
        let bars = partitions.iter().map(|(name, _)| world.rates.get(name));
        bars.map(|bars| bars.cloned().unwrap_or_default()).collect()
    };
    let mut heights: Vec<u32> = all
        .iter()
        .flat_map(Bars::iter)
        .filter(|it| *it > 0)
        .collect();
    heights.sort_unstable();
    // A burst does not make all others small.
    let usual = heights.get(heights.len().saturating_mul(95) / 100);
    let most = usual.copied().unwrap_or(0).max(2);
    let columns = format!("--lags:{}", "68px ".repeat(groups.len()));
    html! {
        <>
            <div class="agg headrow" style={columns.clone()}>
                <span>{ "partition" }</span>
                <span>{ "records in the last 10 s, one bar = 100 ms" }</span>
                <span class="r">{ "rate /s" }</span>
                { for groups.iter().map(|(name, number)| html! {
                    <span class="r name" style={format!("color:var(--g-{number})")}
                        title={format!("Lag of {name}")}>{ format!("{name} lag") }</span>
                }) }
            </div>
            { for partitions.into_iter().zip(all).map(|((name, view), bars)| {
                let lanes = groups.iter().map(|(group, _)| lane(session, &name, group.clone()));
                let (key, lanes) = (name.to_string(), lanes.collect::<Vec<_>>());
                let session = Rc::clone(session);
                html! {
                    <div {key} style={columns.clone()} class="agg">
                        <Row {name} {view} {bars} {most} {lanes} {session} />
                    </div>
                }
            }) }
            <p class="legend">
                { for groups.iter().enumerate().map(|(at, (name, number))| html! {
                    <span style={format!("color:var(--g-{number})")} class="mark-of">
                        { mark(at) }<span>{ format!("{name} committed") }</span></span>
                }) }
                <span>{ "bright: not committed yet" }</span>
            </p>
        </>
    }
}

/// The first group's mark hangs from above, the others' stand below.
fn mark(at: usize) -> Html {
    let d = if at == 0 {
        "M0 0H10L5 8z"
    } else {
        "M0 8H10L5 0z"
    };
    html! {
        <svg viewBox="0 0 10 8" aria-hidden="true">
            <path {d} fill="currentColor" stroke="var(--bg)" />
        </svg>
    }
}

#[function_component(Row)]
fn row(props: &RowProps) -> Html {
    let RowProps {
        name,
        view,
        bars,
        most,
        lanes,
        session,
    } = props;
    let rate = bars.rate();
    let open = {
        let name = name.clone();
        on_click(session, move |session| {
            session.ui.borrow_mut().opened.insert(name.clone());
            session.follow();
        })
    };
    let waiting = lanes
        .first()
        .and_then(|lane| lane.committed)
        .map_or(0, |it| it.lag);
    let bright = BARS.saturating_sub(bars.back(waiting));
    html! {
        <div class="rowof" role="group" aria-label={format!("Partition {name}: {rate} records a second")}
            data-partition={name.to_string()}
            data-log-start-offset={view.log_start_offset.to_string()}
            data-high-watermark={view.high_watermark.to_string()}
            data-log-end-offset={view.log_end_offset.to_string()}
            data-leader-epoch={view.leader_epoch.to_string()}
            data-online={view.online.to_string()}>
            <button type="button" class="link" aria-label={format!("Show the records of {name}")}
                onclick={open} title={name.to_string()}>{ text::short(name) }</button>
            <div class="body seis">
                <svg class="bars" viewBox="0 0 100 27" preserveAspectRatio="none" aria-hidden="true">
                    <path d={bars.path(0, bright, *most, HEIGHT)} stroke="var(--edge)" />
                    <path d={bars.path(bright, BARS, *most, HEIGHT)} stroke="var(--ink)" />
                </svg>
                { for lanes.iter().enumerate().map(|(at, lane)| committed(name, bars, at, lane)) }
            </div>
            <span class="r">{ text::number(i64::try_from(rate).unwrap_or(i64::MAX)) }</span>
            { for lanes.iter().map(|lane| lag(name, lane)) }
        </div>
    }
}

fn committed(name: &TopicPartition, bars: &Bars, at: usize, lane: &Lane) -> Html {
    let Some(it) = lane.committed else {
        return Html::default();
    };
    let back = u32::try_from(bars.back(it.lag)).unwrap_or(0);
    let style = format!(
        "left:{:.0}%;color:var(--g-{});top:{}px",
        100.0 - f64::from(back),
        lane.number,
        if at == 0 { -4 } else { 23 },
    );
    html! {
        <span class="t" role="img" {style} data-committed={format!("{}/{name}", lane.group)}
            data-offset={it.offset.to_string()} data-lag={it.lag.to_string()}
            aria-label={format!("{} committed {}, lag {}", lane.group, it.offset, it.lag)}>
            { mark(at) }
        </span>
    }
}

fn lag(name: &TopicPartition, lane: &Lane) -> Html {
    let place = format!("{}/{name}", lane.group);
    let owner = lane.owner.as_ref();
    let colour = owner.map(|owner| format!("--c:var(--m-{})", owner.colour));
    let much = lane.committed.is_some_and(|it| it.lag >= MUCH);
    html! {
        <span class={classes!("r", much.then_some("much"))} key={lane.group.clone()}>
            { lane.committed.map(|it| text::number(it.lag)) }
            <i class={classes!("port", owner.is_none().then_some("open"))} style={colour}
                data-port={place.clone()} title={owner.map(|owner| owner.name.clone())}></i>
            if let Some(position) = lane.position {
                <span class="sr" data-position={place} data-offset={position.to_string()}></span>
            }
        </span>
    }
}
