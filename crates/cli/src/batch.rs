//! A file of questions in, a file of answers out, in the same order: `recommend --batch`, and what texts are asked.

use std::{
    fs::File,
    io::{self, BufWriter, Write, stdout},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, anyhow};
use futures_util::{StreamExt, TryStreamExt, stream};
use prost::Message;
use serde::Serialize;
use serde_json::Value;
use sidecart::v1 as pb;
use tonic::Status;
use tonic_types::StatusExt;

use crate::{
    context::named_policy,
    lines,
    out::{self, Output},
    remote::{Remote, place_in, with_retries},
    wire::{self, Fault},
};

/// Questions of one call. Small enough that an answer of ten offers each stays below a few hundred KiB.
const CALL_MAX: usize = 100;
/// Bytes of the questions of one call: below the 4 MiB that a request may have.
const CALL_MAX_BYTES: usize = 3 * 1024 * 1024;
/// Calls under way at once: enough to keep a server busy, below its bound of heavy calls.
const CALLS_IN_FLIGHT: usize = 4;

/// What to ask, and how.
pub(crate) struct Batch {
    /// The file of questions.
    pub(crate) queries: PathBuf,
    /// The file of answers.
    pub(crate) answers: PathBuf,
    /// Policy for all questions; wins over what a question names.
    pub(crate) policy: Option<String>,
    /// Most offers for all questions; wins over what a question says.
    pub(crate) max_results: Option<u32>,
}

/// One question with the id that its answer carries.
pub(crate) struct Question {
    pub(crate) id: Value,
    pub(crate) request: pb::RecommendRequest,
}

/// Writes the answer to the question of an id as one line.
pub(crate) type WriteAnswer = fn(&mut dyn Write, &Value, &pb::RecommendResponse) -> io::Result<()>;

/// What became of a file of questions.
#[derive(Serialize)]
pub(crate) struct Asked {
    pub(crate) questions: usize,
    pub(crate) offers: usize,
    pub(crate) seconds: f64,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    items: Vec<&'a str>,
    scores: Vec<f64>,
}

/// Asks every question and writes every answer. A line that cannot be read stops it before anything is asked.
pub(crate) async fn batch(remote: &Remote, batch: Batch, output: Output) -> Result<()> {
    let questions = read(&batch)?;
    let asked = ask_all(remote, questions, &batch.answers, write).await?;
    tell(&asked, &batch.answers, output)
}

/// Asks every question and writes every answer to a file.
pub(crate) async fn ask_all(
    remote: &Remote,
    questions: Vec<Question>,
    to: &Path,
    write: WriteAnswer,
) -> Result<Asked> {
    let started = Instant::now();
    let count = questions.len();
    let mut answers = create(to)?;
    let mut calls = stream::iter(calls(questions)).map(|call| ask(remote, call)).buffered(CALLS_IN_FLIGHT);
    let mut offers = 0;
    while let Some((ids, responses)) = calls.try_next().await? {
        for (id, response) in ids.iter().zip(&responses) {
            offers += response.offers.len();
            write(&mut answers, id, response)?;
        }
    }
    answers.flush()?;
    Ok(Asked { questions: count, offers, seconds: started.elapsed().as_secs_f64() })
}

/// Says what became of the questions, unless the answers themselves went to standard output.
pub(crate) fn tell(asked: &Asked, answers: &Path, output: Output) -> Result<()> {
    match output {
        _ if lines::is_standard(answers) => {}
        Output::Json => out::json(asked)?,
        Output::Table => {
            let Asked { questions, offers, seconds } = asked;
            out::line(format!(
                "{}, {}, {seconds:.1} s",
                out::counted(*questions as u64, "question"),
                out::counted(*offers as u64, "offer")
            ))?;
        }
    }
    Ok(())
}

fn read(batch: &Batch) -> Result<Vec<Question>> {
    let name = batch.queries.display();
    let mut questions = Vec::new();
    for line in lines::lines(lines::open(&batch.queries)?.bytes) {
        let (number, text) = line.with_context(|| name.to_string())?;
        let question = text.map_err(|reason| Fault::new("", reason)).and_then(|text| question(&text));
        let mut question = question.map_err(|fault| anyhow!("{name}:{number}: {fault}"))?;
        if let Some(policy) = &batch.policy {
            question.request.policy = Some(named_policy(policy.clone()));
        }
        if let Some(max_results) = batch.max_results {
            question.request.max_results = max_results;
        }
        questions.push(question);
    }
    Ok(questions)
}

fn question(text: &str) -> Result<Question, Fault> {
    let mut fields = wire::object(text)?;
    let id = fields.remove("id").ok_or_else(|| Fault::new("id", "is missing"))?;
    if !id.is_string() && !id.is_number() {
        return Err(Fault::new("id", "is neither text nor a number"));
    }
    Ok(Question { id, request: wire::from_json(fields)? })
}

/// Cuts the questions into calls that the server takes.
fn calls(questions: Vec<Question>) -> Vec<Vec<Question>> {
    let mut calls: Vec<Vec<Question>> = Vec::new();
    let mut room = 0;
    for question in questions {
        let size = question.request.encoded_len();
        match calls.last_mut() {
            Some(call) if call.len() < CALL_MAX && size <= room => {
                room -= size;
                call.push(question);
            }
            _ => {
                room = CALL_MAX_BYTES.saturating_sub(size);
                calls.push(vec![question]);
            }
        }
    }
    calls
}

async fn ask(remote: &Remote, call: Vec<Question>) -> Result<(Vec<Value>, Vec<pb::RecommendResponse>)> {
    let (ids, requests): (Vec<_>, Vec<_>) = call.into_iter().map(|it| (it.id, it.request)).unzip();
    let merchant_id = remote.merchant.clone();
    let request = &pb::BatchRecommendRequest { merchant_id, requests, distinct: false };
    let call =
        || async { remote.client.recommendation().batch_recommend(remote.call(request.clone())).await };
    let named = |status: Status| {
        let refused = refused(&status).and_then(|at| ids.get(at)).map(|id| format!("question {id}"));
        let all = || format!("questions {} to {}", ids[0], ids[ids.len() - 1]);
        anyhow::Error::from(status).context(refused.unwrap_or_else(all))
    };
    let responses = with_retries(call).await.map_err(named)?.into_inner().responses;
    anyhow::ensure!(responses.len() == ids.len(), "{} answers for {} questions", responses.len(), ids.len());
    Ok((ids, responses))
}

/// The place of the question that the server names first.
fn refused(status: &Status) -> Option<usize> {
    let fields = status.get_details_bad_request()?.field_violations;
    fields.iter().find_map(|violation| place_in("requests", &violation.field)).map(|(at, _)| at)
}

fn create(path: &Path) -> Result<Box<dyn Write>> {
    if lines::is_standard(path) {
        return Ok(Box::new(BufWriter::new(stdout())));
    }
    let file = File::create(path).with_context(|| path.display().to_string())?;
    Ok(Box::new(BufWriter::new(file)))
}

fn write(to: &mut dyn Write, id: &Value, response: &pb::RecommendResponse) -> io::Result<()> {
    let items = response.offers.iter().map(|offer| offer.product_id.as_str()).collect();
    let scores = response.offers.iter().map(|offer| offer.score).collect();
    serde_json::to_writer(&mut *to, &Answer { id, items, scores })?;
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_requests_with_an_id() {
        let text = r#"{"id": "q1", "stage": "CART", "cart": [{"product_id": "a", "quantity": 2}],
            "at": "2017-12-06T14:54:42Z", "shopper_id": "534", "max_results": 10}"#;
        let Question { id, request } = question(text).unwrap();
        assert_eq!(id, "q1");
        assert_eq!(
            (request.stage(), request.cart[0].quantity, request.max_results),
            (pb::Stage::Cart, 2, 10)
        );
        assert_eq!(request.at.unwrap().seconds, 1_512_572_082);
    }

    #[test]
    fn questions_with_faults_are_refused() {
        let cases = [
            (r#"{"stage": "CART"}"#, "id: is missing"),
            (r#"{"id": [1]}"#, "id: is neither text nor a number"),
            (r#"{"id": 1, "items": ["a"]}"#, "items: is not a known field"),
            (r#"{"id": 1, "cart": [{"id": "a"}]}"#, "cart[0].id: is not a known field"),
        ];
        for (text, expected) in cases {
            assert_eq!(question(text).err().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn calls_are_bounded_and_in_order() {
        let question = |at: usize, size: usize| {
            let request = pb::RecommendRequest { shopper_id: "x".repeat(size), ..Default::default() };
            Question { id: at.into(), request }
        };
        let questions =
            (0..250).map(|at| question(at, if at == 220 { CALL_MAX_BYTES } else { 10 })).collect();
        let calls = calls(questions);
        assert_eq!(calls.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 20, 1, 29]);
        assert!(calls.iter().flatten().enumerate().all(|(at, it)| it.id == at));
    }

    #[test]
    fn answers_have_their_form() {
        let offer = |id: &str, score| pb::Offer { product_id: id.into(), score, ..Default::default() };
        let response =
            pb::RecommendResponse { offers: vec![offer("a", 0.5), offer("b", 0.25)], ..Default::default() };
        let mut line = Vec::new();
        write(&mut line, &Value::from("q1"), &response).unwrap();
        assert_eq!(line, b"{\"id\":\"q1\",\"items\":[\"a\",\"b\"],\"scores\":[0.5,0.25]}\n");
    }
}
