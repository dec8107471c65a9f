"""The API's published Python sample as a Lambda function: its own calls, with the secret from Secrets Manager.

It has the usual optimisations for Lambda: the SDK's client is created in the init phase, the secret is read once. The
loop at the end replaces AWS's runtime client and does less, in the sample's favour.
"""

import base64
import http.client
import json
import os

import boto3
import requests

OPERATOR = os.environ["OPERATOR_BASE_URL"]
secrets_manager = boto3.client("secretsmanager")
credentials = None


def handler(event):
    global credentials
    if credentials is None:
        answer = secrets_manager.get_secret_value(SecretId=os.environ["CLIENT_SECRET_ID"])
        secret = json.loads(answer["SecretString"])
        app_credentials = f"{secret['client_id']}:{secret['client_secret']}"
        credentials = base64.b64encode(app_credentials.encode("utf-8")).decode("utf-8")

    code = event["queryStringParameters"].get("code", "")
    phone_number = event["queryStringParameters"].get("state", "")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {credentials}"}
    data = {"grant_type": "authorization_code", "code": code}
    response = requests.post(f"{OPERATOR}/token", headers=headers, data=data)
    access_token = response.json().get("access_token")

    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {access_token}"}
    data = {"phoneNumber": phone_number}
    response = requests.post(f"{OPERATOR}/number-verification/v0/verify", headers=headers, json=data)
    result = response.json().get("devicePhoneNumberVerified")
    body = f"Phone number {'verified' if result else 'does not match mobile line'}"
    return {"statusCode": 200, "headers": {"content-type": "text/html"}, "body": body}


runtime_api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    runtime_api.request("GET", "/2018-06-01/runtime/invocation/next")
    response = runtime_api.getresponse()
    request_id = response.getheader("lambda-runtime-aws-request-id")
    answer = json.dumps(handler(json.load(response)))
    runtime_api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", answer)
    runtime_api.getresponse().read()
