"""Django: the whole project in one file, with the guard around its ASGI application.

    pip install contentguard django uvicorn
    uvicorn examples.django_app:application

In a project of your own only the last statement is new, and its place is `asgi.py`. Open
http://127.0.0.1:8000/news/library in a browser, then ask for it with `curl -i`.
"""

import secrets

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from contentguard import ContentGuardMiddleware, Settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),  # Django's own; a real project keeps one
)

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The library lends a ladder</title></head>
<body>
<article>
<h1>The library lends a ladder</h1>
<p>Since Monday a card of the town library borrows more than books. There is a drill, a cake tin in the
shape of a dinosaur, a telescope, and a ladder that has to be fetched by two people because of the revolving
door.</p>
<p>The ladder was out again by noon. It is due back in a fortnight, the fine is ten pence a day, and the
librarian says that she would quite like to see somebody slip it under the counter.</p>
</article>
</body>
</html>
"""


def front(request: HttpRequest) -> HttpResponse:
    """What is no article leaves as it came."""
    return HttpResponse('<!doctype html><title>News</title><a href="/news/library">A ladder to borrow</a>')


def article(request: HttpRequest) -> HttpResponse:
    """The story: a plain Django view."""
    return HttpResponse(PAGE)


urlpatterns = [path("", front), path("news/library", article)]

application = ContentGuardMiddleware(get_asgi_application(), settings=Settings(site="The Daily Example"))
