use std::collections::BTreeMap;

use super::{AS_JSON, Answer, CALLBACK, Function};

/// A browser that keeps the function's cookies and nothing else.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Submits a number in the form, and returns the operator's URL to which the function redirects.
    pub async fn start(&mut self, function: &Function, phone: &str) -> String {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("phone", phone).finish();
        let answer = self.post(function, "/start", &body).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        answer.header("location").to_owned()
    }

    /// Opens an address of the function as a page.
    pub async fn open(&mut self, function: &Function, path_and_query: &str) -> Answer {
        self.open_with(function, path_and_query, &[("accept", "text/html")]).await
    }

    /// Opens an address of the function as JSON.
    pub async fn open_json(&mut self, function: &Function, path_and_query: &str) -> Answer {
        self.open_with(function, path_and_query, &[AS_JSON]).await
    }

    /// Opens an address of the function with these headers.
    pub async fn open_with(&mut self, function: &Function, path_and_query: &str, headers: &[(&str, &str)]) -> Answer {
        let answer = function.get(path_and_query, &self.headers(headers)).await;
        self.keep_cookies(&answer);
        answer
    }

    /// Sends a form of one of the function's own pages.
    pub async fn post(&mut self, function: &Function, path: &str, body: &str) -> Answer {
        let answer = function.post(path, body, &self.headers(&[("sec-fetch-site", "same-origin")])).await;
        self.keep_cookies(&answer);
        answer
    }

    /// A whole verification: form, operator, and the callback as JSON.
    pub async fn verify(&mut self, function: &Function, phone: &str) -> Answer {
        let callback = self.callback_of(function, phone).await;
        self.open_json(function, &callback).await
    }

    /// Submits the form, opens the operator's URL, and returns the path and query of the callback to which it
    /// redirects.
    pub async fn callback_of(&mut self, function: &Function, phone: &str) -> String {
        let authorization_url = self.start(function, phone).await;
        function.at_operator(&authorization_url).await
    }

    /// The callback of a started verification, with an error in place of the code (RFC 6749 §4.1.2.1). The error is
    /// written into the URL as it is.
    pub async fn refused_callback_of(&mut self, function: &Function, phone: &str, error: &str) -> String {
        let callback = self.callback_of(function, phone).await;
        let state = callback.split(['?', '&']).find(|parameter| parameter.starts_with("state=")).unwrap();
        format!("{CALLBACK}?error={error}&{state}")
    }

    /// The browser's cookies, each as `name=value`.
    pub fn cookies(&self) -> Vec<String> {
        self.cookies.values().cloned().collect()
    }

    fn headers<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        self.cookies.values().map(|pair| ("cookie", pair.as_str())).chain(more.iter().copied()).collect()
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let pair = line.split(';').next().unwrap();
            let name = pair.split('=').next().unwrap();
            if line.ends_with("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), pair.to_owned());
            }
        }
    }
}
