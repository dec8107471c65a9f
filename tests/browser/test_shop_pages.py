"""The way from the shop's form over our pages and back: a mistyped number, two tabs, reload and the browser's buttons."""

from playwright.sync_api import expect

from ways import NOT_VERIFIED, VERIFIED, start

# A number that the operator verifies too.
ANOTHER = "+34600000011"
SIGNED_IN, NOT_SIGNED_IN = "You are signed in", "You were not signed in"
OUR_FORM, ANOTHER_SIM = "Verify your phone number", "Phone number does not match mobile line"


def sign_in(product, page, number):
    page.goto(product.shop_url)
    page.get_by_label("Which number").fill(number)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_in_without_a_number(product, page):
    page.goto(product.shop_url)
    page.get_by_role("button", name="without typing a number").click()
    at_function(product, page, OUR_FORM)


def verify(page, number):
    """Sends our own form."""
    page.get_by_label("Your phone number").fill(number)
    page.get_by_role("button", name="Verify for Demo shop").click()


def at_shop(product, page, heading, says):
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    expect(page.get_by_role("main")).to_contain_text(says)
    assert page.url.startswith(f"{product.shop_url}/")


def at_function(product, page, heading):
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    assert page.url.startswith(f"{product.url}/")
    expect(page.locator("script")).to_have_count(0)


def hidden_fields(page):
    fields = page.locator("input[type=hidden]").all()
    return {field.get_attribute("name"): field.get_attribute("value") for field in fields}


def test_mistyped_number_on_our_start_page_keeps_the_shops_request(product, page):
    sign_in_without_a_number(product, page)
    request = hidden_fields(page)
    assert request["client_id"] == "shop"
    for typed in ("600 000 001", "+34 six"):
        verify(page, typed)
        expect(page.get_by_role("alert")).to_be_visible()
        at_function(product, page, OUR_FORM)
        expect(page.get_by_role("main")).to_contain_text("Demo shop asks you to verify your phone number")
        assert hidden_fields(page) == request
    verify(page, VERIFIED)
    at_shop(product, page, SIGNED_IN, "+34600000001")


def test_customer_who_does_not_want_to_verify_goes_back(product, page):
    sign_in_without_a_number(product, page)
    page.get_by_role("link", name="Back to Demo shop").click()
    at_shop(product, page, NOT_SIGNED_IN, "unmet_authentication_requirements: access_denied")
    assert product.asked("authorize") == 0


def test_shop_and_our_own_form_in_two_tabs_each_get_their_own_answer(product, page):
    other = page.context.new_page()
    sign_in_without_a_number(product, page)
    start(product, other, NOT_VERIFIED)
    at_function(product, other, ANOTHER_SIM)
    verify(page, VERIFIED)
    at_shop(product, page, SIGNED_IN, "+34600000001")
    other.reload()
    at_function(product, other, ANOTHER_SIM)
    expect(other.get_by_role("link", name="Back to Demo shop")).to_have_count(0)


def test_reload_of_each_page_after_a_refusal_shows_it_again(product, page):
    sign_in(product, page, NOT_VERIFIED)
    for _ in range(2):
        at_function(product, page, ANOTHER_SIM)
        expect(page.locator("main a")).to_have_text(["Try again", "Back to Demo shop", "Verify another way"])
        page.reload()
    page.get_by_role("link", name="Back to Demo shop").click()
    for _ in range(2):
        at_shop(product, page, NOT_SIGNED_IN, "access_denied: not_verified")
        page.reload()
    assert product.asked("token") == 1


def test_back_after_signing_in_stays_at_the_shop_and_exchanges_nothing_again(product, page):
    sign_in(product, page, VERIFIED)
    at_shop(product, page, SIGNED_IN, "+34600000001")
    page.go_back()
    assert page.url == f"{product.shop_url}/"
    page.go_forward()
    at_shop(product, page, SIGNED_IN, "+34600000001")
    assert product.asked("token") == 1


def test_back_to_our_start_page_starts_nothing_and_its_form_signs_nobody_in(product, page):
    sign_in_without_a_number(product, page)
    verify(page, VERIFIED)
    at_shop(product, page, SIGNED_IN, "+34600000001")
    page.go_back()
    at_function(product, page, OUR_FORM)
    assert product.asked("authorize") == 1
    verify(page, ANOTHER)
    at_shop(product, page, NOT_SIGNED_IN, "This sign-in is over")
    page.goto(product.shop_url)
    at_shop(product, page, SIGNED_IN, "+34600000001")
