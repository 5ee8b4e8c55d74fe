"""A small site with comments, for clients of all kinds: one article, its style sheet and picture, a form, and a record.

Run it by ``uvicorn tests.servers.commented:app``. ``/record`` tells as JSON what became of every comment.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any

from contentguard import ContentGuardMiddleware, Settings
from tests.client import KEY, PARAGRAPH

ARTICLE = "/news/tide"
FIELDS = ("author", "email", "url")
RECORD: list[dict[str, Any]] = []
SHEET = "body { font-family: sans-serif }"
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'
POLICY = "default-src 'self'; style-src 'self'; script-src 'self'"


async def site(scope: Any, receive: Any, send: Any) -> None:
    """The app."""
    if scope["type"] == "lifespan":
        for message in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{message}.complete"})
        return
    if scope["path"] == "/site.css":
        await answer(send, 200, SHEET, "text/css")
    elif scope["path"] == "/picture.svg":
        await answer(send, 200, PICTURE, "image/svg+xml")
    elif scope["path"] == "/record":
        await answer(send, 200, json.dumps(RECORD), "application/json")
    elif scope["method"] == "POST":
        await comment(scope, receive, send)
    else:
        await answer(send, 200, page(scope, {}, {}))


async def comment(scope: Any, receive: Any, send: Any) -> None:
    """Take in a comment."""
    comments = scope["contentguard.comments"]
    fields = await comments.read(scope, receive)
    posted = await comments.receive(scope, scope["path"], fields)
    if posted.decision is None:
        RECORD.append(
            {
                "action": "refused",
                "status": posted.status,
                "errors": posted.errors,
                "author": (fields or {}).get("author", ""),
            }
        )
        await answer(send, posted.status, page(scope, fields or {}, posted.errors))
        return
    RECORD.append(
        {
            "action": posted.decision.action,
            "author": posted.submission.author,
            "text": posted.submission.text,
            "why": posted.decision.reasons,
        }
    )
    await answer(send, 303, "", location=scope["path"] + "?thanks#comments")


def page(scope: Any, typed: dict[str, str], errors: dict[str, str]) -> str:
    """The article, its comments and the form."""
    comments = scope["contentguard.comments"]
    kept = "".join(comments.html(str(one["text"])) for one in RECORD if one["action"] == "approve")
    said = f'<p role="alert">{escape(errors.get("", ""))}</p>' if errors else ""
    thanks = "<p>Thank you.</p>" if scope["query_string"].startswith(b"thanks") else ""
    inputs = "".join(
        f'<p><label for="{name}">{name}</label> <input id="{name}" name="{name}" value="{escape(typed.get(name, ""))}">'
        f"{escape(errors.get(name, ''))}</p>"
        for name in FIELDS
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tide</title>'
        '<link rel="stylesheet" href="/site.css"></head><body>'
        f"<main><article><h1>Tide</h1>{f'<p>{PARAGRAPH * 3}</p>' * 5}<img src='/picture.svg' alt=''></article>"
        f'<section id="comments">{kept}{thanks}<h2>Leave a Reply</h2>{said}'
        f'<form method="post" action="{scope["path"]}">'
        f'<p><label for="comment">comment</label> <textarea id="comment" name="comment">'
        f"{escape(typed.get('comment', ''))}</textarea>{escape(errors.get('comment', ''))}</p>{inputs}"
        f'{comments.form(scope, scope["path"]).html}<p><input type="submit" value="Post Comment"></p></form></section>'
        "</main></body></html>"
    )


async def answer(send: Any, status: int, body: str, kind: str = "text/html; charset=utf-8", location: str = "") -> None:
    """One response."""
    headers = [(b"content-type", kind.encode()), (b"content-security-policy", POLICY.encode())]
    if location:
        headers.append((b"location", location.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})


app = ContentGuardMiddleware(
    site,
    settings=Settings(
        secret_key=KEY,
        reading={"mode": "off"},
        comments={"moderation": "none", "flood_seconds": 2.0},
        policy={"preset": "open"},
        limits={"articles": ""},
        share={"enabled": False},
    ),
)
