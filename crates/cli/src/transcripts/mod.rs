//! `chat --check`: plays written conversations to a server and says where it answers otherwise than expected.
//!
//! The file format is described in `examples/conversations/README.md`.

mod format;
mod score;

use std::{collections::HashSet, path::PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use sidecart::v1 as pb;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming};

use self::{
    format::{Step, Transcript},
    score::Score,
};
use crate::{
    exit::Exit,
    lines,
    out::{self, Output},
    remote::Remote,
};

/// Plays the conversations of files in turn, each in a session of its own.
pub(crate) async fn check(remote: &Remote, files: &[PathBuf], output: Output) -> Result<Exit> {
    let mut score = Score::default();
    for transcript in read(files)? {
        play(remote, &transcript, &mut score).await.with_context(|| transcript.id.clone())?;
    }
    match output {
        Output::Json => out::json(&score)?,
        Output::Table => score.show()?,
    }
    Ok(if score.failures.is_empty() { Exit::Done } else { Exit::Findings })
}

/// All conversations, looked over before the first is played.
fn read(files: &[PathBuf]) -> Result<Vec<Transcript>> {
    let mut transcripts: Vec<Transcript> = Vec::new();
    let mut ids = HashSet::new();
    for file in files {
        let (name, before) = (file.display(), transcripts.len());
        for line in lines::lines(lines::open(file)?.bytes) {
            let (number, text) = line.with_context(|| name.to_string())?;
            let text = text.map_err(|reason| anyhow!("{name}:{number}: {reason}"))?;
            let transcript: Transcript =
                serde_json::from_str(&text).map_err(|fault| anyhow!("{name}:{number}: {fault}"))?;
            transcript.check().with_context(|| format!("{name}:{number}"))?;
            ensure!(
                ids.insert(transcript.id.clone()),
                "{name}:{number}: id: `{}` is there twice",
                transcript.id
            );
            transcripts.push(transcript);
        }
        ensure!(transcripts.len() > before, "{name}: has no conversation");
    }
    Ok(transcripts)
}

async fn play(remote: &Remote, transcript: &Transcript, score: &mut Score) -> Result<()> {
    let (sender, receiver) = mpsc::channel(1);
    let session = uuid::Uuid::now_v7().to_string();
    let context = transcript.opened_on.request(remote.merchant.clone(), session)?;
    let first = pb::ConverseRequest { context: Some(context), answer: true, ..Default::default() };
    sender.send(first).await?;
    let call = Request::new(ReceiverStream::new(receiver));
    let mut answers = remote.client.recommendation().converse(call).await?.into_inner();
    next(&mut answers).await?;
    for (at, step) in transcript.steps.iter().enumerate() {
        let Step { customer, expect, .. } = step;
        let message = pb::ConverseRequest { what: Some(step.what()?), answer: true, ..Default::default() };
        sender.send(message).await?;
        let decision = next(&mut answers).await?;
        if let Some(expect) = expect {
            score.compare(&format!("{}[{at}]", transcript.id), customer.as_deref(), expect, &decision);
        }
    }
    drop(sender);
    while answers.message().await?.is_some() {}
    score.conversations += 1;
    Ok(())
}

async fn next(answers: &mut Streaming<pb::ConverseResponse>) -> Result<pb::RecommendResponse> {
    let response = answers.message().await?.context("the conversation has ended")?;
    response.decision.context("an answer without a decision")
}
