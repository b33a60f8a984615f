"""httpx over HTTP/2.

    python httpx_client.py URL CA
"""

import ssl
import sys

import httpx

url, ca = sys.argv[1:]
with httpx.Client(http2=True, verify=ssl.create_default_context(cafile=ca), timeout=30) as client:
    for _ in range(3):
        response = client.post(url, content=b"x" * 100_000, headers={"cookie": "a=b; c=d"})
        if (response.status_code, response.http_version) != (200, "HTTP/2"):
            sys.exit(f"failed: {response} {response.http_version}")
        if len(response.json()["body"]) != 100_000:
            sys.exit(f"failed: {response.text[:200]}")
print("done", flush=True)
