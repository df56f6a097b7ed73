//! Produce: what is appended, answered and refused.

use super::*;

#[test]
fn what_was_produced_is_fetched_with_its_offsets() {
    let mut scene = Scene::new();
    assert_eq!(scene.produce_values(&["a", "b"]), 0);
    assert_eq!(scene.produce_values(&["c"]), 2);
    assert_eq!(scene.bounds(), (0, 3, 3));
    assert_eq!(scene.values(0), listed(&[(0, "a"), (1, "b"), (2, "c")]));
}
