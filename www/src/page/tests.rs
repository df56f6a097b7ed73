//! The page shows what the broker tells, whoever made it: a host at the other end of a channel, of
//! which the tests say what it tells.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use partita_core::broker::{
    BrokerState, CommitView, Event, GroupView, MemberView, PartitionView, TopicView,
};
use partita_web::port::message::{Status, ToClient};
use serde::Serialize as _;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Element, HtmlElement, MessageChannel, MessageEvent, MessagePort};

use super::*;

wasm_bindgen_test_configure!(run_in_browser);

/// A page, and the host's end of its port.
struct Page {
    root: Element,
    host: MessagePort,
    /// The types of what the page has said to the host.
    said: Rc<RefCell<Vec<String>>>,
}

impl Page {
    fn open() -> Self {
        let document = web_sys::window().unwrap().document().unwrap();
        let storage = web_sys::window().unwrap().local_storage().unwrap().unwrap();
        storage.clear().unwrap();
        if let Some(before) = document.get_element_by_id("app") {
            before.remove();
        }
        let root = document.create_element("div").unwrap();
        document.body().unwrap().append_child(&root).unwrap();
        root.set_id("app");
        let channel = MessageChannel::new().unwrap();
        let said: Rc<RefCell<Vec<String>>> = Rc::default();
        let heard = Rc::clone(&said);
        let hear = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let kind = js_sys::Reflect::get(&event.data(), &"type".into()).unwrap();
            heard.borrow_mut().extend(kind.as_string());
        });
        let host = channel.port2();
        host.set_onmessage(Some(hear.as_ref().unchecked_ref()));
        hear.forget();
        let link = PortLink::new(channel.port1().unchecked_into());
        run_page(&link, Function::new_no_args("")).unwrap();
        Self { root, host, said }
    }

    fn tell(&self, message: &ToClient) {
        let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
        self.host
            .post_message(&message.serialize(&serializer).unwrap())
            .unwrap();
    }

    /// The host runs, and tells these events.
    fn show(&self, events: Vec<Event>) {
        self.tell(&ToClient::Status(Status::Running { epoch: 1 }));
        let events = serde_wasm_bindgen::to_value(&events).unwrap();
        self.tell(&ToClient::Events { events });
    }

    /// Waits until the page has such an element; the runner ends a test that waits for ever.
    async fn find(&self, selector: &str) -> HtmlElement {
        loop {
            if let Some(found) = self.root.query_selector(selector).unwrap() {
                return found.unchecked_into();
            }
            next_task().await;
        }
    }

    fn count(&self, selector: &str) -> u32 {
        self.root.query_selector_all(selector).unwrap().length()
    }
}

/// Lets the page handle its messages and draw.
async fn next_task() {
    let task = Promise::new(&mut |resolve, _| {
        web_sys::window()
            .unwrap()
            .set_timeout_with_callback(&resolve)
            .unwrap();
    });
    JsFuture::from(task).await.unwrap();
}

fn topic(partitions: i32) -> Event {
    Event::Topic(TopicView {
        topic: "orders".into(),
        id: "QUJDREVGR0hJSktMTU5PUA".into(),
        internal: false,
        partitions,
        configs: Vec::new(),
    })
}

fn partition(partition: i32, log_start: i64, high_watermark: i64, log_end: i64) -> Event {
    Event::Partition(PartitionView {
        topic: "orders".into(),
        partition,
        log_start_offset: log_start,
        high_watermark,
        log_end_offset: log_end,
        leader_epoch: 0,
        size: 0,
        online: true,
    })
}

fn member(id: &str, assigned: &[i32]) -> MemberView {
    MemberView {
        member_id: id.into(),
        group_instance_id: None,
        client_id: "elsewhere".into(),
        client_host: "/127.0.0.1".into(),
        joined: true,
        synced: true,
        session_ends_in: Some(30_000),
        session_timeout: 30_000,
        assigned: assigned
            .iter()
            .map(|it| ("orders".to_owned(), *it))
            .collect(),
        subscribed: vec!["orders".into()],
    }
}

fn group(generation: i32, members: Vec<MemberView>) -> Event {
    Event::Group(GroupView {
        group: "billing".into(),
        state: "Stable".into(),
        generation,
        protocol_type: "consumer".into(),
        protocol: "range".into(),
        leader: "m1".into(),
        rebalance_ends_in: None,
        members,
    })
}

fn commit(partition: i32, offset: i64) -> Event {
    Event::Commit(CommitView {
        group: "billing".into(),
        topic: "orders".into(),
        partition,
        offset,
        metadata: String::new(),
        log_partition: 0,
        log_offset: 0,
    })
}

#[wasm_bindgen_test]
async fn a_broker_that_runs_is_said_to_run() {
    let page = Page::open();
    page.tell(&ToClient::Status(Status::Running { epoch: 1 }));
    let lamp = page.find("[data-broker=running]").await;
    assert!(lamp.text_content().unwrap().contains("Broker running"));
}

#[wasm_bindgen_test]
async fn a_partition_has_its_bounds_and_a_cell_for_each_record() {
    let page = Page::open();
    page.show(vec![topic(1), partition(0, 2, 5, 6)]);
    let strip = page.find("[data-partition=orders-0]").await;
    let bound = |name: &str| strip.get_attribute(name).unwrap();
    assert_eq!(bound("data-log-start-offset"), "2");
    assert_eq!(bound("data-high-watermark"), "5");
    assert_eq!(bound("data-log-end-offset"), "6");
    assert_eq!(page.count("[data-partition=orders-0] [data-cell]"), 4);
    let last = page.find("[data-cell=\"orders-0@5\"]").await;
    let label = last.get_attribute("aria-label").unwrap();
    assert!(label.contains("not yet durable"), "{label}");

    page.show(vec![partition(0, 2, 6, 6)]);
    page.find("[data-partition=orders-0][data-high-watermark=\"6\"]")
        .await;
}

#[wasm_bindgen_test]
async fn a_group_from_elsewhere_is_shown_with_who_owns_what_and_who_waits() {
    let page = Page::open();
    let members = vec![member("m1", &[0]), member("m2", &[1]), member("m3", &[])];
    let partitions = [partition(0, 0, 7, 7), partition(1, 0, 4, 4)];
    let mut events = vec![topic(2), group(3, members), commit(0, 5), commit(1, 4)];
    events.extend(partitions);
    page.show(events);
    page.find("[data-group-id=billing][data-generation=\"3\"]")
        .await;
    let assigned = |page: &Page, id: &str| {
        let selector = format!("[data-member={id}][data-group=billing]");
        let member = page.root.query_selector(&selector).unwrap().unwrap();
        member.get_attribute("data-assigned").unwrap()
    };
    assert_eq!(assigned(&page, "m1"), "orders-0");
    assert_eq!(assigned(&page, "m2"), "orders-1");
    assert_eq!(assigned(&page, "m3"), "", "one too many waits");
    page.find("[data-member=m3][data-state=waiting]").await;
    page.find("[data-committed=\"billing/orders-0\"][data-offset=\"5\"][data-lag=\"2\"]")
        .await;
    page.find("[data-committed=\"billing/orders-1\"][data-offset=\"4\"][data-lag=\"0\"]")
        .await;

    page.show(vec![group(4, vec![member("m1", &[0, 1])]), commit(0, 7)]);
    page.find("[data-member=m1][data-assigned=\"orders-0,orders-1\"]")
        .await;
    page.find("[data-committed=\"billing/orders-0\"][data-offset=\"7\"][data-lag=\"0\"]")
        .await;
    assert_eq!(page.count("[data-member]"), 1);
}

#[wasm_bindgen_test]
async fn many_partitions_are_rows_with_the_same_facts_and_open_to_cells() {
    let page = Page::open();
    let mut events = vec![topic(12), group(1, vec![member("m1", &[3])]), commit(3, 10)];
    events.extend((0..12).map(|number| partition(number, 0, 14, 14)));
    page.show(events);
    page.find(".rowof[data-partition=orders-11][data-high-watermark=\"14\"]")
        .await;
    assert_eq!(page.count("[data-partition]"), 12);
    assert_eq!(page.count("[data-cell]"), 0);
    page.find("[data-committed=\"billing/orders-3\"][data-offset=\"10\"][data-lag=\"4\"]")
        .await;

    let open = page
        .find("[aria-label=\"Show the records of orders-3\"]")
        .await;
    open.click();
    page.find("[data-partition=orders-3] [data-cell=\"orders-3@13\"]")
        .await;
    assert_eq!(page.count("[data-partition]"), 12, "each once");
}

#[wasm_bindgen_test]
async fn a_stopped_broker_is_calm_keeps_its_picture_and_can_be_started() {
    let page = Page::open();
    page.show(vec![topic(1), partition(0, 0, 3, 3)]);
    page.find("[data-partition=orders-0]").await;
    page.tell(&ToClient::Status(Status::Stopped));
    page.find("[data-broker=stopped]").await;
    assert_eq!(page.count("[data-partition=orders-0]"), 1);
    let notice = page.find(".notice.calm[role=alert]").await;
    assert!(notice.text_content().unwrap().contains("Nothing is lost"));
    page.find("[aria-label=\"Start the broker\"]").await.click();
    while !page.said.borrow().iter().any(|kind| kind == "start") {
        next_task().await;
    }
}

#[wasm_bindgen_test]
async fn full_storage_is_a_fault_that_says_what_is_safe() {
    let page = Page::open();
    page.show(vec![
        topic(1),
        partition(0, 0, 3, 3),
        Event::Broker(BrokerState::StorageFull("QuotaExceededError".into())),
    ]);
    let lamp = page.find("[data-broker=full]").await;
    assert!(lamp.text_content().unwrap().contains("storage full"));
}

#[wasm_bindgen_test]
async fn what_is_typed_stays_while_records_come() {
    let page = Page::open();
    page.show(vec![topic(1), partition(0, 0, 1, 1)]);
    page.find("[aria-label=\"Create a topic\"]:not(form)")
        .await
        .click();
    let selector = "form[aria-label=\"Create a topic\"] input[name=name]";
    let field: web_sys::HtmlInputElement = page.find(selector).await.unchecked_into();
    field.set_value("payments");
    for end in 2..5 {
        page.show(vec![partition(0, 0, end, end)]);
        page.find(&format!(
            "[data-partition=orders-0][data-high-watermark=\"{end}\"]"
        ))
        .await;
    }
    assert_eq!(field.value(), "payments");
}
