//! HTTP downloads up to a size limit.
//!
//! On the desktop every transfer has a thread of the HTTP client; in a browser it runs on the page's only thread.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use ehttp::streaming::Part;
use parterre_model::catalog;

use crate::fault::{Fault, FaultKind};

/// The part of a response that has been received.
#[derive(Default)]
struct Body {
    /// Status code and text where the response is not a success.
    error_status: Option<(u16, String)>,
    bytes: Vec<u8>,
}

/// Downloads `url`, at most `limit_bytes`, and passes the result to `done`. `should_continue` is called for every chunk; where
/// it returns `false`, the transfer ends and `done` is not called.
pub(crate) fn transfer(
    url: String,
    limit_bytes: usize,
    should_continue: impl Fn() -> bool + Send + 'static,
    done: impl Fn(Result<Vec<u8>, Fault>) + Send + 'static,
) {
    let request = ehttp::Request::get(&url);
    let body = Mutex::new(Body::default());
    ehttp::streaming::fetch(request, move |part| {
        if !should_continue() {
            return ControlFlow::Break(());
        }
        let Ok(mut body) = body.lock() else { return ControlFlow::Break(()) };
        let result = match part {
            Ok(Part::Response(response)) => {
                if !response.ok {
                    body.error_status = Some((response.status, response.status_text));
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
                    format!("the response of {url} is larger than {} MB", limit_bytes >> 20),
                    "Check the address, or tile the scan again.",
                ))
            }
            Ok(Part::Chunk(_)) => match body.error_status.take() {
                Some((status, text)) => Err(status_fault(&url, status, &text, &body.bytes)),
                None => Ok(std::mem::take(&mut body.bytes)),
            },
            Err(error) => Err(connection_fault(&url, &error)),
        };
        done(result);
        ControlFlow::Break(())
    });
}

/// Result of a download that is awaited, and the waker of the task that awaits it.
#[derive(Default)]
struct AwaitedResult {
    result: Option<Result<Vec<u8>, Fault>>,
    waker: Option<Waker>,
}

/// Downloads `url`, at most `limit_bytes`.
pub(crate) async fn get(url: &str, limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    let awaited = Arc::new(Mutex::new(AwaitedResult::default()));
    let receiver = Arc::clone(&awaited);
    transfer(
        url.to_owned(),
        limit_bytes,
        || true,
        move |result| {
            let Ok(mut receiver) = receiver.lock() else { return };
            receiver.result = Some(result);
            if let Some(waker) = receiver.waker.take() {
                waker.wake();
            }
        },
    );
    std::future::poll_fn(|context| {
        let Ok(mut awaited) = awaited.lock() else { return Poll::Ready(Err(connection_fault(url, "the request was interrupted"))) };
        if let Some(result) = awaited.result.take() {
            Poll::Ready(result)
        } else {
            awaited.waker = Some(context.waker().clone());
            Poll::Pending
        }
    })
    .await
}

/// The error of a request that got no response.
fn connection_fault(url: &str, error: &str) -> Fault {
    Fault::storage("unreachable", format!("{url}: {error}"), "Check the address, that the service is running, and that the network works.")
}

/// The error of a response that is not a success, with the service's own code, message and hint where it gives them.
fn status_fault(url: &str, status: u16, status_text: &str, body: &[u8]) -> Fault {
    #[derive(serde::Deserialize)]
    struct ErrorBody {
        error: catalog::Fault,
    }
    let kind = if (400..500).contains(&status) && status != 408 && status != 429 { FaultKind::BadInput } else { FaultKind::Storage };
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { error }) => Fault { kind, code: error.code, message: format!("{url}: {}", error.message), hint: error.hint },
        Err(_) => Fault {
            kind,
            code: "http_status".into(),
            message: format!("{url}: the server answered {status} {status_text}"),
            hint: "Check the address and whether you have access to it.".into(),
        },
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_response_over_the_limit_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/tileset.json", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
                // Until the client closes the connection.
                while stream.write_all(&[b' '; 4096]).is_ok() {}
            }
        });
        let fault = bevy::tasks::block_on(get(&url, 1 << 20)).expect_err("the response is too large");
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("answer_too_large", 3));
    }

    #[test]
    fn the_services_own_message_is_kept() {
        let body = br#"{"error":{"code":"scan_unknown","message":"no scan x","hint":"Look in the catalogue."}}"#;
        let fault = status_fault("http://h/api/scans/x", 404, "Not Found", body);
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("scan_unknown", 3));
        let fault = status_fault("http://h/a", 502, "Bad Gateway", b"<html>");
        assert_eq!((fault.code.as_str(), fault.exit_code()), ("http_status", 4));
    }
}
