//! Numbers that look random and depend on a seed only.

/// Numbers that look random and depend on the seed only (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(number: u64, salt: u64) -> Self {
        Self(mixed(number, salt))
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mixed(self.0, 0)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    pub(super) fn share(&mut self) -> f64 {
        share(self.roll())
    }
}

pub(super) fn mixed(number: u64, salt: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 0 to 1.
pub(super) fn share(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}
