"""The smallest site there is, guarded: one article, one middleware.

    pip install contentguard uvicorn
    uvicorn examples.minimal:app

A browser shows http://127.0.0.1:8000 as ever, with a share box at the article's end; `curl -i` gets a 403 and
not one paragraph. On this machine no secret key is needed: a random one is made up, and the log says so.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from contentguard import ContentGuardMiddleware, Settings

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The ferry is back</title></head>
<body>
<article>
<h1>The ferry is back</h1>
<p>The first boat left the north quay at six this morning with eleven passengers, two bicycles and a crate
of hens. It was the first crossing since the storm of January took the landing stage and most of the
timetable with it.</p>
<p>Nobody had sold a ticket for nine weeks, and nobody could find the roll. The purser wrote the numbers by
hand, shook hands with everyone who came aboard and gave the hens a child's fare.</p>
</article>
</body>
</html>
"""


async def article(request: Request) -> HTMLResponse:
    """The story, written as if nobody guarded it."""
    return HTMLResponse(PAGE)


app = Starlette(routes=[Route("/", article)])
app.add_middleware(ContentGuardMiddleware, settings=Settings(site="The Daily Example"))
