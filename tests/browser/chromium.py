"""The Chromium that is installed on this machine, driven by Playwright."""

import json
import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
# With these, Chromium fetches only what a test requests.
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
PHONE = {"width": 390, "height": 844}


def launch(playwright, **options):
    """A Chromium with a fresh profile, which is deleted when it closes."""
    return playwright.chromium.launch(executable_path=path(), args=FLAGS, **options)


def launch_without_cookies(playwright, profile):
    """A Chromium whose user has switched cookies off."""
    preferences = profile / "Default/Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps({"profile": {"default_content_setting_values": {"cookies": 2}}}))
    options = {"executable_path": path(), "args": FLAGS, "viewport": PHONE, "locale": "en-GB"}
    return playwright.chromium.launch_persistent_context(profile, **options)


def path():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise RuntimeError(f"Chromium was not found: none of {', '.join(NAMES)} is in PATH; set CHROMIUM to its path")
    return found
