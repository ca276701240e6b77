"""The content security policy of the page, and the other headers of its answers."""


def make_headers(**sources: str) -> dict[str, str]:
    """Make the headers of an answer; a document may load `sources` alone.

    A source is a directive without `-src`: `script="'self'"`. Inline scripts and styles are never
    let in (https://www.w3.org/TR/CSP3/).
    """
    policy = {
        "default-src": "'none'",
        **{f"{name}-src": source for name, source in sources.items()},
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": write_policy(policy),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def write_policy(directives: dict[str, str]) -> str:
    """Write directives as the value of the header."""
    return "; ".join(f"{name} {rule}".strip() for name, rule in directives.items())


SCREEN_HEADERS = {
    "Content-Security-Policy": write_policy(
        {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self'",
            "connect-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            # Scripts put no text into the document as HTML, but for what the service has rendered
            # (https://www.w3.org/TR/trusted-types/).
            "require-trusted-types-for": "'script'",
            "trusted-types": "memferry",
        }
    ),
    # What a screen shows is not to lie on the disk of a browser, or come back after signing out.
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Without a referrer the origin of a form would be sent as "null"
    # (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
    "Referrer-Policy": "same-origin",
    "Vary": "Accept, Cookie",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of each screen, also of one that tells of an error."""
