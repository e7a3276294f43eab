//! Gates: what can stop a candidate, in the order in which it is asked.

/// The first thing that stopped a candidate, or that nothing did. Named and ordered as in the proto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// Nothing did: it is offered.
    Passed,
    /// Nothing leads from the anchors to it.
    NoEvidence,
    /// The pairing is switched off.
    RuleDisabled,
    /// The pairing does not hold at this stage or on this surface.
    RuleStage,
    /// The pairing does not hold at this time.
    RuleWindow,
    /// There are fewer of the anchor than the pairing asks.
    MinQuantity,
    /// The catalog does not have it.
    UnknownProduct,
    /// It has no price, or is discontinued.
    Unsellable,
    /// It is out of stock, or below the policy's threshold.
    OutOfStock,
    /// It is in the cart.
    InCart,
    /// A variant of it is an anchor or in the cart.
    SameFamily,
    /// The shopper has it, and it is not a consumable that is due.
    Owned,
    /// It shares its leaf category with an anchor.
    Substitute,
    /// A block forbids it.
    Blocked,
    /// It is priced in another currency than its anchor.
    Currency,
    /// A match clause does not hold.
    Match,
    /// The policy does not offer this relation.
    RelationDisallowed,
    /// The cart or an owned product meets the need already.
    NeedMet,
    /// It costs too much beside its anchor.
    PriceProportion,
    /// Orders say too little for it.
    EvidenceFloor,
    /// Its score is below the floor.
    ScoreFloor,
    /// A better offer has its need.
    NeedTaken,
    /// Better offers fill its category.
    CategoryFull,
    /// Better offers fill the room for the anchor's own category.
    SameCategoryFull,
    /// Better offers fill the answer.
    Trimmed,
    /// An earlier answer of the same batch has it.
    NotDistinct,
    /// It was shown in the conversation, it or one for the same need was declined, or the customer does not want it.
    Declined,
    /// The conversation calls for no offer.
    Conversation,
    /// The policy makes no offers here.
    OffersDisabled,
    /// The pairing selects more than is looked at for one anchor.
    ScanLimit,
}

impl Gate {
    /// All gates, in order.
    pub const ALL: [Self; 30] = [
        Self::Passed,
        Self::NoEvidence,
        Self::RuleDisabled,
        Self::RuleStage,
        Self::RuleWindow,
        Self::MinQuantity,
        Self::UnknownProduct,
        Self::Unsellable,
        Self::OutOfStock,
        Self::InCart,
        Self::SameFamily,
        Self::Owned,
        Self::Substitute,
        Self::Blocked,
        Self::Currency,
        Self::Match,
        Self::RelationDisallowed,
        Self::NeedMet,
        Self::PriceProportion,
        Self::EvidenceFloor,
        Self::ScoreFloor,
        Self::NeedTaken,
        Self::CategoryFull,
        Self::SameCategoryFull,
        Self::Trimmed,
        Self::NotDistinct,
        Self::Declined,
        Self::Conversation,
        Self::OffersDisabled,
        Self::ScanLimit,
    ];
}
