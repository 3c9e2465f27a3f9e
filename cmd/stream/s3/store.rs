//! Objects by the crate object_store: where they are, what there is, and what is said when they cannot be had.
//!
//! Credentials are those of the environment (`AWS_ACCESS_KEY_ID`, …) or of the machine's role. `AWS_ENDPOINT_URL` names
//! another server than Amazon's, which takes the bucket as the first part of the path; without TLS only on this machine.

mod read;
mod write;

use crate::stream::Failure;
use crate::stream::input::Stream;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use std::future::Future;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, LazyLock};
use tokio::runtime::Runtime;
pub use write::{Upload, abort_all};

const NAMED: &str = "an object is named s3://bucket/key";

/// Requests run here, whatever waits for them.
static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    // Fails when there is one already, which does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
});

/// An object, or the beginning of the keys of several.
#[derive(Clone)]
pub struct Object {
    store: Arc<AmazonS3>,
    key: Key,
    /// Its address.
    name: String,
    runtime: &'static Runtime,
}

impl Object {
    /// The object of an address, whether it is there or not.
    ///
    /// # Errors
    /// When that is none, or nothing is known of the server.
    pub fn at(path: &Path) -> Result<Object, Failure> {
        let name = path.display().to_string();
        let parts = name
            .strip_prefix(super::SCHEME)
            .and_then(|rest| rest.split_once('/'));
        let Some((bucket, key)) =
            parts.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
        else {
            return Err(Failure::of_file(&name, "names no object").hint(NAMED));
        };
        let runtime = RUNTIME.as_ref();
        let runtime = runtime.map_err(|error| Failure::of_file(&name, error.to_string()))?;
        let store = store(bucket).map_err(|error| failure(&error).in_file(&name))?;
        Ok(Object {
            key: parsed(key, &name)?,
            store: Arc::new(store),
            name,
            runtime,
        })
    }

    /// Its address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// # Errors
    /// When it cannot be told whether it is there.
    pub fn exists(&self) -> Result<bool, Failure> {
        match self.head() {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn check(&self) -> Result<(), Failure> {
        self.head().map(drop).map_err(|error| self.failure(&error))
    }

    /// What it holds.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn read(&self) -> Result<Stream, Failure> {
        let found = self.head().map_err(|error| self.failure(&error))?;
        Ok(Box::new(read::Reader::new(self.clone(), found)))
    }

    /// It, to be written: it is there, or there anew, when all is.
    ///
    /// # Errors
    /// When its name is that of a folder.
    pub fn write(&self) -> Result<Upload, Failure> {
        match self.name.ends_with('/') {
            true => Err(Failure::of_file(&self.name, "is a folder").hint(NAMED)),
            false => Ok(Upload::new(self.clone())),
        }
    }

    /// An object whose key goes on with a slash and a name.
    ///
    /// # Errors
    /// When that is no key.
    pub fn below(&self, name: &str) -> Result<Object, Failure> {
        let address = format!("{}/{name}", self.name.trim_end_matches('/'));
        Ok(Object {
            key: parsed(&format!("{}/{name}", self.key), &address)?,
            name: address,
            ..self.clone()
        })
    }

    /// The names of all objects below it.
    ///
    /// # Errors
    /// When they cannot be had.
    pub fn list(&self) -> Result<Vec<String>, Failure> {
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        let listed = self.wait(async move {
            let mut names = Vec::new();
            let mut folders = vec![key];
            while let Some(folder) = folders.pop() {
                let found = store.list_with_delimiter(Some(&folder)).await?;
                names.extend(found.objects.into_iter().map(|object| object.location));
                folders.extend(found.common_prefixes);
            }
            Ok(names)
        });
        let listed = listed.map_err(|error| self.failure(&error))?;
        let above = format!("{}/", self.key);
        let names = listed
            .iter()
            .filter_map(|key| key.as_ref().strip_prefix(&above));
        Ok(names.map(str::to_owned).collect())
    }

    /// Removes it, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> Result<(), Failure> {
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        match self.wait(async move { store.delete(&key).await }) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn head(&self) -> Result<ObjectMeta, Error> {
        let (store, key) = (Arc::clone(&self.store), self.key.clone());
        self.wait(async move {
            match store.head(&key).await {
                // The answer to HEAD does not say what is missing, object or bucket; that to GET does.
                Err(Error::NotFound { .. }) => store
                    .get_opts(&key, GetOptions::default())
                    .await
                    .map(|found| found.meta),
                other => other,
            }
        })
    }

    /// Begins a request.
    fn start<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Receiver<Result<T, Error>> {
        let (send, answer) = sync_channel(1);
        // Nobody waits for the answer any more when it cannot be sent.
        self.runtime
            .spawn(async move { drop(send.send(request.await)) });
        answer
    }

    fn wait<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        answered(&self.start(request))
    }

    fn failure(&self, error: &Error) -> Failure {
        failure(error).in_file(&self.name)
    }
}

/// Waits for the answer of a request.
fn answered<T>(answer: &Receiver<Result<T, Error>>) -> Result<T, Error> {
    // A request that panics sends none.
    answer.recv().unwrap_or_else(|_| {
        Err(Error::Generic {
            store: "S3",
            source: "the request was broken off".into(),
        })
    })
}

fn store(bucket: &str) -> Result<AmazonS3, Error> {
    let builder = AmazonS3Builder::from_env();
    let variables = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
    let endpoint = variables.iter().find_map(|name| std::env::var(name).ok());
    let builder = match endpoint.is_some_and(|endpoint| is_loopback(&endpoint)) {
        true => builder.with_allow_http(true),
        false => builder,
    };
    let retry = RetryConfig {
        max_retries: 7,
        ..RetryConfig::default()
    };
    builder.with_bucket_name(bucket).with_retry(retry).build()
}

/// Whether an endpoint is this machine, without TLS.
fn is_loopback(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<hyper::Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse();
    uri.scheme_str() == Some("http")
        && (host == "localhost" || address.is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()))
}

fn parsed(key: &str, address: &str) -> Result<Key, Failure> {
    Key::parse(key).map_err(|error| Failure::of_file(address, format!("is no key: {error}")))
}

/// What is wrong, with no object in particular.
fn failure(error: &Error) -> Failure {
    let told = chain(error);
    match error {
        Error::NotFound { .. } if told.contains("NoSuchBucket") => Failure::plain("no such bucket"),
        Error::NotFound { .. } => Failure::plain("no such object"),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            Failure::plain("access denied").hint(CREDENTIALS)
        }
        Error::Precondition { .. } => {
            Failure::plain("has changed while it was read").hint("read it again from its beginning")
        }
        _ if told.contains("scheme is not allowed") => Failure::plain("the endpoint has no TLS")
            .hint("AWS_ENDPOINT_URL begins with https://; only a server on this machine is asked without"),
        // Where the environment has none, the machine is asked for its role.
        _ if told.contains("latest/api/token") || told.contains("latest/meta-data") => {
            Failure::plain("no credentials").hint(CREDENTIALS)
        }
        _ => Failure::plain(told),
    }
}

const CREDENTIALS: &str = "credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of the machine; \
                           they must allow to read, to write and to list the bucket";

/// An error with its causes, in one line.
fn chain(error: &Error) -> String {
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !told.contains(&more) {
            told += &format!(": {more}");
        }
        cause = error.source();
    }
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error of a stream, with its hint inside.
fn io_error(error: &Error) -> std::io::Error {
    let kind = match error {
        Error::NotFound { .. } => ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            ErrorKind::PermissionDenied
        }
        _ => ErrorKind::Other,
    };
    std::io::Error::new(kind, failure(error))
}
