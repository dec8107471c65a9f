"""The demonstration shop, whose customers sign in through the function."""

import json

import pytest
from playwright.sync_api import expect

from ways import NOT_VERIFIED, ON_WIFI, VERIFIED, WIFI

SIGNED_IN, NOT_SIGNED_IN = "You are signed in", "You were not signed in"


def sign_in(product, page, number):
    page.goto(product.shop_url)
    page.get_by_label("Which number").fill(number)
    page.get_by_role("button", name="Sign in", exact=True).click()


def expect_page(page, heading, *texts):
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    for text in texts:
        expect(page.get_by_role("main")).to_contain_text(text)


def expect_nobody(product, page):
    page.goto(product.shop_url)
    expect_page(page, "Sign in")


def test_the_customer_is_signed_in_with_the_number_that_was_verified(product, page):
    sign_in(product, page, VERIFIED)
    expect(page).to_have_url(f"{product.shop_url}/")
    issuer = json.dumps(product.url)
    expect_page(page, SIGNED_IN, "+34600000001", "phone_number_verified", f"iss{issuer}", 'aud"shop"')
    page.reload()
    expect_page(page, SIGNED_IN)
    page.get_by_role("button", name="Sign out").click()
    expect_nobody(product, page)


def test_without_a_number_the_provider_asks_for_it(product, page):
    page.goto(product.shop_url)
    page.get_by_role("button", name="without typing a number").click()
    expect(page.get_by_role("main")).to_contain_text("Demo shop asks you to verify your phone number")
    page.get_by_label("Your phone number").fill(VERIFIED)
    page.get_by_role("button", name="Verify for Demo shop").click()
    expect_page(page, SIGNED_IN, "+34600000001")


@pytest.mark.parametrize("typed", ["600 000 001", "+34", "+034600000001", "+3460000000１", "tel:+34600000001", '"><b>'])
def test_what_is_not_a_number_stays_in_the_form(product, page, typed):
    sign_in(product, page, typed)
    expect(page.get_by_role("alert")).to_have_text("This is not a phone number with + and its country code.")
    expect(page.get_by_label("Which number")).to_have_value(typed)
    assert product.asked("authorize") == 0


@pytest.mark.parametrize(
    ("number", "at_the_function", "in_the_shop", "code"),
    [
        (NOT_VERIFIED, "does not match mobile line", "has another number", "access_denied: not_verified"),
        (ON_WIFI, f"Turn off {WIFI}", "Turn off Wi-Fi", "unmet_authentication_requirements: not_on_mobile_network"),
    ],
)
def test_the_way_back_leads_to_an_explanation_and_a_new_try(product, page, number, at_the_function, in_the_shop, code):
    sign_in(product, page, number)
    expect(page.get_by_role("heading", level=1)).to_contain_text(at_the_function)
    page.get_by_role("link", name="Back to Demo shop").click()
    expect_page(page, NOT_SIGNED_IN, in_the_shop, code)
    page.get_by_role("link", name="Try again").click()
    expect_page(page, "Sign in")


def test_off_wifi_the_same_sign_in_succeeds(product, page):
    product.scenario("on_wifi")
    sign_in(product, page, VERIFIED)
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Turn off {WIFI}")
    product.as_usual()
    page.get_by_role("link", name="Try again").click()
    expect_page(page, SIGNED_IN, "+34600000001")


def test_another_number_than_the_one_asked_about_signs_nobody_in(product, page):
    """`login_hint` passes through the user's hands."""

    def change_the_number(route):
        answer = route.fetch(max_redirects=0)
        location = answer.headers["location"]
        changed = location.replace("34600000009", "34600000001")
        assert changed != location
        route.fulfill(response=answer, headers=answer.headers | {"location": changed})

    page.route("**/sign-in", change_the_number)
    sign_in(product, page, "+34600000009")
    expect_page(page, NOT_SIGNED_IN, "We asked about +34600000009, but you verified +34600000001.")
    expect_nobody(product, page)


def test_an_answer_that_this_browser_did_not_ask_for_signs_nobody_in(product, page, new_context):
    theirs = new_context().request
    answer = theirs.post(f"{product.shop_url}/sign-in", form={"phone": VERIFIED}, max_redirects=0)
    while not (location := answer.headers["location"]).startswith(f"{product.shop_url}/callback?code="):
        answer = theirs.get(location, max_redirects=0)
    for foreign in (location, f"{product.shop_url}/callback?error=access_denied&error_description=Call+us&state=x"):
        page.goto(foreign)
        expect_page(page, NOT_SIGNED_IN, "started in another browser")
        expect(page.get_by_role("main")).not_to_contain_text("Call us")
    expect_nobody(product, page)
    assert SIGNED_IN in theirs.get(location).text()  # In their own browser it is a good one.


def test_two_tabs_leave_one_sign_in(product, new_context):
    context = new_context()
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(product.shop_url)
        page.get_by_role("button", name="without typing a number").click()
        page.get_by_label("Your phone number").fill(VERIFIED)
    first.get_by_role("button", name="Verify for Demo shop").click()
    expect_page(first, NOT_SIGNED_IN, "This sign-in is over")
    second.get_by_role("button", name="Verify for Demo shop").click()
    expect_page(second, SIGNED_IN)
