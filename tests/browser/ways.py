"""The steps to each outcome, in a browser on the running product."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

VERIFIED, NOT_VERIFIED, ON_WIFI = "+34 600 000 001", "+34 600 000 002", "+34 600 000 003"


# The pages write this word with U+2011, so that no line ends inside it.
WIFI = "Wi\u2011Fi"


# The button below the field for the number, and the one that needs no number.
SUBMIT, ONE_TAP = "#phone ~ button", "Use this phone’s number"


def start(product, page, number):
    """Submits a number in the form, and returns when the next page has loaded."""
    page.goto(product.url)
    page.locator("#phone").fill(number)
    page.locator(SUBMIT).click()


def tap(product, page):
    """Lets the operator name the number, and returns when the next page has loaded."""
    page.goto(product.url)
    page.get_by_role("button", name=ONE_TAP).click()


class Way:
    """The number, the operator's behaviour, and the user's actions after the first answer."""

    def __init__(self, heading, number=VERIFIED, operator=lambda product: None, then=lambda page: None):
        self.heading, self.number, self.operator, self.then = heading, number, operator, then

    def go(self, product, page):
        self.operator(product)
        start(product, page, self.number)
        page.locator("[role=status]").wait_for()
        self.then(page)


def scenario(name):
    return lambda product: product.scenario(name)


def refuses_the_scope(product):
    product.script("verify", status=403, body={"status": 403, "code": "PERMISSION_DENIED", "message": ""})


def does_not_serve_the_number(product):
    product.script("verify", status=422, body={"status": 422, "code": "SERVICE_NOT_APPLICABLE", "message": ""})


def stays_at_authorize(product):
    # This page looks like an answer to `Way.go`, so that `then` can write the redirect itself.
    page = '<!doctype html><link rel=icon href=data:,><p role="status">Operator'
    product.script("authorize", status=200, headers={"content-type": "text/html"}, body=page)


def gives_up(product):
    # cargo lambda's emulator gives a function ten minutes, so the timeout here comes from the operator's gateway.
    product.script("verify", status=504, body={"status": 504, "code": "TIMEOUT", "message": ""})


def change_address(pattern, replacement):
    def change(page):
        changed = re.sub(pattern, replacement, page.url)
        assert changed != page.url
        page.goto(changed)

    return change


def refusal(authorization_url):
    """Returns the operator's redirect with another error."""
    query = parse_qs(urlsplit(authorization_url).query)
    error = urlencode({"error": "server_error", "state": query["state"][0]})
    return f"{query['redirect_uri'][0]}?{error}"


def lose_cookies(page):
    page.context.clear_cookies()
    page.reload()


CANNOT = "The number could not be checked"
WAYS = {
    "verified": Way("Phone number verified"),
    "not_verified": Way("Phone number does not match mobile line", NOT_VERIFIED),
    "invalid_request": Way(CANNOT, then=change_address("code=[^&]*", "code=")),
    "invalid_state": Way(CANNOT, then=change_address("state=A", "state=B")),
    "wrong_browser": Way("Go back to where you started", then=lose_cookies),
    "expired_code": Way(CANNOT, operator=scenario("code_expired")),
    "access_denied": Way(CANNOT, operator=scenario("consent_refused")),
    "not_on_mobile_network": Way(f"Turn off {WIFI} and try again", ON_WIFI),
    "not_covered": Way("This number cannot be checked this way", operator=does_not_serve_the_number),
    "operator_refused": Way(CANNOT, operator=stays_at_authorize, then=lambda page: page.goto(refusal(page.url))),
    "misconfigured": Way(CANNOT, operator=refuses_the_scope),
    "operator_error": Way(CANNOT, operator=scenario("operator_down")),
    "operator_busy": Way("The number cannot be checked right now", operator=scenario("rate_limited")),
    "operator_timeout": Way(CANNOT + " in time", operator=gives_up),
}
