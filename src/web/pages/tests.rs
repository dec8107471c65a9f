//! What every page in every language has in common.

use super::*;

fn pages() -> Pages {
    // Addresses as long as real ones. A `data:` logo would count too, but its size is up to the owner.
    Pages::new(Branding {
        service_name: "Number verification of the Shop".to_owned(),
        accent_color: Some("#0b57d0".to_owned()),
        logo_url: Some("https://www.shop.example/assets/images/brand/logo.svg".to_owned()),
        privacy_url: Some("https://www.shop.example/legal/privacy-notice".to_owned()),
        fallback_url: Some("https://www.shop.example/account/verify/by-text-message".to_owned()),
    })
}

fn correlator() -> Correlator {
    Correlator::from_header(None, "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
}

fn bad(fault: PhoneNumberError) -> StartForm {
    StartForm { typed: "6000".to_owned(), fault: Some(fault), ..StartForm::default() }
}

const OPERATORS: [&str; 3] = ["movistar", "vodafone", "orange-espagne"];

/// The start page of an app, with the number from the only operator, or from one of these.
fn one_tap(operators: &[&str]) -> StartForm {
    let names = || operators.iter().map(|name| (*name).to_owned()).collect();
    let fields = [("client_id", "shop"), ("state", "s-1"), ("operator", "movistar")];
    StartForm {
        app: Some(AppFields {
            client_name: "The Shop".to_owned(),
            back: "https://shop.example/cb?error=unmet_authentication_requirements".to_owned(),
        }),
        fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        retrieve: if operators.is_empty() {
            RetrieveChoices::OnlyOperator
        } else {
            RetrieveChoices::Operators(names())
        },
        ..StartForm::default()
    }
}

/// Every page, with its name.
fn every_page(language: Language) -> Vec<(String, String)> {
    let (pages, number, correlator) = (pages(), PhoneNumber::parse("+34600000001").unwrap(), correlator());
    let mut all = vec![("start".to_owned(), pages.start(language, "/start", &StartForm::default()))];
    all.push(("start, one tap".to_owned(), pages.start(language, "/start", &one_tap(&[]))));
    all.push(("start, three operators".to_owned(), pages.start(language, "/start", &one_tap(&OPERATORS))));
    for error in PhoneNumberError::ALL {
        all.push((format!("start, {error:?}"), pages.start(language, "/start", &bad(error))));
    }
    for outcome in Outcome::ALL {
        let page = pages.result(language, outcome, Some(&number), "/", None, &correlator);
        all.push((outcome.name().to_owned(), page));
    }
    for notice in [
        Notice::NotFound,
        Notice::MethodNotAllowed,
        Notice::ForeignStart,
        Notice::UnsupportedMediaType,
        Notice::ClosedAddress,
        Notice::UnknownApp,
        Notice::Embedded,
    ] {
        all.push((format!("{notice:?}"), pages.notice(language, notice, "/", &correlator)));
    }
    all.into_iter().map(|(name, page)| (format!("{name} in {}", language.tag()), page.unwrap())).collect()
}

#[test]
fn every_page_in_every_language_is_under_6_kilobytes() {
    for language in Language::ALL {
        for (name, page) in every_page(language) {
            assert!(page.len() < 6 * 1024, "{name}: {} bytes", page.len());
        }
    }
}

#[test]
fn every_page_names_its_language_and_runs_no_script() {
    for language in Language::ALL {
        for (name, page) in every_page(language) {
            assert!(page.contains(&format!(r#"<html lang="{}">"#, language.tag())), "{name}");
            for forbidden in ["<script", "javascript:", " style=", " onclick", "@import", "url("] {
                assert!(!page.contains(forbidden), "{name}: {forbidden}");
            }
            assert_eq!(page.matches("<h1").count(), 1, "{name}");
        }
    }
}

#[test]
fn numbers_are_masked_and_only_their_ending_is_read_out() {
    for (number, ending) in [("+34600000001", "001"), ("+12345", "45"), ("+123456789012345", "345")] {
        let masked = PhoneNumber::parse(number).unwrap().masked();
        assert_eq!(MaskedNumber { masked }.ending(), ending, "{number}");
    }
    for language in Language::ALL {
        for (name, page) in every_page(language).iter().filter(|(name, _)| !name.starts_with("start")) {
            assert!(!page.contains("600000001") && !page.contains("600 000 001"), "{name}");
        }
    }
}

#[test]
fn every_number_error_has_its_own_sentence_in_the_form() {
    for language in Language::ALL {
        let sentences = PhoneNumberError::ALL.map(|error| number_words(language, error).detail);
        for (error, sentence) in PhoneNumberError::ALL.into_iter().zip(&sentences) {
            assert_eq!(sentences.iter().filter(|other| *other == sentence).count(), 1, "{language:?} {error:?}");
            let page = pages().start(language, "/start", &bad(error)).unwrap();
            assert!(page.contains(&format!(r#"role="alert">{sentence}</p>"#)), "{language:?} {error:?}");
        }
    }
}

#[test]
fn outcomes_that_are_not_the_users_fault_say_so() {
    for (language, words) in [
        (Language::English, "not your fault"),
        (Language::Spanish, "No es culpa suya"),
        (Language::Portuguese, "A culpa não é sua"),
        (Language::German, "Es liegt nicht an Ihnen"),
    ] {
        for outcome in Outcome::ALL {
            let not_the_users = outcome.status() >= 500;
            assert_eq!(
                outcome_words(language, outcome).detail.contains(words),
                not_the_users,
                "{language:?} {outcome:?}"
            );
        }
    }
}

#[test]
fn one_tap_is_the_first_button_and_stands_before_the_field() {
    let texts = Texts::of(Language::English);
    for (name, operators, first, rest) in [
        ("the only operator", &[][..], r#"<button type="submit">Use this phone’s number</button>"#, &[][..]),
        (
            "several",
            &OPERATORS[..],
            r#"<button type="submit" name="operator" value="movistar">movistar</button>"#,
            &[texts.retrieve_which, r#"value="orange-espagne">orange-espagne</button>"#],
        ),
    ] {
        let page = pages().start(Language::English, "/start", &one_tap(operators)).unwrap();
        let (before, after) = page.split_once(first).unwrap_or_else(|| panic!("{name}: {page}"));
        assert!(!before.contains("<button") && after.contains(r#"id="phone""#), "{name}: {page}");
        assert!(rest.iter().all(|part| page.contains(part)), "{name}: {page}");
        // The button names the operator, and the form for typing keeps the one that the app chose.
        assert_eq!(before.matches(r#"name="operator""#).count(), 0, "{name}: {page}");
        assert_eq!(after.matches(r#"<input type="hidden" name="operator" value="movistar">"#).count(), 1, "{name}");
        assert_eq!(page.matches(r#"name="client_id""#).count(), 2, "{name}: {page}");
        assert!(page.contains(r#"<button type="submit" class="plain">Verify for The Shop</button>"#), "{name}: {page}");
    }
    let without = pages().start(Language::English, "/start", &StartForm::default()).unwrap();
    assert!(!without.contains("retrieve") && without.contains(r#"<button type="submit">Verify</button>"#), "{without}");
}
