"""Each page in every language, at every width, in light and dark, and for a screen reader."""

import pathlib
import re

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from described import OPERATORS
from ways import VERIFIED, WAYS, WIFI, start, tap

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALLEST = {"width": 320, "height": 568}
DESK = {"width": 1280, "height": 800}
SCHEMES = ["light", "dark"]


def form(product, page):
    page.goto(product.url)


def form_with_fault(product, page):
    start(product, page, "600 000 001")


def at(path):
    return lambda product, page: page.goto(product.url + path)


def foreign_start(product, page):
    # The header that a browser sends for a form on another site.
    page.route("**/start", lambda route: route.continue_(headers=route.request.headers | {"sec-fetch-site": "cross-site"}))
    start(product, page, VERIFIED)


PAGES = {outcome: way.go for outcome, way in WAYS.items()} | {
    "form": form,
    "form with fault": form_with_fault,
    "the number from the operator": tap,
    "page not found": at("/nowhere"),
    "wrong method": at("/start"),
    "started elsewhere": foreign_start,
}

# For each locale of a phone: the `lang` of the pages, and a text of five pages.
LANGUAGES = {
    "en-GB": (
        "en",
        "Verify your phone number",
        "Start with + and your country code",
        "Phone number verified",
        f"Turn off {WIFI} and try again",
        "not your fault",
    ),
    "es-MX": (
        "es",
        "Verifique su número de teléfono",
        "Empiece por + y el prefijo del país",
        "Número de teléfono verificado",
        f"Desactive el {WIFI} e inténtelo de nuevo",
        "No es culpa suya",
    ),
    "pt-BR": (
        "pt",
        "Verifique o seu número de telefone",
        "Comece com + e o código do país",
        "Número de telefone verificado",
        f"Desative o {WIFI} e tente novamente",
        "A culpa não é sua",
    ),
    "de-AT": (
        "de",
        "Telefonnummer bestätigen",
        "Beginnen Sie mit + und der Landesvorwahl",
        "Telefonnummer bestätigt",
        "WLAN ausschalten und erneut versuchen",
        "Es liegt nicht an Ihnen",
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page(product, page, name):
    """WCAG 2.2 AA in light and dark, on the smallest phone and on a desk; controls are large enough for a thumb."""
    PAGES[name](product, page)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for viewport, scheme in zip((DESK, SMALLEST), SCHEMES):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
    assert width(page) <= SMALLEST["width"]
    for control in page.locator("a, button, input:not([type=hidden])").all():
        box = control.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44, control
        assert box["x"] >= 0 and box["x"] + box["width"] <= SMALLEST["width"], control


@pytest.mark.parametrize("locale", LANGUAGES)
def test_form_offers_each_operator(several_product, new_context, locale):
    page = new_context(locale=locale, viewport=SMALLEST).new_page()
    page.goto(several_product.url)
    buttons = page.get_by_role("group").get_by_role("button")
    expect(buttons).to_have_text(list(OPERATORS))
    expect(page.get_by_role("group")).to_have_accessible_name(re.compile(r"\?$"))
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
    assert width(page) <= SMALLEST["width"]
    assert all(button.bounding_box()["height"] >= 44 for button in buttons.all())


@pytest.mark.parametrize("name", ["form", "form with fault", "not_verified"])
def test_no_violation_with_the_darkest_accent_and_a_logo(phone_product, page, name):
    PAGES[name](phone_product, page)
    expect(page.locator("header img")).to_be_visible()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
        button = page.locator("button, .button").first
        paper = page.locator("main")
        # WCAG 2.2 §1.4.11: the button differs from its surroundings.
        assert contrast(color(button, "border-top-color"), color(paper, "background-color")) >= 3, scheme
        assert contrast(color(button, "color"), color(button, "background-color")) >= 4.5, scheme


def test_text_twice_as_large_fits_the_smallest_phone(product, page):
    # WCAG 2.2 §1.4.4, set as a phone's text size does it.
    page.set_viewport_size(SMALLEST)
    WAYS["not_verified"].go(product, page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert width(page) <= SMALLEST["width"]


@pytest.mark.parametrize("locale", LANGUAGES)
def test_each_language_from_the_form_to_the_answers(product, new_context, locale):
    language, *words = LANGUAGES[locale]
    page = new_context(locale=locale, viewport=SMALLEST).new_page()
    answer = page.goto(product.url)
    assert answer.headers["content-language"] == language
    assert answer.headers["vary"] == "Accept, Accept-Language, Origin"
    for name, says in zip(("form", "form with fault", "verified", "not_on_mobile_network", "misconfigured"), words):
        product.as_usual()
        PAGES[name](product, page)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.get_by_role("main")).to_contain_text(says)
        assert width(page) <= SMALLEST["width"], name


def test_other_languages_get_english(product, new_context):
    page = new_context(locale="fr-FR").new_page()
    page.goto(product.url)
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_colours_follow_the_phone(product, page):
    page.goto(product.url)
    shades = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        shades.append([sum(color(page.locator("main"), name)) for name in ("background-color", "color")])
    (light_paper, light_ink), (dark_paper, dark_ink) = shades
    assert light_paper > light_ink and dark_paper < dark_ink


def test_nothing_moves(product, page):
    # Without motion, nothing must be reduced for users who prefer less of it.
    start(product, page, VERIFIED)
    assert page.evaluate("document.getAnimations().length") == 0
    moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s')"
    assert page.evaluate(f"{moving}.length") == 0


def test_button_has_a_border_in_forced_colours(product, page):
    page.emulate_media(forced_colors="active")
    page.goto(product.url)
    for button in page.get_by_role("button").all():
        assert button.evaluate("e => getComputedStyle(e).borderTopWidth") == "1px", button


def test_policy_permits_only_the_style_of_the_page(product, new_context):
    page = new_context().new_page()
    page.goto(product.url)
    button = page.get_by_role("button").first
    assert color(button, "background-color") == [0x0B, 0x57, 0xD0]
    # An injected style does not apply.
    page.evaluate("document.head.append(Object.assign(document.createElement('style'), {textContent: 'button{color:red}'}))")
    assert page.evaluate("document.styleSheets.length") == 1
    assert color(button, "color") == [255, 255, 255]


def test_no_line_ends_inside_wifi(product, page):
    # With text twice as large, a line would end after a plain hyphen at several of these widths.
    page.goto(product.url)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    for pixels in range(SMALLEST["width"], 2 * SMALLEST["width"], 4):
        page.set_viewport_size({"width": pixels, "height": 568})
        assert page.evaluate(LINES_OF_WORD, WIFI) == 1, pixels


def test_page_is_one_request(product, new_context):
    context = new_context()
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(product.url, wait_until="networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [f"{product.url}/"]


# The number of lines over which a word on the page is spread.
LINES_OF_WORD = """word => {
  const text = document.querySelector('.next').firstChild, range = document.createRange();
  const start = text.data.indexOf(word);
  range.setStart(text, start);
  range.setEnd(text, start + word.length);
  return new Set([...range.getClientRects()].map(box => box.top)).size;
}"""


def width(page):
    return page.evaluate("document.documentElement.scrollWidth")


def violations(page):
    """Returns the violations that axe-core finds."""
    page.evaluate(AXE)
    found = page.evaluate("tags => axe.run({ runOnly: tags })", RULES)["violations"]
    return [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in found]


def color(locator, name):
    """Returns a computed colour in sRGB, 0 to 255."""
    written = locator.evaluate("(e, name) => getComputedStyle(e).getPropertyValue(name)", name)
    numbers = [float(number) for number in re.findall(r"[\d.]+", written.removeprefix("color(srgb"))][:3]
    return [number * 255 for number in numbers] if written.startswith("color(srgb") else numbers


def contrast(one, other):
    """WCAG 2.2's contrast ratio."""

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (value / 255 for value in rgb)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
