"""For tests: what CloudFormation would make of a template, as far as that can be seen without AWS.

    cloudformation.py expand TEMPLATE [NAME=VALUE ...]       the template after the SAM transform, for these parameters
    cloudformation.py outputs TEMPLATE [NAME=VALUE ...]      its outputs; what AWS would choose stays as ${Name}
    cloudformation.py deploy URL TEMPLATE [NAME=VALUE ...]   make it a stack of the moto server at URL
    cloudformation.py cognito URL TEMPLATE [NAME=VALUE ...]  make its user pool there: the identity provider as it is
                                                             kept, the app's client, and the outputs
    cloudformation.py resource URL TEMPLATE NAME             make this resource of it there and no other: its name
    cloudformation.py items URL TABLE                        what is in a DynamoDB table there
    cloudformation.py bucket URL NAME                        an empty bucket there
    cloudformation.py function URL NAME                      the configuration of a function there, and of its role
    cloudformation.py pack [NAME=VALUE ...]                  what `make deploy` puts beside the program before `sam deploy`
    cloudformation.py uploaded URL TEMPLATE                  the code of a packaged template: its S3 key, and its files
    cloudformation.py versions                               the names of the Lambda version that `make deploy` would make
                                                             as it is, and with each parameter changed alone

Prints JSON. Needs what tools/requirements-test.txt installs.
"""

import ast
import io
import json
import os
import re
import sys
import tempfile
import zipfile
from pathlib import Path

REGION = "eu-west-1"
os.environ.update(AWS_DEFAULT_REGION=REGION, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test")

import boto3  # noqa: E402 (it reads the variables above)
from moto.cloudformation.parsing import get_model_map  # noqa: E402
from samcli.lib.utils.hash import dir_checksum  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

import deploy as make_deploy  # noqa: E402

NO_VALUE = {"Ref": "AWS::NoValue"}


class NoManagedPolicies:
    """SAM asks AWS for the names of managed policies; the template uses none."""

    def load(self):
        return {}


def expand(path, *parameters):
    template = read(path)
    values = values_of(template, parameters)
    return decide(transformed(template, dict(pairs(parameters))), values)


def values_of(template, parameters):
    given = dict(pairs(parameters))
    values = {name: given.get(name, parameter.get("Default")) for name, parameter in template["Parameters"].items()}
    lists = [name for name, parameter in template["Parameters"].items() if parameter["Type"] == "CommaDelimitedList"]
    return values | {name: values[name].split(",") for name in lists}


def outputs(path, *parameters):
    template = read(path)
    values = values_of(template, parameters)
    return resolved_outputs(decide(template, values), values)


def resolved_outputs(template, values):
    return {name: resolved(output["Value"], values) for name, output in template["Outputs"].items()}


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml_parse(file.read())


def transformed(template, parameters, code="s3://bucket/key"):
    """After SAM's own translator, which runs inside CloudFormation."""
    if "Transform" not in template:
        return template
    properties = template["Resources"]["NumberVerificationFunction"]["Properties"]
    # `sam package` puts the place of the upload here; before that it is a folder, which the translator refuses.
    if not properties["CodeUri"].startswith("s3://"):
        properties["CodeUri"] = code
    return transform(template, parameters, NoManagedPolicies())


def decide(template, values):
    """Takes out conditions: what is not made with these parameters is gone, and each If is replaced by its result."""
    conditions = template.pop("Conditions", {})

    def holds(condition):
        match condition:
            case {"Condition": name}:
                return holds(conditions[name])
            case {"Fn::Not": [inner]}:
                return not holds(inner)
            case {"Fn::And": inner}:
                return all(map(holds, inner))
            case {"Fn::Or": inner}:
                return any(map(holds, inner))
            case {"Fn::Equals": [left, right]}:
                return str(resolved(left, values)) == str(resolved(right, values))
        raise ValueError(f"not understood: {condition}")

    def chosen(part):
        match part:
            case {"Fn::If": [name, then, otherwise]}:
                return chosen(then if holds(conditions[name]) else otherwise)
            case dict():
                parts = {key: chosen(inner) for key, inner in part.items()}
                return {key: inner for key, inner in parts.items() if inner != NO_VALUE}
            case list():
                return [inner for inner in map(chosen, part) if inner != NO_VALUE]
        return part

    for section in ("Resources", "Outputs"):
        template[section] = {
            name: chosen({key: inner for key, inner in entry.items() if key != "Condition"})
            for name, entry in template[section].items()
            if "Condition" not in entry or holds(conditions[entry["Condition"]])
        }
    return template


def resolved(part, values):
    """With the results of functions. A reference to what is not among the values stays as ${Name}."""

    def named(name):
        return values.get(name, f"${{{name}}}")

    match part:
        case {"Ref": name}:
            return named(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return named(f"{name}.{attribute}")
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:.]+)\}", lambda reference: str(named(reference[1])), text)
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(resolved(parts, values))
        case {"Fn::Split": [delimiter, text]}:
            return resolved(text, values).split(delimiter)
        case {"Fn::Select": [index, parts]}:
            return resolved(parts, values)[int(index)]
        case dict():
            return {key: resolved(inner, values) for key, inner in part.items()}
        case list():
            return [resolved(inner, values) for inner in part]
    return part


def deploy(url, path, *parameters):
    template = expand(path, *parameters)
    left_out = leave_out_what_moto_cannot(template)
    cloudformation = boto3.client("cloudformation", endpoint_url=url)
    cloudformation.create_stack(
        StackName="number-verification",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in pairs(parameters)],
        Capabilities=["CAPABILITY_IAM"],
    )
    resources = cloudformation.describe_stack_resources(StackName="number-verification")["StackResources"]
    stack = cloudformation.describe_stacks(StackName="number-verification")["Stacks"][0]
    return {
        "status": stack["StackStatus"],
        "resources": {resource["LogicalResourceId"]: resource.get("PhysicalResourceId") for resource in resources},
        "left_out": left_out,
        "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
    }


def leave_out_what_moto_cannot(template):
    """Takes out resources of types that moto does not know, and what refers to them."""
    known = get_model_map()
    left_out = {}
    resources = template["Resources"]
    while gone := {
        name: resource["Type"]
        for name, resource in resources.items()
        if resource["Type"] not in known or refers_to(resource, left_out)
    }:
        left_out |= gone
        for name in gone:
            del resources[name]
    for name in [name for name, output in template.get("Outputs", {}).items() if refers_to(output, left_out)]:
        del template["Outputs"][name]
    return left_out


def refers_to(value, names):
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, _]} if name in names:
            return True
        case {"Fn::Sub": str(text)} if any(f"${{{name}" in text for name in names):
            return True
        case dict():
            return any(refers_to(part, names) for part in value.values())
        case list():
            return any(refers_to(part, names) for part in value)
    return False


def cognito(url, path, *parameters):
    """moto has no CloudFormation for Cognito; but for the name of the pool, the properties are those of the API."""
    client = boto3.client("cognito-idp", endpoint_url=url)
    template = expand(path, *parameters)
    values = values_of(read(path), parameters) | {"AWS::Region": REGION, "AWS::StackName": "cognito"}

    def properties(name):
        return resolved(template["Resources"][name]["Properties"], values)

    pool = properties("UserPool")
    made = client.create_user_pool(PoolName=pool.pop("UserPoolName"), **pool)["UserPool"]
    values["UserPool"] = made["Id"]
    client.create_user_pool_domain(**properties("UserPoolDomain"))
    provider = client.create_identity_provider(**properties("IdentityProvider"))["IdentityProvider"]
    app = client.create_user_pool_client(**properties("UserPoolClient"))["UserPoolClient"]
    values["UserPoolClient"] = app["ClientId"]
    kept = client.describe_identity_provider(UserPoolId=made["Id"], ProviderName=provider["ProviderName"])
    return {
        "provider": kept["IdentityProvider"],
        "app": client.describe_user_pool_client(UserPoolId=made["Id"], ClientId=app["ClientId"])["UserPoolClient"],
        "outputs": resolved_outputs(template, values),
    }


def resource(url, path, name):
    cloudformation = boto3.client("cloudformation", endpoint_url=url)
    template = {"Resources": {name: expand(path)["Resources"][name]}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    (made,) = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return made["PhysicalResourceId"]


def items(url, table):
    return boto3.client("dynamodb", endpoint_url=url).scan(TableName=table)["Items"]


def bucket(url, name):
    s3 = boto3.client("s3", endpoint_url=url)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return {}


def function(url, name):
    configuration = boto3.client("lambda", endpoint_url=url).get_function_configuration(FunctionName=name)
    iam = boto3.client("iam", endpoint_url=url)
    role = configuration["Role"].rpartition("/")[2]
    policies = iam.list_role_policies(RoleName=role)["PolicyNames"]
    configuration["RolePolicies"] = {
        # moto gives back what CloudFormation made as Python would write it.
        policy: ast.literal_eval(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
        for policy in policies
    }
    return configuration


def pack(*parameters):
    make_deploy.pack(make_deploy.PACKAGE, effective(dict(pairs(parameters))))
    return {}


def uploaded(url, path):
    code = read(path)["Resources"]["NumberVerificationFunction"]["Properties"]["CodeUri"]
    bucket, key = code.removeprefix("s3://").split("/", 1)
    package = boto3.client("s3", endpoint_url=url).get_object(Bucket=bucket, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        return {"key": key, "expected_key": dir_checksum(str(make_deploy.PACKAGE)), "files": sorted(files.namelist())}


def versions():
    parameters = read(make_deploy.TEMPLATE)["Parameters"]
    changed = {name: version({name: another_value(parameter)}) for name, parameter in parameters.items()}
    return {"as_it_is": version({}), "again": version({}), "changed": changed}


def version(changed):
    """The logical id of the Lambda version; another one makes CloudFormation publish."""
    values = effective(changed)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bootstrap").write_bytes(b"the program")
        make_deploy.pack(Path(folder), values)
        # `sam deploy` names its upload so.
        code = f"s3://bucket/{dir_checksum(folder)}"
    resources = transformed(read(make_deploy.TEMPLATE), values, code)["Resources"]
    (name,) = [name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"]
    return name


def effective(changed):
    given = [f"{name}={value}" for name, value in changed.items()]
    config = f'[default.global.parameters]\nstack_name = "x"\n[default.deploy.parameters]\nparameter_overrides = {given}'
    return make_deploy.settings(config, None)[1]


def another_value(parameter):
    for value in parameter.get("AllowedValues", []):
        if value != parameter["Default"]:
            return value
    return parameter["Default"] + 1 if parameter["Type"] == "Number" else "another"


def pairs(parameters):
    return [parameter.split("=", 1) for parameter in parameters]


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    commands = {"expand": expand, "outputs": outputs, "deploy": deploy, "cognito": cognito}
    commands |= {"resource": resource, "items": items, "bucket": bucket, "function": function}
    commands |= {"pack": pack, "uploaded": uploaded, "versions": versions}
    json.dump(commands[command](*arguments), sys.stdout, default=str)
