"""The page of the sandbox, which `make run` starts beside the function."""

import json
import subprocess


def test_commands_of_an_app_work_as_they_are(product, page):
    page.goto(product.sandbox_url)
    page.get_by_role("heading", name="As an app").click()
    commands = "\n".join(page.locator("pre").all_inner_texts())
    lines = subprocess.run(["sh"], input=commands, text=True, capture_output=True, timeout=60).stdout.splitlines()
    assert len(lines) == 4, lines
    started, callback, completed, verified = lines
    assert "binding" in json.loads(started)
    assert callback.startswith(f"{product.callback_url}?")
    assert [json.loads(answer)["outcome"] for answer in (completed, verified)] == ["verified", "verified"]
