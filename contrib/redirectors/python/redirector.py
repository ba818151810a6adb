#!/usr/bin/env python3
"""An example url_rewrite_program: sends requests for listed domains elsewhere.

usage: redirector.py [BLOCKLIST [URL]]      see README.md
"""
import os
import re
import sys
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCKLIST = os.path.join(HERE, "..", "blocklist.txt")
ELSEWHERE = "http://blocked.invalid/?host=%s"

# Lines are bytes, here and below: a URL need not be UTF-8, and what cannot be decoded would end
# a program that reads text.


def read_domains(path):
    """The domains of a list, one a line, without comments."""
    with open(path, "rb") as lines:
        words = (line.split(b"#")[0].strip().lower() for line in lines)
        return {word.lstrip(b".") for word in words if word}


def host_of(url):
    """The host of a URL, or of the host:port that a CONNECT asks for."""
    rest = url.split(b"://", 1)[-1]
    authority = re.split(rb"[/?#]", rest, maxsplit=1)[0].rsplit(b"@", 1)[-1]
    if authority.startswith(b"["):  # an IPv6 address
        return authority[1:].split(b"]")[0]
    return authority.split(b":", 1)[0].lower().rstrip(b".")


def listed(host, domains):
    """Whether the host or a domain above it is in the list."""
    while host:
        if host in domains:
            return True
        host = host.partition(b".")[2]
    return False


def answer(line, domains, elsewhere):
    """The answer to a line, without its end."""
    fields = line.split(b" ")
    channel = b""
    if fields[0].isdigit() and len(fields) > 1:  # concurrency= is on
        channel = fields.pop(0) + b" "
    host = host_of(fields[0])
    if not listed(host, domains):
        return channel + b"ERR"
    url = elsewhere.replace("%s", quote(host, safe=""))
    return channel + b'OK status=302 url="%s"' % os.fsencode(url)


def main():
    path, elsewhere = (sys.argv[1:] + [BLOCKLIST, ELSEWHERE][len(sys.argv) - 1:])[:2]
    try:
        domains = read_domains(path)
    except OSError as error:
        sys.exit("cannot read %s: %s" % (path, error.strerror))
    for line in sys.stdin.buffer:
        if not line.endswith(b"\n"):
            break  # the proxy ended in the middle of it
        sys.stdout.buffer.write(answer(line.rstrip(b"\r\n"), domains, elsewhere) + b"\n")
        # Without flush, Python keeps the answer back, for its output is a pipe.
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)  # nobody is there to hear what Python would say
