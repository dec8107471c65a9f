//! The scenarios, and the order of scripts and scenarios.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::json;

use crate::leg::Leg;
use crate::script::Scripted;

/// A situation that a person wants to see or a test checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// The last digit of the number decides: 1 is `true`, 2 is `false`, 3 is not on the mobile network. Asked for the
    /// number, the operator names the SIM's, here and wherever nothing else is said.
    #[default]
    ByNumber,
    /// The answer for every number is `true`.
    RightSim,
    /// The answer for every number is `false`, and the number that the operator names is another one.
    AnotherSim,
    /// The phone reached the operator over Wi-Fi.
    OnWifi,
    /// The user refused consent at the operator.
    ConsentRefused,
    /// The code has expired when it is exchanged.
    CodeExpired,
    /// The token endpoint answers late.
    OperatorSlow,
    /// The token endpoint is a load balancer with nothing behind it.
    OperatorDown,
    /// The API refuses the request because there were too many.
    RateLimited,
    /// The API's answer is outside the protocol.
    Rubbish,
}

impl Scenario {
    /// Every scenario, in the order on the page.
    pub const ALL: [Self; 10] = [
        Self::ByNumber,
        Self::RightSim,
        Self::AnotherSim,
        Self::OnWifi,
        Self::ConsentRefused,
        Self::CodeExpired,
        Self::OperatorSlow,
        Self::OperatorDown,
        Self::RateLimited,
        Self::Rubbish,
    ];

    /// The name in `/sandbox/scenario`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ByNumber => "by_number",
            Self::RightSim => "right_sim",
            Self::AnotherSim => "another_sim",
            Self::OnWifi => "on_wifi",
            Self::ConsentRefused => "consent_refused",
            Self::CodeExpired => "code_expired",
            Self::OperatorSlow => "operator_slow",
            Self::OperatorDown => "operator_down",
            Self::RateLimited => "rate_limited",
            Self::Rubbish => "rubbish",
        }
    }

    /// The script for a scenario that only changes the answer of one leg. `authorize.rs`, `verify.rs` and
    /// `device_phone_number.rs` implement the others.
    fn scripted(self, leg: Leg, slow_for: Duration) -> Option<Scripted> {
        match (self, leg) {
            (Self::CodeExpired, Leg::Token) => {
                let error = json!({ "error": "invalid_grant", "error_description": "the code has expired" });
                Some(Scripted::json(400, &error).header("cache-control", "no-store"))
            }
            (Self::OperatorSlow, Leg::Token) => Some(Scripted::late(slow_for)),
            (Self::OperatorDown, Leg::Token) => {
                let page = "<html><body><h1>502 Bad Gateway</h1></body></html>\n";
                Some(Scripted::answer(502, page).header("content-type", "text/html"))
            }
            (Self::RateLimited, Leg::Verify | Leg::DevicePhoneNumber) => {
                let error = json!({ "status": 429, "code": "TOO_MANY_REQUESTS", "message": "Rate limit reached." });
                Some(Scripted::json(429, &error).header("retry-after", "30"))
            }
            (Self::Rubbish, Leg::Verify | Leg::DevicePhoneNumber) => {
                let page = "<html><body><p>Welcome to our network!</p></body></html>\n";
                Some(Scripted::answer(200, page).header("content-type", "text/html"))
            }
            _ => None,
        }
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, UnknownScenario> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name).ok_or_else(|| UnknownScenario(name.to_owned()))
    }
}

/// No scenario has this name. `Display` lists the known names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownScenario(String);

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Scenario::ALL.map(Scenario::name).join(", ");
        write!(f, "there is no scenario '{}'; use one of: {names}", self.0)
    }
}

impl std::error::Error for UnknownScenario {}

/// The current scenario and the scripts that override it.
#[derive(Debug)]
pub(crate) struct Play {
    pub scenario: Scenario,
    scripts: [Option<Scripted>; Leg::ALL.len()],
    slow_for: Duration,
}

impl Play {
    pub(crate) fn new(slow_for: Duration) -> Self {
        Self { scenario: Scenario::default(), scripts: Default::default(), slow_for }
    }

    pub(crate) fn set_script(&mut self, leg: Leg, scripted: Option<Scripted>) {
        self.scripts[leg as usize] = scripted;
    }

    /// The answer of a leg to one request: the script, else the scenario, else the real answer.
    pub(crate) fn next(&mut self, leg: Leg) -> Scripted {
        let script = &mut self.scripts[leg as usize];
        match script {
            Some(Scripted { times: Some(0), .. }) => *script = None,
            Some(Scripted { times: Some(times), .. }) => *times -= 1,
            _ => {}
        }
        script.clone().or_else(|| self.scenario.scripted(leg, self.slow_for)).unwrap_or_default()
    }
}
