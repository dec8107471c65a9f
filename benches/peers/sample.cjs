// The API's published sample in Node as a Lambda function: its own calls, with the secret from Secrets Manager.
//
// What its owner would do on Lambda is done: the SDK's client is made in the init phase, the secret is read once. The
// loop at the end stands for AWS's runtime client and does less than that, in the sample's favour.

const http = require("node:http")
const { GetSecretValueCommand, SecretsManagerClient } = require("@aws-sdk/client-secrets-manager")

const operator = process.env.OPERATOR_BASE_URL
const secretsManager = new SecretsManagerClient({})
let appCredentials

async function handler(event) {
  if (!appCredentials) {
    const command = new GetSecretValueCommand({ SecretId: process.env.CLIENT_SECRET_ID })
    const secret = JSON.parse((await secretsManager.send(command)).SecretString)
    appCredentials = btoa(`${secret.client_id}:${secret.client_secret}`)
  }

  const { code, state: phoneNumber } = event.queryStringParameters
  const tokenHeaders = new Headers()
  tokenHeaders.append("Content-Type", "application/x-www-form-urlencoded")
  tokenHeaders.append("Authorization", `Basic ${appCredentials}`)
  // The sample sends this as JSON under the content type of a form, which no operator can read.
  const body = new URLSearchParams({ grant_type: "authorization_code", code })
  const token = await fetch(`${operator}/token`, { method: "POST", headers: tokenHeaders, body })
  const accessToken = (await token.json()).access_token

  const verifyHeaders = new Headers()
  verifyHeaders.append("Content-Type", "application/json")
  verifyHeaders.append("Authorization", `Bearer ${accessToken}`)
  const requestBody = JSON.stringify({ phoneNumber })
  const url = `${operator}/number-verification/v0/verify`
  const verify = await fetch(url, { method: "POST", headers: verifyHeaders, body: requestBody })
  const result = (await verify.json()).devicePhoneNumberVerified
  const page = `Phone number ${result ? "verified" : "does not match mobile line"}`
  return { statusCode: 200, headers: { "content-type": "text/html" }, body: page }
}

const agent = new http.Agent({ keepAlive: true })

function runtimeApi(method, path, body) {
  return new Promise((resolve, reject) => {
    const url = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/${path}`
    const request = http.request(url, { method, agent }, async (response) => {
      let text = ""
      for await (const chunk of response) text += chunk
      resolve({ id: response.headers["lambda-runtime-aws-request-id"], text })
    })
    request.on("error", reject)
    request.end(body)
  })
}

async function serve() {
  for (;;) {
    const { id, text } = await runtimeApi("GET", "next")
    await runtimeApi("POST", `${id}/response`, JSON.stringify(await handler(JSON.parse(text))))
  }
}

serve()
