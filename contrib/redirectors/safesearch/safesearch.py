#!/usr/bin/env python3
"""A reqmod_program that forces safe search and YouTube's restricted mode.

usage: safesearch.py [--moderate] [--tunnels]      see README.md

It reads a block for each request and answers with one: 204 to let it pass,
or the request as it should be. All is bytes: what clients send is no text.
"""
import sys
from urllib.parse import unquote_to_bytes

RESTRICT = b"YouTube-Restrict"
PREF = b"f2=8000000"  # in the cookie PREF: restricted mode
YOUTUBE = (b"youtube.com", b"youtube-nocookie.com", b"youtubei.googleapis.com", b"youtube.googleapis.com")

# Where tunnels go that nobody looks into (--tunnels): hosts of the same
# companies, with the same certificates, that know no other mode.
ELSEWHERE = {b"youtube": b"restrict.youtube.com", b"google": b"forcesafesearch.google.com",
             b"bing": b"strict.bing.com", b"duckduckgo": b"safe.duckduckgo.com"}
MODERATE = b"restrictmoderate.youtube.com"

# Each engine's word in the query for: no.
SAFE = {b"google": (b"safe", b"active"), b"bing": (b"adlt", b"strict"), b"duckduckgo": (b"kp", b"1")}


def within(host, domain):
    return host == domain or host.endswith(b"." + domain)


def is_google(host):
    """Whether host is www.google.TLD or another name of the search engine."""
    labels = host.split(b".")
    if labels[:1] == [b"www"] or labels[:1] == [b"images"]:
        labels = labels[1:]
    if labels[:1] != [b"google"]:
        return False
    rest = labels[1:]  # com, de, co.uk, com.au
    return len(rest) == 1 or len(rest) == 2 and rest[0] in (b"co", b"com") and len(rest[1]) == 2


def kind_of(host):
    host = host.lower().rstrip(b".")
    if any(within(host, domain) for domain in YOUTUBE):
        return b"youtube"
    if is_google(host):
        return b"google"
    if within(host, b"bing.com"):
        return b"bing"
    if within(host, b"duckduckgo.com"):
        return b"duckduckgo"
    return None


def safe_url(url, key, value):
    """The URL with key=value in its query, and no other of that key; url itself if it is no search."""
    url, hash_mark, fragment = url.partition(b"#")
    path, mark, query = url.partition(b"?")
    pairs = [pair for pair in query.split(b"&") if pair]
    names = [unquote_to_bytes(pair.split(b"=", 1)[0].replace(b"+", b" ")).strip().lower() for pair in pairs]
    if not b"search" in path.lower() and not b"q" in names and not key in names:
        return url + hash_mark + fragment
    pairs = [pair for pair, name in zip(pairs, names) if name != key]
    return path + b"?" + b"&".join(pairs + [key + b"=" + value]) + hash_mark + fragment


def restricted_cookies(fields):
    """The fields with restricted mode in the cookie PREF, however often that is there."""
    found = False
    changed = []
    for name, value in fields:
        if name.lower() == b"cookie":
            cookies = []
            for cookie in value.split(b";"):
                key, _, content = cookie.strip().partition(b"=")
                if key.strip() == b"PREF":
                    kept = [part for part in content.split(b"&") if part and not part.startswith(b"f2=")]
                    cookies.append(b"PREF=" + b"&".join(kept + [PREF]))
                    found = True
                elif cookie.strip():
                    cookies.append(cookie.strip())
            value = b"; ".join(cookies)
        changed.append((name, value))
    if not found:
        for i, (name, value) in enumerate(changed):
            if name.lower() == b"cookie":
                changed[i] = (name, (value + b"; " if value else b"") + b"PREF=" + PREF)
                return changed
        changed.append((b"Cookie", b"PREF=" + PREF))
    return changed


def changed_request(host, head, moderate, tunnels):
    """The head of the request that is to be made, None if it may be made as it is."""
    kind = kind_of(host)
    if kind is None:
        return None
    lines = head.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    method, url, version = lines[0].split(b" ")[:3]
    fields = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:])]
    if method == b"CONNECT":
        if not tunnels:
            return None
        elsewhere = MODERATE if kind == b"youtube" and moderate else ELSEWHERE[kind]
        return b"CONNECT " + elsewhere + b":443 " + version + b"\r\n\r\n"
    if kind == b"youtube":
        fields = [(name, value) for name, value in fields if name.lower() != RESTRICT.lower()]
        fields.append((RESTRICT, b"Moderate" if moderate else b"Strict"))
        fields = restricted_cookies(fields)
    else:
        url = safe_url(url, *SAFE[kind])
    lines = [b" ".join((method, url, version))] + [name + b": " + value for name, value in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def read_block(source):
    """The host and the head of the next request, None at the end."""
    if not source.readline():
        return None
    host, length = b"", 0
    while True:
        line = source.readline()
        if not line.strip():
            break
        name, _, value = line.strip().partition(b": ")
        if name == b"Pragma" and value.startswith(b"host="):
            host = value[len(b"host="):]
        elif name == b"Encapsulated":
            length = int(value.rsplit(b"=", 1)[1])
    head = source.read(length)
    return (host, head) if len(head) == length else None


def main():
    moderate, tunnels = "--moderate" in sys.argv[1:], "--tunnels" in sys.argv[1:]
    out = sys.stdout.buffer
    while True:
        block = read_block(sys.stdin.buffer)
        if block is None:
            return
        head = changed_request(*block, moderate, tunnels)
        if head is None:
            out.write(b"ICAP/1.0 204 No Content\r\n\r\n")
        else:
            out.write(b"ICAP/1.0 200 OK\r\nEncapsulated: req-hdr=0, null-body=%d\r\n\r\n" % len(head) + head)
        out.flush()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
