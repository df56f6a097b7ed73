//! What is open or chosen on the page: nothing of the broker's.

use partita_core::sorted::{SortedMap, SortedSet};

use partita_core::types::TopicPartition;

use crate::model::traffic::Shown;

/// Something that opens over the page; one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Menu {
    CreateTopic,
    /// What can be done to a topic.
    Topic(String),
    AddConsumer,
    /// What can be done to a group.
    Group(String),
    Producer(u32),
    Seek(u32),
    /// The controls of a member whose card is short.
    Member(u32),
}

/// A tab of the drawer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    #[default]
    Traffic,
    Offsets,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Ui {
    pub(crate) menu: Option<Menu>,
    pub(crate) inspected: Option<(TopicPartition, i64)>,
    /// Where the inspector of which record stands.
    pub(crate) inspector: Option<((TopicPartition, i64), String)>,
    pub(crate) tab: Tab,
    pub(crate) drawer_closed: bool,
    /// Whether the drawer was asked for where it is a sheet: on a small screen it begins closed.
    pub(crate) sheet: bool,
    /// Which requests are shown, and up to the how-manyeth while a person reads them.
    pub(crate) shown: Shown,
    pub(crate) held: Option<u64>,
    /// Rows that were opened to cells.
    pub(crate) opened: SortedSet<TopicPartition>,
    pub(crate) hero_dismissed: bool,
    /// The group that a person looked at last: records are coloured by what it has read.
    pub(crate) group: Option<String>,
    /// Whether the list of keys is open, and whether single keys are off.
    pub(crate) help: bool,
    pub(crate) keys_off: bool,
    /// How wide a strip's body is, in pixels.
    pub(crate) strip_width: f64,
    /// What went wrong with something that a person asked for, by what it was about.
    pub(crate) problems: SortedMap<String, String>,
}

impl Ui {
    /// Opens a menu, or closes it if it is open.
    pub(crate) fn toggle(&mut self, menu: Menu) {
        self.menu = match &self.menu {
            Some(open) if *open == menu => None,
            Some(_) | None => Some(menu),
        };
    }

    pub(crate) fn is_open(&self, menu: &Menu) -> bool {
        self.menu.as_ref() == Some(menu)
    }
}
