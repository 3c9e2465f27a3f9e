//! An HTTP server (RFC 9112) that bounds what a client can take: connections, bytes of a body, and time for a head or a body.

use super::reply::Reply;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use socket2::SockRef;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of a body.
    pub bytes: usize,
    /// For a head, for a body, and to read an answer.
    pub patience: Duration,
}

/// Connections at once; more wait until one ends.
const CONNECTIONS: usize = 1000;

/// How much of a body that is refused is still read, in its limits: a client that is cut off while it sends may not see why.
const REFUSED: usize = 16;

/// Answers on a socket until `stop`, then lets what is under way end.
pub async fn serve<F, R>(
    listener: TcpListener,
    limits: Limits,
    stop: impl Future<Output = ()>,
    answer: F,
) where
    F: Fn(Request<Incoming>) -> R + Clone + Send + 'static,
    R: Future<Output = Reply> + Send,
{
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(limits.patience);
    let mut stop = std::pin::pin!(stop);
    loop {
        let (permit, stream) = tokio::select! {
            connected = connected(&listener, &connections, limits) => connected,
            () = &mut stop => break,
        };
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let reply = answer(request);
            async move { Ok::<_, Infallible>(response(reply.await)) }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Whatever went wrong, the client has left.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    // A client that does not read its answer is not waited for.
    let _ = tokio::time::timeout(limits.patience, graceful.shutdown()).await;
}

/// The next connection, once there is room for it.
async fn connected(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
    limits: Limits,
) -> (Option<OwnedSemaphorePermit>, TcpStream) {
    // Nobody closes the semaphore.
    let permit = Arc::clone(connections).acquire_owned().await.ok();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            // An answer is written at once, as far as it goes.
            let _ = stream.set_nodelay(true);
            // And given up when none of it is read for long.
            let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(limits.patience));
            return (permit, stream);
        }
        // Too many open files, or a client that has left already: there may be more to be had later.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The whole of a body.
///
/// # Errors
/// A refusal when it is too large, too slow, or ends too early.
pub async fn body(mut body: Incoming, limits: Limits) -> Result<Vec<u8>, Reply> {
    let mut bytes = Vec::new();
    let mut read = 0;
    let reading = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Reply::refusal(400, "the body ends too early"))?;
            let data = frame.into_data().unwrap_or_default();
            read += data.len();
            if read <= limits.bytes {
                bytes.extend_from_slice(&data);
            } else if read > REFUSED * limits.bytes {
                break;
            } else {
                bytes = Vec::new();
            }
        }
        match read <= limits.bytes {
            true => Ok(bytes),
            false => Err(closing(
                413,
                &format!("the body has more than {} bytes", limits.bytes),
            )),
        }
    };
    let late = || closing(408, "the body was not sent in time");
    let done = tokio::time::timeout(limits.patience, reading).await;
    done.unwrap_or_else(|_| Err(late()))
}

/// A refusal behind which the connection ends.
pub fn closing(status: u16, problem: &str) -> Reply {
    Reply::refusal(status, problem).with(CONNECTION.as_str(), "close")
}

/// Reads a body that nobody needs, within the same limits.
pub async fn discard(mut body: Incoming, limits: Limits) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > REFUSED * limits.bytes {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(limits.patience, reading).await;
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    // All statuses are written down in the sources, and are some.
    *response.status_mut() = reply.status.try_into().unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if let Some((name, value)) = reply.header {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
