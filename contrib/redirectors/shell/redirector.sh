#!/bin/sh
# An example url_rewrite_program: sends requests for listed domains elsewhere.
#
# usage: redirector.sh [BLOCKLIST [URL]]      see README.md
#
# It starts no other program for a request: everything is done by the shell itself, whose
# printf writes at once.
export LC_ALL=C # lines are bytes
here=$(dirname "$0")
blocklist=${1:-$here/../blocklist.txt}
elsewhere=${2:-'http://blocked.invalid/?host=%s'}
newline='
'
return=$(printf '\r')

[ -r "$blocklist" ] || { echo "cannot read $blocklist" >&2; exit 1; }
# The domains between line feeds, so that one can be looked for as a whole line.
domains=$newline$(sed -e 's/#.*//' -e 's/^[[:space:]]*\.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$blocklist" |
	tr '[:upper:]' '[:lower:]')$newline

# host_of sets host to that of a URL, or of the host:port that a CONNECT asks for.
host_of() {
	host=${1#*://}
	host=${host%%[/?#]*}
	host=${host##*@}
	case $host in
	\[*) host=${host#\[} host=${host%%]*} ;; # an IPv6 address
	*) host=${host%%:*} ;;
	esac
	# Names are in lower case already when a proxy sends them: this is for others.
	case $host in *[A-Z]*) host=$(printf '%s' "$host" | tr '[:upper:]' '[:lower:]') ;; esac
	while :; do case $host in *.) host=${host%.} ;; *) break ;; esac done
}

# listed says whether the host or a domain above it is in the list.
listed() {
	name=$1
	while [ -n "$name" ]; do
		case $domains in *"$newline$name$newline"*) return 0 ;; esac
		case $name in *.*) name=${name#*.} ;; *) return 1 ;; esac
	done
	return 1
}

while IFS=' ' read -r first second rest; do
	channel= url=${first%"$return"}
	case $first in
	'' | *[!0-9]*) ;;
	*) [ -n "$second" ] && channel="$first " url=${second%"$return"} ;; # concurrency= is on
	esac
	host_of "$url"
	if listed "$host"; then
		# What is listed is a name, and has nothing that would have to be escaped.
		case $elsewhere in
		*%s*) to=${elsewhere%%%s*}$host${elsewhere#*%s} ;;
		*) to=$elsewhere ;;
		esac
		printf '%sOK status=302 url="%s"\n' "$channel" "$to"
	else
		printf '%sERR\n' "$channel"
	fi
done
