"""The whole flow as a person sees it: form, operator and answer, with reloads, tabs and the back button."""

import re

import pytest
from playwright.sync_api import expect

import chromium
from conftest import FALLBACK_URL
from ways import NOT_VERIFIED, ON_WIFI, ONE_TAP, SUBMIT, VERIFIED, WAYS, start

SEEN = {"verified": "yes", "not_verified": "no"}


@pytest.mark.parametrize("outcome", WAYS)
def test_each_outcome(product, page, outcome):
    way = WAYS[outcome]
    way.go(product, page)
    expect(page.get_by_role("heading", level=1)).to_have_text(way.heading)
    expect(page).to_have_title(f"{way.heading} – Number verification")
    # The icon, its colour and the words each show the kind of the answer.
    status = page.get_by_role("status")
    expect(status).to_have_class(SEEN.get(outcome, "unknown"))
    expect(status.locator("svg")).to_be_visible()
    # The next steps, best first.
    expect(page.locator(".next")).to_be_visible()
    ways = ["Try again", "Verify another way"]
    if outcome == "verified":
        ways = []
    elif outcome in ("not_covered", "misconfigured"):
        # Retrying does not help.
        ways = ["Verify another way", "Go to the start"]
    expect(page.locator("main a")).to_have_text(ways)
    if ways:
        expect(page.get_by_role("link", name="Verify another way")).to_have_attribute("href", FALLBACK_URL)
    # It says so if the user is not at fault.
    someone_elses = outcome in ("misconfigured", "operator_error", "operator_busy", "operator_timeout")
    assert ("not your fault" in status.inner_text()) == someone_elses
    # The reference for support.
    assert re.fullmatch(r"[0-9a-f-]{36}", page.locator("footer code").inner_text())
    # The page contains the number only in masked form.
    assert "600000001" not in page.content() and "600 000 001" not in page.content()


@pytest.mark.parametrize("number", [VERIFIED, NOT_VERIFIED, ON_WIFI])
def test_number_is_masked_and_only_its_ending_is_read_out(product, page, number):
    start(product, page, number)
    shown = page.locator(".number")
    expect(shown.locator("[aria-hidden]")).to_have_text(f"+34 ••• ••• {number[-3:]}")
    expect(shown.locator(".read")).to_have_text(f"Phone number ending in {number[-3:]}")


@pytest.mark.parametrize(
    "typed", ["tel:+34-600-000-001", "0034 600/000.001", "\u202a+34\u00a0600\u200b000\u2060001\u202c", "(+34) [600] 000 001"]
)
def test_number_is_accepted_in_every_copied_form(product, page, typed):
    start(product, page, typed)
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone number verified")
    expect(page.locator(".number [aria-hidden]")).to_have_text("+34 ••• ••• 001")


def test_try_again_leads_to_the_form_and_to_an_answer(product, page):
    start(product, page, ON_WIFI)
    page.get_by_role("link", name="Try again").click()
    page.get_by_label("Your phone number").fill(VERIFIED)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone number verified")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("600 000 001", "Start with + and your country code"),
        ("", "Enter your phone number."),
        ("+34 six", "the digits 0 to 9"),
        ("+34", "5 to 15 digits"),
        ('"><b>1</b>', "the digits 0 to 9"),
        ("+３４６００００００００１", "the digits 0 to 9"),
        ("+44 (0)7700 900123", "A 0 in brackets can be read in two ways"),
        ("+39 [ 0 ] 342 123456", "A 0 in brackets can be read in two ways"),
        ("+44 07700 900123", "without the 0 after the country code"),
        ("001 65 9234 5678", "A number that starts with 001 can be read in two ways"),
    ],
)
def test_invalid_number_stays_in_the_focused_field_with_its_error(product, page, typed, reason):
    start(product, page, typed)
    field = page.get_by_label("Your phone number")
    expect(field).to_have_value(typed)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_contain_text(reason)
    # A screen reader reads the error with the field, before the hint.
    expect(field).to_have_accessible_description(re.compile(f"^{re.escape(page.get_by_role('alert').inner_text())} "))
    expect(page).to_have_title(re.compile("^Error: "))
    field.fill(VERIFIED)
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone number verified")


@pytest.mark.parametrize("outcome", ["verified", "not_verified", "not_on_mobile_network"])
def test_reload_shows_the_same_answer_without_asking_the_operator_again(product, page, outcome):
    WAYS[outcome].go(product, page)
    for _ in range(2):
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text(WAYS[outcome].heading)
    assert (product.asked("token"), product.asked("verify")) == (1, 1)


def test_back_leads_to_the_form_and_forward_to_the_same_answer(product, page):
    start(product, page, VERIFIED)
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone number verified")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Verify your phone number")
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone number verified")
    assert product.asked("token") == 1


def test_two_tabs_each_get_their_own_answer(product, new_context):
    context = new_context()
    one, other = context.new_page(), context.new_page()
    for tab, number in ((one, VERIFIED), (other, NOT_VERIFIED)):
        tab.goto(product.url)
        tab.get_by_label("Your phone number").fill(number)
    # Both reach the operator before either returns.
    product.script("authorize", delay_ms=500)
    for tab in (one, other):
        with tab.expect_request(lambda request: "/authorize?" in request.url):
            tab.locator(SUBMIT).click(no_wait_after=True)
    expect(one.get_by_role("heading", level=1)).to_have_text("Phone number verified")
    expect(other.get_by_role("heading", level=1)).to_have_text("Phone number does not match mobile line")


def test_callback_opened_in_another_browser_is_refused_and_spends_nothing(product, new_context):
    start_here, other = new_context().new_page(), new_context().new_page()
    start(product, start_here, VERIFIED)
    expect(start_here.get_by_role("status")).to_be_visible()
    address = start_here.url
    for page in (other, other):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text("Go back to where you started")
        # The second time, this browser has its own cookies.
        start(product, page, NOT_VERIFIED)
        expect(page.get_by_role("status")).to_have_class("no")
    assert product.asked("token") == 3


def test_without_cookies_the_page_says_what_to_do(product, playwright, tmp_path):
    context = chromium.launch_without_cookies(playwright, tmp_path / "profile")
    try:
        page = context.new_page()
        start(product, page, VERIFIED)
        expect(page.get_by_role("heading", level=1)).to_have_text("Go back to where you started")
        expect(page.get_by_role("main")).to_contain_text("with cookies allowed")
        expect(page.get_by_role("link", name="Try again")).to_be_visible()
    finally:
        context.close()
    assert product.asked("token") == 0


def test_flow_works_without_scripts(product, new_context):
    page = new_context(java_script_enabled=False).new_page()
    start(product, page, "600")
    expect(page.get_by_role("alert")).to_contain_text("Start with + and your country code")
    start(product, page, VERIFIED)
    expect(page.get_by_role("heading", level=1)).to_have_text("Phone number verified")


def test_flow_works_with_the_keyboard_alone(product, page):
    page.goto(product.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=ONE_TAP)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your phone number")).to_be_focused()
    page.keyboard.type(NOT_VERIFIED)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_class("no")
    for name in ("Try again", "Verify another way", "Privacy"):
        page.keyboard.press("Tab")
        link = page.get_by_role("link", name=name)
        expect(link).to_be_focused()
        assert link.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
