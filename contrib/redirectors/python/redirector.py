#!/usr/bin/env python3
"""An example url_rewrite_program: sends requests for listed domains elsewhere.

usage: redirector.py [BLOCKLIST [URL]]      see ../README.md
"""
import os
import sys
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCKLIST = os.path.join(HERE, "..", "blocklist.txt")
ELSEWHERE = "http://blocked.invalid/?host=%s"


def read_domains(path):
    """The domains of a list, one a line, without comments."""
    with open(path, encoding="utf-8") as lines:
        words = (line.split("#")[0].strip().lower() for line in lines)
        return {word.lstrip(".") for word in words if word}


def host_of(url):
    """The host of a URL, or of the host:port that a CONNECT asks for."""
    rest = url.split("://", 1)[-1]
    authority = rest.split("/", 1)[0].split("?", 1)[0].rsplit("@", 1)[-1]
    if authority.startswith("["):  # an IPv6 address
        return authority[1:].split("]")[0]
    return authority.split(":", 1)[0].lower().rstrip(".")


def listed(host, domains):
    """Whether the host or a domain above it is in the list."""
    while host:
        if host in domains:
            return True
        host = host.partition(".")[2]
    return False


def main():
    path, elsewhere = (sys.argv[1:] + [BLOCKLIST, ELSEWHERE][len(sys.argv) - 1:])[:2]
    domains = read_domains(path)
    for line in sys.stdin:
        fields = line.split()
        if not fields:
            print(flush=True)
            continue
        channel = ""
        if fields[0].isdigit() and len(fields) > 1:  # concurrency= is on
            channel = fields.pop(0) + " "
        host = host_of(fields[0])
        answer = "ERR"
        if listed(host, domains):
            answer = 'OK status=302 url="%s"' % elsewhere.replace("%s", quote(host))
        # Without flush, Python keeps the answer back, for its output is a pipe.
        print(channel + answer, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
