//! How it is shown: plain functions from the session to markup, drawn once per frame.
//!
//! - `app`: the page as a whole. `bar`, `notices`, `producers`, `topics`, `groups`, `drawer`: its
//!   parts, in the order of the page.
//! - `strip`: a partition; `row`: one of many or of a fast one. `member`: a member of a group, with `controls`. `inspector`: a record.
//! - `wires`: the lines between them, drawn when all the rest has its place.
//! - `ui`: what is open or chosen. `parts`, `form`: what several of these use.

pub(crate) mod app;
mod bar;
mod controls;
mod drawer;
mod empty;
mod form;
mod groups;
mod inspector;
mod keys;
mod member;
mod notices;
mod offsets;
mod parts;
mod producers;
mod row;
mod strip;
mod topics;
pub(crate) mod ui;
mod wires;
