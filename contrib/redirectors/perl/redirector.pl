#!/usr/bin/env perl
# An example url_rewrite_program: sends requests for listed domains elsewhere.
#
# usage: redirector.pl [BLOCKLIST [URL]]      see README.md
use strict;
use warnings;
use FindBin;

my $blocklist = shift // "$FindBin::Bin/../blocklist.txt";
my $elsewhere = shift // 'http://blocked.invalid/?host=%s';

$| = 1;             # Flush each answer: the output is a pipe, and Perl would keep it back.
binmode STDIN;      # Lines are bytes: PERL_UNICODE and PERL5OPT would make characters of them,
binmode STDOUT;     # and complain of those that are none.

my %blocked = read_domains($blocklist);
while (my $line = <STDIN>) {
    last unless $line =~ s/\r?\n\z//;    # the proxy ended in the middle of it
    print answer($line), "\n";
}

# answer gives the answer to a line, without its end.
sub answer {
    my ($line) = @_;
    my ($url, $second) = split / /, $line, 3;
    my $channel = '';
    if (defined $second && $url =~ /\A[0-9]+\z/) {    # concurrency= is on
        $channel = "$url ";
        $url     = $second;
    }
    my $host = host_of($url // '');
    return "${channel}ERR" unless listed($host);
    (my $to = $elsewhere) =~ s/%s/escape($host)/ge;
    return qq{${channel}OK status=302 url="$to"};
}

# read_domains gives the domains of a list, one a line, without comments.
sub read_domains {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "cannot read $path: $!\n";
    my %domains;
    while (my $line = <$file>) {
        $line =~ s/#.*//;
        $domains{ lc $1 } = 1 if $line =~ /^\s*\.?(\S+)/;
    }
    close $file;
    return %domains;
}

# host_of gives the host of a URL, or of the host:port that a CONNECT asks for.
sub host_of {
    my ($url) = @_;
    $url =~ s{\A.*?://}{}s;
    my ($authority) = $url =~ m{\A([^/?#]*)};
    $authority =~ s/\A.*@//s;
    return $1 if $authority =~ /\A\[([^\]]*)/;    # an IPv6 address
    $authority =~ s/:.*//s;
    $authority =~ s/\.+\z//;
    return lc $authority;
}

# listed says whether the host or a domain above it is in the list.
sub listed {
    my ($host) = @_;
    while ($host ne '') {
        return 1 if $blocked{$host};
        $host =~ s/\A[^.]*\.?//;
    }
    return 0;
}

# escape makes text safe in a query.
sub escape {
    my ($text) = @_;
    $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}
