//! Pages of a list, and the tokens that lead from one to the next.
//!
//! A token is opaque: it holds the last id shown and a checksum over it and what was listed, so that one that was
//! made up, cut, or given for another list is refused rather than followed.

use prost::Message;
use sidecart_catalog::Violation;

use crate::{convert::short, limits};

/// The first byte of every token, so that a later form can be told from this one.
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 8;

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listing<'a> {
    /// What kind of thing, such as `products`.
    pub(crate) what: &'a str,
    /// The tenant.
    pub(crate) merchant_id: &'a str,
    /// Which of them: the names of a category, or nothing for all.
    pub(crate) filter: &'a [String],
}

/// One page.
#[derive(Debug, PartialEq)]
pub(crate) struct Page<M> {
    /// What is on it.
    pub(crate) items: Vec<M>,
    /// Whether more follows.
    pub(crate) has_more: bool,
}

impl Listing<'_> {
    /// The token of the page after `last_id`.
    pub(crate) fn token(&self, last_id: &str) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.checksum(last_id));
        bytes.extend_from_slice(last_id.as_bytes());
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The id after which the page of a token starts; `None` for the first page, whose token is empty.
    ///
    /// # Errors
    /// Not a token of this listing.
    pub(crate) fn after(&self, token: &str) -> Result<Option<String>, Violation> {
        if token.is_empty() {
            return Ok(None);
        }
        short(token, limits::PAGE_TOKEN_MAX_BYTES, "page_token")?;
        let refused = || Violation::new("page_token", "is not a token that this list gave");
        self.last_id(token).map(Some).ok_or_else(refused)
    }

    fn last_id(&self, token: &str) -> Option<String> {
        let bytes = unhex(token)?;
        let (version, rest) = bytes.split_first()?;
        let (checksum, last_id) = rest.split_at_checked(CHECKSUM_BYTES)?;
        let last_id = std::str::from_utf8(last_id).ok()?;
        (*version == VERSION && *checksum == self.checksum(last_id)).then(|| last_id.to_owned())
    }

    fn checksum(&self, last_id: &str) -> [u8; CHECKSUM_BYTES] {
        let mut hasher = blake3::Hasher::new();
        let parts =
            [self.what, self.merchant_id, last_id].into_iter().chain(self.filter.iter().map(String::as_str));
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let mut checksum = [0; CHECKSUM_BYTES];
        hasher.finalize_xof().fill(&mut checksum);
        checksum
    }
}

/// How many items a page has.
///
/// # Errors
/// More than a page may have.
pub(crate) fn size(asked: u32) -> Result<usize, Violation> {
    let max = limits::PAGE_SIZE_MAX;
    match asked {
        0 => Ok(limits::PAGE_SIZE_DEFAULT as usize),
        asked if asked <= max => Ok(asked as usize),
        asked => Err(Violation::new("page_size", format!("is {asked}, at most {max}"))),
    }
}

/// The first `size` items, or fewer where they would be too many bytes.
pub(crate) fn cut<M: Message>(items: impl Iterator<Item = M>, size: usize) -> Page<M> {
    let mut page = Page { items: Vec::new(), has_more: false };
    let mut bytes = 0;
    for item in items {
        bytes += item.encoded_len();
        let is_full = page.items.len() == size || (bytes > limits::PAGE_MAX_BYTES && !page.items.is_empty());
        if is_full {
            page.has_more = true;
            break;
        }
        page.items.push(item);
    }
    page
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Listing<'_> = Listing { what: "products", merchant_id: "acme", filter: &[] };

    #[test]
    fn a_token_leads_on_in_its_own_list_only() {
        let token = LISTING.token("p-7 ü");
        let filter = ["Cameras".to_owned()];
        assert_eq!(LISTING.after(&token), Ok(Some("p-7 ü".to_owned())));
        for other in [
            Listing { what: "rules", ..LISTING },
            Listing { merchant_id: "other", ..LISTING },
            Listing { filter: &filter, ..LISTING },
        ] {
            assert_eq!(other.after(&token).unwrap_err().field, "page_token");
        }
    }

    #[test]
    fn absurd_tokens_are_refused() {
        let token = LISTING.token("p7");
        let bad = ["x", "0", "00", "zz", &token[..token.len() - 2], &token[2..], &"ab".repeat(10_000), "éé"];
        for token in bad {
            assert_eq!(LISTING.after(token).unwrap_err().field, "page_token", "{token}");
        }
        assert_eq!(LISTING.after(""), Ok(None));
    }

    #[test]
    fn a_page_ends_by_count_or_by_bytes() {
        let items = |count: usize, bytes: usize| (0..count).map(move |_| "x".repeat(bytes));
        for (count, bytes, size, shown, has_more) in [
            (0, 1, 10, 0, false),
            (10, 1, 10, 10, false),
            (11, 1, 10, 10, true),
            (5, limits::PAGE_MAX_BYTES / 2, 10, 1, true),
            (2, limits::PAGE_MAX_BYTES * 2, 10, 1, true),
        ] {
            let page = cut(items(count, bytes), size);
            assert_eq!((page.items.len(), page.has_more), (shown, has_more), "{count} {bytes} {size}");
        }
    }
}
