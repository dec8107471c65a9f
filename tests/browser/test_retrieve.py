"""The number from the operator, as a person gets it: one tap, and nothing to type."""

import json

import pytest
from playwright.sync_api import expect

from ways import ONE_TAP, WIFI, tap

VERIFIED_HEADING, SIGNED_IN = "Phone number verified", "You are signed in"


def asked(product):
    return [product.asked(leg) for leg in ("token", "verify", "device-phone-number")]


def test_one_tap_shows_the_number_masked(product, page):
    tap(product, page)
    for _ in range(2):
        expect(page.get_by_role("heading", level=1)).to_have_text(VERIFIED_HEADING)
        expect(page.get_by_role("status")).to_have_class("yes")
        expect(page.locator(".number [aria-hidden]")).to_have_text("+34 ••• ••• 001")
        expect(page.get_by_role("main")).to_contain_text("this number belongs to the SIM in this phone")
        assert "600000001" not in page.content() and "600000001" not in page.url
        page.reload()
    assert asked(product) == [1, 0, 1]


def test_one_tap_works_with_the_keyboard_and_without_scripts(product, new_context):
    page = new_context(java_script_enabled=False).new_page()
    page.goto(product.url)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(VERIFIED_HEADING)


def test_try_again_after_wifi_leads_to_the_number(product, page):
    product.scenario("on_wifi")
    tap(product, page)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Turn off {WIFI} and try again")
    expect(page.locator(".number")).to_have_count(0)
    product.as_usual()
    page.get_by_role("link", name="Try again").click()
    page.get_by_role("button", name=ONE_TAP).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(VERIFIED_HEADING)


@pytest.mark.parametrize("answer", [{"devicePhoneNumber": "600000001"}, {"devicePhoneNumberVerified": True}])
def test_what_is_not_a_number_verifies_nothing(product, page, answer):
    product.script("device-phone-number", status=200, body=answer)
    tap(product, page)
    expect(page.get_by_role("heading", level=1)).to_have_text("The number could not be checked")
    expect(page.get_by_role("status")).to_have_class("unknown")


def test_user_chooses_among_several_operators(several_product, page):
    for operator, heading in [("es", VERIFIED_HEADING), ("fr", "The number could not be checked")]:
        page.goto(several_product.url)
        page.get_by_role("button", name=operator, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        assert page.url.startswith(f"{several_product.callback_url}/{operator}?")


@pytest.mark.parametrize(("scenario", "number"), [("by_number", "+34600000001"), ("another_sim", "+34600000009")])
def test_customer_of_the_shop_types_no_number(product, page, scenario, number):
    product.scenario(scenario)
    page.goto(product.shop_url)
    page.get_by_role("button", name="without typing a number").click()
    expect(page.get_by_role("main")).to_contain_text("Demo shop asks you to verify your phone number")
    page.get_by_role("button", name=ONE_TAP).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SIGNED_IN)
    expect(page.get_by_role("main")).to_contain_text(f"phone_number{json.dumps(number)}")
    assert asked(product) == [1, 0, 1]


def test_shop_that_names_a_number_is_not_offered_another(product, page):
    page.goto(product.shop_url)
    page.get_by_label("Which number").fill("+34600000003")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Turn off {WIFI}")
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Turn off {WIFI}")
    assert product.asked("device-phone-number") == 0
