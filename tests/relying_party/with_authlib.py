"""An app that signs its user in with Authlib. Its argument is JSON: the issuer, the client and the number to verify. It
prints the address for the user's browser, reads from its standard input the address to which the browser came back, and
prints what it then knows as JSON."""

import json
import secrets
import sys
from urllib.parse import urlsplit

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask

SETTINGS = json.loads(sys.argv[1])

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
app.testing = True  # Errors are raised here instead of becoming pages.
provider = OAuth(app).register(
    "provider",
    client_id=SETTINGS["client_id"],
    client_secret=SETTINGS["client_secret"],
    server_metadata_url=f"{SETTINGS['issuer']}/.well-known/openid-configuration",
    client_kwargs={
        "scope": "openid phone",
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": SETTINGS["token_endpoint_auth_method"],
        "default_timeout": 30,
    },
)


@app.get("/sign-in")
def sign_in():
    number = SETTINGS["number"]
    return provider.authorize_redirect(SETTINGS["redirect_uri"], login_hint=f"tel:{number}", **SETTINGS["more"])


@app.get("/callback")
def callback():
    try:
        token = provider.authorize_access_token()
    except OAuthError as error:
        return {"error": error.error, "error_description": error.description}
    claims = token["userinfo"]  # Those of the ID token.
    # `login_hint` passed through the user's hands.
    is_the_number = claims["phone_number_verified"] is True and claims["phone_number"] == SETTINGS["number"]
    return {"signed_in": is_the_number, "claims": claims, "userinfo": provider.userinfo(token=token)}


if __name__ == "__main__":
    session = app.test_client()
    print(session.get("/sign-in").headers["location"], flush=True)
    query = urlsplit(input()).query
    print(json.dumps(session.get(f"/callback?{query}").json))
