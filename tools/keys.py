"""`make keys`: puts the keys that apps' sign-ins need into the secret of the deployed stack, or into SECRET.

It adds what is missing of state_key, subject_key and signing_key. ROTATE=signing or ROTATE=state also replaces one.
ROTATE=client does nothing of this: it makes a key pair for the client, at the operator in OPERATOR if the secret has several,
and shows its public half for the operator. Nothing else of a key is ever shown.
"""

import json
import os
import secrets
import sys

import boto3  # comes with sam, like botocore
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric import rsa  # comes with moto
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import client_key
import deploy

# The OpenID Provider takes no shorter one.
SHORTEST = 32
ROTATIONS = {"signing": "signing_key", "state": "state_key"}
NEXT = {
    "signing_key": """
The previous signing_key signs for 20 more minutes, so that apps can read the new one before it is used.
If it leaked, run this a second time now: the leaked one is then useless within 30 minutes.""",
    "state_key": """
Verifications under way finish with the previous state_key. Do not replace it again for STATE_TTL_SECONDS and 15 minutes,
unless it leaked: then run this a second time now. The leaked one is then useless within 15 minutes, and verifications
under way are lost.""",
}
FIRST_SIGNING_KEY = """
The derived key that signed until now does so for 20 more minutes. Then the algorithm changes from ES256 to RS256:
restart apps that read the discovery document only when they start."""


def main():
    rotate = os.environ.get("ROTATE") or None
    if rotate not in (None, "client", *ROTATIONS):
        sys.exit(f"make keys: ROTATE must be signing, state or client, not {rotate!r}.")
    try:
        secret_id, region = where()
        client = boto3.client("secretsmanager", region_name=region)
        old = read(client.get_secret_value(SecretId=secret_id), secret_id)
        if rotate == "client":
            step = client_key.Step(old, os.environ.get("OPERATOR"))
            new, stored = {}, step.secret
        else:
            new = new_keys(old, ROTATIONS.get(rotate))
            stored = old | new
        if stored != old:
            client.put_secret_value(SecretId=secret_id, SecretString=json.dumps(stored))
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"make keys: {error}")
    if rotate == "client":
        print(f"{secret_id}:\n{step.report()}")
    else:
        report(secret_id, old, new)


def where():
    """The secret's name or ARN, and its region."""
    if secret_id := os.environ.get("SECRET"):
        is_arn = secret_id.startswith("arn:") and secret_id.count(":") >= 6
        return secret_id, secret_id.split(":")[3] if is_arn else os.environ.get("AWS_REGION")
    if not deploy.CONFIG.exists():
        sys.exit(f"make keys: {deploy.CONFIG} is missing; run `make deploy`, or set SECRET to a secret's name or ARN.")
    _, stack = deploy.read(deploy.CONFIG.read_text(encoding="utf-8"))
    return deploy.outputs(stack)["ClientSecretArn"], stack.get("region")


def read(answer, secret_id):
    try:
        # The function, too, takes a byte order mark, which some editors add.
        members = json.loads(answer.get("SecretString", "").strip("\ufeff"))
    except json.JSONDecodeError:
        members = None
    if not isinstance(members, dict):
        sys.exit(f"make keys: {secret_id} is not a JSON object, so it cannot have keys. Nothing was changed.")
    return members


def new_keys(old, rotated):
    """The members to add or to replace."""
    new = {}
    if not old.get("subject_key"):
        # So far, every `sub` came from state_key.
        keep = serves_apps(old) or rotated == "state_key" and usable(old.get("state_key"))
        new["subject_key"] = old["state_key"] if keep else random_key()
    if not old.get("state_key") or rotated == "state_key":
        new["state_key"] = random_key()
    if not old.get("signing_key") or rotated == "signing_key":
        new["signing_key"] = rsa_key()
    return new


def serves_apps(members):
    """Whether people may have signed in already."""
    return bool(members.get("relying_parties")) and usable(members.get("state_key"))


def usable(state_key):
    return isinstance(state_key, str) and len(state_key.encode()) >= SHORTEST


def random_key():
    return secrets.token_urlsafe(48)  # 64 characters


def rsa_key():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def report(secret_id, old, new):
    print(f"{secret_id}:")
    for name in ("state_key", "subject_key", "signing_key"):
        print(f"  {name:11}  {what_happened(name, old, new)}")
    for name, text in NEXT.items():
        if name in new and old.get(name):
            print(text)
    if "signing_key" in new and not old.get("signing_key") and serves_apps(old):
        print(FIRST_SIGNING_KEY)


def what_happened(name, old, new):
    if name == "subject_key" and name in new and new[name] == old.get("state_key"):
        return "added: the old state_key, which keeps every `sub`"
    if name in new:
        return "replaced" if old.get(name) else "added"
    if name == "state_key" and not usable(old[name]):
        return f"stays, but apps need one of {SHORTEST} characters or more: ROTATE=state replaces it"
    return "stays"


if __name__ == "__main__":
    main()
