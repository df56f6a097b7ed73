//! Reading messages, field by field. serde would do it from the same definitions, but buffers an
//! object that is tagged by one of its fields, in ten times the code.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

use super::from_js;
use super::message::{ClockView, ListenerName, Status, ToClient, ToHost};
use crate::num::to_u64;

/// A message's fields; the error names the one that is wrong.
struct Fields<'a>(&'a JsValue);

impl Fields<'_> {
    fn get(&self, name: &str) -> JsValue {
        Reflect::get(self.0, &name.into()).unwrap_or(JsValue::UNDEFINED)
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        self.get(name).as_f64().ok_or_else(|| wrong(name))
    }

    fn small(&self, name: &str) -> Result<u32, String> {
        let number = self.number(name)?;
        let small = u32::try_from(to_u64(number)).map_err(|_| wrong(name))?;
        // Neither negative nor a fraction.
        match f64::from(small) == number {
            true => Ok(small),
            false => Err(wrong(name)),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, String> {
        self.get(name).as_bool().ok_or_else(|| wrong(name))
    }

    fn text(&self, name: &str) -> Result<String, String> {
        self.get(name).as_string().ok_or_else(|| wrong(name))
    }

    fn connection(&self) -> Result<u32, String> {
        self.small("connection")
    }

    fn message(&self) -> Result<String, String> {
        self.text("message")
    }
}

fn wrong(field: &str) -> String {
    format!("`{field}` is missing or of another type")
}

/// Reads what a client says.
///
/// # Errors
/// In words, if it is none of [`ToHost`].
pub(crate) fn to_host(data: &JsValue) -> Result<ToHost, String> {
    let fields = Fields(data);
    let kind = fields.text("type")?;
    Ok(match kind.as_str() {
        "open" => ToHost::Open {
            connection: fields.connection()?,
            listener: listener(&fields.get("listener"))?,
            address: fields.get("address").as_string(),
        },
        "close" => ToHost::Close {
            connection: fields.connection()?,
        },
        "read" => ToHost::Read {
            connection: fields.connection()?,
            bytes: fields.number("bytes")?,
        },
        "alarm" => ToHost::Alarm {
            id: fields.small("id")?,
            at: fields.get("at").as_f64(),
        },
        "watch" => ToHost::Watch {
            on: fields.flag("on")?,
        },
        "rate" => ToHost::Rate {
            rate: fields.number("rate")?,
        },
        "pause" => ToHost::Pause {
            on: fields.flag("on")?,
        },
        "step" => ToHost::Step,
        "stop" => ToHost::Stop,
        "start" => ToHost::Start,
        "end" => ToHost::End,
        "attach" => ToHost::Attach,
        "detach" => ToHost::Detach,
        "estimate" => ToHost::Estimate,
        "export" => ToHost::Export,
        "trap" => ToHost::Trap,
        _ => return Err(unknown(&kind)),
    })
}

/// Reads what the host says.
///
/// # Errors
/// In words, if it is none of [`ToClient`].
pub(crate) fn to_client(data: &JsValue) -> Result<ToClient, String> {
    let fields = Fields(data);
    let kind = fields.text("type")?;
    Ok(match kind.as_str() {
        "closed" => ToClient::Closed {
            connection: fields.connection()?,
            reason: fields.text("reason")?,
        },
        "credit" => ToClient::Credit {
            connection: fields.connection()?,
            upto: fields.number("upto")?,
        },
        "clock" => ToClient::Clock(ClockView {
            at: fields.number("at")?,
            monotonic: fields.number("monotonic")?,
            wall: fields.number("wall")?,
            rate: fields.number("rate")?,
        }),
        "wake" => ToClient::Wake {
            id: fields.small("id")?,
            monotonic: fields.number("monotonic")?,
            wall: fields.number("wall")?,
        },
        "status" => ToClient::Status(status(&fields)?),
        "notice" => ToClient::Notice {
            notice: from_js(fields.get("notice"))?,
            message: fields.message()?,
            on: fields.flag("on")?,
        },
        "events" => ToClient::Events {
            events: fields.get("events"),
        },
        "stepped" => ToClient::Stepped {
            what: fields.text("what")?,
        },
        "estimate" => ToClient::Estimate {
            usage: fields.number("usage")?,
            quota: fields.number("quota")?,
        },
        "exported" => ToClient::Exported {
            error: fields.get("error").as_string(),
        },
        "ended" => ToClient::Ended,
        "trapped" => ToClient::Trapped {
            message: fields.message()?,
            last: fields.text("last")?,
        },
        _ => return Err(unknown(&kind)),
    })
}

fn listener(data: &JsValue) -> Result<Option<ListenerName>, String> {
    if data.is_undefined() || data.is_null() {
        return Ok(None);
    }
    let fields = Fields(data);
    let port = fields.small("port")?;
    Ok(Some(ListenerName {
        name: fields.text("name")?,
        host: fields.text("host")?,
        port: i32::try_from(port).map_err(|_| wrong("port"))?,
    }))
}

fn status(fields: &Fields<'_>) -> Result<Status, String> {
    let state = fields.text("state")?;
    Ok(match state.as_str() {
        "starting" => Status::Starting,
        "waiting" => Status::Waiting,
        "blocked" => Status::Blocked,
        "running" => Status::Running {
            epoch: to_u64(fields.number("epoch")?),
        },
        "stopped" => Status::Stopped,
        "failed" => Status::Failed {
            failure: from_js(fields.get("failure"))?,
            message: fields.message()?,
        },
        _ => return Err(unknown(&state)),
    })
}

fn unknown(kind: &str) -> String {
    format!("there is no `{kind}`")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use partita_core::broker::{CommitView, Event};
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::*;
    use crate::port::message::{Failure, Notice, events, events_to_js};
    use crate::port::to_js;

    wasm_bindgen_test_configure!(run_in_dedicated_worker);

    #[wasm_bindgen_test]
    fn what_a_client_says_is_read_as_it_was_written() {
        let listener = ListenerName {
            name: "PLAINTEXT".into(),
            host: "localhost".into(),
            port: 9092,
        };
        let said = [
            ToHost::Open {
                connection: 7,
                listener: Some(listener),
                address: Some("127.0.0.1".into()),
            },
            ToHost::Open {
                connection: u32::MAX,
                listener: None,
                address: None,
            },
            ToHost::Close { connection: 1 },
            ToHost::Read {
                connection: 1,
                bytes: 1e15,
            },
            ToHost::Alarm {
                id: 1,
                at: Some(0.5),
            },
            ToHost::Alarm { id: 1, at: None },
            ToHost::Watch { on: true },
            ToHost::Rate { rate: 0.1 },
            ToHost::Pause { on: false },
            ToHost::Step,
            ToHost::Stop,
            ToHost::Start,
            ToHost::End,
            ToHost::Attach,
            ToHost::Detach,
            ToHost::Estimate,
            ToHost::Export,
            ToHost::Trap,
        ];
        for message in said {
            assert_eq!(to_host(&to_js(&message).unwrap()), Ok(message));
        }
    }

    #[wasm_bindgen_test]
    fn what_the_host_says_is_read_as_it_was_written() {
        let words = || "why".to_owned();
        let status = [
            Status::Starting,
            Status::Waiting,
            Status::Blocked,
            Status::Running { epoch: 3 },
            Status::Stopped,
            Status::Failed {
                failure: Failure::NewerFormat,
                message: words(),
            },
        ];
        let said = [
            ToClient::Closed {
                connection: 1,
                reason: words(),
            },
            ToClient::Credit {
                connection: 1,
                upto: 1e15,
            },
            ToClient::Clock(ClockView {
                at: 1.5,
                monotonic: 2.5,
                wall: 3.5,
                rate: 10.0,
            }),
            ToClient::Wake {
                id: 1,
                monotonic: 2.5,
                wall: 3.5,
            },
            ToClient::Notice {
                notice: Notice::StorageFull,
                message: words(),
                on: true,
            },
            ToClient::Stepped { what: words() },
            ToClient::Estimate {
                usage: 1.0,
                quota: 2.0,
            },
            ToClient::Exported { error: None },
            ToClient::Exported {
                error: Some(words()),
            },
            ToClient::Ended,
            ToClient::Trapped {
                message: words(),
                last: words(),
            },
        ];
        for message in said.into_iter().chain(status.map(ToClient::Status)) {
            assert_eq!(to_client(&to_js(&message).unwrap()), Ok(message));
        }
    }

    #[wasm_bindgen_test]
    fn events_are_told_whatever_their_numbers() {
        let commit = |offset| {
            Event::Commit(CommitView {
                group: "billing".into(),
                topic: "orders".into(),
                partition: 0,
                offset,
                metadata: String::new(),
                log_partition: 1,
                log_offset: 2,
            })
        };
        let told: Vec<_> = [0, 1 << 53, (1 << 53) + 1, i64::MAX, -1].map(commit).into();
        let message = ToClient::Events {
            events: events_to_js(&told).unwrap(),
        };
        let Ok(ToClient::Events { events: heard }) = to_client(&to_js(&message).unwrap()) else {
            panic!("no events");
        };
        assert_eq!(events(&heard).unwrap(), told);
    }

    #[wasm_bindgen_test]
    fn what_makes_no_sense_is_said_by_name() {
        let message = to_js(&ToHost::Close { connection: 1 }).unwrap();
        Reflect::set(&message, &"connection".into(), &"one".into()).unwrap();
        let error = to_host(&message).unwrap_err();
        assert!(error.contains("`connection`"), "{error}");
        for number in [-1.0, 0.5, 4_294_967_296.0, f64::NAN] {
            Reflect::set(&message, &"connection".into(), &number.into()).unwrap();
            assert!(to_host(&message).is_err(), "{number}");
        }
        assert!(to_host(&JsValue::NULL).unwrap_err().contains("`type`"));
        assert!(to_client(&message).unwrap_err().contains("`close`"));
    }
}
