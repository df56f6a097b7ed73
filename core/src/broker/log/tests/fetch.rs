//! Fetch: what is handed out, when, and what is refused.

use super::*;

#[test]
fn a_fetch_from_the_middle_of_a_batch_gets_the_whole_batch() {
    let mut scene = Scene::new();
    scene.produce_values(&["a", "b", "c"]);
    scene.produce_values(&["d"]);
    assert_eq!(scene.values(1).len(), 4);
    assert_eq!(scene.values(3), listed(&[(3, "d")]));
    assert_eq!(scene.values(4), vec![]);
}
