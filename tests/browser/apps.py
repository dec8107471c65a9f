"""Apps that use the function as their OpenID Provider, as programs without a library do it."""

import base64
import json
import urllib.parse

from described import HTML, JSON, Client

BANK_URI, NATIVE_URI = "https://bank.example/cb", "com.example.app:/cb"
SECRET = "the bank's secret has 32 characters"
BANK = {"client_id": "bank", "client_secret": SECRET, "redirect_uris": [BANK_URI], "client_name": "The Bank"}
NATIVE = {"client_id": "native", "token_endpoint_auth_method": "none", "redirect_uris": [NATIVE_URI]}
RELYING_PARTIES = [BANK, NATIVE]
# The verifier and the challenge of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
PKCE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
OF_NATIVE = {"client_id": "native", "redirect_uri": NATIVE_URI} | PKCE

AUTHORIZE, TOKEN, USERINFO = "/authorize", "/token", "/userinfo"
DISCOVERY, JWKS = "/.well-known/openid-configuration", "/.well-known/jwks.json"

# Changes of the bank's request, and the error that the app is told.
REFUSED = [
    ({"response_type": None}, "invalid_request"),
    ({"state": "x" * 2001}, "invalid_request"),
    ({"response_type": "id_token"}, "unsupported_response_type"),
    ({"scope": "phone"}, "invalid_scope"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://bank.example/request"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"prompt": "none", "login_hint": None}, "login_required"),
    ({"prompt": "none"} | OF_NATIVE, "interaction_required"),
]
# The error that the app is told for each outcome; of the others it learns nothing.
ERRORS = {
    "not_verified": "access_denied",
    "access_denied": "unmet_authentication_requirements",
    "not_on_mobile_network": "unmet_authentication_requirements",
    "not_covered": "unmet_authentication_requirements",
    "operator_refused": "unmet_authentication_requirements",
    "expired_code": "unmet_authentication_requirements",
    "operator_busy": "temporarily_unavailable",
    "operator_timeout": "temporarily_unavailable",
    "operator_error": "server_error",
    "misconfigured": "server_error",
    "invalid_request": "invalid_request",
}
# Changes of the bank's token request, each with the name of the answer's example.
REFUSED_TOKENS = [
    ("code_missing", {"code": None}),
    ("code_not_valid", {"code": "rubbish"}),
    ("code_not_valid", {"redirect_uri": "https://bank.example/"}),
    ("code_not_valid", {"code_verifier": VERIFIER}),
    ("another_grant", {"grant_type": "refresh_token"}),
    ("wrong_client", {"client_secret": "wrong"}),
    ("wrong_client", {"client_id": "evil"}),
]


def changed(usual, changes):
    return {name: value for name, value in (usual | changes).items() if value is not None}


def parameters(changes={}):
    """The parameters of the bank's request, with these changes; `None` takes one out."""
    usual = {"client_id": "bank", "redirect_uri": BANK_URI, "response_type": "code", "scope": "openid"}
    return changed(usual | {"state": "s-1", "nonce": "n-1", "login_hint": "tel:+34600000001"}, changes)


def request(changes={}):
    return urllib.parse.urlencode(parameters(changes))


def authorize(client, changes={}, **options):
    return client.get(f"{AUTHORIZE}?{request(changes)}", **options)


def authorization_url(client, number, **changes):
    """The address at the operator to which the bank's user is sent."""
    return authorize(client, {"login_hint": number} | changes).headers["location"][0]


def silently(client, number):
    return authorization_url(client, number, prompt="none")


def callback_url(client):
    return client.request("GET", authorization_url(client, "+34600000001")).headers["location"][0]


def sent_back(answer, redirect_uri=BANK_URI):
    """The parameters that were added to the app's redirect URI."""
    address, query = answer.headers["location"][0].split("?", 1)
    assert (answer.status, address) == (303, redirect_uri)
    return dict(urllib.parse.parse_qsl(query))


def new_code(product):
    client = Client(product)
    return sent_back(client.request("GET", callback_url(client)))["code"]


def token(client, code, changes={}, **headers):
    """The bank's token request, with these changes."""
    usual = {"grant_type": "authorization_code", "redirect_uri": BANK_URI, "code": code}
    fields = changed(usual | {"client_id": "bank", "client_secret": SECRET}, changes)
    return client.post(TOKEN, urllib.parse.urlencode(fields), **headers)


def with_both_credentials(client, code):
    basic = base64.b64encode(f"bank:{urllib.parse.quote_plus(SECRET)}".encode()).decode()
    return token(client, code, authorization=f"Basic {basic}")


def userinfo(client, access_token, method="GET"):
    return client.request(method, client.product.url + USERINFO, authorization=f"Bearer {access_token}")


def claims(id_token):
    """The claims of an ID token, whose signature the libraries' tests verify."""
    payload = id_token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def every_route(client, **options):
    """The answers of all routes of the provider, to a well-formed request."""
    yield authorize(client, **options)
    yield client.post(AUTHORIZE, request(), **options)
    yield token(client, "rubbish", **options)
    for path in (USERINFO, DISCOVERY, JWKS):
        yield client.get(path, **options)
    yield client.request("POST", client.product.url + USERINFO, **options)


def every_answer(product):
    """Each answer of the provider while the secret can be read and an app is registered."""
    client, url = Client(product), product.url
    for accept in (HTML, JSON):
        options = {"accept": accept}
        for changes in ({"login_hint": None}, {"login_hint": "tel:600"}, {}, {"client_id": "evil"}, OF_NATIVE):
            yield authorize(client, changes, **options)
            yield client.post(AUTHORIZE, request(changes), **options)
            yield client.post_start(f"phone=%2B34600000001&{request(changes)}", **options)
        for header in ({"sec-fetch-dest": "iframe"}, {"sec-purpose": "prefetch"}):
            yield authorize(client, **options, **header)
            yield client.post(AUTHORIZE, request(), **options, **header)
        yield client.post(AUTHORIZE, request(), **options, **{"sec-fetch-site": "cross-site"})
        for method, path in (("PUT", AUTHORIZE), ("GET", TOKEN), ("PUT", USERINFO), ("POST", DISCOVERY), ("POST", JWKS)):
            yield client.request(method, url + path, **options)
        for path in (TOKEN, USERINFO):
            yield client.request("OPTIONS", url + path, **options)
        for method, path in (("GET", DISCOVERY), ("GET", JWKS), ("HEAD", AUTHORIZE), ("HEAD", DISCOVERY), ("HEAD", JWKS)):
            yield client.request(method, url + path, **options)
        callback = callback_url(client)
        for _ in range(2):
            yield client.request("GET", callback, **options)
    for changes, _ in REFUSED:
        yield authorize(client, changes)
    yield with_both_credentials(client, new_code(product))
    code = new_code(product)
    for _, changes in REFUSED_TOKENS:
        yield token(client, code, changes)
    tokens = token(client, code)
    yield from (tokens, token(client, code))
    for method in ("GET", "POST", "HEAD"):
        yield userinfo(client, tokens.json()["access_token"], method)
    for method in ("GET", "POST"):
        yield userinfo(client, "rubbish", method)


def every_answer_without_apps(product):
    client = Client(product)
    for accept in (HTML, JSON):
        yield from every_route(client, accept=accept)
        for path in (TOKEN, USERINFO):
            yield client.request("OPTIONS", product.url + path, accept=accept)
    yield client.request("HEAD", product.url + AUTHORIZE)
