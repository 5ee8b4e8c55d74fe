"""What requests are made of: what is usual, what is odd, and what breaks out of its place."""

from __future__ import annotations

METHODS = ("GET", "GET", "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PURGE", "get", "G\xcbT", "M" * 300, "")
SCHEMES = ("https", "https", "https", "http", "", "wss", "HTTPS")
VERSIONS = ("1.1", "1.1", "2", "3", "1.0", "0.9", "")
CLIENTS = (
    *("192.0.2.7", "10.1.2.3", "66.249.64.3", "51.15.1.1", "20.42.10.180", "8.8.8.8", "2001:db8::7"),
    *("2a03:2880:f800::1", "::ffff:10.1.2.3"),
    *("fe80::1%eth0", "testclient", "", "1" * 5000, "10.0.0.\xe9", "::" * 40, None),
)
PATHS = (
    *("/news/tide", "/", "/archive/2020/08/x", "/robots.txt", "/.well-known/x", "/closed/a.pdf", "/a/b;c=d/e"),
    *("*", "news", "//news//tide", "", "/%2e%2e/closed/", "/news/../closed/x", "/closed\0/x", "/\uff0e\uff0e/closed/"),
)
BITS = (
    *("/", "..", "%2e", "%252e", "%25", "%", "\\", ";", "?", "#", "*", "$", ".", "A", "\xe9", "\ufdfa", "\u1e9e"),
    *("closed", "archive", ".pdf", "%c0%ae"),
    *("\0", " ", "\u0345", "\udc80", "x" * 60, "/" * 60, "%2f" * 60, "..;/" * 60),
)
_PUNCTUATION = tuple(bytes([byte]) for byte in b'\0\t ,;"\\()[:=?*\xe9\xff')
_WORDS = rb"""
    */* ?1 text/html gzip none navigate document close Via \xff\xfe %00 en;q= Mozilla/5.0 (KHTML, Chrome/99999 Chrome/
    Android iPhone OS; ;wv rv: bot Bot/1.0 (+http:// @x.com (compatible; curl/ HeadlessChrome/1 Googlebot Firefox/
    "Chromium";v="140" ";v=" "Not 192.0.2.1 [2001:db8::1]:443 for= for="[ ;proto=https sig1=("@authority" ;created=
    ;tag= sig1=: :, ;keyid= () @request-target ;bs;sf like Gecko) Safari/537.36 AppleWebKit/
""".split()
TEXTS = (b"", b"\r\n", b"Mozilla/5.0 (", b"(KHTML, like Gecko) ", *_PUNCTUATION, *_WORDS)
"""What headers are made of, and what breaks out of it."""

FORWARDING = b"""
    x-forwarded-for forwarded x-forwarded-proto x-forwarded-host via cf-connecting-ip x-real-ip true-client-ip
    proxy-connection
""".split()
HOPS = (
    *b"192.0.2.1 10.1.2.3 unknown _hidden [2001:db8::1]:4711 2001:db8::1 192.0.2.1:99999 ::ffff:10.1.2.3".split(),
    *b"for=192.0.2.60;proto=http;by=10.1.2.3 999.1.1.1 fe80::1%eth0 <script> for=1;for=2 for= \xe9".split(),
    *(b'for="[2001:db8:cafe::17]:4711"', b'for="_a,b\\"";proto="https"', b'for="', b""),
)
NAMES = (
    *b"""
    user-agent accept accept-language accept-encoding host cookie referer connection sec-fetch-site sec-fetch-mode
    sec-fetch-dest sec-fetch-user sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-purpose upgrade-insecure-requests
    priority signature-input signature signature-agent content-length transfer-encoding range x-requested-with te dnt
    :path Upper-Case \xe9
    """.split(),
    *(b"", b"x" * 200, b"a b", b"x\0y", *FORWARDING),
)
