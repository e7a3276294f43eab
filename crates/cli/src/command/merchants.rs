//! `merchants`: whom the server holds, for operators.

use anyhow::Result;
use sidecart::v1 as pb;

use super::{catalog::PAGE_MAX, snapshot};
use crate::{
    out::{self, Output},
    remote::Remote,
};

/// Lists all merchants, or those that are degraded, by id.
pub(crate) async fn list(remote: &Remote, degraded_only: bool, output: Output) -> Result<()> {
    let mut whole = pb::ListMerchantsResponse::default();
    loop {
        let request = pb::ListMerchantsRequest {
            page_size: PAGE_MAX as u32,
            page_token: whole.next_page_token,
            degraded_only,
        };
        let page = remote.client.snapshot().list_merchants(remote.call(request)).await?.into_inner();
        whole.snapshots.extend(page.snapshots);
        whole.next_page_token = page.next_page_token;
        if whole.next_page_token.is_empty() {
            break;
        }
    }
    if output == Output::Json {
        return Ok(out::message(&whole)?);
    }
    let rows = whole.snapshots.iter().map(|it| [vec![it.merchant_id.clone()], snapshot::row(it)].concat());
    Ok(out::table(&[&["MERCHANT"], &snapshot::HEADER[..]].concat(), rows)?)
}
