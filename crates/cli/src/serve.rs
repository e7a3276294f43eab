//! `serve`: a server in the foreground, until it is told to stop.

mod demo;
mod log;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use sidecart_catalog::MerchantId;
use sidecart_server::Repair;
use tempfile::TempDir;
use tokio::{
    signal,
    sync::{Notify, oneshot},
};

use crate::{
    args::{Globals, ServeArgs},
    config::{self, Settings},
    exit::{Exit, Usage},
    out,
};

/// Serves until ctrl-c or SIGTERM, then drains and closes the store.
pub(crate) async fn serve(globals: &Globals, args: ServeArgs) -> Result<Exit> {
    let loaded = config::load(globals, &args.settings.0)?;
    let uses_default_folder = loaded.is_default("data");
    let Settings { log, log_format, mut server, .. } = loaded.settings;
    log::start(&log, log_format)?;
    server.repair =
        args.repair.then(|| give_up(&args.give_up).map(|give_up| Repair { give_up })).transpose()?;
    let folder =
        if args.demo && uses_default_folder { Some(TempDir::with_prefix("sidecart-demo-")?) } else { None };
    if let Some(folder) = &folder {
        server.data = folder.path().to_owned();
    }

    let stop = Arc::new(Notify::new());
    let (ready, is_ready) = oneshot::channel();
    let on_ready = |addr| {
        // The greeting waits for it as long as the server runs.
        let _ = ready.send(addr);
    };
    let serving = sidecart_server::run(server, on_ready, stop_signal(stop.clone()));
    let greeting = async {
        let Ok(addr) = is_ready.await else { return Ok(()) };
        let greeted = greet(addr, args.demo).await;
        if greeted.is_err() {
            stop.notify_one();
        }
        greeted
    };
    let (served, greeted) = tokio::join!(serving, greeting);
    served?;
    greeted?;
    Ok(Exit::Done)
}

fn give_up(merchants: &[String]) -> Result<Vec<MerchantId>> {
    let read = |id: &String| {
        MerchantId::new(id).map_err(|fault| Usage(format!("--give-up `{id}` {}", fault.description)).into())
    };
    merchants.iter().map(read).collect()
}

/// Says where the server listens, once everything asked for is there.
async fn greet(addr: SocketAddr, is_demo: bool) -> Result<()> {
    if is_demo {
        demo::load(addr).await.context("cannot load the demo store")?;
    }
    Ok(out::line(format!("listening on http://{addr}"))?)
}

/// Ready when the user, the system or the greeting wants the server to stop.
async fn stop_signal(stop: Arc<Notify>) {
    tokio::select! {
        () = stop.notified() => {}
        _ = signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    match signal::unix::signal(signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
