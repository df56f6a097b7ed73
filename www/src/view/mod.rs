//! How it is shown: plain functions from the session to markup, drawn once per frame.
//!
//! - `app`: the page as a whole. `bar`, `notices`, `producers`, `topics`, `groups`, `drawer`: its
//!   parts, in the order of the page.
//! - `strip`: a partition; `row`: one of many or of a fast one. `member`: a member of a group, with
//!   what it does in `progress`, what it has read in `recent`, and its `controls`; `former`: what it
//!   was before the page was loaded. `inspector`: a record.
//! - `wires`: the lines between them, drawn when all the rest has its place, as `shapes`; `flights`:
//!   records that move along them.
//! - `hover`: what terms mean, and whose lines are whose, on hover and focus.
//! - `ui`: what is open or chosen. `parts`, `form`: what several of these use.

pub(crate) mod app;
mod bar;
mod controls;
mod drawer;
mod empty;
mod flights;
mod form;
mod former;
mod groups;
mod hover;
mod inspector;
mod keys;
mod member;
mod notices;
mod offsets;
mod parts;
mod producers;
mod progress;
mod recent;
mod row;
mod shapes;
mod strip;
mod topics;
pub(crate) mod ui;
mod wires;
