"""How to reach each outcome in a browser with the running product."""

import re

VERIFIED, NOT_VERIFIED, ON_WIFI = "+34 600 000 001", "+34 600 000 002", "+34 600 000 003"


def start(product, page, number):
    """Submits a number in the form, and follows all redirects."""
    page.goto(product.url)
    page.locator("#phone").fill(number)
    page.get_by_role("button").click()


class Way:
    """What the operator does, which number is verified, and how the callback's URL is changed."""

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


def gives_up(product):
    # cargo lambda's emulator allows ten minutes, so this plays an operator's gateway that gives up sooner with a 504.
    product.script("verify", status=504, body={"status": 504, "code": "TIMEOUT", "message": ""})


def change_address(pattern, replacement):
    def change(page):
        changed = re.sub(pattern, replacement, page.url)
        assert changed != page.url
        page.goto(changed)

    return change


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
    "not_on_mobile_network": Way("Turn off Wi-Fi and try again", ON_WIFI),
    "misconfigured": Way(CANNOT, operator=refuses_the_scope),
    "operator_error": Way(CANNOT, operator=scenario("operator_down")),
    "operator_busy": Way(CANNOT + " just now", operator=scenario("rate_limited")),
    "operator_timeout": Way(CANNOT + " in time", operator=gives_up),
}
