//! The records that a member has read: a few to be seen, the rest for tools.

use std::collections::VecDeque;
use std::rc::Rc;

use yew::prelude::*;

use super::parts::mini;
use crate::clients::consumer::{Delivered, PageConsumer};

/// How many of the records read are to be seen; the rest of the list is for tools.
const RECENT: usize = 7;
/// Those that are not seen are drawn in blocks of so many.
const BLOCK: u64 = 50;

/// The list of what a consumer has read, if that is anything.
pub(super) fn recent(consumer: &PageConsumer) -> Html {
    let list = Rc::clone(&consumer.delivered.borrow());
    let total = consumer.delivered_total.get();
    if total == 0 {
        return Html::default();
    }
    html! { <Recent name={consumer.name()} {list} {total} /> }
}

/// The records that a member has read.
#[derive(Clone, Properties)]
struct RecentProps {
    name: String,
    list: Rc<VecDeque<Delivered>>,
    /// Changes with each record.
    total: u64,
}

impl PartialEq for RecentProps {
    fn eq(&self, other: &Self) -> bool {
        self.total == other.total && self.name == other.name
    }
}

#[function_component(Recent)]
fn recent_list(props: &RecentProps) -> Html {
    let RecentProps { name, list, total } = props;
    let count = |records: usize| u64::try_from(records).unwrap_or(0);
    let first = total.saturating_sub(count(list.len()));
    let seen = total.saturating_sub(count(RECENT)).max(first);
    let blocks = first / BLOCK..seen.div_ceil(BLOCK);
    html! {
        <ul class="recent" aria-label={format!("Last records of {name}")}>
            { for blocks.map(|block| {
                let from = block.saturating_mul(BLOCK).max(first);
                let to = block.saturating_add(1).saturating_mul(BLOCK).min(seen);
                let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(0);
                let list = Rc::clone(list);
                html! { <Block key={block} {list} {from} {to} {skip} /> }
            }) }
            { for (seen..).zip(list.iter().skip(list.len().saturating_sub(RECENT))).map(|(key, delivered)| {
                let place = format!("{}@{}", delivered.partition, delivered.record.offset);
                let record = mini(delivered.record.key.as_deref(), false);
                html! { <li {key} data-record={place.clone()} title={place}>{ record }</li> }
            }) }
        </ul>
    }
}

/// Some of the records that are not seen: what does not change is not drawn again.
#[derive(Clone, Properties)]
struct BlockProps {
    list: Rc<VecDeque<Delivered>>,
    /// Which of all records that were ever delivered.
    from: u64,
    to: u64,
    /// Where the first of them stands in the list.
    skip: usize,
}

impl PartialEq for BlockProps {
    fn eq(&self, other: &Self) -> bool {
        (self.from, self.to) == (other.from, other.to)
    }
}

#[function_component(Block)]
fn block(props: &BlockProps) -> Html {
    let count = usize::try_from(props.to.saturating_sub(props.from)).unwrap_or(0);
    let records = props.list.iter().skip(props.skip).take(count);
    html! {
        <li class="sr"><ul>
            // The same record comes again after a rewind: the key is which delivery it was.
            { for (props.from..).zip(records).map(|(key, delivered)| {
                let place = format!("{}@{}", delivered.partition, delivered.record.offset);
                html! { <li {key} data-record={place}></li> }
            }) }
        </ul></li>
    }
}
