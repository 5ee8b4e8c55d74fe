"""JSON-LD: what the pages say about themselves to search engines.

Plain dictionaries; the template writes them with Jinja's `tojson`, which escapes `<`, `>`, `&` and `'`, so
that no headline can close the script element. `articleBody` is left out on purpose: it would be the whole
text in the head.
"""

from __future__ import annotations

from typing import Any

from .content import Article
from .links import LANGUAGE, SITE, TAGLINE, Links, section_path

Linked = dict[str, Any]


def front(links: Links) -> list[Linked]:
    """Describe the site and its search."""
    target = {"@type": "EntryPoint", "urlTemplate": links.to("/search?q={search_term_string}")}
    action = {"@type": "SearchAction", "target": target, "query-input": "required name=search_term_string"}
    site = {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": SITE,
        "url": links.to("/"),
        "description": TAGLINE,
        "inLanguage": LANGUAGE,
        "publisher": _publisher(links),
        "potentialAction": action,
    }
    return [site]


def article(story: Article, links: Links, comments: int = 0) -> list[Linked]:
    """Describe one article, how many comments it has, and where it stands in the paper."""
    date = story.date.isoformat(timespec="seconds")
    news = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": story.title,
        "description": story.summary,
        "image": [links.picture(story).url],
        "datePublished": date,
        "dateModified": date,
        "author": [_author(story, links)],
        "publisher": _publisher(links),
        "mainEntityOfPage": {"@type": "WebPage", "@id": links.article(story)},
        "articleSection": story.section,
        "wordCount": story.words,
        "commentCount": comments,
        "inLanguage": LANGUAGE,
    }
    trail = [("Front page", "/"), (story.section, section_path(story.section))]
    return [news, _breadcrumbs(trail, story, links)]


def _author(story: Article, links: Links) -> Linked:
    return {"@type": "Person", "name": story.author} if story.author else _publisher(links)


def _publisher(links: Links) -> Linked:
    logo = {"@type": "ImageObject", "url": links.to("/static/favicon.svg")}
    return {"@type": "NewsMediaOrganization", "name": SITE, "url": links.to("/"), "logo": logo}


def _breadcrumbs(trail: list[tuple[str, str]], story: Article, links: Links) -> Linked:
    steps = [(name, links.to(path)) for name, path in trail] + [(story.title, links.article(story))]
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": url}
        for position, (name, url) in enumerate(steps, 1)
    ]
    return {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items}
