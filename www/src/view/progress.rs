//! What a member works on, with a bar that is full when it is done.

use std::rc::Rc;

use yew::prelude::*;

use super::parts::mini;
use crate::clients::consumer::PageConsumer;
use crate::session::Session;

/// `word` is the member's state.
pub(super) fn progress(session: &Rc<Session>, consumer: &PageConsumer, word: &str) -> Html {
    let Some(now) = consumer.processing() else {
        return match word {
            "polling" => html! {
                <div class="now idle"><span class="mini slot"></span>
                    <span class="w">{ "polls for new records" }</span><span></span>
                    <span class="bar2"></span></div>
            },
            _ => Html::default(),
        };
    };
    let clock = session.clock.get();
    let seconds = millis(now.until.saturating_sub(now.since)) / 1_000.0;
    html! {
        <div class="now">
            { mini(now.record.key.as_deref(), true) }
            <span class="mono">{ format!("{}@{}", now.partition, now.record.offset) }</span>
            <span class="w">{ format!("{seconds:.1} s") }</span>
            <Bar since={now.since} until={now.until} speed={session.speed.get()}
                running={clock.rate > 0.0} session={Rc::clone(session)} />
        </div>
    }
}

fn millis(value: u64) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

#[derive(Clone, PartialEq, Properties)]
struct BarProps {
    /// Times of the broker's clock, in milliseconds.
    since: u64,
    until: u64,
    speed: f64,
    running: bool,
    session: Rc<Session>,
}

/// Drawn only when one of these changes: from then on it grows by itself.
#[function_component(Bar)]
fn bar(props: &BarProps) -> Html {
    let gone = props
        .session
        .link
        .now()
        .monotonic
        .0
        .saturating_sub(props.since);
    let length = props.until.saturating_sub(props.since);
    let play = if props.running { "running" } else { "paused" };
    let style = format!(
        "animation-duration:{:.0}ms;animation-delay:-{:.0}ms;animation-play-state:{play}",
        millis(length) / props.speed,
        millis(gone) / props.speed,
    );
    // Another key is another element, whose animation begins anew.
    let key = format!("{} {} {play}", props.since, props.speed);
    html! { <span class="bar2" {key}><span class="grow" {style}></span></span> }
}
