"""A browser without a window, for sign-ins in which nobody looks at a page."""

import html.parser
import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request


class PlainBrowser:
    """Follows redirects with its cookies, and on a page takes the only way that is open."""

    def __init__(self):
        # Browsers send `Secure` cookies to this machine without TLS too.
        policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar(policy))
        self.opener = urllib.request.build_opener(cookies, NoRedirect)

    def follow(self, url, app_address):
        """Opens an address, and returns the one below `app_address` to which it leads."""
        form, seen = None, []
        while not url.startswith(app_address):
            seen.append(url)
            assert len(seen) < 10, f"this leads nowhere: {seen}"
            answer = self._open(url, form)
            if location := answer.headers["location"]:
                url, form = urllib.parse.urljoin(url, location), None
            else:
                url, form = Page(answer.read().decode()).way_on(url, app_address)
        return url

    def _open(self, url, form):
        request = urllib.request.Request(url, form, {"accept": "text/html"})
        try:
            return self.opener.open(request, timeout=30)
        except urllib.error.HTTPError as answer:
            return answer


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.text, self.action, self.fields, self.links = text, None, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input":
            self.fields.append((attributes["name"], attributes["value"]))
        elif tag == "a":
            self.links.append(attributes["href"])

    def way_on(self, url, app_address):
        """Returns the address and the body of the form as it is filled in, else of the link back to the app."""
        if self.action is not None:
            return urllib.parse.urljoin(url, self.action), urllib.parse.urlencode(self.fields).encode()
        back = [link for link in self.links if link.startswith(app_address)]
        assert len(back) == 1, f"no way on from {url}: {self.text}"
        return back[0], None
