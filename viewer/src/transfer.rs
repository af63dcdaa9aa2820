//! Reading an address: bytes come in piece by piece, up to a limit.
//!
//! Natively every transfer has a thread of the HTTP client; in a browser it shares the one there is.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use ehttp::streaming::Part;
use parterre_model::catalog;

use crate::fault::{Fault, FaultKind};

/// The bytes of an answer while they come in.
#[derive(Default)]
struct Body {
    /// Status and its words, where it is not a success.
    refused: Option<(u16, String)>,
    bytes: Vec<u8>,
}

/// Reads `url`, at most `limit_bytes`, and hands the answer to `done`. `go_on` is asked whenever something came; `false`
/// ends the transfer, and `done` is not called.
pub(crate) fn transfer(
    url: String,
    limit_bytes: usize,
    go_on: impl Fn() -> bool + Send + 'static,
    done: impl Fn(Result<Vec<u8>, Fault>) + Send + 'static,
) {
    let request = ehttp::Request::get(&url);
    let body = Mutex::new(Body::default());
    ehttp::streaming::fetch(request, move |part| {
        if !go_on() {
            return ControlFlow::Break(());
        }
        let Ok(mut body) = body.lock() else { return ControlFlow::Break(()) };
        let result = match part {
            Ok(Part::Response(response)) => {
                if !response.ok {
                    body.refused = Some((response.status, response.status_text));
                }
                return ControlFlow::Continue(());
            }
            Ok(Part::Chunk(chunk)) if !chunk.is_empty() => {
                body.bytes.extend_from_slice(&chunk);
                if body.bytes.len() <= limit_bytes {
                    return ControlFlow::Continue(());
                }
                Err(Fault::input(
                    "answer_too_large",
                    format!("{url} answers with more than {} MB", limit_bytes >> 20),
                    "Check the address; or tile the scan again.",
                ))
            }
            Ok(Part::Chunk(_)) => match body.refused.take() {
                Some((status, text)) => Err(refused(&url, status, &text, &body.bytes)),
                None => Ok(std::mem::take(&mut body.bytes)),
            },
            Err(error) => Err(unreachable(&url, &error)),
        };
        done(result);
        ControlFlow::Break(())
    });
}

#[derive(Default)]
struct Awaited {
    answer: Option<Result<Vec<u8>, Fault>>,
    waker: Option<Waker>,
}

/// Reads an address whole, at most `limit_bytes`.
pub(crate) async fn get(url: &str, limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    let awaited = Arc::new(Mutex::new(Awaited::default()));
    let filled = Arc::clone(&awaited);
    transfer(
        url.to_owned(),
        limit_bytes,
        || true,
        move |answer| {
            let Ok(mut filled) = filled.lock() else { return };
            filled.answer = Some(answer);
            if let Some(waker) = filled.waker.take() {
                waker.wake();
            }
        },
    );
    std::future::poll_fn(|context| {
        let Ok(mut awaited) = awaited.lock() else { return Poll::Ready(Err(unreachable(url, "the request broke off"))) };
        if let Some(answer) = awaited.answer.take() {
            Poll::Ready(answer)
        } else {
            awaited.waker = Some(context.waker().clone());
            Poll::Pending
        }
    })
    .await
}

/// The fault of a request that got no answer.
fn unreachable(url: &str, error: &str) -> Fault {
    Fault::storage("unreachable", format!("{url}: {error}"), "Check the address, that the service runs, and the network.")
}

/// The fault of an answer that is not a success: the service's own words where it gives some.
fn refused(url: &str, status: u16, status_text: &str, body: &[u8]) -> Fault {
    #[derive(serde::Deserialize)]
    struct Answer {
        error: catalog::Fault,
    }
    let kind = if (400..500).contains(&status) && status != 408 && status != 429 { FaultKind::BadInput } else { FaultKind::Storage };
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer { error }) => Fault { kind, code: error.code, message: format!("{url}: {}", error.message), hint: error.hint },
        Err(_) => Fault {
            kind,
            code: "http_status".into(),
            message: format!("{url} answers {status} {status_text}"),
            hint: "Check the address, and whether you may read it.".into(),
        },
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_answer_over_the_limit_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/tileset.json", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                // The other end hangs up.
                while stream.write_all(&[b' '; 4096]).is_ok() {}
            }
        });
        let fault = bevy::tasks::block_on(get(&url, 1 << 20)).expect_err("endless");
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("answer_too_large", 3));
    }

    #[test]
    fn a_services_own_words_are_kept() {
        let body = br#"{"error":{"code":"scan_unknown","message":"no scan x","hint":"Look in the catalogue."}}"#;
        let fault = refused("http://h/api/scans/x", 404, "Not Found", body);
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("scan_unknown", 3));
        let fault = refused("http://h/a", 502, "Bad Gateway", b"<html>");
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("http_status", 4));
    }
}
