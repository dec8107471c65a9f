//! A program to compare.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use serde_json::Value;

/// A program, its events, and what its answer must contain.
#[derive(Clone)]
pub struct Program {
    pub kind: Kind,
    pub executable: PathBuf,
    pub arguments: Vec<OsString>,
    pub variables: Vec<(&'static str, OsString)>,
    /// The events of its invocations, used in turn. There is at least one.
    pub events: Vec<String>,
    pub expected: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Floor,
    Function,
    /// The function with three operators.
    Several,
    Python,
    Node,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "hello world",
            Self::Function => "number-verification",
            Self::Several => "number-verification with three operators",
            Self::Python => "Python sample",
            Self::Node => "Node sample",
        }
    }
}

impl Program {
    /// The event of an invocation, the first of an environment being number 0.
    pub fn event(&self, invocation: usize) -> &str {
        self.events.get(invocation % self.events.len().max(1)).map_or("", String::as_str)
    }

    /// This program as an argument of `tool`.
    pub fn below<const N: usize>(&self, tool: &str, arguments: [OsString; N]) -> Self {
        let mut program = self.clone();
        program.executable = tool.into();
        program.arguments.insert(0, self.executable.clone().into());
        program.arguments.splice(0..0, arguments);
        program
    }

    /// Fails if the answer is wrong, because its time would mean nothing.
    pub fn check(&self, answer: &Value) -> io::Result<()> {
        let body = answer["body"].as_str().unwrap_or_default();
        if answer["statusCode"] == 200 && body.contains(self.expected) {
            return Ok(());
        }
        Err(io::Error::other(format!("{}: answered {answer}, without '{}'", self.kind.name(), self.expected)))
    }
}
