"""Carries out a publisher's "Unauthorized Content Copy" policy in any ASGI app."""

from contentguard.asgi import ContentGuardMiddleware
from contentguard.comments.decision import CommentAction, Decision, Judgement, Opinion, Reason
from contentguard.comments.options import CommentOptions
from contentguard.comments.submission import Submission
from contentguard.errors import ContentGuardError, Fault, SettingsError
from contentguard.guard.comments import Comments
from contentguard.guard.links import Links
from contentguard.guard.posts import Posted
from contentguard.model import Action, Crawler, Facts, Purpose, Rendition, Right, Signal, Verdict
from contentguard.policy import Limits, Policy
from contentguard.proxies import Proxies
from contentguard.publish.options import Robots
from contentguard.rewrite.article import Article
from contentguard.rewrite.cards import Cards
from contentguard.rewrite.deterrents import Copy
from contentguard.rewrite.share import Share, ShareTarget
from contentguard.rewrite.visible import Visible
from contentguard.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Article",
    "Cards",
    "CommentAction",
    "CommentOptions",
    "Comments",
    "ContentGuardError",
    "ContentGuardMiddleware",
    "Copy",
    "Crawler",
    "Decision",
    "Facts",
    "Fault",
    "Judgement",
    "Limits",
    "Links",
    "Opinion",
    "Policy",
    "Posted",
    "Proxies",
    "Purpose",
    "Reason",
    "Rendition",
    "Right",
    "Robots",
    "Settings",
    "SettingsError",
    "Share",
    "ShareTarget",
    "Signal",
    "Submission",
    "Verdict",
    "Visible",
    "__version__",
]
