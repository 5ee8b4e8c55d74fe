# A Varnish that keeps articles in front of a guarded site, with watermark.buckets = 64 (or so) in its settings.
# See "Copies for shared caches" in the README.
vcl 4.1;

backend site { .host = "127.0.0.1"; .port = "8000"; }

sub vcl_recv {
  if (req.restarts == 0) {
    # Never believe a client.
    unset req.http.x-contentguard-bucket;
    unset req.http.x-page;
    if ((req.method == "GET" || req.method == "HEAD") && req.http.cookie ~ "contentguard=" &&
        req.url !~ "^/\.contentguard/") {
      # First: which copy of this page may this reader be given?
      set req.http.x-page = req.url;
      set req.url = "/.contentguard/bucket" + req.url;
    }
    return (pass);
  }
  if (req.http.x-contentguard-bucket) {
    return (hash);
  }
  return (pass);
}

sub vcl_hash {
  # Beside the URL and the host, which the built-in rules add.
  hash_data(req.http.x-contentguard-bucket);
}

sub vcl_backend_response {
  if (beresp.status == 200 && beresp.http.x-contentguard-bucket && !beresp.http.set-cookie &&
      beresp.http.cache-control !~ "(?i)private|no-store") {
    set beresp.ttl = 5m;
    return (deliver);
  }
  # Not even remembered as what cannot be kept: the next reader of this bucket may have better luck.
  set beresp.uncacheable = true;
  set beresp.ttl = 0s;
  return (deliver);
}

sub vcl_deliver {
  if (req.http.x-page) {
    # The answer to the question; now for the page.
    set req.url = req.http.x-page;
    unset req.http.x-page;
    if (resp.http.x-contentguard-bucket) {
      set req.http.x-contentguard-bucket = resp.http.x-contentguard-bucket;
    }
    return (restart);
  }
  if (obj.hits > 0) {
    set resp.http.x-cache = "HIT";
  } else {
    set resp.http.x-cache = "MISS";
  }
}
