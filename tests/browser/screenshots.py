"""`make screenshots` takes docs/screenshots/*.png of the running product at the size of a phone."""

import io
import os
import pathlib
import sys
import tempfile

import font_roboto
from PIL import Image
from playwright.sync_api import sync_playwright

import chromium
from product import CHECKOUT, Product

FOLDER = CHECKOUT / "docs/screenshots"
# The README shows the pictures, and some people read it on mobile connections.
MAX_BYTES = 60_000
# Claims that differ at each run, as they could be in a deployment.
CLAIMS = {
    "at_hash": '"ltcxd_PWyI8ayFXVKz_yRA"',
    "auth_time": "1795850187",
    "exp": "1795850488",
    "iat": "1795850188",
    "iss": '"https://verify.bank.example"',
    "nonce": '"gLUH3XW8qcTuLGdXd0oj"',
    "sub": '"ZZ5CXzEH0htgGk3RujJMY40CIE0Pevc1-gMRCYffQtE"',
}
# Android's own font, so that the pictures are the same on every machine.
FONTS = f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{pathlib.Path(font_roboto.__file__).parent / "files"}</dir>
  <cachedir>%s</cachedir>
  <match><test name="family"><string>system-ui</string></test><edit name="family" mode="assign"><string>Roboto</string></edit></match>
</fontconfig>
"""


def main():
    product = Product(
        SERVICE_NAME="Example Bank",
        FALLBACK_URL="https://bank.example/sms",
        PRIVACY_URL="https://bank.example/privacy",
    )
    try:
        product.wait()
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            fonts = pathlib.Path(folder, "fonts.conf")
            fonts.write_text(FONTS % folder)
            browser = chromium.launch(playwright, env=os.environ | {"FONTCONFIG_FILE": str(fonts)})
            take_all(product, browser)
            browser.close()
    finally:
        product.stop()


def take_all(product, browser):
    FOLDER.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(viewport={"width": 390, "height": 600}, device_scale_factor=2, locale="en-GB")
    # A random reference would change the pictures at each run.
    context.set_extra_http_headers({"x-correlator": "8476a536-e9f4-11e8-9739-2dfe598c3fcd"})
    page = context.new_page()
    page.goto(product.url)
    take(page, "start")
    for name, number, scenario in [
        ("verified", "+34600000001", "by_number"),
        ("not-verified", "+34600000002", "by_number"),
        ("wifi", "+34600000003", "by_number"),
        ("operator-down", "+34600000001", "operator_down"),
    ]:
        product.scenario(scenario)
        page.goto(product.url)
        page.get_by_label("Your phone number").fill(number)
        page.get_by_role("button", name="Verify").click()
        page.get_by_role("status").wait_for()
        take(page, name)
    product.as_usual()
    take_shop(product, page)


def take_shop(product, page):
    page.goto(product.shop_url)
    take(page, "shop")
    page.get_by_role("button", name="Sign in without typing a number here").click()
    take(page, "start-for-shop")
    page.get_by_label("Your phone number").fill("+34600000001")
    page.get_by_role("button", name="Verify for Demo shop").click()
    page.get_by_role("heading", name="You are signed in").wait_for()
    for name, value in CLAIMS.items():
        page.locator(f"dt:text-is('{name}') + dd").evaluate("(e, value) => e.textContent = value", value)
    take(page, "shop-signed-in")


def take(page, name):
    path = FOLDER / f"{name}.png"
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    # The pages have few colours, so a palette reduces the size to a third.
    picture.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.relative_to(CHECKOUT)}  {size / 1000:.0f} KB")
    if size > MAX_BYTES:
        sys.exit(f"{name}.png is over {MAX_BYTES / 1000:.0f} KB")


if __name__ == "__main__":
    main()
