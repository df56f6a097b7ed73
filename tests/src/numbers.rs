//! Numbers from a seed (SplitMix64): the same ones on every machine.

/// The numbers that follow from a seed.
#[derive(Debug, Clone)]
pub struct Numbers(pub u64);

impl Numbers {
    /// Any number.
    #[allow(
        clippy::should_implement_trait,
        reason = "numbers never end: there is no `None`"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below<N: TryFrom<u64> + TryInto<u64> + Default>(&mut self, bound: N) -> N {
        let bound = bound.try_into().unwrap_or(0).max(1);
        N::try_from(self.next() % bound).unwrap_or_default()
    }

    /// Whether something happens that happens once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these. Panics if there is none.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let choice = self.below(choices.len());
        choices.get(choice).expect("there is something to choose")
    }
}
