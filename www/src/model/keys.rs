//! What a key press means, without a browser.

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    NextRegion,
    PreviousRegion,
    Time,
    Step,
    Slower,
    Faster,
    Broker,
    Send,
    Acknowledge,
    Drawer,
    Close,
    Help,
}

/// A key, what it does, and how the list of keys says both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortcut {
    /// As the browser names the key.
    key: &'static str,
    act: Act,
    pub(crate) label: &'static str,
    pub(crate) does: &'static str,
}

const fn shortcut(
    key: &'static str,
    act: Act,
    label: &'static str,
    does: &'static str,
) -> Shortcut {
    Shortcut {
        key,
        act,
        label,
        does,
    }
}

/// All of them, in the order of the list.
pub(crate) const SHORTCUTS: [Shortcut; 11] = [
    shortcut(
        "F6",
        Act::NextRegion,
        "F6",
        "the next region; with Shift the one before",
    ),
    shortcut(" ", Act::Time, "Space", "pause time, or let it run"),
    shortcut(".", Act::Step, ".", "one step, while time is paused"),
    shortcut("[", Act::Slower, "[", "slower"),
    shortcut("]", Act::Faster, "]", "faster"),
    shortcut("b", Act::Broker, "b", "stop or start the broker"),
    shortcut(
        "n",
        Act::Send,
        "n",
        "send one record: the producer in focus, else the first",
    ),
    shortcut(
        "a",
        Act::Acknowledge,
        "a",
        "acknowledge: the consumer in focus, else the first",
    ),
    shortcut("d", Act::Drawer, "d", "open or close the drawer"),
    shortcut("Escape", Act::Close, "Esc", "close what is open"),
    shortcut("?", Act::Help, "?", "this list"),
];

/// What has the focus, as far as keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Focus {
    /// Where one types or chooses: keys are for that.
    Field,
    /// A control that Space presses.
    Control,
    Elsewhere,
}

/// What that key does; `letters` says whether single keys act at all.
pub(crate) fn act(key: &str, shift: bool, focus: Focus, letters: bool) -> Option<Act> {
    let found = SHORTCUTS.iter().find(|shortcut| shortcut.key == key)?.act;
    match found {
        Act::NextRegion if shift => Some(Act::PreviousRegion),
        Act::NextRegion | Act::Close => Some(found),
        Act::Time if focus == Focus::Control => None,
        Act::PreviousRegion
        | Act::Time
        | Act::Step
        | Act::Slower
        | Act::Faster
        | Act::Broker
        | Act::Send
        | Act::Acknowledge
        | Act::Drawer
        | Act::Help => (letters && focus != Focus::Field).then_some(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_act_outside_fields_only_and_can_be_switched_off() {
        assert_eq!(act("b", false, Focus::Elsewhere, true), Some(Act::Broker));
        assert_eq!(act("b", false, Focus::Control, true), Some(Act::Broker));
        assert_eq!(act("b", false, Focus::Field, true), None);
        assert_eq!(act("b", false, Focus::Elsewhere, false), None);
        assert_eq!(act("q", false, Focus::Elsewhere, true), None);
    }

    #[test]
    fn space_belongs_to_the_control_that_has_the_focus() {
        assert_eq!(act(" ", false, Focus::Control, true), None);
        assert_eq!(act(" ", false, Focus::Elsewhere, true), Some(Act::Time));
    }

    #[test]
    fn regions_and_the_way_out_are_reached_from_everywhere() {
        for focus in [Focus::Field, Focus::Control, Focus::Elsewhere] {
            assert_eq!(act("F6", false, focus, false), Some(Act::NextRegion));
            assert_eq!(act("F6", true, focus, false), Some(Act::PreviousRegion));
            assert_eq!(act("Escape", false, focus, false), Some(Act::Close));
        }
    }
}
