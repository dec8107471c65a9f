"""The flow in three browser engines, over HTTPS, with the operator and the app on sites of their own.

The cookie is `SameSite=Lax` and has to come back after a redirect from another site. The browser decides whether it does.
"""

import contextlib
import functools
import shutil
import urllib.parse

import pytest

import apps
import drivers
from described import Client
from sites import APP_HOME, CALLBACK, FUNCTION, HOME, Sites
from ways import SUBMIT, VERIFIED

FORM, ANSWER = "Verify your phone number", "Phone number verified"


@pytest.fixture(scope="module")
def sites(products):
    with contextlib.closing(Sites(products["sites"])) as sites:
        yield sites


@pytest.fixture
def product(products):
    """The function behind the proxy, with the operator reset."""
    products["sites"].as_usual()
    return products["sites"]


@pytest.fixture(scope="module", params=["Chromium", "Firefox", "WebKitGTK"])
def new_window(request, browser, sites):
    """Returns a function that opens a window of this browser with a fresh profile."""
    kinds = {
        "Chromium": functools.partial(drivers.Chromium, browser),
        "Firefox": drivers.Firefox,
        "WebKitGTK": drivers.WebKitGTK,
    }
    with contextlib.ExitStack() as stack:

        def new():
            try:
                return kinds[request.param](stack, sites.address)
            except drivers.Missing as missing:
                # Where there is apt, `make test` installs the browser, so its absence is a fault.
                if shutil.which("apt-get"):
                    raise
                pytest.skip(str(missing))

        yield new


@pytest.fixture(scope="module")
def window(new_window):
    return new_window()


def verify(window):
    """The way from the form to the answer, through the operator's site."""
    window.open(HOME)
    window.wait_for_heading(FORM)
    window.type("#phone", VERIFIED)
    window.click(SUBMIT)
    window.wait_for_heading(ANSWER)


def test_cookie_survives_the_redirect_from_another_site(product, window):
    verify(window)
    assert window.address().startswith(f"{CALLBACK}?")
    assert (product.asked("token"), product.asked("verify")) == (1, 1)


def test_cookie_is_kept_as_it_was_set(product, window):
    verify(window)
    cookies = window.cookies()
    assert cookies
    for cookie in cookies:
        assert cookie["name"].startswith("__Host-nv-"), cookie
        kept = {name: cookie[name] for name in ("domain", "path", "secure", "httpOnly", "sameSite")}
        assert kept == {"domain": FUNCTION, "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"}


def test_reload_shows_the_same_answer_without_asking_the_operator_again(product, window, sites):
    verify(window)
    loads = sites.opened(CALLBACK)
    window.reload()
    window.wait_for_heading(ANSWER)
    assert sites.opened(CALLBACK) == loads + 1
    assert (product.asked("token"), product.asked("verify")) == (1, 1)


def test_back_leads_to_the_form_and_forward_to_the_same_answer(product, window):
    verify(window)
    window.back()
    window.wait_for_heading(FORM)
    window.forward()
    window.wait_for_heading(ANSWER)
    assert product.asked("token") == 1


def test_callback_opened_in_another_profile_is_refused(product, window, new_window):
    verify(window)
    other = new_window()
    other.open(window.address())
    other.wait_for_heading("Go back to where you started")
    assert other.address() == f"{CALLBACK}/wrong_browser"
    assert product.asked("token") == 1


def test_sign_in_crosses_three_sites_and_ends_at_the_app(product, window):
    window.open(APP_HOME)
    window.click("a")
    window.wait_for_heading("Back at the bank")
    address, query = window.address().split("?")
    sent_back = dict(urllib.parse.parse_qsl(query))
    assert (address, sent_back["state"], sent_back["iss"]) == (apps.BANK_URI, "s-1", HOME.rstrip("/"))
    tokens = apps.token(Client(product), sent_back["code"]).json()
    assert apps.claims(tokens["id_token"])["phone_number"] == "+34600000001"
    assert product.asked("token") == 1
