//! The list of requests and their answers.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};

use crate::leg::Leg;
use crate::lock::lock;
use crate::served::Served;

/// The number of requests that are kept. A benchmark sends more than anyone will read.
const KEPT: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Ledger {
    book: Arc<Mutex<Book>>,
    print: bool,
}

#[derive(Debug, Default)]
struct Book {
    requests: VecDeque<Served>,
    /// The ID of the first of `requests`.
    first: u64,
    counts: [usize; Leg::ALL.len()],
}

impl Ledger {
    pub(crate) fn new(print: bool) -> Self {
        Self { book: Arc::default(), print }
    }

    /// Lists a request when it arrives, so that it is listed even if its client does not wait for the answer.
    pub(crate) fn arrived(&self, served: Served) -> Entry {
        let mut book = lock(&self.book);
        if let Some(leg) = served.leg {
            book.counts[leg as usize] += 1;
        }
        if book.requests.len() == KEPT {
            book.requests.pop_front();
            book.first += 1;
        }
        let id = book.first + book.requests.len() as u64;
        book.requests.push_back(served.clone());
        Entry { id, served, print: self.print, book: Arc::clone(&self.book) }
    }

    pub(crate) fn requests(&self) -> Vec<Served> {
        lock(&self.book).requests.iter().cloned().collect()
    }

    /// The newest requests, newest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Served> {
        lock(&self.book).requests.iter().rev().take(count).cloned().collect()
    }

    pub(crate) fn count(&self, leg: Leg) -> usize {
        lock(&self.book).counts[leg as usize]
    }

    pub(crate) fn clear(&self) {
        let mut book = lock(&self.book);
        book.first += book.requests.len() as u64;
        book.requests.clear();
        book.counts = Default::default();
    }
}

/// A request that is being answered. If it is dropped before [`Entry::answered`], the client did not wait.
pub(crate) struct Entry {
    id: u64,
    served: Served,
    print: bool,
    book: Arc<Mutex<Book>>,
}

impl Entry {
    pub(crate) fn answered(mut self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        self.served.answered(status, headers, body);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.served.status.is_none() {
            self.served.abandoned();
        }
        if self.print {
            // The sandbox keeps running if its terminal is closed.
            let _ = writeln!(std::io::stdout().lock(), "{}", self.served);
        }
        let mut book = lock(&self.book);
        let index = self.id.checked_sub(book.first).and_then(|index| usize::try_from(index).ok());
        if let Some(kept) = index.and_then(|index| book.requests.get_mut(index)) {
            kept.clone_from(&self.served);
        }
    }
}
