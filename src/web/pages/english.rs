//! English.

use super::texts::{Answer, Texts};

pub const ENGLISH: Texts = Texts {
    lang: "en",
    start_heading: "Verify your phone number",
    start_what_happens: "Your mobile operator checks that this number belongs to the SIM in this phone. No SMS code, nothing to install.",
    start_mobile_data: "Turn off Wi-Fi first. Your operator recognises the SIM by its mobile data connection, so the check works over mobile data only.",
    start_label: "Your phone number",
    start_hint: "With + and your country code, for example +34\u{a0}600\u{a0}000\u{a0}001",
    start_button: "Verify",
    error_prefix: "Error: ",
    number_empty: "Enter your phone number.",
    number_without_country: "Start with + and your country code, for example +34.",
    number_with_other_characters: "A phone number has only a + and digits. Check what you typed.",
    number_length: "A phone number has 5 to 15 digits after the +. Check what you typed.",
    try_again: "Try again",
    another_way: "Verify another way",
    to_start: "Go to the start",
    number_ending_in: "Phone number ending in",
    reference: "Reference for support:",
    privacy: "Privacy",
    not_found: Answer {
        heading: "There is no such page",
        meaning: "The address may be incomplete or old.",
        next: "To verify a phone number, begin at the start.",
    },
    method_not_allowed: Answer {
        heading: "This page cannot be opened like that",
        meaning: "It is a step in the middle of a verification.",
        next: "To verify a phone number, begin at the start.",
    },
    foreign_start: Answer {
        heading: "This verification was not started here",
        meaning: "Another website tried to start it for you, so it was stopped.",
        next: "If you want to verify your number, begin at the start.",
    },
    verified: Answer {
        heading: "Phone number verified",
        meaning: "Your mobile operator confirmed that this number belongs to the SIM in this phone.",
        next: "You are done. You can close this page and go on where you started.",
    },
    not_verified: Answer {
        heading: "Phone number does not match mobile line",
        meaning: "Your mobile operator says that the SIM this phone uses for mobile data has another number.",
        next: "Check the number for typing errors. If your phone has two SIMs, switch mobile data to the one with this number.",
    },
    invalid_request: Answer {
        heading: "The number could not be checked",
        meaning: "Something in the address of this page is missing or not as it should be.",
        next: "Start again, and do not change the address on the way.",
    },
    invalid_state: Answer {
        heading: "The number could not be checked",
        meaning: "This verification took too long, or its address is not complete.",
        next: "Start again from the beginning.",
    },
    wrong_browser: Answer {
        heading: "Go back to where you started",
        meaning: "This verification was started in another browser or app, and can only be finished there.",
        next: "If somebody sent you this link, do not go on. If you started it yourself, start again in this browser, with cookies allowed.",
    },
    expired_code: Answer {
        heading: "The number could not be checked",
        meaning: "The operator’s answer was used already, or is too old.",
        next: "Start again from the beginning.",
    },
    access_denied: Answer {
        heading: "The number could not be checked",
        meaning: "The check was refused, by you or by your mobile operator.",
        next: "Start again, and agree to the check if your operator asks.",
    },
    not_on_mobile_network: Answer {
        heading: "Turn off Wi-Fi and try again",
        meaning: "Your mobile operator did not see this phone on its network, so the number could not be checked.",
        next: "Turn off Wi-Fi and any VPN, turn on mobile data, then try again.",
    },
    misconfigured: Answer {
        heading: "The number could not be checked",
        meaning: "This is not your fault: this service is not set up correctly.",
        next: "Trying again will not help right now. Please give support the reference shown here.",
    },
    operator_error: Answer {
        heading: "The number could not be checked",
        meaning: "This is not your fault: the mobile operator gave no usable answer.",
        next: "Try again in a moment.",
    },
    operator_busy: Answer {
        heading: "The number could not be checked just now",
        meaning: "This is not your fault: the mobile operator is busy.",
        next: "Wait a minute, then try again.",
    },
    operator_timeout: Answer {
        heading: "The number could not be checked in time",
        meaning: "This is not your fault: the mobile operator took too long to answer.",
        next: "Try again in a moment.",
    },
};
