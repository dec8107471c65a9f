"""The pages of other origins that may read an answer. The browser decides this, so a real one is used."""

import pytest

# One server has both origins; only the first one is in ALLOWED_ORIGINS.
ALLOWED, STRANGE = "127.0.0.1", "localhost"

START = """async ([url, credentials]) => {
  const answer = await fetch(url, {
    method: 'POST', credentials, headers: { Accept: 'application/json' },
    body: new URLSearchParams({ phone: '+34600000001' }),
  });
  return [answer.status, (await answer.json()).authorization_url, answer.headers.get('x-correlator')];
}"""
READ = """async ([url, credentials]) => {
  const answer = await fetch(url, { credentials, headers: { Accept: 'application/json' } });
  return [answer.status, (await answer.json()).outcome];
}"""
BLOCKED = "Failed to fetch"


@pytest.fixture
def front(new_context, front_port):
    """A tab with a page of another origin."""

    def open_at(host):
        page = new_context().new_page()
        page.goto(f"http://{host}:{front_port}/")
        return page

    return open_at


def run(page, script, *arguments):
    """Returns the script's result, or `BLOCKED` if the browser does not let it read the answer."""
    return page.evaluate(f"arguments => ({script})(arguments).catch(error => error.message)", list(arguments))


def test_allowed_page_can_start_and_finish_a_verification_in_sealed_mode(product, front):
    page = front(ALLOWED)
    status, authorization_url, correlator = run(page, START, f"{product.url}/start", "include")
    assert status == 200 and correlator
    # The browser kept the cookie, so the flow continues by navigation.
    page.goto(authorization_url)
    assert page.locator("h1").inner_text() == "Phone number verified"


def test_other_page_can_neither_start_nor_read_in_sealed_mode(product, front):
    page = front(STRANGE)
    for credentials in ("include", "omit"):
        assert run(page, START, f"{product.url}/start", credentials) == BLOCKED
        assert run(page, READ, f"{product.callback_url}?code=a&state=b", credentials) == BLOCKED
    assert product.asked("authorize") == 0


def test_allowed_page_can_read_a_callback_in_sealed_mode(product, front):
    page = front(ALLOWED)
    assert run(page, READ, f"{product.callback_url}?code=a&state=b", "include") == [400, "invalid_state"]


def test_any_page_can_read_a_callback_without_credentials_in_phone_mode(phone_product, front):
    for host in (ALLOWED, STRANGE):
        page = front(host)
        url = f"{phone_product.callback_url}?code=sandbox-sample-code&state=%2B34600000001"
        assert run(page, READ, url, "omit") == [200, "verified"]
        assert run(page, READ, url, "include") == BLOCKED


def test_no_page_can_start_in_phone_mode(phone_product, front):
    assert run(front(STRANGE), START, f"{phone_product.url}/start", "omit") == BLOCKED
