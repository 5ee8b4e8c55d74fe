"""HTTP: the only room that knows scopes, messages and status codes (and starlette)."""

from contentguard.asgi.middleware import ContentGuardMiddleware

__all__ = ["ContentGuardMiddleware"]
