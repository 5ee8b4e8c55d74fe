"""The Harbour Gazette: a real little news site, used as demo, test-bed and benchmark.

One folder of Markdown goes in (`content`), an in-memory SQLite database answers every page (`store`),
Starlette and Jinja2 turn rows into HTML and XML (`app`, `pages`, `feeds`), and `serve` mounts the guard
around the result. The site knows nothing about the guard: what the guard protects is an ordinary page that it
did not write.
"""
