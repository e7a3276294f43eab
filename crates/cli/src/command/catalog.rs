//! `products`: see, list and delete what is sold.

use anyhow::Result;
use sidecart::v1 as pb;

use super::recommend::price;
use crate::{
    args::ProductsCommand,
    import::split_path,
    out::{self, Output},
    remote::{Remote, new_request_id},
    wire::short_name,
};

/// Ids of one delete, and rows of one page: the most that the server takes.
pub(super) const PAGE_MAX: usize = 1_000;

/// Does what the command says.
pub(crate) async fn products(remote: &Remote, command: ProductsCommand, output: Output) -> Result<()> {
    match command {
        ProductsCommand::Get { product_id } => get(remote, product_id, output).await,
        ProductsCommand::List { category, limit } => {
            let category_path = category.map(|path| split_path(&path)).unwrap_or_default();
            list(remote, category_path, limit, output).await
        }
        ProductsCommand::Delete { product_ids } => delete(remote, product_ids, output).await,
    }
}

async fn get(remote: &Remote, product_id: String, output: Output) -> Result<()> {
    let request =
        pb::GetProductRequest { merchant_id: remote.merchant.clone(), product_id, min_generation: 0 };
    let answer = remote.client.catalog().get_product(remote.call(request)).await?.into_inner();
    match output {
        Output::Json => out::message(&answer)?,
        Output::Table => show(answer.product.as_slice())?,
    }
    Ok(())
}

async fn list(remote: &Remote, category_path: Vec<String>, limit: usize, output: Output) -> Result<()> {
    let mut whole = pb::ListProductsResponse::default();
    loop {
        let request = pb::ListProductsRequest {
            merchant_id: remote.merchant.clone(),
            page_size: page_size(limit, whole.products.len()),
            page_token: whole.next_page_token,
            category_path: category_path.clone(),
            min_generation: 0,
        };
        let page = remote.client.catalog().list_products(remote.call(request)).await?.into_inner();
        whole.products.extend(page.products);
        whole.next_page_token = page.next_page_token;
        whole.generation = page.generation;
        if whole.next_page_token.is_empty() || whole.products.len() == limit {
            break;
        }
    }
    if output == Output::Json {
        return Ok(out::message(&whole)?);
    }
    show(&whole.products)?;
    note_more(&whole.next_page_token);
    Ok(())
}

/// How many rows the next page should have, so that all pages together have `limit`; 0 is no limit.
pub(super) fn page_size(limit: usize, have: usize) -> u32 {
    let wanted = if limit == 0 { PAGE_MAX } else { (limit - have).min(PAGE_MAX) };
    u32::try_from(wanted).unwrap_or(u32::MAX)
}

pub(super) fn note_more(next_page_token: &str) {
    if !next_page_token.is_empty() {
        out::note("there are more: see --limit");
    }
}

fn show(products: &[pb::Product]) -> Result<()> {
    let header = ["PRODUCT", "TITLE", "CATEGORY", "KIND", "PRICE", "AVAILABILITY", "STOCK"];
    let rows = products.iter().map(|product| {
        vec![
            product.product_id.clone(),
            product.title.clone(),
            product.category_path.join(" > "),
            short_name("ProductKind", product.kind),
            price(product.price.as_ref()),
            short_name("Availability", product.availability),
            product.stock_quantity.map(|count| count.to_string()).unwrap_or_default(),
        ]
    });
    Ok(out::table(&header, rows)?)
}

async fn delete(remote: &Remote, product_ids: Vec<String>, output: Output) -> Result<()> {
    let mut whole = pb::DeleteProductsResponse::default();
    for ids in product_ids.chunks(PAGE_MAX) {
        let request = pb::DeleteProductsRequest {
            merchant_id: remote.merchant.clone(),
            product_ids: ids.to_vec(),
            request_id: new_request_id(),
        };
        let answer = remote.client.catalog().delete_products(remote.call(request)).await?.into_inner();
        whole.outcomes.extend(answer.outcomes);
        whole.generation = answer.generation;
    }
    match output {
        Output::Json => out::message(&whole)?,
        Output::Table => show_outcomes(&whole.outcomes, whole.generation)?,
    }
    Ok(())
}

/// Prints what became of each item.
pub(super) fn show_outcomes(outcomes: &[pb::ItemOutcome], generation: u64) -> Result<()> {
    let rows = outcomes.iter().map(|it| vec![it.id.clone(), short_name("Outcome", it.outcome)]);
    out::table(&["ID", "OUTCOME"], rows)?;
    Ok(out::line(format!("generation {generation}"))?)
}
