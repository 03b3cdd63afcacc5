"""A page with a note of all that goes wrong on it, and what a person would notice of it."""

from pathlib import Path

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text(encoding="utf-8")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# A console message reaches the test whatever page comes next; a variable of the page would be gone with it.
REPORT = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} forbids ${event.blockedURI} ${event.sample}`));
for (const name of ["alert", "confirm", "prompt"]) window[name] = () => console.error(`${name} was called`);
"""
NARROW = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
AUDIT = """async (tags) => (await axe.run(document, {runOnly: tags, resultTypes: ["violations"]})).violations.map(
  (one) => `${one.id} (${one.help}): ` + one.nodes.slice(0, 3).map(
    (node) => `${node.html.slice(0, 200)} [${node.failureSummary.replace(/\\s+/g, " ").slice(0, 300)}]`).join(" | "))"""
STYLED = """(element) => { const style = getComputedStyle(element);
  return (parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none") || style.boxShadow !== "none"; }"""


class Watch:
    """``faults`` are errors of scripts and console, forbidden loads, failed requests, answers of 400 and above.

    ``expect`` says which of them a test brings about on purpose.
    """

    def __init__(self, page) -> None:
        self.page = page
        self._noted: list[str] = []
        self._expected: list[str] = []
        page.add_init_script(REPORT)
        page.on("console", lambda message: self._console(message))
        page.on("pageerror", lambda error: self._noted.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self._failed(request))
        page.on("response", lambda response: self._answered(response))
        page.on("dialog", lambda dialog: self._dialog(dialog))

    def expect(self, *parts: str) -> None:
        """Faults with one of these in them are meant."""
        self._expected += parts

    @property
    def faults(self) -> list[str]:
        """What went wrong, unless a test meant it to."""
        return [fault for fault in self._noted if not any(part in fault for part in self._expected)]

    def go(self, path: str):
        """Open a page of the server, and wait until it is quiet; returns it."""
        self.page.goto(path, wait_until="networkidle")
        return self.page

    def audit(self) -> list[str]:
        """What axe-core finds against WCAG 2.1 A and AA; the debugger evaluates it, which no policy forbids."""
        self.page.evaluate(AXE)
        return self.page.evaluate(AUDIT, LEVELS)

    def audit_both(self) -> list[str]:
        """The same in light and in dark; the page is light afterwards."""
        faults = []
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            faults += [f"{scheme}: {fault}" for fault in self.audit()]
        self.page.emulate_media(color_scheme="light")
        return faults

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        whole, window = self.page.evaluate(NARROW)
        return whole - window

    def focused(self):
        """The element that has the focus."""
        return self.page.locator(":focus")

    def focus_shows(self) -> bool:
        """Whether the focus can be seen."""
        return self.focused().evaluate(STYLED)

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self._noted.append(f"console {message.type}: {message.text} at {message.location}")

    def _failed(self, request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # the page was left before
            self._noted.append(f"failed: {request.method} {request.url} {request.failure}")

    def _answered(self, response) -> None:
        if response.status >= 400:
            self._noted.append(f"answer {response.status}: {response.request.method} {response.url}")

    def _dialog(self, dialog) -> None:
        self._noted.append(f"dialog: {dialog.message}")
        dialog.dismiss()
