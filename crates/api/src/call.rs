//! What a handler is given, and what it gives back.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use strongroom_control::{Caller, identity::Session};
use strongroom_wire::Operation;

use crate::{failure::Failure, request::Request};

/// One call of an operation: typed parameters and a proven caller.
pub struct Call<O: Operation> {
    /// The variable segments of the path.
    pub path: O::Path,
    /// The query.
    pub query: O::Query,
    /// The body.
    pub body: O::Body,
    /// Who calls; absent only for what is public.
    pub session: Option<Arc<Session>>,
    /// The raw request.
    pub request: Arc<Request>,
}

impl<O: Operation> Call<O> {
    /// Who calls, for a use case.
    pub fn caller(&self) -> Result<Caller, Failure> {
        Ok(self
            .session()?
            .caller(self.request.id.clone(), self.request.source()))
    }

    /// Who calls.
    pub fn session(&self) -> Result<&Session, Failure> {
        self.session
            .as_deref()
            .ok_or_else(|| Failure::unauthenticated("there is no token"))
    }
}

/// A reply with headers of its own.
#[derive(Debug)]
pub struct Answer<T> {
    /// The body.
    pub reply: T,
    /// Headers beyond those that every reply has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// What a handler may return: the reply alone, or an [`Answer`].
pub trait IntoAnswer<T> {
    /// The reply and its headers.
    fn into_answer(self) -> Answer<T>;
}

impl<T> IntoAnswer<T> for T {
    fn into_answer(self) -> Answer<T> {
        Answer {
            reply: self,
            headers: Vec::new(),
        }
    }
}

impl<T> IntoAnswer<T> for Answer<T> {
    fn into_answer(self) -> Self {
        self
    }
}
