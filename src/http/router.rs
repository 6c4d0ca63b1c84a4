//! From a path to its handler: one flat map of paths, one of XRPC methods. No patterns, so that a route is found or is not.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, StatusCode};

use super::failure::Failure;
use super::request::Request;
use super::response::Response;

/// What a handler gives back.
pub type Answer = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

/// Answers one route.
pub type Handler = Arc<dyn Fn(Request) -> Answer + Send + Sync>;

/// An async function as a [`Handler`].
pub fn handler<F, A>(answer: F) -> Handler
where
    F: Fn(Request) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Response, Failure>> + Send + 'static,
{
    Arc::new(move |request| Box::pin(answer(request)))
}

/// One route.
#[derive(Clone)]
pub(super) struct Route {
    /// The path or NSID, for metrics and logs.
    pub name: &'static str,
    pub handler: Handler,
    method: Method,
    /// Whether the rate limit counts it.
    pub limited: bool,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("name", &self.name).field("method", &self.method).finish_non_exhaustive()
    }
}

/// All routes of a server.
#[derive(Debug, Clone, Default)]
pub struct Router {
    paths: HashMap<&'static str, Route>,
    methods: HashMap<&'static str, Route>,
}

impl Router {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A page or file: GET (and HEAD) of exactly `path`.
    #[must_use]
    pub fn get(mut self, path: &'static str, handler: Handler) -> Self {
        self.paths.insert(path, Route { name: path, handler, method: Method::GET, limited: true });
        self
    }

    /// POST to exactly `path`.
    #[must_use]
    pub fn post(mut self, path: &'static str, handler: Handler) -> Self {
        self.paths.insert(path, Route { name: path, handler, method: Method::POST, limited: true });
        self
    }

    /// As [`Router::get`], outside of the rate limit: what operators and their probes ask.
    #[must_use]
    pub fn probe(mut self, path: &'static str, handler: Handler) -> Self {
        self.paths.insert(path, Route { name: path, handler, method: Method::GET, limited: false });
        self
    }

    /// The XRPC query `nsid`, under `/xrpc/`.
    #[must_use]
    pub fn query(mut self, nsid: &'static str, handler: Handler) -> Self {
        self.methods.insert(nsid, Route { name: nsid, handler, method: Method::GET, limited: true });
        self
    }

    /// The XRPC procedure `nsid`, under `/xrpc/`.
    #[must_use]
    pub fn procedure(mut self, nsid: &'static str, handler: Handler) -> Self {
        self.methods.insert(nsid, Route { name: nsid, handler, method: Method::POST, limited: true });
        self
    }

    /// The routes of both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        self.methods.extend(other.methods);
        self
    }

    /// The route of a request, or why there is none.
    pub(super) fn find(&self, method: &Method, path: &str) -> Result<&Route, Failure> {
        let asked = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(nsid) = path.strip_prefix("/xrpc/")
            && !self.paths.contains_key(path)
        {
            let unknown = || Failure::new(StatusCode::NOT_IMPLEMENTED, "MethodNotImplemented", "Method Not Implemented");
            let route = self.methods.get(nsid).ok_or_else(unknown)?;
            let wrong = || Failure::invalid(format!("Incorrect HTTP method ({method}) expected {}", route.method));
            return if route.method == *asked { Ok(route) } else { Err(wrong()) };
        }
        let route = self.paths.get(path).ok_or_else(Failure::not_found)?;
        let allowed = HeaderValue::from_static(if route.method == Method::GET { "GET, HEAD, OPTIONS" } else { "POST, OPTIONS" });
        let wrong = || Failure::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "Method Not Allowed").with(ALLOW, allowed);
        if route.method == *asked { Ok(route) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::response::text;
    use super::*;

    fn router() -> Router {
        let any = || handler(|_| async { Ok(text(StatusCode::OK, "")) });
        Router::new().get("/", any()).get("/xrpc/_health", any()).query("a.b.c", any()).procedure("a.b.d", any())
    }

    fn status(method: &Method, path: &str) -> u16 {
        router().find(method, path).map_or_else(|failure| failure.status.as_u16(), |_| 200)
    }

    #[test]
    fn a_path_is_found_or_is_not() {
        for path in ["/", "/xrpc/_health", "/xrpc/a.b.c"] {
            assert_eq!((status(&Method::GET, path), status(&Method::HEAD, path)), (200, 200), "{path}");
        }
        assert_eq!(status(&Method::GET, "/nothing"), 404);
        assert_eq!(status(&Method::POST, "/xrpc/a.b.d"), 200);
        assert_eq!((status(&Method::GET, "/xrpc/a.b.d"), status(&Method::HEAD, "/xrpc/a.b.d")), (400, 400));
        assert_eq!(status(&Method::GET, "/xrpc/a.b.e"), 501);
        assert_eq!(status(&Method::GET, "/xrpc/"), 501);
        assert_eq!(status(&Method::POST, "/xrpc/a.b.c"), 400);
        assert_eq!(status(&Method::POST, "/"), 405);
    }
}
