//! English.

use super::texts::{PageText, Texts};

pub const ENGLISH: Texts = Texts {
    start_heading: "Verify your phone number",
    start_what_happens: "Your mobile operator checks that this number belongs to the SIM in this phone. No SMS code, nothing to install.",
    start_mobile_data: "Turn off Wi\u{2011}Fi first. Your operator recognises the SIM by its mobile data connection, so the check only works over mobile data.",
    start_label: "Your phone number",
    start_hint: "With + and your country code, for example +34\u{a0}600\u{a0}000\u{a0}001",
    start_button: "Verify",
    retrieve_what_happens: "Your mobile operator checks that a number belongs to the SIM in this phone, or tells us the SIM’s number if you choose so. No SMS code, nothing to install.",
    retrieve_button: "Use this phone’s number",
    retrieve_which: "Use this phone’s number. Which is your mobile operator?",
    or: "or",
    app_asks: "{app} asks you to verify your phone number, and receives the number once it is verified.",
    app_button: "Verify for {app}",
    error_prefix: "Error: ",
    number_empty: "Enter your phone number.",
    number_without_country: "Start with + and your country code, for example +34.",
    number_with_other_characters: "A phone number consists of a + and the digits 0 to 9. Check what you typed.",
    number_length: "A phone number has 5 to 15 digits after the +. Check what you typed.",
    number_zero_in_brackets: "A 0 in brackets can be read in two ways. Write the number as you would dial it from abroad, for example +44\u{a0}7700\u{a0}900123.",
    number_trunk_zero: "Write the number as you would dial it from abroad, without the 0 after the country code, for example +44\u{a0}7700\u{a0}900123.",
    number_double_meaning: "A number that starts with 001 can be read in two ways. Start with + and your country code instead.",
    try_again: "Try again",
    another_way: "Verify another way",
    to_start: "Go to the start",
    back_to_app: "Back to {app}",
    number_ending_in: "Phone number ending in",
    reference: "Reference for support:",
    privacy: "Privacy",
    not_found: PageText {
        heading: "Page not found",
        meaning: "The address may be incomplete or old.",
        next: "To verify a phone number, start from the beginning.",
    },
    method_not_allowed: PageText {
        heading: "This page cannot be opened like that",
        meaning: "It is a step in the middle of a verification.",
        next: "To verify a phone number, start from the beginning.",
    },
    foreign_start: PageText {
        heading: "This verification was not started here",
        meaning: "Another website tried to start it for you, so it was stopped.",
        next: "If you want to verify your number, start from the beginning.",
    },
    unsupported_media_type: PageText {
        heading: "This request could not be read",
        meaning: "The phone number was sent in a form that is not understood here.",
        next: "Enter it on the start page; programs send a form or JSON.",
    },
    closed_address: PageText {
        heading: "This address is closed",
        meaning: "The service has another public address.",
        next: "Go back to the app or website that sent you here.",
    },
    unknown_app: PageText {
        heading: "This app is not known here",
        meaning: "The link that brought you here names an app or an address that is not registered.",
        next: "Go back to the app and try again. If this happens again, tell the app’s support.",
    },
    embedded: PageText {
        heading: "This page must be opened on its own",
        meaning: "Another website tried to open it inside its own page or in the background, so it was stopped.",
        next: "Go back to the app that sent you here, and start again.",
    },
    verified: PageText {
        heading: "Phone number verified",
        meaning: "Your mobile operator confirmed that this number belongs to the SIM in this phone.",
        next: "You are done. You can close this page and continue where you started.",
    },
    not_verified: PageText {
        heading: "Phone number does not match mobile line",
        meaning: "Your mobile operator says that the SIM this phone uses for mobile data has a different number.",
        next: "Check the number for typing errors. If your phone has two SIMs, switch mobile data to the one with this number.",
    },
    invalid_request: PageText {
        heading: "The number could not be checked",
        meaning: "The address of this page is incomplete or wrong.",
        next: "Start again, and do not change the address.",
    },
    invalid_state: PageText {
        heading: "The number could not be checked",
        meaning: "This verification took too long, or its address is incomplete.",
        next: "Start again from the beginning.",
    },
    wrong_browser: PageText {
        heading: "Go back to where you started",
        meaning: "This verification was started in another browser or app, and can only be finished there.",
        next: "If somebody sent you this link, do not continue. If you started it yourself, start again in this browser, with cookies allowed.",
    },
    expired_code: PageText {
        heading: "The number could not be checked",
        meaning: "The operator’s answer has already been used or has expired.",
        next: "Start again from the beginning.",
    },
    access_denied: PageText {
        heading: "The number could not be checked",
        meaning: "You or your mobile operator refused the check.",
        next: "Turn off Wi\u{2011}Fi, start again, and agree to the check if your operator asks.",
    },
    not_on_mobile_network: PageText {
        heading: "Turn off Wi\u{2011}Fi and try again",
        meaning: "Your mobile operator did not see this phone on its network, so the number could not be checked.",
        next: "Turn off Wi\u{2011}Fi and any VPN, turn on mobile data, then try again.",
    },
    not_covered: PageText {
        heading: "This number cannot be checked this way",
        meaning: "The check is not available for this number.",
        next: "If the number is correct, trying again will not help. Please verify it another way.",
    },
    operator_refused: PageText {
        heading: "The number could not be checked",
        meaning: "Your mobile operator did not carry out the check.",
        next: "Start again. If this happens again, please give support the reference shown here.",
    },
    misconfigured: PageText {
        heading: "The number could not be checked",
        meaning: "This is not your fault: this service is not set up correctly.",
        next: "Trying again will not help right now. Please give support the reference shown here.",
    },
    operator_error: PageText {
        heading: "The number could not be checked",
        meaning: "This is not your fault: the mobile operator gave no usable answer.",
        next: "Try again in a moment.",
    },
    operator_busy: PageText {
        heading: "The number cannot be checked right now",
        meaning: "This is not your fault: the check is temporarily unavailable.",
        next: "Wait a minute, then try again.",
    },
    operator_timeout: PageText {
        heading: "The number could not be checked in time",
        meaning: "This is not your fault: the check took too long.",
        next: "Try again in a moment.",
    },
};
