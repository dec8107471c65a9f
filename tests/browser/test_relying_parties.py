"""Apps with two OpenID Connect libraries sign their users in at the running function.

openid-client checks the redirect's `iss` and `state`, and the ID token's signature, claims and `nonce`; Authlib checks
`at_hash` besides, and no `iss` of the redirect.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from joserfc.jwk import RSAKey

from plain_browser import PlainBrowser
from product import CHECKOUT, Product

NUMBER, NOT_VERIFIED, ANOTHER = "+34600000001", "+34600000002", "+34600000011"
FOLDER = CHECKOUT / "tests/relying_party"
LIBRARIES = {
    # Node is installed next to this Python.
    "openid-client": [os.path.join(os.path.dirname(sys.executable), "node"), FOLDER / "with_openid_client.js"],
    "Authlib": [sys.executable, FOLDER / "with_authlib.py"],
}
# Base64, as `openssl rand -base64 32` prints it: each of its three special characters means something in a form.
SECRET = "q+7xk/3ZVbT0cJ8mW+1yR5uN/2sLh9dAoEgPfQiXw6o="
WAYS = {
    "HTTP Basic": ("basic", "https://basic.example/callback", "client_secret_basic"),
    "the form": ("form", "https://form.example/callback", "client_secret_post"),
    "public": ("public", "https://public.example/callback", "none"),
    # Its user confirms on our start page, because anyone could have sent this redirect.
    "public on a phone": ("native", "com.example.native:/callback", "none"),
}


def registered(client_id, redirect_uri, method):
    credentials = {"token_endpoint_auth_method": "none"} if method == "none" else {"client_secret": SECRET}
    return {"client_id": client_id, "redirect_uris": [redirect_uri], "client_name": f"App {client_id}"} | credentials


@pytest.fixture(scope="module", params=["ES256", "RS256"])
def provider(request):
    """The function with these apps. ES256 is the derived key, RS256 is a `signing_key` in the secret."""
    product = Product(RELYING_PARTIES=json.dumps([registered(*way) for way in WAYS.values()]))
    try:
        product.wait()
        if request.param == "RS256":
            store_signing_key(product)
        assert algorithms(product) == [request.param]
        yield product
    finally:
        product.stop()


def store_signing_key(product):
    """Adds an RSA key to the secret, and waits until the function has read it."""
    # The sandbox checks only that there is a signature.
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "secretsmanager.GetSecretValue",
        "authorization": "AWS4-HMAC-SHA256 Credential=sandbox",
    }
    stored = json.loads(fetch(product.sandbox_url, b'{"SecretId": "number-verification"}', headers))
    key = RSAKey.generate_key(2048).as_pem(private=True).decode()
    secret = json.loads(stored["SecretString"]) | {"signing_key": key}
    # With an old version, the key before it signs nothing any more.
    changed = {"SecretString": json.dumps(secret), "CreatedDate": stored["CreatedDate"] - 3600}
    product.script("secret", body=stored | changed)
    give_up = time.monotonic() + 60
    while algorithms(product) != ["RS256"]:
        assert time.monotonic() < give_up, "the function does not read the secret again"
        time.sleep(0.5)
        # An unknown app makes the function read the secret again, at most once in ten seconds.
        with pytest.raises(urllib.error.HTTPError, match="400"):
            fetch(f"{product.url}/authorize?client_id=unknown")


def algorithms(product):
    metadata = json.loads(fetch(f"{product.url}/.well-known/openid-configuration"))
    return metadata["id_token_signing_alg_values_supported"]


def fetch(url, body=None, headers={}):
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return answer.read()


def sign_in(product, library, way="HTTP Basic", number=NUMBER, hint=None, **more):
    """Lets the user of an app sign in, and returns what the app then knows. `hint` replaces the number in the address."""
    client_id, redirect_uri, method = WAYS[way]
    settings = {
        "issuer": product.url,
        "client_id": client_id,
        "client_secret": None if method == "none" else SECRET,
        "token_endpoint_auth_method": method,
        "redirect_uri": redirect_uri,
        "number": number,
        "more": more,
    }
    app = subprocess.Popen(
        [*LIBRARIES[library], json.dumps(settings)],
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1", "NO_PROXY": "127.0.0.1"},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        address = app.stdout.readline().strip()
        came_back = ""
        if address:
            came_back = PlainBrowser().follow(with_hint(address, hint), redirect_uri)
            sent, back = parameters(address), parameters(came_back)
            # Not every library checks these in a redirect with an error.
            assert (back["state"], back["iss"]) == (sent["state"], product.url)
        said, complaint = app.communicate(f"{came_back}\n", timeout=60)
        assert app.returncode == 0, f"{library}, {way}: {complaint}"
        return json.loads(said)
    finally:
        app.kill()


def parameters(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))


def with_hint(address, number):
    if number is None:
        return address
    changed = urllib.parse.urlencode(parameters(address) | {"login_hint": f"tel:{number}"})
    return urllib.parse.urlsplit(address)._replace(query=changed).geturl()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("library", LIBRARIES)
def test_library_signs_its_user_in(provider, library, way):
    result = sign_in(provider, library, way)
    assert result.get("signed_in") is True, result
    claims = result["claims"]
    assert (claims["phone_number"], claims["amr"]) == (NUMBER, ["nba"])
    phone = {"sub": claims["sub"], "phone_number": NUMBER, "phone_number_verified": True}
    assert result["userinfo"] == phone


REFUSALS = {
    "another number": ({"number": NOT_VERIFIED}, "access_denied", "not_verified"),
    "another number, and no page is shown": (
        {"number": NOT_VERIFIED, "prompt": "none"},
        "access_denied",
        "not_verified",
    ),
    "a number without its country code": (
        {"number": "600000001", "prompt": "none"},
        "invalid_request",
        "login_hint is not a phone number with its country code",
    ),
}


@pytest.mark.parametrize("provider", ["ES256"], indirect=True)
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", REFUSALS)
def test_library_reports_the_error(provider, library, name):
    request, error, description = REFUSALS[name]
    assert sign_in(provider, library, **request) == {"error": error, "error_description": description}


@pytest.mark.parametrize("provider", ["ES256"], indirect=True)
@pytest.mark.parametrize("library", LIBRARIES)
def test_user_who_changes_the_hint_is_not_signed_in(provider, library):
    result = sign_in(provider, library, hint=ANOTHER)
    assert (result.get("signed_in"), result.get("claims", {}).get("phone_number")) == (False, ANOTHER), result
