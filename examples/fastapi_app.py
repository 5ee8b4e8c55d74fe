"""FastAPI: the article is guarded, the API beside it is not touched.

    pip install contentguard fastapi uvicorn
    uvicorn examples.fastapi_app:app

The guard looks at what leaves: an HTML page with an article in it is guarded, wherever it is routed; JSON
goes out byte for byte, to anybody.

    curl -i http://127.0.0.1:8000/news/lighthouse    # 403
    curl -i http://127.0.0.1:8000/api/tides          # 200
"""

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from contentguard import ContentGuardMiddleware, Settings

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>A new lamp for the lighthouse</title></head>
<body>
<article>
<h1>A new lamp for the lighthouse</h1>
<p>The old lamp drew a kilowatt and warmed the gallery so well that three keepers in a row grew tomatoes
there. The new one draws forty watts, is seen just as far, and leaves the glass as cold as the sea below
it.</p>
<p>The last tomatoes were picked on Friday. The plants have been promised to the school, which faces south
and has never been accused of shining too brightly.</p>
</article>
</body>
</html>
"""

app = FastAPI(title="The Daily Example")
app.add_middleware(ContentGuardMiddleware, settings=Settings(site="The Daily Example"))


@app.get("/news/lighthouse", response_class=HTMLResponse)
async def article() -> str:
    """A story, for people."""
    return PAGE


@app.get("/api/tides")
async def tides() -> dict[str, list[str]]:
    """High water today, for programs."""
    return {"high": ["03:12", "15:41"]}
