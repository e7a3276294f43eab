//! The catalog part of a snapshot: products by dense index, by id and by term.
//!
//! Cloning is cheap and a change copies only what it touches, so generations share what they have in common.
//! Dense indexes say in which order products arrived and must never decide an answer; ids do.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use imbl::{GenericHashMap, Vector, shared_ptr::DefaultSharedPtr};
use rapidhash::fast::GlobalState;

use crate::{
    category::CategoryPath,
    entry::Entry,
    id::ProductId,
    names::{Link, Names, Word, WordId, fold, words},
    offer::{OfferPatch, Patched},
    postings::Postings,
    product::Product,
    term::{Term, TermId},
};

type Map<K, V> = GenericHashMap<K, V, GlobalState, DefaultSharedPtr>;

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The product was not there before.
    Created,
    /// It was there, and differs now.
    Updated,
    /// It was there, and says the same.
    Unchanged,
}

/// A family that would be nested in another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FamilyConflict {
    /// The product named as the family belongs to another family.
    #[error("names product `{head}`, which is itself a variant of family `{above}`: families do not nest")]
    HeadIsVariant {
        /// The product named as the family.
        head: Box<str>,
        /// The family it belongs to.
        above: Box<str>,
    },
    /// Other products name this product as their family.
    #[error("is given, but other products name this product as their family: families do not nest")]
    HasVariants,
}

/// The products of one merchant.
#[derive(Clone, Default)]
pub struct Catalog {
    slots: Vector<Option<Arc<Entry>>>,
    free: Vector<u32>,
    by_id: Map<ProductId, u32>,
    postings: Map<TermId, (Term, Postings)>,
    all: Postings,
    names: Names,
    /// Products whose names are not in the index yet.
    unnamed: Vector<u32>,
}

impl Catalog {
    /// How many products there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The dense index of a product.
    pub fn index_of(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// A product by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entry(self.index_of(id)?)
    }

    /// A product by dense index.
    pub fn entry(&self, index: u32) -> Option<&Arc<Entry>> {
        self.slots.get(index as usize)?.as_ref()
    }

    /// All products, by id ascending.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.all.iter().filter_map(|index| self.entry(index))
    }

    /// The products with an id above `after` (all, without it), at or below a category (any, without it), by id.
    pub fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        category: Option<&CategoryPath>,
    ) -> impl Iterator<Item = &'a Arc<Entry>> {
        let within = match category {
            None => Some(&self.all),
            Some(path) => self.postings(TermId::of_category(path.as_slice())),
        };
        let above = move |index: u32| match after {
            Some(after) if self.id(index) <= after => Ordering::Less,
            _ => Ordering::Greater,
        };
        within.into_iter().flat_map(move |list| list.iter_from(above)).filter_map(|index| self.entry(index))
    }

    /// The products posted under a term: categories, tags, text values, and families that were given.
    ///
    /// A product term has none, nor has the family of a product that was given none; see [`Catalog::head`].
    pub fn postings(&self, term: TermId) -> Option<&Postings> {
        self.postings.get(&term).map(|(_, list)| list)
    }

    /// The index of the product that a product or family term names without being posted under it.
    pub fn head(&self, term: &Term) -> Option<u32> {
        let id = match term {
            Term::Product(id) => id.as_str(),
            Term::Family(id) => id.as_str(),
            Term::Category(_) | Term::Tag(_) | Term::Attribute { .. } => return None,
        };
        let index = self.index_of(id)?;
        let entry = self.entry(index)?;
        (entry.has(term.id()) && (matches!(term, Term::Product(_)) || entry.product().family().is_none()))
            .then_some(index)
    }

    /// Whether any product answers to a term.
    pub fn knows(&self, term: &Term) -> bool {
        self.head(term).is_some() || self.postings(term.id()).is_some()
    }

    /// Creates or replaces a product. Price and stock set later than the product's own are kept.
    ///
    /// # Errors
    /// Its family would be nested; nothing has changed then.
    pub fn upsert(&mut self, product: Product) -> Result<Change, FamilyConflict> {
        self.check_family(&product)?;
        let Some(index) = self.index_of(product.id().as_str()) else {
            self.insert(product);
            return Ok(Change::Created);
        };
        let Some(old) = self.entry(index).cloned() else { return Ok(Change::Unchanged) };
        let product = product.with_newer_offer_of(old.product());
        if product == *old.product() {
            return Ok(Change::Unchanged);
        }
        let says_the_same = product.says_the_same_as(old.product());
        if texts(&product) != texts(old.product()) {
            self.names.drop_names(index, &texts(old.product()));
            self.unnamed.push_back(index);
        }
        let entry = Entry::new(product);
        if entry.terms() != old.terms() || entry.product().family() != old.product().family() {
            self.unpost(&old);
            self.post(index, &entry);
        }
        self.set(index, entry);
        Ok(if says_the_same { Change::Unchanged } else { Change::Updated })
    }

    /// Lays new price or stock over a product. `None` when there is no such product.
    pub fn patch(&mut self, id: &str, patch: &OfferPatch) -> Option<Patched> {
        let index = self.index_of(id)?;
        let old = self.entry(index)?;
        let (product, done) = patch.apply(old.product());
        if product != *old.product() {
            let entry = old.with_offer(product);
            self.set(index, entry);
        }
        Some(done)
    }

    /// Removes a product, if it is there.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(index) = self.index_of(id) else { return false };
        let Some(old) = self.entry(index).cloned() else { return false };
        self.unpost(&old);
        self.names.drop_names(index, &texts(old.product()));
        let slots = &self.slots;
        self.all.remove(|other| id_at(slots, other).cmp(id));
        self.by_id.remove(id);
        self.slots.set(index as usize, None);
        self.free.push_back(index);
        true
    }

    fn insert(&mut self, product: Product) {
        let id = product.id().clone();
        let entry = Entry::new(product);
        let index = self.free.pop_back().unwrap_or_else(|| {
            self.slots.push_back(None);
            u32::try_from(self.slots.len() - 1).expect("a merchant's products are bounded well below 2^32")
        });
        self.set(index, entry);
        let entry = self.entry(index).cloned().expect("it was set on the line above");
        let slots = &self.slots;
        self.all.insert(index, |other| id_at(slots, other).cmp(id.as_str()));
        self.by_id.insert(id, index);
        self.post(index, &entry);
        self.unnamed.push_back(index);
    }

    /// Brings the text index up to date with the names given since it last was.
    ///
    /// Apart from the changes, for names are added in batches. Until then new names are not linked.
    pub fn settle_names(&mut self) {
        let mut unnamed: Vec<u32> = std::mem::take(&mut self.unnamed).into_iter().collect();
        if unnamed.is_empty() {
            return;
        }
        unnamed.sort_unstable();
        unnamed.dedup();
        let slots = &self.slots;
        let named = unnamed.into_iter().filter_map(|index| {
            let entry = slots.get(index as usize)?.as_ref()?;
            Some((index, texts(entry.product())))
        });
        self.names.add(named);
    }

    /// The products, families and categories that a text names, in the order of the text.
    pub fn link(&self, text: &[Word]) -> Vec<Link> {
        self.names.link(self, text)
    }

    /// Whether a word stands in the name of a product.
    pub fn has_word(&self, word: WordId) -> bool {
        self.names.has_word(word)
    }

    /// Bytes of the text index.
    pub fn names_bytes(&self) -> usize {
        self.names.bytes()
    }

    /// The term of an id under which products are posted.
    pub fn term(&self, id: TermId) -> Option<&Term> {
        self.postings.get(&id).map(|(term, _)| term)
    }

    /// Whether the own name of a category has these words as they are written, singular or plural.
    pub(crate) fn is_category_written(&self, category: TermId, run: &[Word]) -> bool {
        let Some((Term::Category(path), _)) = self.postings.get(&category) else { return false };
        let name = words(path.leaf());
        name.iter().map(|word| &word.folded).eq(run.iter().map(|word| &word.folded))
    }

    /// Puts an entry in its slot; its category is shared with the products that have the same.
    fn set(&mut self, index: u32, mut entry: Entry) {
        let posted = entry.leaf().and_then(|leaf| self.postings.get(&leaf));
        if let Some((Term::Category(shared), _)) = posted {
            entry.share_category(shared.clone());
        }
        self.slots.set(index as usize, Some(Arc::new(entry)));
    }

    fn post(&mut self, index: u32, entry: &Entry) {
        let (id, slots) = (entry.product().id().as_str(), &self.slots);
        for term in entry.posted() {
            let names = &mut self.names;
            let (_, list) = self.postings.entry(term.id()).or_insert_with(|| {
                if let Term::Category(path) = &term {
                    path.as_slice().last().iter().for_each(|name| names.add_category(name, term.id()));
                }
                (term, Postings::default())
            });
            list.insert(index, |other| id_at(slots, other).cmp(id));
        }
    }

    fn unpost(&mut self, entry: &Entry) {
        let (id, slots) = (entry.product().id().as_str(), &self.slots);
        for term in entry.posted() {
            let Some((_, list)) = self.postings.get_mut(&term.id()) else { continue };
            list.remove(|other| id_at(slots, other).cmp(id));
            if list.is_empty() {
                self.postings.remove(&term.id());
                if let Term::Category(path) = &term {
                    path.as_slice().last().iter().for_each(|name| self.names.drop_category(name, term.id()));
                }
            }
        }
    }

    fn check_family(&self, product: &Product) -> Result<(), FamilyConflict> {
        let (id, family) = (product.id().as_str(), product.family_name());
        if family == id {
            return Ok(());
        }
        if let Some(above) =
            self.get(family).map(|head| head.product().family_name()).filter(|above| *above != family)
        {
            return Err(FamilyConflict::HeadIsVariant { head: family.into(), above: above.into() });
        }
        let variants = self.postings(TermId::of_family(id)).map_or(0, Postings::len);
        let counts_itself =
            self.get(id).is_some_and(|old| old.product().family().is_some_and(|own| own.as_str() == id));
        if variants > usize::from(counts_itself) {
            return Err(FamilyConflict::HasVariants);
        }
        Ok(())
    }

    fn id(&self, index: u32) -> &str {
        id_at(&self.slots, index)
    }
}

/// The names a product is known by: its title, its aliases, and its id as one word where that has a digit.
fn texts(product: &Product) -> Vec<Cow<'_, str>> {
    let id = Some(product.id().as_str()).filter(|id| id.bytes().any(|byte| byte.is_ascii_digit()));
    let aliases = product.aliases().iter().map(|alias| Cow::Borrowed(alias.as_ref()));
    std::iter::once(Cow::Borrowed(product.title()))
        .chain(aliases)
        .chain(id.map(|id| fold(id).into()))
        .collect()
}

/// The id at an index; free slots sort first, and no list names one.
fn id_at(slots: &Vector<Option<Arc<Entry>>>, index: u32) -> &str {
    slots.get(index as usize).and_then(Option::as_ref).map_or("", |entry| entry.product().id().as_str())
}
